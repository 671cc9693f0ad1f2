"""Label scans with a trained model, from the raw files: a finished round's, or any 3D model folder of nnU-Net v2.

label_scan.py --model results/round_2/model --image scan.nii.gz --output label_map.nii.gz
label_scan.py --model nnUNet_results/Dataset001_X/nnUNetTrainer__nnUNetPlans__3d_fullres --image scans/ --output labels/
label_scan.py --model results/round_2/model --image dicom/ --output labels/ --format dicom-seg seg.nrrd
label_scan.py --model results/round_2/model --image Totalsegmentator_dataset_v201/ --scan ct.nii.gz --output labels/

A model of this workflow labels with the sliding window with which its run did, unless options say otherwise. Several
models label together, in the first one's labels or those of --organs: by their mean, or by vote where labels or grids
differ. A model of this workflow sees scans in canonical orientation, any other as nnU-Net itself gives them to it.
What the workflow's check would say of a scan is said on stderr. A scan that cannot be labelled does not end the
others: they are listed at the end, and the exit status is 1.
"""

import argparse
import sys
from pathlib import Path

import torch

from noisy_student.command import run
from noisy_student.configuration.prediction_options import add_arguments, prediction_of
from noisy_student.label.jobs import jobs_of
from noisy_student.label.label_all import label_all
from noisy_student.label.labeller import Labeller, Vote, labeller_of
from noisy_student.label.scans import find_scans
from noisy_student.label.words import (
    failed_scans,
    of_all,
    of_axes,
    of_folds,
    of_generated,
    of_others,
    of_outcome,
    of_postprocessing,
    say,
)
from noisy_student.model.checkpoint_names import FINAL, KINDS
from noisy_student.model.device import choose_device
from noisy_student.model.model_folder import checkpoints_of, unfinished_folds
from noisy_student.model.own_prediction import KEPT, own_prediction
from noisy_student.model.postprocessing import read_steps, steps_beside
from noisy_student.model.trust import require_trusted
from noisy_student.organs import from_json
from noisy_student.parallel import with_progress
from noisy_student.writing.formats import FORMATS
from noisy_student.writing.numbers import NUMBERS, OWN

SOME_FAILED_STATUS = 1


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--model", type=Path, nargs="+", required=True, help="folder with plans.json, dataset.json and fold_*/"
    )
    parser.add_argument("--image", type=Path, required=True, help="a scan (file or DICOM series), or a folder of scans")
    parser.add_argument(
        "--scan", default="", metavar="PATH",
        help="where --image has a folder for each case, the scan in each: ct.nii.gz, '*.nii.gz'; a path with {case}, "
        "the case's name, begins at --image: '{case}/{case}.nii.gz'. Label maps are named after the cases",
    )  # fmt: skip
    parser.add_argument(
        "--output", required=True,
        help="folder for label maps named as the cases, where those of an earlier run are replaced; or of one scan the "
        "label map's file",
    )  # fmt: skip
    parser.add_argument(
        "--format", nargs="+", choices=FORMATS, default=[],
        help="of the label maps in a folder (default: nii.gz); dicom-seg of DICOM scans alone",
    )  # fmt: skip
    parser.add_argument(
        "--numbers", choices=NUMBERS, default=OWN,
        help="of organs in label maps, and their names: the model's own, or TotalSegmentator's, of which DICOM-SEG has "
        "the names alone (default: own)",
    )  # fmt: skip
    parser.add_argument(
        "--organs", type=from_json, metavar="JSON",
        help="the labels of label maps, matched with the models' by name: [{\"label\": 1, \"name\": \"liver\"}, ...] "
        "(default: the first model's)",
    )  # fmt: skip
    parser.add_argument(
        "--accept", action="store_true", help="label scans that do not look like CT, or like one acquisition, too"
    )
    parser.add_argument("--folds", nargs="+", help="folds to average, numbers or `all` (default: all numbered ones)")
    parser.add_argument("--checkpoint", choices=KINDS, default=FINAL, help="of each fold (default: final)")
    add_arguments(parser)
    parser.add_argument(
        "--trust", nargs="+", default=[], help="SHA-256 of checkpoints from elsewhere that may be loaded"
    )
    parser.add_argument("--postprocessing", type=read_steps, help="postprocessing.json of the model")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    return parser.parse_args()


def chosen_labeller(arguments: argparse.Namespace) -> Labeller | Vote:
    """The models, once their checkpoints are trusted."""
    device = choose_device(arguments.device, arguments.threads)
    models = [checkpoints_of(model, arguments.folds, arguments.checkpoint) for model in arguments.model]
    if not arguments.folds:
        for model, folds in zip(arguments.model, models, strict=True):
            say(of_folds(unfinished_folds(model, folds), arguments.checkpoint))
    require_trusted([path for folds in models for path in folds], arguments.trust)
    say(of_generated(arguments.model, arguments.image))
    if arguments.postprocessing is None:
        say(of_postprocessing(steps_beside(arguments.model)))
    is_said = all(getattr(arguments, name) is not None for name in KEPT)
    own = {} if is_said else own_prediction(arguments.model)
    steps = arguments.postprocessing or ()
    return labeller_of(models, prediction_of(arguments, own), device, arguments.organs, steps=steps)


def called(models: list[Path]) -> str:
    """What label maps call the models: the last two parts of each one's path, such as `round_2/model`."""
    return " + ".join("/".join(model.resolve().parts[-2:]) for model in models)


def main() -> None:
    """Label, and say what was found."""
    arguments = options()
    found = find_scans(arguments.image, arguments.scan)
    say(of_others(found))
    jobs = jobs_of(arguments.image, found, arguments.output, arguments.format)
    labeller = chosen_labeller(arguments)
    outcomes = []
    labelled = label_all(jobs, labeller, arguments.accept, arguments.numbers, called(arguments.model))
    for outcome in with_progress(labelled, len(jobs), "labelling"):
        say(of_outcome(outcome))
        outcomes.append(outcome)
    say(of_axes(outcomes) if labeller.knows_one_order else [])
    say(of_all(outcomes))
    if any(outcome.errors for outcome in outcomes):
        say(failed_scans(outcomes))
        sys.exit(SOME_FAILED_STATUS)


if __name__ == "__main__":
    run(main)
