"""Label scans with a trained model, from the raw files: a finished round's, or any nnU-Net v2 model folder.

label_scan.py --model results/round_2/model --image scan.nii.gz --output label_map.nii.gz
label_scan.py --model results/round_2/model --image scans/ --output label_maps/
"""

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

import torch

from noisy_student.cohort.conversion import FORMAT, convert, converted_image
from noisy_student.cohort.scans import case_name, images_of
from noisy_student.command import run
from noisy_student.dicom_files import is_dicom
from noisy_student.errors import InputError
from noisy_student.images import orientation, read_geometry
from noisy_student.learning.device import choose_device
from noisy_student.learning.label_files import write_label_map
from noisy_student.learning.predictor import Predictor
from noisy_student.learning.preprocessing import preprocess_image
from noisy_student.learning.trainer import FINAL_CHECKPOINT
from noisy_student.learning.trust import require_trusted
from noisy_student.parallel import with_progress


def checkpoints(model: Path, folds: list[int] | None) -> list[Path]:
    """Final checkpoints of the named folds, or of all that there are."""
    found = sorted(model.glob(f"fold_*/{FINAL_CHECKPOINT}"))
    if folds:
        found = [model / f"fold_{fold}" / FINAL_CHECKPOINT for fold in folds]
    missing = [str(path) for path in found if not path.exists()]
    if missing or not found:
        got = ", ".join(missing) + " missing" if missing else "none"
        raise InputError(f"{FINAL_CHECKPOINT} of trained folds in {model}", got, "name a model folder of nnU-Net v2")
    return found


def jobs(image: Path, output: Path) -> list[tuple[Path, Path]]:
    """(scan, label map) for one scan, which may be the folder of a DICOM series, or for a folder of scans."""
    if not image.is_dir() or any(path.is_file() and is_dicom(path) for path in image.iterdir()):
        return [(image, output)]
    return [(scan, output / f"{case_name(scan)}{FORMAT}") for scan in images_of(image)]


def label(scan: Path, output: Path, predictor: Predictor) -> None:
    """Label one scan on its own grid."""
    with tempfile.TemporaryDirectory() as folder:
        converted = converted_image(Path(folder), "scan")
        convert(scan, converted)
        preprocess_image(converted, Path(folder) / "scan", predictor.plan)
        labelled = predictor.label(Path(folder) / "scan")
        letters = orientation(read_geometry(scan).direction)
        write_label_map(labelled.label_map_zyx, converted, letters, output)


def label_all(pairs: list[tuple[Path, Path]], predictor: Predictor) -> Iterator[Path]:
    """Label scan after scan; yield each label map's path."""
    for scan, output in pairs:
        label(scan, output, predictor)
        yield output


def main() -> None:
    """Read the arguments and label."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="folder with plans.json, dataset.json and fold_*/")
    parser.add_argument("--image", type=Path, required=True, help="a scan (file or DICOM series), or a folder of scans")
    parser.add_argument("--output", type=Path, required=True, help="its label map, or a folder for the label maps")
    parser.add_argument("--folds", type=int, nargs="+", help="folds to average (default: all)")
    parser.add_argument("--step-size", type=float, default=0.5, help="of the sliding window, as a share of the patch")
    parser.add_argument("--mirroring", action="store_true", help="average over mirrored scans")
    parser.add_argument(
        "--trust", nargs="+", default=[], help="SHA-256 of checkpoints from elsewhere that may be loaded"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    pairs = jobs(arguments.image, arguments.output)
    device = choose_device(arguments.device, arguments.threads)
    folds = checkpoints(arguments.model, arguments.folds)
    require_trusted(folds, arguments.trust)
    predictor = Predictor(folds, arguments.step_size, arguments.mirroring, device)
    for _ in with_progress(label_all(pairs, predictor), len(pairs), "labelling"):
        pass


if __name__ == "__main__":
    run(main)
