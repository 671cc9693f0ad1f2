"""What a scan is called: its file's or folder's name, without what says how it is stored."""

import re
from pathlib import Path

# The order is the preference where a label map lies in two formats.
EXTENSIONS = (".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd")
CHANNEL = "_0000"
LONGEST_NAME = 150
# nnU-Net names a case's label map `<case>_seg`, so a case must not be named like one.
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*(?<!_seg)", re.IGNORECASE)


def extension_of(path: Path) -> str:
    """Which of the known extensions a name has, in whichever case it is written; none, an empty text."""
    return next((extension for extension in EXTENSIONS if path.name.lower().endswith(extension)), "")


def stem_of(path: Path) -> str:
    """The name without a known extension."""
    return path.name[: len(path.name) - len(extension_of(path))]


def case_name(image: Path) -> str:
    """The scan's name without extension and without nnU-Net's channel number `_0000`."""
    return stem_of(image).removesuffix(CHANNEL)


def is_plain_name(case: str) -> bool:
    """Whether a case's files can be named after it, everywhere and without a clash."""
    return bool(_PLAIN_NAME.fullmatch(case)) and len(case) <= LONGEST_NAME
