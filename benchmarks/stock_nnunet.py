"""Stock nnU-Net beside this workflow: its folders and checkpoints, the command that labels, how label maps differ."""

from collections.abc import Iterable
from pathlib import Path

import SimpleITK as sitk
import torch

from noisy_student.nnunet import CONFIGURATION

FOLDERS = ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results")
# The model that labels, below the last of these folders, of the dataset with number 1.
MODEL = f"nnUNetTrainer__bench__{CONFIGURATION}"


def environment(folder: Path) -> dict[str, str]:
    """nnU-Net's three folders in `folder`, as its commands and this workflow's are given them."""
    return {name: str(folder / name) for name in FOLDERS} | {"OMP_WAIT_POLICY": "PASSIVE"}


def save(network: torch.nn.Module, checkpoint: Path, mirrored: tuple[int, ...] | None = None) -> None:
    """Write a network as nnU-Net's trainer would, which mirrored scans along these axes, or along none."""
    contents = {
        "network_weights": {key.removeprefix("_orig_mod."): value.cpu() for key, value in network.state_dict().items()},
        "trainer_name": "nnUNetTrainer",
        "init_args": {"configuration": CONFIGURATION, "fold": 0},
        "inference_allowed_mirroring_axes": mirrored,
    }
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    torch.save(contents, checkpoint)


def arguments(images: Path, output: Path, cores: int) -> list[object]:
    """Those of `nnUNetv2_predict`: on a CPU, not mirrored, with as many workers as there are cores."""
    which = ("-d", 1, "-p", "bench", "-c", CONFIGURATION, "-f", 0, "--disable_tta")
    return ["-i", images, "-o", output, *which, "-device", "cpu", "-npp", cores, "-nps", cores]


def differing(left: Path, right: Path, cases: Iterable[str]) -> float:
    """The largest share of voxels in which the two label maps of a case differ."""

    def differing_of(case: str) -> float:
        one, other = (sitk.ReadImage(str(folder / f"{case}.nii.gz")) for folder in (left, right))
        return float((sitk.GetArrayViewFromImage(one) != sitk.GetArrayViewFromImage(other)).mean())

    return max(map(differing_of, cases))
