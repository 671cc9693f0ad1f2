"""Make the volumes that the report's viewer loads from beside its page: scans with all their label maps, made small.

All together stay within `--megabytes`: each scan is cropped to its organs and made coarser until it takes an even
share. Where that is too little to tell organs, the scans that are judged come first, then labelled ones and the
pseudo-labels of least confidence. What is up to date is kept, and what is of other scans, or of none in the case table,
is deleted. `--cases` makes those of the scans it names, and deletes nothing.
"""

import argparse
from functools import partial
from pathlib import Path

import pandas as pd

from noisy_student.command import run
from noisy_student.parallel import in_order
from noisy_student.report.drawn_volumes import draw, volumes_of, volumes_within
from noisy_student.report.results import read_results
from noisy_student.report.volumes import FOLDER, keep_only
from noisy_student.shards import shard_of
from noisy_student.tables import write_table


def main() -> None:
    """Read `--results` and the scans of its case table, write a file for each scan."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=Path("results"), help="folder of result tables")
    parser.add_argument("--folder", type=Path, help=f"where they go (default: report/{FOLDER} in --results)")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--megabytes", type=int, help="what all scans together may take")
    what.add_argument("--cases", nargs="+", help="make those of these scans, each of up to 2 MB")
    parser.add_argument("--shard", type=int, default=0)
    parser.add_argument("--shards", type=int, default=1)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--output", type=Path, help="table of what was made: case, bytes, what hindered it")
    arguments = parser.parse_args()
    results = read_results(arguments.results)
    named, folder = arguments.cases, arguments.folder or arguments.results / "report" / FOLDER
    wanted = volumes_of(results, named) if named else volumes_within(results, arguments.megabytes)
    mine = set(shard_of(results.cases, arguments.shard, arguments.shards)["case"])
    work = [one for one in wanted if one.case in mine]
    rows = list(in_order(partial(draw, folder=folder), work, arguments.cores, "drawing volumes"))
    for row in rows:
        if row["problem"]:
            print(f"{row['case']}: {row['problem']}")
    if not named:
        keep_only(folder, {one.case for one in work} | set(results.cases["case"]) - mine)
    if arguments.output:
        write_table(pd.DataFrame(rows, columns=["case", "bytes", "problem"]), arguments.output)


if __name__ == "__main__":
    run(main)
