"""Names of image files: which are of a known format, and what is left of one without its extension."""

from pathlib import Path

# The order is the preference where a label map lies in two formats.
EXTENSIONS = (".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd")
# Of pictures, which have no place in a patient.
PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")
# nnU-Net's name of a case's first channel is `<case>_0000`.
FIRST_CHANNEL = "_0000"
# Words by which a name says that it is one of a label map, or of an image.
LABEL_WORDS = {
    *("label", "labels", "lbl", "seg", "segs", "segmentation", "segmentations", "mask", "masks"),
    *("gt", "truth", "groundtruth", "annotation", "annotations"),
}
IMAGE_WORDS = {"image", "images", "imaging", "img", "imgs", "volume", "vol", "ct", "scan", "orig"}


def extension_of(path: Path) -> str:
    """Which of the known extensions a name has, in whichever case it is written; none, an empty text."""
    return next(filter(path.name.lower().endswith, EXTENSIONS), "")


def stem_of(path: Path) -> str:
    """The name without a known extension."""
    return path.name[: len(path.name) - len(extension_of(path))]


def case_name(image: Path) -> str:
    """The name of a scan or label map without extension and without nnU-Net's channel number `_0000`."""
    return stem_of(image).removesuffix(FIRST_CHANNEL)


def is_named_as_image(path: Path) -> bool:
    """Whether a file's name is that of an image: neither a hidden one nor of another format."""
    return bool(extension_of(path)) and not path.name.startswith(".")
