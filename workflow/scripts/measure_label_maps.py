"""Measure one shard of label maps: volume, pieces, edge, side of each organ, and disagreement with earlier rounds."""

import argparse
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import SimpleITK as sitk

from noisy_student.cohort.labelled_organs import add_fewer_than, labelled_by_case, sparse_in, to_label
from noisy_student.command import run
from noisy_student.geometry import voxel_volume_ml
from noisy_student.images import read_canonical
from noisy_student.model.records import model_of
from noisy_student.organs import FLARE22, Organ, from_json
from noisy_student.parallel import in_order
from noisy_student.select.disagreement import disagreements
from noisy_student.select.measures import COLUMNS, label_measures
from noisy_student.select.scores import CHANGED, DISAGREEMENTS
from noisy_student.shards import shard_of
from noisy_student.tables import read_table, stacked, write_table


def measure(case: str, folder: Path, earlier: list[Path], organs: Sequence[Organ]) -> pd.DataFrame:
    """The measures of one case, whose label map lies in `folder`, and in the folders of earlier rounds.

    Where one model labelled for two rounds, as after a collapse, its labels are not compared with themselves.
    """
    image = read_canonical(folder / f"{case}.nii.gz")
    label_map, voxel_ml = sitk.GetArrayFromImage(image), voxel_volume_ml(image.GetSpacing())
    measures = label_measures(label_map, voxel_ml, organs)
    others = of_other_models([path / f"{case}.nii.gz" for path in (*earlier, folder)])
    before = map(read_canonical, others)
    compared = disagreements([*map(sitk.GetArrayFromImage, before), label_map], organs)
    compared[CHANGED] = compared.pop("changed_voxels").astype(float) * voxel_ml
    return measures.merge(compared, on="label").assign(case=case)


def of_other_models(label_maps: Sequence[Path]) -> list[Path]:
    """Of one scan's label maps but the last, earliest first, those that another model made than the one after."""
    pairs = zip(label_maps, pairwise(map(model_of, label_maps)), strict=False)
    return [path for path, (own, after) in pairs if not own or own != after]


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=Path, required=True, help="the case table")
    parser.add_argument("--roles", nargs="+", required=True, help="cases of these roles are measured")
    add_fewer_than(parser)
    parser.add_argument(
        "--hand-labels",
        action="store_true",
        help="the label maps are these: no rows of what is not labelled, or not in all voxels",
    )
    parser.add_argument("--folder", type=Path, required=True, help="their label maps")
    parser.add_argument("--earlier", type=Path, nargs="*", default=[], help="label maps of rounds before, in order")
    parser.add_argument("--organs", type=from_json, default=FLARE22, help="label table as JSON (default: FLARE22's)")
    parser.add_argument("--shard", type=int, default=0)
    parser.add_argument("--shards", type=int, default=1)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--output", type=Path, required=True, help="table of measures per case and organ")
    arguments = parser.parse_args()
    table = read_table(arguments.cases, ["case", "role"])
    wanted = to_label(table, arguments.roles, arguments.fewer_than)
    cases = shard_of(wanted, arguments.shard, arguments.shards).case.tolist()
    work = partial(measure, folder=arguments.folder, earlier=arguments.earlier, organs=arguments.organs)
    measures = stacked(in_order(work, cases, arguments.cores, "measuring"), [*COLUMNS, *DISAGREEMENTS, CHANGED, "case"])
    if arguments.hand_labels:
        labelled = labelled_by_case(wanted, [organ.label for organ in arguments.organs])
        is_labelled = [label in labelled[case] for case, label in zip(measures.case, measures.label, strict=True)]
        measures = measures[np.array(is_labelled, bool) & ~measures.case.isin(sparse_in(wanted))]
    write_table(measures, arguments.output)


if __name__ == "__main__":
    run(main)
