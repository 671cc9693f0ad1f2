"""Scans labelled from the files that people have, for `label_scan.py`."""
