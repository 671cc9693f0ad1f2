"""Where converted scans and label maps lie, by nnU-Net's names."""

from pathlib import Path

FORMAT = ".nii.gz"


def converted_image(root: Path, case: str) -> Path:
    """Where the converted scan lies: nnU-Net's name for the first and only channel."""
    return root / "images" / f"{case}_0000{FORMAT}"


def converted_label_map(root: Path, case: str) -> Path:
    """Where the converted label map of a labelled scan lies."""
    return root / "label_maps" / f"{case}{FORMAT}"
