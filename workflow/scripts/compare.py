"""Compare rounds: paired differences with intervals and tests, and the challenge's ranking with rounds as teams."""

import argparse
import sys
from pathlib import Path

from noisy_student.command import run
from noisy_student.errors import InputError
from noisy_student.evaluate.comparison import compare_rounds
from noisy_student.evaluate.ranking import rank_rounds
from noisy_student.evaluate.rounds import DEPLOYED, round_numbers, without_deployed
from noisy_student.machine import machines
from noisy_student.tables import read_table, require_table, write_table


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scores", type=Path, nargs="+", required=True, help="score tables, one per round")
    parser.add_argument("--efficiency", type=Path, nargs="*", default=[], help="efficiency tables, one per round")
    parser.add_argument("--output", type=Path, required=True, help="the comparison to write (tab-separated)")
    parser.add_argument("--ranking", type=Path, help="the ranking to write (tab-separated)")
    parser.add_argument("--pool-sets", action="store_true", help="the sets of a role once more together")
    return parser.parse_args()


def main() -> None:
    """Read the rounds' tables, write the comparison and the ranking."""
    options = arguments()
    for output in filter(None, (options.output, options.ranking)):
        require_table(output, [*options.scores, *options.efficiency])
    scores_of_rounds, deployed = without_deployed(options.scores)
    efficiency_of_rounds, _ = without_deployed(options.efficiency)
    for path in deployed:
        print(f"{path} is left out: snakemake results/{DEPLOYED}/comparison.tsv compares this student", file=sys.stderr)
    if len(efficiency_of_rounds) not in (0, len(scores_of_rounds)):
        raise InputError(
            "one efficiency table per score table, in the same order, or none",
            f"{len(efficiency_of_rounds)} for {len(scores_of_rounds)}",
            "measure every round that is compared, or leave --efficiency out",
        )
    numbers = round_numbers(scores_of_rounds)
    columns = ("case", "label", "DSC", "NSD")
    scores = {n: read_table(path, columns) for n, path in zip(numbers, scores_of_rounds, strict=True)}
    write_table(compare_rounds(scores, options.pool_sets), options.output)
    if options.ranking:
        measured = zip(numbers, efficiency_of_rounds, strict=False)
        efficiency = {n: read_table(path, ("case",)) for n, path in measured}
        if len(machines(efficiency.values())) > 1:
            print("times and areas do not rank: several kinds of machines measured them", file=sys.stderr)
        write_table(rank_rounds(scores, efficiency, options.pool_sets), options.ranking)


if __name__ == "__main__":
    run(main)
