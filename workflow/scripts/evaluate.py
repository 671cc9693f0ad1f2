"""Score predictions against truths: DSC and NSD per case and organ, by FLARE22's rules.

Alone:            evaluate.py --truth DIR --predictions DIR --mode flare22 --output scores.tsv
In the workflow:  evaluate.py --cases cases.tsv --roles validation test --predictions DIR --output scores.tsv
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from noisy_student.command import run
from noisy_student.errors import InputError
from noisy_student.evaluate.evaluation_modes import MODES
from noisy_student.evaluate.groups import by_set
from noisy_student.evaluate.scoring import (
    JudgedCase,
    cases_of_folder,
    cases_of_table,
    labels_of,
    score_table,
    unpaired,
)
from noisy_student.organs import FLARE22, Organ, from_json
from noisy_student.recorded import labels_of_run
from noisy_student.tables import require_table, write_table


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cases = parser.add_mutually_exclusive_group(required=True)
    cases.add_argument(
        "--truth", type=Path, help="folder of truths, <case>.nii.gz, another format or a folder: these are the cases"
    )
    cases.add_argument("--cases", type=Path, help="case table with the columns case, role and the truth's path")
    parser.add_argument("--predictions", type=Path, required=True, help="folder of predictions, named as their cases")
    parser.add_argument("--output", type=Path, required=True, help="the score table to write (tab-separated)")
    parser.add_argument("--mode", choices=MODES, default="flare22", help="which rules (default: flare22)")
    parser.add_argument("--roles", nargs="+", default=["validation", "test"], help="roles of the case table to score")
    parser.add_argument("--truth-column", default="label_map", help="column of the case table with the truths")
    parser.add_argument(
        "--labelled", nargs="+", default=[], metavar="ORGAN",
        help="with --truth: the only organs that are labelled there (default: all); others are not judged",
    )  # fmt: skip
    parser.add_argument("--cores", type=int, default=1, help="cases scored at the same time")
    parser.add_argument("--organs", type=from_json, default=FLARE22, help="label table as JSON (default: FLARE22's)")
    parser.add_argument(
        "--unchecked", action="store_true", help="score what the official tools would: geometry and labels unchecked"
    )
    return parser.parse_args()


def main() -> None:
    """Score all cases and write the table."""
    options = arguments()
    mode = MODES[options.mode]
    if options.unchecked and mode.digits is None:
        raise InputError("--unchecked with flare22 or flare23plus", f"mode {mode.name}", "leave one of the two out")
    if options.labelled and not options.truth:
        remedy = "say it in the case table's column `organs`, by label"
        raise InputError("--labelled with --truth", "--cases", remedy)
    require_table(options.output, [options.cases] if options.cases else [])
    if options.cases and options.organs is FLARE22:
        refuse_other_organs(options.cases)
    if options.truth:
        labelled = labels_of(options.labelled, options.organs)
        cases = cases_of_folder(options.truth, options.predictions, labelled, options.organs)
    else:
        cases = cases_of_table(options.cases, options.roles, options.predictions, options.truth_column, options.organs)
    report_unpaired(cases, options.predictions, options.organs)
    scores = score_table(cases, mode, options.cores, not options.unchecked, options.organs)
    write_table(scores, options.output)
    for key, rows in by_set(scores).items() if "set" in scores else [((), scores)]:
        print(f"{''.join(f'{name}, ' for name in key)}{means_in_words(rows)}: {options.output}", file=sys.stderr)


def refuse_other_organs(cases: Path) -> None:
    """Raise InputError where the case table is of a run whose label table is not FLARE22's, which was not given."""
    of_run = labels_of_run(cases)
    if of_run and of_run != {organ.name: organ.label for organ in FLARE22}:
        table = json.dumps([{"label": label, "name": name} for name, label in of_run.items()], ensure_ascii=False)
        raise InputError(
            f"the label table of the run that {cases} is of",
            f"no --organs, so FLARE22's; the run has {', '.join(of_run)}",
            f"--organs '{table}', with `tolerance_mm` and `z_limited` where the run's configuration has them",
        )


def means_in_words(scores: pd.DataFrame) -> str:
    """How many of the cases have a score, and the means over these, then over organs."""
    judged = scores.dropna(subset=["DSC"])
    means = judged.groupby("label")[["DSC", "NSD"]].mean().mean()
    return (
        f"{judged['case'].nunique()} of {scores['case'].nunique()} cases scored, "
        f"mean DSC {means.DSC:.4f}, mean NSD {means.NSD:.4f}"
    )


def report_unpaired(cases: list[JudgedCase], predictions: Path, organs: Sequence[Organ]) -> None:
    """Name cases without a prediction, and predictions without a case, on stderr."""
    missing, strangers = unpaired(cases, predictions, organs)
    for what, names in (("missing predictions", missing), ("predictions without a case, not scored", strangers)):
        if names:
            print(f"{what}: {len(names)}: {', '.join(names)}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
