"""CPU time of the live page of a large run: what one page takes, and with its rests what that is of a core.

The run is made up, with rounds, folds and shards as in one of full size, and a thousand epochs a training.

    PYTHONPATH=workflow/scripts python benchmarks/live_page.py [--rounds 4] [--folds 5] [--shards 40] [--pages 50]
    (`make bench-live`)
"""

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median

from noisy_student.running.beat import LONGEST_SECONDS, REST
from noisy_student.running.ending import Ending
from noisy_student.running.live.jobs import Job
from noisy_student.running.live.page import LivePage
from noisy_student.running.live.trainings import COLUMNS, Length

EPOCHS = 1000
# Rule, its stage, and whether it has a job for each shard or each fold of a round.
RULES = (
    ("pseudo_label", "label", "shard"),
    ("label_measures", "select", "shard"),
    ("training_set", "train", ""),
    ("train", "train", "fold"),
    ("predict", "label", "shard"),
    ("evaluate", "evaluate", ""),
)


def made_up_jobs(rounds: int, folds: int, shards: int) -> dict[int, Job]:
    """Jobs that wait for all those before them, as in the workflow where a table is made of all shards."""
    jobs: dict[int, Job] = {}
    before: frozenset[int] = frozenset()
    for number in range(rounds):
        for rule, stage, cut in RULES:
            parts = [{cut: str(part)} for part in range({"shard": shards, "fold": folds}[cut])] if cut else [{}]
            now = [
                Job(len(jobs) + place, rule, stage, {"round": str(number), **part}, before, {"_cores": 0.5})
                for place, part in enumerate(parts)
            ]
            jobs |= {job.number: job for job in now}
            before = frozenset(job.number for job in now)
    return jobs


def write_trainings(results: Path, rounds: int, folds: int) -> None:
    """Tables of trainings that are at their end."""
    rows = "".join(f"{epoch}\t{1 / (epoch + 1):.6g}\t0.5\t0.9\t60\n" for epoch in range(EPOCHS))
    for number in range(rounds):
        for fold in range(folds):
            folder = results / f"round_{number}/model/fold_{fold}"
            folder.mkdir(parents=True)
            (folder / "progress.tsv").write_text("\t".join(["epoch", *COLUMNS]) + "\n" + rows)


def main() -> None:
    """Write pages and print what they took."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, number in (("rounds", 4), ("folds", 5), ("shards", 40), ("pages", 50)):
        parser.add_argument(f"--{name}", type=int, default=number)
    arguments = parser.parse_args()
    rounds, folds = arguments.rounds, arguments.folds
    with tempfile.TemporaryDirectory() as folder:
        lengths = {str(number): Length("network", EPOCHS, 250) for number in range(rounds)}
        live = LivePage(Path(folder), "snakemake", lengths, Ending(Path(folder), "snakemake"))
        live.jobs = made_up_jobs(rounds, folds, arguments.shards)
        write_trainings(live.results, rounds, folds)
        took = []
        for _ in range(arguments.pages):
            start = time.process_time()
            live.write()
            took.append(time.process_time() - start)
        size = live.page.stat().st_size
    usual = median(took)
    rest = REST * usual
    print(
        f"{len(live.jobs)} jobs, {rounds * folds} trainings of {EPOCHS} epochs: {usual * 1e3:.0f} ms of CPU time a page"
    )
    print(f"({took[0] * 1e3:.0f} ms the first), {size / 1e3:.0f} kB; {usual / (usual + rest):.2%} of a core at most,")
    print(f"{usual / (usual + max(rest, LONGEST_SECONDS)):.2%} while no job ends")


if __name__ == "__main__":
    main()
