"""Names of image files: which are of a known format, and what is left of one without its extension."""

from pathlib import Path

EXTENSIONS = (".nii.gz", ".nii", ".nrrd", ".mha", ".mhd", ".nhdr")
# nnU-Net's name of a case's first channel is `<case>_0000`.
FIRST_CHANNEL = "_0000"


def is_named_as_image(path: Path) -> bool:
    """Whether a file's name is that of an image: neither a hidden one nor of another format."""
    return path.name.lower().endswith(EXTENSIONS) and not path.name.startswith(".")


def stem_of(path: Path) -> str:
    """The name without the extension of an image, in whichever case that is written."""
    lower = path.name.lower()
    return path.name[: len(path.name) - len(next(filter(lower.endswith, EXTENSIONS), ""))]
