"""Stock nnU-Net beside this workflow: its folders, the command that labels, and how far label maps differ."""

from collections.abc import Iterable
from pathlib import Path

import SimpleITK as sitk

FOLDERS = ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results")
# The model that labels, below the last of these folders, of the dataset with number 1.
MODEL = "nnUNetTrainer__bench__3d_fullres"


def environment(folder: Path) -> dict[str, str]:
    """nnU-Net's three folders in `folder`, as its commands and this workflow's are given them."""
    return {name: str(folder / name) for name in FOLDERS} | {"OMP_WAIT_POLICY": "PASSIVE"}


def arguments(images: Path, output: Path, cores: int) -> list[object]:
    """Those of `nnUNetv2_predict`: on a CPU, not mirrored, with as many workers as there are cores."""
    which = ("-d", 1, "-p", "bench", "-c", "3d_fullres", "-f", 0, "--disable_tta")
    return ["-i", images, "-o", output, *which, "-device", "cpu", "-npp", cores, "-nps", cores]


def differing(left: Path, right: Path, cases: Iterable[str]) -> float:
    """The largest share of voxels in which the two label maps of a case differ."""

    def differing_of(case: str) -> float:
        one, other = (sitk.ReadImage(str(folder / f"{case}.nii.gz")) for folder in (left, right))
        return float((sitk.GetArrayViewFromImage(one) != sitk.GetArrayViewFromImage(other)).mean())

    return max(map(differing_of, cases))
