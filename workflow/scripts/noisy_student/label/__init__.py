"""Scans labelled one after the other: whose label map lies where, and what is said of each."""
