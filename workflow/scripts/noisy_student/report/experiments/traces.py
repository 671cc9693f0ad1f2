"""Where the numbers of a comparison come from: records, configurations, scans, scores."""

import pandas as pd

from noisy_student.evaluate.aggregate import MEASURES
from noisy_student.files import sha256
from noisy_student.report.experiments.comparison import Comparison
from noisy_student.report.experiments.configurations import differing_keys
from noisy_student.report.experiments.experiment import Experiment
from noisy_student.report.settings import evaluation_mode
from noisy_student.report.table import Table, plain

UNRECORDED = "not recorded"


def configurations(comparison: Comparison) -> Table:
    """The keys in which the recorded configurations differ."""
    recorded = {e.name: e.record["configuration"] for e in comparison.experiments if e.record}
    data = differing_keys(recorded)
    without = [e.name for e in comparison.experiments if not e.record]
    return plain(
        "configurations",
        "Keys that differ",
        "From the configuration in each run.json, defaults included; all other keys are equal. “null” is not set: the "
        "default, and for a round what stands for all rounds. A dash: there is no such key."
        + (f" Without a record: {', '.join(without)}." if without else ""),
        data,
    )


def runs(comparison: Comparison) -> Table:
    """From which record of which run each experiment's column comes."""
    rows = [_run(experiment) for experiment in comparison.experiments]
    caption = (
        "As each run.json says; the commit is the workflow’s when that record was written, a + after it says that "
        "files had been changed since."
    )
    return plain("experiments", "Experiments", caption, pd.DataFrame(rows))


def _run(experiment: Experiment) -> dict[str, str]:
    run, path = experiment.record, experiment.results.folder / "run.json"
    machine = run.get("machine", {})
    said = {
        "finished": str(run.get("finished") or "").replace("T", " "),
        "git commit": run.get("git_commit"),
        "version": run.get("versions", {}).get("flare-noisy-student"),
        "evaluation": evaluation_mode(run),
        "machine": ", ".join(str(machine[key]) for key in ("cpu", "gpu") if machine.get(key)),
        "SHA-256 of run.json": sha256(path) if path.exists() else None,
    }
    folder = {"experiment": experiment.name, "results": str(experiment.results.folder)}
    return folder | {key: str(value or UNRECORDED) for key, value in said.items()}


def files(comparison: Comparison) -> list[Table]:
    """What the page rests on, in full, as files alone."""
    scores = pd.concat(
        [
            table.assign(experiment=name, round=number)
            for name, of_rounds in comparison.scores.items()
            for number, table in of_rounds.items()
        ],
        ignore_index=True,
    )
    columns = ["experiment", "round", "case", "role", "label", "organ", *MEASURES]
    data = {
        "scans": comparison.scans,
        "case_scores": scores[columns],
        "summary": comparison.summary,
        "differences": comparison.differences,
    }
    return [Table(name, name, "", [], [], table) for name, table in data.items()]
