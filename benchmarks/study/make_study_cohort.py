"""Say which scans the experiments of one seed have: generated, or painted around label maps dealt over the roles.

Where labelled scans are to be partly labelled, the scans are made here, for all experiments; beside them lie
`partly_labelled/<case>.nii.gz`, and `partly_labelled.tsv`, the table of these scans that says what is labelled.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import SimpleITK as sitk

from arms import Counts, Study
from make_cohort import list_cases, make_cohort, remove_others
from noisy_student.cohort.folder_state import state_of
from noisy_student.cohort.labelled_organs import labelled_in
from noisy_student.cohort.scans import embedded_folders
from noisy_student.command import run
from noisy_student.embedded.wrapping import read_label_map
from noisy_student.errors import InputError
from noisy_student.files import visible, write_text
from noisy_student.geometry import image_like
from noisy_student.images import read_image, write_image
from noisy_student.organs import FLARE22
from noisy_student.reading.names import case_name
from noisy_student.tables import write_table

SCANS, PARTLY = "scans", "partly_labelled"

FEWEST_MAPS = 10


def usable(folder: Path) -> list[Path]:
    """The label maps that a body can be painted around; what is wrong with the others is said."""
    found = []
    for path in visible(folder, ".nii.gz"):
        try:
            read_label_map(path)
        except InputError as error:
            print(f"not used: {error}", file=sys.stderr)
        else:
            found.append(path)
    if len(found) < FEWEST_MAPS:
        raise InputError(
            f"at least {FEWEST_MAPS} label maps in {folder}", f"{len(found)} of use", "give another folder"
        )
    return found


def deal(label_maps: list[Path], folder: Path, seed: int, counts: Counts, repeats: int) -> None:
    """Links to the label maps in an order that the seed gives, in which `make_cohort` deals them over the roles.

    To each of the unlabelled scans' so many links as scans are to be painted around it. Earlier links go.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for link in folder.iterdir():
        link.unlink()
    order = np.random.default_rng(seed).permutation(label_maps)
    first, behind = counts.labelled, counts.labelled + counts.unlabelled // repeats
    dealt = [*order[:first], *np.repeat(order[first:behind], repeats), *order[behind:]]
    for number, path in enumerate(dealt):
        (folder / f"{number:04}_{path.name}").symlink_to(path.resolve())


def make_partly_labelled(study: Study, counts: Counts, seed: int, label_maps: Path | None, folder: Path) -> None:
    """Make a seed's scans, deal the sets of organs over the labelled ones, and leave only these in their label maps."""
    cases = list_cases(counts.model_dump(), label_maps)
    remove_others(cases, folder / SCANS)
    shutil.rmtree(folder / PARTLY, ignore_errors=True)
    for number, name in enumerate(make_cohort(cases, folder / SCANS, seed, study.variation, cores=1), start=1):
        print(f"{number}/{len(cases)} {name}", file=sys.stderr)
    [labelled] = embedded_folders(folder / SCANS).labelled
    images = visible(labelled.images, ".nii.gz")
    rows = []
    for image, organs in zip(images, dealt_sets(study.partly, len(images), seed), strict=True):
        case = case_name(image)
        label_map, target = read_image(labelled.label_maps / f"{case}.nii.gz"), folder / PARTLY / f"{case}.nii.gz"
        write_image(only(label_map, organs), target)
        rows.append({
            "case": case, "image": image.relative_to(folder), "label_map": target.relative_to(folder),
            "organs": ", ".join(organs),
        })  # fmt: skip
    write_table(pd.DataFrame(rows), folder / f"{PARTLY}.tsv")


def dealt_sets(sets: Sequence[list[str]], scans: int, seed: int) -> list[list[str]]:
    """A set for each scan, each set as often as any other, or once less."""
    order = np.random.default_rng(seed).permutation(scans)
    return [sets[place % len(sets)] for place in order]


def only(label_map: sitk.Image, organs: Sequence[str]) -> sitk.Image:
    """The label map with these of FLARE22's organs alone."""
    labels = labelled_in(FLARE22, organs)
    array = sitk.GetArrayViewFromImage(label_map)
    return image_like(np.where(np.isin(array, labels), array, 0), label_map)


def main() -> None:
    """Deal the label maps, if there are any, and write the configuration's keys."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--study", type=Study.model_validate_json, required=True, help="the study, as JSON")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--output", type=Path, required=True, help="the seed's part of the configuration")
    arguments = parser.parse_args()
    study, embedded = arguments.study, {}
    counts = study.procedural
    if study.label_maps:
        maps = usable(Path(study.label_maps))
        # Other label maps are another cohort, also where they have the same names.
        dealt = arguments.output.with_name(f"label_maps_{state_of([Path(study.label_maps)])}")
        counts, embedded = study.painted.counts(len(maps)), {"label_maps": f"../{dealt.name}"}
        deal(maps, dealt, arguments.seed, counts, study.painted.repeats)
    overlay = {"seed": arguments.seed}
    if study.partly:
        label_maps = dealt if study.label_maps else None
        make_partly_labelled(study, counts, arguments.seed, label_maps, arguments.output.parent)
    else:
        embedded |= counts.model_dump() | {"variation": study.variation}
        overlay["cohort"] = {"kind": "embedded", "embedded": embedded}
    write_text(arguments.output, json.dumps(overlay, indent=2))


if __name__ == "__main__":
    run(main)
