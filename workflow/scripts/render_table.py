"""Render summaries in the layout of the paper's tables 3 and 4: a row per round, organs as columns, mean last."""

import argparse
from pathlib import Path

from noisy_student.command import run
from noisy_student.evaluate.aggregate import COLUMNS
from noisy_student.evaluate.paper_table import as_markdown, paper_table
from noisy_student.evaluate.rounds import round_names
from noisy_student.files import write_text
from noisy_student.organs import FLARE22, from_json
from noisy_student.tables import read_table, require_table, write_table


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--summaries", type=Path, nargs="+", required=True, help="summary tables, one per round")
    parser.add_argument("--role", required=True, help="whose cases, e.g. test (`all` for scores without roles)")
    parser.add_argument("--set", help="which set of the role, where it has several")
    parser.add_argument("--measure", choices=("DSC", "NSD"), default="DSC")
    parser.add_argument(
        "--organs",
        type=from_json,
        default=FLARE22,
        help="label table as JSON, for its abbreviations (default: FLARE22's)",
    )
    parser.add_argument("--output", type=Path, required=True, help="the table to write (tab-separated)")
    parser.add_argument("--markdown", type=Path, help="the same table as Markdown")
    return parser.parse_args()


def main() -> None:
    """Read the summaries, write the table."""
    options = arguments()
    require_table(options.output, options.summaries)
    names = round_names(options.summaries)
    tables = [read_table(path, COLUMNS) for path in options.summaries]
    summaries = dict(zip(names, tables, strict=True))
    table = paper_table(summaries, options.role, options.measure, options.set, options.organs)
    write_table(table, options.output)
    if options.markdown:
        write_text(options.markdown, as_markdown(table))


if __name__ == "__main__":
    run(main)
