"""Scans and label maps as people have them: one file a format, one door for scans and one for label maps."""
