"""What the run's jobs took, rule by rule, and which of them failed."""

import pandas as pd

from noisy_student.report.numbers import duration
from noisy_student.report.results import Results
from noisy_student.report.table import Cell, Table

COLUMNS = ["rule", "jobs", "seconds", "longest_seconds", "failed"]


def jobs(results: Results) -> Table:
    """One row per rule, in the order in which they first ran."""
    ended = results.jobs
    rows = [_of_rule(str(rule), ended[ended["rule"] == rule]) for rule in ended["rule"].unique()]
    data = pd.DataFrame(rows, columns=COLUMNS)
    return Table(
        name="jobs",
        title="Time of the run, by rule",
        caption=(
            "Every job that ended before this page was made, failed attempts too. Jobs that ran side by side count "
            "each; on a cluster, so does waiting in the queue."
        ),
        columns=["rule", "jobs", "time in all", "longest job", "failed attempts"],
        rows=[
            [Cell(row.rule), Cell(str(row.jobs)), Cell(duration(row.seconds)), Cell(duration(row.longest_seconds)),
             Cell(str(row.failed))]
            for row in data.itertuples()
        ],
        data=data,
    )  # fmt: skip


def _of_rule(rule: str, attempts: pd.DataFrame) -> dict[str, object]:
    return {
        "rule": rule,
        "jobs": attempts["wildcards"].nunique(dropna=False),
        "seconds": attempts["seconds"].sum(),
        "longest_seconds": attempts["seconds"].max(),
        "failed": int((attempts["state"] == "failed").sum()),
    }


def failed_jobs(results: Results) -> list[str]:
    """Jobs whose latest attempt failed, as "train (round=1 fold=0)"."""
    last = results.jobs.fillna({"wildcards": ""}).drop_duplicates(["rule", "wildcards"], keep="last")
    failed = last[last["state"] == "failed"]
    return [f"{row.rule} ({row.wildcards})" if row.wildcards else str(row.rule) for row in failed.itertuples()]
