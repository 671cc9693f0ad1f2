"""The embedded cohort: CT-like scans with all organs, from a seed."""
