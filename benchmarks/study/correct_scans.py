"""The radiologist of the study: gives the true label maps of some scans as corrections of a round's pseudo-labels."""

import argparse
import shutil
import sys
from pathlib import Path

import numpy as np

from noisy_student.command import run
from noisy_student.files import copy, write_text
from noisy_student.tables import read_table

BY = ("list", "random", "confidence")


def chosen(review: Path, by: str, scans: int, seed: int) -> list[str]:
    """So many scans of a round's list: its first, the least confident, or any."""
    table = read_table(review, ["place", "case", "confidence"]).sort_values("place", kind="stable")
    if by == "confidence":
        table = table.sort_values("confidence", kind="stable")
    cases = table.case.tolist()
    if by == "random":
        cases = np.random.default_rng(seed).permutation(sorted(cases)).tolist()
    return cases[:scans]


def main() -> None:
    """Choose, and copy the truths alone into the folder of corrections; the file that is written last names them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiment", type=Path, required=True, help="its round 1 has the list; truths are known")
    parser.add_argument("--by", choices=BY, required=True)
    parser.add_argument("--scans", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--corrections", type=Path, required=True, help="the folder of corrections")
    parser.add_argument("--output", type=Path, required=True, help="the scans that were corrected, a line each")
    arguments = parser.parse_args()
    results = arguments.experiment / "results"
    cases = chosen(results / "round_1/review/review.tsv", arguments.by, arguments.scans, arguments.seed)
    corrected = arguments.corrections / "round_1"
    shutil.rmtree(corrected, ignore_errors=True)
    truths = read_table(results / "cohort/cases.tsv", ["case", "truth"]).set_index("case").truth
    for case in cases:
        copy(arguments.experiment / truths[case], corrected / f"{case}.nii.gz")
    print(f"corrected by {arguments.by}: {', '.join(cases)}", file=sys.stderr)
    write_text(arguments.output, "".join(f"{case}\n" for case in cases))


if __name__ == "__main__":
    run(main)
