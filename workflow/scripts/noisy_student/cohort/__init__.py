"""The scans: found, checked, listed, converted."""
