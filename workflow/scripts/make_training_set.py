"""Assemble the dataset of one round: all labelled scans, and the pseudo-labelled ones that were kept.

Pseudo-labels that were corrected by hand are hand labels. Labelled and corrected scans in which only some organs are
labelled are in it as they are, and filled where that was kept.
"""

import argparse
import json
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from noisy_student import nnunet
from noisy_student.cohort.labelled_organs import LABELLED_SHARE, labelled_by_case
from noisy_student.command import run
from noisy_student.correct.table import corrections_of
from noisy_student.errors import InputError
from noisy_student.files import read_json, write_text
from noisy_student.keeping.store import own
from noisy_student.model.edited import refuse_edited
from noisy_student.model.label_files import LabelFiles
from noisy_student.model.voxel_confidence import BACKGROUND
from noisy_student.parallel import in_threads
from noisy_student.plan.preprocessing import Plan
from noisy_student.tables import read_table, write_table
from noisy_student.train.balance import BALANCED, organ_bounds
from noisy_student.train.filling import not_found
from noisy_student.train.masking import with_ignore_label
from noisy_student.train.origins import CORRECTED, FILLED, LABELLED, PSEUDO, filled_name, unfilled_name
from noisy_student.train.training_set import (
    Example,
    add_example,
    label_sets,
    remove_others,
    splits,
    what_is_learned,
    whose_labels,
)

# In whole per cent, the least confidence of a voxel that is not undecided.
DECIDED = 0.01
# Of the case table.
VOXELS = "voxels_sha256"


def examples(
    converted: Path,
    preprocessed: Path,
    selection: Path | None,
    pseudo_labels: Path | None,
    least: Mapping[str, float],
    organs: Collection[str],
    soft: bool = False,
    surface_mm: float = 0.0,
    usual_ml: Mapping[str, float] = MappingProxyType({}),
    unlabelled: Mapping[str, Sequence[str]] = MappingProxyType({}),
    filling: Path | None = None,
    corrected: Mapping[str, Path] = MappingProxyType({}),
) -> list[Example]:
    """Every scan that the round learns from; of its `organs` a teacher from elsewhere may not mark all.

    `least`: how sure the teacher must be of a voxel of each organ, and of background, to leave it in the loss. `soft`:
    its soft labels are needed. `surface_mm`: unsure background so near to an organ is learned from where the organ is
    no smaller than its volume in `usual_ml`. `unlabelled`: of partly labelled scans the organs that are not labelled
    there; `filling` is the selection of them. `corrected`: label maps of scans whose pseudo-labels were corrected by
    hand; of partly corrected ones the other organs are filled as in partly labelled scans.
    """
    places = read_table(preprocessed, ["case", "preprocessed"]).set_index("case").preprocessed
    labelled = read_table(converted, ["case", "label_map"]).dropna(subset="label_map")
    of_origin = {LABELLED: dict(zip(labelled.case, map(Path, labelled.label_map), strict=True)), CORRECTED: corrected}
    found = [
        Example(case, origin, label_map, Path(places[case]), unlabelled=tuple(unlabelled.get(case, ())))
        for origin, label_maps in of_origin.items()
        for case, label_map in label_maps.items()
    ]
    by_hand = of_origin[LABELLED] | corrected
    for table in filter(None, (selection, filling)):
        kept = list(kept_pseudo_labels(table, pseudo_labels))
        refuse_edited(files.label_map for files, *_ in kept)
        for files, masked, confidence in kept:
            image, volumes = Path(places[files.case]), files.volumes_ml()
            lacking = tuple(organ for organ in organs if organ not in volumes)
            example = Example(files.case, PSEUDO, files.label_map, image, masked, confidence, lacking=lacking)
            if files.case in by_hand:
                missed = not_found(unlabelled[files.case], volumes, usual_ml)
                example = as_filled(example, unlabelled[files.case], by_hand[files.case], missed)
            if soft or surface_mm:
                example = replace(example, soft=files.soft_labels)
            if surface_mm:
                large = [organ for organ, ml in volumes.items() if ml >= usual_ml.get(organ, 0)]
                example = replace(example, surfaces=(surface_mm, tuple(large)), undecided=files.has_undecided())
            own = {organ: least[organ] for organ, ml in volumes.items() if ml and organ not in example.masked}
            own[BACKGROUND] = max(least[BACKGROUND], DECIDED * files.has_undecided())
            if any(own.values()):
                example = replace(example, voxels=files.confidence, least_confidence=own)
            found.append(example)
    return found


def as_filled(example: Example, unlabelled: Sequence[str], by_hand: Path, missed: Collection[str]) -> Example:
    """A teacher's labels of a partly labelled scan, of which only what concerns the organs `unlabelled` counts.

    It `missed` some of them; those that it does not mark, and those whose labels are not trusted, count as missed.
    """
    masked, lacking = (
        tuple(organ for organ in named if organ in unlabelled) for named in (example.masked, example.lacking)
    )
    not_there = {*missed, *masked, *lacking}
    return replace(
        example, case=filled_name(example.case), origin=FILLED, masked=masked, lacking=lacking,
        unlabelled=tuple(unlabelled), by_hand=by_hand, missed=tuple(filter(not_there.__contains__, unlabelled)),
    )  # fmt: skip


def unlabelled_organs(cases: Path, labels: Mapping[str, int]) -> dict[str, list[str]]:
    """The organs (name → label) that are not labelled in each partly labelled scan of the case table."""
    table = read_table(cases, ["case", "role"])
    return unlabelled_in(table[table.role == "labelled"], labels)


def unlabelled_in(table: pd.DataFrame, labels: Mapping[str, int]) -> dict[str, list[str]]:
    """The same of a table's cases, by its column `organs`."""
    sets = labelled_by_case(table, labels.values())
    unlabelled = {case: [organ for organ in labels if labels[organ] not in found] for case, found in sets.items()}
    return {case: missing for case, missing in unlabelled.items() if missing}


def labelled_shares(converted: Path) -> dict[str, float]:
    """Which share of its voxels is labelled by hand in each scan in which not all are."""
    table = read_table(converted, ["case"])
    return table.set_index("case")[LABELLED_SHARE].dropna().to_dict() if LABELLED_SHARE in table else {}


def checksums_of_voxels(cases: Path) -> dict[str, str]:
    """Each case's checksum of its voxels, equal in all files of one scan; none in case tables of old."""
    table = read_table(cases, ["case"]).set_index("case")
    return table[VOXELS].dropna().to_dict() if VOXELS in table else {}


def kept_pseudo_labels(selection: Path, pseudo_labels: Path) -> Iterator[tuple[LabelFiles, tuple[str, ...], float]]:
    """Files, masked organs and confidence of each scan that was kept."""
    table = read_table(selection, ["case", "decision", "masked", "confidence"])
    for row in table[table.decision == "kept"].fillna({"masked": ""}).itertuples():
        yield LabelFiles(pseudo_labels, row.case), tuple(row.masked.split(", ")) if row.masked else (), row.confidence


def of_unmarked_organs(found: Sequence[Example]) -> list[str]:
    """A sentence for each set of organs that the teacher of some pseudo-labels does not mark."""
    scans = Counter(example.lacking for example in found if example.lacking)
    what = "not marked by the teacher, so background is left out of the loss"
    return [f"{', '.join(organs)}: {what} in {count} pseudo-labels" for organs, count in scans.items()]


def mean_volumes_ml(measures: Path) -> dict[str, float]:
    """The mean volume of each organ in all scans in which it is labelled, in ml; 0 in those that do not have it."""
    return read_table(measures, ["organ", "volume_ml"]).groupby("organ").volume_ml.mean().to_dict()


def usual_volumes_ml(measures: Path) -> dict[str, float]:
    """The median volume of each organ in the labelled scans that have it, in ml."""
    table = read_table(measures, ["organ", "volume_ml"])
    return table[table.volume_ml > 0].groupby("organ").volume_ml.median().to_dict()


def write_folds(path: Path, folds_of: Callable[..., list[dict[str, list[str]]]], voxels: Mapping[str, str]) -> None:
    """Write the folds, none of which learns from a copy of what it holds out (`voxels`: case → checksum).

    Where there are folds already that differ in this alone, they stay: trainings have learned by them.
    """
    folds, without_checksums = folds_of(voxels), folds_of()
    if folds != without_checksums and path.exists() and read_json(path) == without_checksums:
        folds = without_checksums
        print(
            "warning: folds learn from copies of labelled scans that they hold out, as in the training that was made "
            f"by them; to make it anew without, delete {path}",
            file=sys.stderr,
        )
    write_text(path, json.dumps(folds, indent=2))


def main() -> None:
    """Read the arguments and assemble."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--converted", type=Path, required=True, help="index of the converted scans")
    parser.add_argument("--preprocessed", type=Path, required=True, help="index of the preprocessed scans")
    parser.add_argument("--selection", type=Path, help="selection.tsv of the round (none in round 0)")
    parser.add_argument("--filling", type=Path, help="the same of partly labelled scans, if there are such")
    parser.add_argument("--cases", type=Path, help="the case table, if there are partly labelled scans")
    parser.add_argument("--checksums", type=Path, help="the case table: no fold learns from a scan's held-out copy")
    parser.add_argument(
        "--corrected", type=Path, nargs="*", default=[], help="corrected.tsv of earlier rounds, in order"
    )
    parser.add_argument("--validate-corrected", action="store_true", help="folds hold corrected scans out too")
    parser.add_argument("--pseudo-labels", type=Path, help="folder of the teacher's label maps (none in round 0)")
    parser.add_argument(
        "--voxel-confidence",
        type=lambda text: text if text == BALANCED else float(text),
        nargs=2,
        default=(0.0, 0.0),
        metavar=("ORGAN", "BACKGROUND"),
        help=f"voxels of which the teacher is less sure are left out of the loss; {BALANCED}: so that each organ "
        "keeps the volume that the labelled scans let expect",
    )
    parser.add_argument("--surface-mm", type=float, default=0.0, help="but not so near to an organ of its usual size")
    parser.add_argument("--labelled", type=Path, help="the labelled scans' measures: what organs' usual sizes are")
    parser.add_argument("--soft", action="store_true", help="the teacher's two most probable classes are the targets")
    parser.add_argument("--plans", type=Path, required=True)
    parser.add_argument("--description", type=Path, required=True, help="dataset.json of the labelled scans")
    parser.add_argument("--fingerprint", type=Path, required=True)
    parser.add_argument("--splits", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True, help="the configuration's seed, the same in all rounds")
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--output", type=Path, required=True, help="training_set.tsv in the round's dataset folder")
    arguments = parser.parse_args()

    folder = arguments.output.parent
    cases = folder / nnunet.CASES_FOLDER
    own(cases)
    cases.mkdir(parents=True, exist_ok=True)
    description = read_json(arguments.description)
    labels = {name: label for name, label in description["labels"].items() if label}
    organs = list(labels)
    unlabelled = unlabelled_organs(arguments.cases, labels) if arguments.cases else {}
    corrections = corrections_of(arguments.corrected)
    corrected = dict(zip(corrections.case, map(Path, corrections.label_map), strict=True))
    unlabelled |= unlabelled_in(corrections, labels)
    of_organs, of_background = arguments.voxel_confidence
    # Of a filled scan, what is labelled by hand is not the teacher's.
    kept = [
        (files, {*masked, *(set(organs).difference(unlabelled.get(files.case, organs)))})
        for table in filter(None, (arguments.selection, arguments.filling))
        for files, masked, _ in kept_pseudo_labels(table, arguments.pseudo_labels)
    ]
    bounds = organ_bounds(kept, organs, of_organs, mean_volumes_ml(arguments.labelled) if arguments.labelled else None)
    found = examples(
        arguments.converted, arguments.preprocessed, arguments.selection, arguments.pseudo_labels,
        dict(zip(bounds.organ, bounds.bound, strict=True)) | {BACKGROUND: of_background}, organs,
        arguments.soft, arguments.surface_mm, usual_volumes_ml(arguments.labelled) if arguments.labelled else {},
        unlabelled, arguments.filling, corrected,
    )  # fmt: skip
    for line in of_unmarked_organs(found):
        print(line, file=sys.stderr)
    labelled = [example.case for example in found if example.origin == LABELLED]
    if arguments.splits > len(labelled):
        raise InputError(
            f"at least {arguments.splits} labelled scans, one for each of `training.splits`",
            f"{len(labelled)}",
            "lower `training.splits`, and `training.folds` with it",
        )
    # In filled scans nothing is left out: it stays as the hand labels have it.
    left_out = any(example.masked or example.voxels or example.lacking for example in found if not example.by_hand)
    shares = labelled_shares(arguments.converted)
    if left_out or shares:
        description = with_ignore_label(description)
    plan = Plan(read_json(arguments.plans), description)
    sets = label_sets(found, plan)
    work = partial(add_example, folder=cases, plan=plan, soft=arguments.soft, sets=sets)
    rows = list(in_threads(work, found, arguments.cores, "labelling"))
    if sets.sets:
        rows = [row | whose_labels(example, organs) for example, row in zip(found, rows, strict=True)]
    if shares:
        rows = [row | {LABELLED_SHARE: shares.get(unfilled_name(row["case"]))} for row in rows]
    remove_others(cases, [example.case for example in found])
    sets.write(folder)
    validating = sorted(corrected) if arguments.validate_corrected else []
    others = [example.case for example in found if example.case not in {*labelled, *validating}]
    voxels = checksums_of_voxels(arguments.checksums) if arguments.checksums else {}
    folds_of = partial(splits, labelled, others, arguments.splits, arguments.seed, validating)
    write_folds(folder / "splits_final.json", folds_of, voxels)
    write_text(folder / "dataset.json", json.dumps(description, indent=2))
    shutil.copyfile(arguments.fingerprint, folder / "dataset_fingerprint.json")
    learned = [row for example in found for row in what_is_learned(example, cases)]
    write_table(pd.DataFrame(learned), arguments.output.with_name("learned_from.tsv"))
    write_table(bounds, folder / "bounds.tsv")
    write_table(pd.DataFrame(rows), arguments.output)


if __name__ == "__main__":
    run(main)
