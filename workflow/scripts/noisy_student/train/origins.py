"""Whose label a scan of a round's training set has: the column `origin`, and the names of filled scans."""

# By hand from the beginning; a pseudo-label that was corrected by hand.
LABELLED, CORRECTED = "labelled", "corrected"
# The teacher's of the round, as a whole; by hand, with the teacher's of organs that are not labelled by hand.
PSEUDO, FILLED = "pseudo", "filled"
BY_HAND = (LABELLED, CORRECTED)
# Of a case's name in a round's dataset; no scan's own name has such an end.
ENDING = "+filled"


def filled_name(case: str) -> str:
    """What the filled scan is called in a round's dataset, beside the scan as it was labelled by hand."""
    return case + ENDING


def unfilled_name(name: str) -> str:
    """The scan of a filled one."""
    return name.removesuffix(ENDING)
