"""Label scans with a trained model, from the raw files: a finished round's, or any 3D model folder of nnU-Net v2.

label_scan.py --model results/round_2/model --image scan.nii.gz --output label_map.nii.gz
label_scan.py --model nnUNet_results/Dataset001_X/nnUNetTrainer__nnUNetPlans__3d_fullres --image scans/ --output labels/

A model of this workflow sees scans in canonical orientation, any other as nnU-Net itself gives them to it.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from noisy_student.cohort.conversion import FORMAT
from noisy_student.cohort.names import case_name
from noisy_student.cohort.scans import images_of
from noisy_student.command import run
from noisy_student.dicom_files import is_dicom
from noisy_student.errors import InputError
from noisy_student.files import visible
from noisy_student.images import Geometry, image_on, orientation, read_image, reorient, unlike_a_volume, write_image
from noisy_student.learning.device import choose_device
from noisy_student.learning.model_folder import checkpoints_of
from noisy_student.learning.postprocessing import read_steps
from noisy_student.learning.prediction_options import add_arguments, prediction_of
from noisy_student.learning.predictor import Logits, Predictor
from noisy_student.learning.preprocessing import preprocessed_image
from noisy_student.learning.trust import require_trusted
from noisy_student.parallel import overlapped, with_progress


def jobs(image: Path, output: Path) -> list[tuple[Path, Path]]:
    """(scan, label map) for one scan, which may be the folder of a DICOM series, or for a folder of scans."""
    if not image.is_dir() or any(path.is_file() and is_dicom(path) for path in visible(image)):
        return [(image, output)]
    return [(scan, output / f"{case_name(scan)}{FORMAT}") for scan in images_of(image)]


@dataclass(frozen=True)
class Loaded:
    """A scan ready for the network, and where its label map goes: on `geometry`, turned back to `letters`."""

    image: torch.Tensor
    properties: dict[str, Any]
    geometry: Geometry
    letters: str
    output: Path


def label_all(pairs: list[tuple[Path, Path]], predictor: Predictor) -> Iterator[Path]:
    """Label scan after scan; yield each label map's path. Reading, the network and export overlap."""

    def read(pair: tuple[Path, Path]) -> Loaded:
        scan, output = pair
        stored = read_image(scan)
        if found := unlike_a_volume(stored):
            raise InputError(f"one volume of real numbers in {scan}", found, "take it out, or convert it")
        letters = orientation(stored.GetDirection())
        seen = reorient(stored, predictor.orientation or letters)
        image, properties = preprocessed_image(seen, predictor.plan)
        return Loaded(predictor.on_host(image), properties, Geometry.of(seen), letters, output)

    def work(loaded: Loaded) -> tuple[Loaded, Logits]:
        return loaded, predictor.predict(loaded.image)

    def finish(predicted: tuple[Loaded, Logits]) -> Path:
        loaded, logits = predicted
        label_map = predictor.labelled(logits, loaded.properties).label_map_zyx
        write_image(reorient(image_on(label_map, loaded.geometry), loaded.letters), loaded.output)
        return loaded.output

    yield from overlapped(pairs, read, work, finish)


def main() -> None:
    """Read the arguments and label."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="folder with plans.json, dataset.json and fold_*/")
    parser.add_argument("--image", type=Path, required=True, help="a scan (file or DICOM series), or a folder of scans")
    parser.add_argument("--output", type=Path, required=True, help="its label map, or a folder for the label maps")
    parser.add_argument("--folds", nargs="+", help="folds to average, numbers or `all` (default: all numbered ones)")
    add_arguments(parser)
    parser.add_argument(
        "--trust", nargs="+", default=[], help="SHA-256 of checkpoints from elsewhere that may be loaded"
    )
    parser.add_argument("--postprocessing", type=read_steps, default=(), help="postprocessing.json of the model")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    pairs = jobs(arguments.image, arguments.output)
    device = choose_device(arguments.device, arguments.threads)
    folds = checkpoints_of(arguments.model, arguments.folds)
    require_trusted(folds, arguments.trust)
    predictor = Predictor(folds, prediction_of(arguments), device, arguments.postprocessing)
    for _ in with_progress(label_all(pairs, predictor), len(pairs), "labelling"):
        pass


if __name__ == "__main__":
    run(main)
