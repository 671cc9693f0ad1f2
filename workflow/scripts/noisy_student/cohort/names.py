"""Which names a case may have."""

import re

LONGEST_NAME = 150
# nnU-Net names a case's label map `<case>_seg`, so a case must not be named like one.
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*(?<!_seg)", re.IGNORECASE)


def is_plain_name(case: str) -> bool:
    """Whether a case's files can be named after it, everywhere and without a clash."""
    return bool(_PLAIN_NAME.fullmatch(case)) and len(case) <= LONGEST_NAME
