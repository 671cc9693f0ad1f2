"""List which scans of a round a person should correct first, and hand the first of them out.

Beside `--output`, the list, lie hand labels that were contradicted (`hand_labels.tsv`), how good the list was where the
truth is known (`quality.tsv`), a page with pictures, a folder for each scan that is handed out, and all of it in a zip.
"""

import argparse
import json
import sys
from functools import partial
from pathlib import Path

import pandas as pd

from noisy_student.cohort.archive.private import archive_of
from noisy_student.command import run
from noisy_student.files import read_json
from noisy_student.images import read_image
from noisy_student.model.label_files import LabelFiles
from noisy_student.organs import from_json
from noisy_student.parallel import in_order
from noisy_student.report.examples import labels_on_grid_of
from noisy_student.review.hand_labels import HeldOut, contradictions, volumes
from noisy_student.review.handout import Handout, hand_out, pack, remove_earlier
from noisy_student.review.page import PAGE, Review, Shown, write_page
from noisy_student.review.pictures import contradicted_panels
from noisy_student.review.quality import quality, wrong_ml
from noisy_student.review.ranking import at_stake_ml, features, ranked, with_changes
from noisy_student.review.scans import Scan, in_doubt, look_at
from noisy_student.tables import read_table, read_tables, stacked, write_table
from noisy_student.train.held_out import FOLDER, hand_labels
from noisy_student.writing.segmentation import of_model


def listed(
    scores: pd.DataFrame,
    measures: pd.DataFrame,
    cases: pd.DataFrame,
    scans: dict[str, Scan],
    corrected: set[str],
    cores: int,
) -> pd.DataFrame:
    """The list of the scans that are not corrected yet: `place`, `case`, and why it stands there."""
    names = sorted(scans)
    doubts = pd.Series(in_order(in_doubt, [scans[name] for name in names], cores, "reading doubts"), names, float)
    order = ranked(at_stake_ml(doubts, scores, measures), features(scores, cases), corrected)
    order["doubt_ml"] = doubts.reindex(order.index)
    by_case = scores.groupby("case")
    order["confidence"] = by_case.mean_max_probability.mean().reindex(order.index)
    order["volume_ml"] = by_case.volume_ml.sum().reindex(order.index)
    order = order.rename_axis("case").reset_index()
    order.insert(0, "place", range(1, len(order) + 1))
    return order


def judged(order: pd.DataFrame, truth: Path | None) -> pd.DataFrame | None:
    """How good the list was, beside simpler ones; None where no truth is known, or nothing is wrong by it."""
    if truth is None:
        return None
    wrong = wrong_ml(read_table(truth, ["case", "DSC", "truth_ml", "prediction_ml"]))
    if not wrong[wrong.index.isin(order.case)].sum():
        return None
    orders = {
        "this list": order,
        "most at stake": order.sort_values("stake_ml", ascending=False, kind="stable"),
        "most in doubt": order.sort_values("doubt_ml", ascending=False, kind="stable"),
        "lowest confidence": order.sort_values("confidence", kind="stable"),
        "largest volume": order.sort_values("volume_ml", ascending=False, kind="stable"),
    }
    return quality({name: table.case.tolist() for name, table in orders.items()}, wrong)


def handed_out(order: pd.DataFrame, scans: dict[str, Scan], arguments: argparse.Namespace, which: str) -> list[Shown]:
    """Hand the first scans of the list out; what the page shows of them."""
    shown = []
    for row in order.head(arguments.scans).itertuples():
        scan = scans[row.case]
        seen = look_at(scan, arguments.organs)
        source = Path(scan.row.image)
        wanted = Handout(
            row.case, scan.converted, source, scan.row.orientation, scan.files.label_map, seen.found, seen.minutes,
            archive_of(source, arguments.names) is not None,
        )  # fmt: skip
        where = hand_out(wanted, arguments.output.parent / row.case, arguments.organs, which, arguments.round)
        title = f"{row.place}. {row.case}: about {seen.minutes:.0f} minutes"
        shown.append(Shown(row.case, title, where, seen.panels, row.case))
    return shown


def contradicted(arguments: argparse.Namespace, converted: pd.DataFrame) -> tuple[pd.DataFrame, list[Shown], int]:
    """The held-out scans, the most contradicted first, and pictures of the first of those that are contradicted.

    Last, how many scans were labelled by hand in what the model that labelled learned from, corrected ones too.
    """
    labeller = read_json(arguments.verdict)["labeller"]
    of_labeller = [path for path in arguments.held_out if path.parents[2].name == f"round_{labeller}"]
    tables = [(path.parent, read_table(path, ["case", "label", "organ", "DSC"])) for path in of_labeller]
    organs = {organ.name: organ.label for organ in arguments.organs}
    scans, labelled = [], set()
    for folder, table in tables:
        by_hand = hand_labels(folder.parents[1] / "dataset", organs)
        labelled |= by_hand.keys()
        scans += [
            HeldOut(case, folder / FOLDER / f"{case}.nii.gz", by_hand[case].label_map, by_hand[case].labelled)
            for case in table.case.unique()
        ]
    measured = stacked(
        map(partial(volumes, organs=arguments.organs), scans), ["case", "label", "by_hand_ml", "found_ml", "is_whole"]
    )
    held_out = stacked((table for _, table in tables), ["case", "label", "organ", "DSC"])
    found = contradictions(held_out, measured)
    by_case, shown = {scan.case: scan for scan in scans}, []
    for case, row in found[found.contradicted > 0].head(arguments.scans).iterrows():
        image, scan = read_image(Path(converted.image[case])), by_case[case]
        maps = (labels_on_grid_of(image, path) for path in (scan.by_hand, scan.label_map))
        panels = contradicted_panels(case, image, *maps, arguments.organs)
        shown.append(Shown(case, f"{case}: look at this hand label", row.organs.split("; "), panels))
    return found.reset_index(), shown, len(labelled)


def main() -> None:
    """Read the arguments, make the list and all that is handed out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=Path, required=True, help="the case table")
    parser.add_argument("--converted", type=Path, required=True, help="index of the converted scans")
    parser.add_argument("--preprocessed", type=Path, required=True, help="index of the round's preprocessed scans")
    parser.add_argument("--scores", type=Path, required=True, help="scores of the round's pseudo-labels")
    parser.add_argument("--measures", type=Path, nargs="+", required=True, help="measures of them, of every shard")
    parser.add_argument("--pseudo-labels", type=Path, required=True, help="their folder")
    parser.add_argument(
        "--corrected", type=Path, nargs="*", default=[], help="tables of the corrected label maps of all rounds"
    )
    parser.add_argument("--verdict", type=Path, required=True, help="on the round before: which round's model labels")
    parser.add_argument(
        "--held-out", type=Path, nargs="*", default=[], help="held_out.tsv of all folds of the rounds before"
    )
    parser.add_argument("--truth", type=Path, help="scores of the pseudo-labels against the truth, where it is known")
    parser.add_argument("--names", type=json.loads, default=[], help="names tables of the cohort's archives, as JSON")
    parser.add_argument("--organs", type=from_json, required=True, help="label table as JSON, with colours and codes")
    parser.add_argument("--scans", type=int, required=True, help="so many are handed out")
    parser.add_argument("--round", type=int, required=True)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--output", type=Path, required=True, help="table: place, case, gain_ml, doubt_ml, …")
    arguments = parser.parse_args()
    folder = arguments.output.parent
    remove_earlier(folder)

    cases = read_table(arguments.cases, ["case", "role", "image", "orientation", "spacing_z_mm"])
    converted = read_table(arguments.converted, ["case", "image"]).set_index("case")
    places = read_table(arguments.preprocessed, ["case", "preprocessed"]).set_index("case").preprocessed
    unlabelled = cases[cases.role == "unlabelled"]
    by_vote = read_json(arguments.verdict).get("together") == "vote"
    scores = read_table(arguments.scores, ["case", "label", "mean_max_probability", "volume_ml", "model"])
    scores = scores[scores.case.isin(unlabelled.case)]
    scans = {
        row.case: Scan(
            row, Path(converted.image[row.case]), LabelFiles(arguments.pseudo_labels, row.case),
            Path(places[row.case]), by_vote,
        )
        for row in unlabelled.itertuples()
    }  # fmt: skip
    columns = ["case", "volume_ml", "organ_disagreement"]
    measures, estimated = with_changes(read_tables(arguments.measures, columns))
    if estimated:
        by = "by the organs' volumes of today, which miss those that are gone"
        print(f"{estimated} measures of an earlier version: what changed since is estimated {by}", file=sys.stderr)
    corrected = {case for path in arguments.corrected for case in read_table(path, ["case"]).case}
    order = listed(scores, measures, cases, scans, corrected, arguments.cores)
    models = scores.model.unique()
    which = of_model(f"pseudo-labels of round {arguments.round}", models[0]) if len(models) else ""
    first = handed_out(order, scans, arguments, which)
    found, shown, labelled = contradicted(arguments, converted)
    rated = judged(order, arguments.truth)
    write_page(Review(arguments.round, order, first, found, labelled, shown, rated), folder)
    write_table(found, folder / "hand_labels.tsv")
    pack(folder, [PAGE, *(item.folder for item in first)], folder / "review.zip", f"review_round_{arguments.round}")
    write_table(order, arguments.output)


if __name__ == "__main__":
    run(main)
