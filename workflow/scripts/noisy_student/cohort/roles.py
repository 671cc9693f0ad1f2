"""What scans are for."""

ROLES = ("labelled", "unlabelled", "validation", "test")
LABELLED_ROLES = ("labelled", "validation", "test")
# There an organ that is not in the label map is right not to be found.
JUDGED = ("validation", "test")
