"""A run that is ended in every stage, mid-write, mid-epoch and mid-checkpoint, ends with the undisturbed run's results.

Each time Snakemake and all jobs are ended at once, as by a power cut (SIGKILL) or a shutdown (SIGTERM), and started
again. No scan, label map or network that was whole before is made anew, but for those of the one case that each job
was at work on, and the embedded cohort, which is generated as a whole.
"""

import re
import signal
from pathlib import Path

import pytest

from faulty_project import TINY, FaultyProject, Moment

CORES = 2
# In the order in which they come; a name twice is ended twice in a row. What may come sooner or later than its
# neighbours is asked for by itself.
MOMENTS = [
    ("cohort/embedded_cohort", Moment("make_cohort.py", "_0000.nii.gz", 2)),
    ("cohort/case_table", Moment("make_case_table.py", "cases.tsv")),
    ("cohort/convert", Moment("convert.py", ".nii.gz", 2)),
    (
        "cohort/labelled_measures",
        Moment("measure_label_maps.py", "labelled_measures.tsv"),
        "cohort/labelled_measures.tsv",
    ),
    ("plan/fingerprint", Moment("make_fingerprint.py", "dataset_fingerprint.json")),
    ("plan/plans_coarse", Moment("make_plans.py", "plans.json")),
    ("plan/preprocess_coarse", Moment("preprocess.py", "_seg.b2nd", 2)),
    ("round_0/training_set", Moment("make_training_set.py", "_seg.b2nd")),
    ("round_0/train_fold_0", Moment("train.py", "checkpoint_latest.pth")),
    ("round_0/train_fold_0", Moment("train.py", "checkpoint_latest.pth", 2)),
    ("round_0/train_fold_0", Moment("train.py", "checkpoint_final.pth")),
    ("round_0/train_fold_0", Moment("train.py", "held_out/*.nii.gz")),
    ("round_0/postprocessing", Moment("choose_postprocessing.py", "postprocessing.json")),
    ("round_0/judge", Moment("judge_round.py", "verdict.json")),
    ("round_1/pseudo_label", Moment("predict.py", "pseudo_labels/*.nii.gz")),
    ("round_1/pseudo_label", Moment("predict.py", "pseudo_labels/scores/*.json")),
    ("round_1/label_measures", Moment("measure_label_maps.py", "label_measures_?.tsv")),
    ("round_1/select", Moment("select_pseudo_labels.py", "selection.tsv")),
    ("round_1/train_fold_0", Moment("train.py", "progress.tsv", 1, delay_s=0.3)),
    ("round_1/train_fold_0", Moment("train.py", "progress.tsv", 1, delay_s=0.3)),
    ("round_1/predict", Moment("predict.py", "round_1/predictions/*.nii.gz"), "round_1/prediction_scores.tsv"),
    ("round_1/evaluate", Moment("evaluate.py", "round_1/scores.tsv"), "round_1/scores.tsv"),
    ("round_1/summarise", Moment("summarise.py", "round_1/summary.tsv"), "round_1/summary.tsv"),
    ("round_1/efficiency", Moment("measure_efficiency.py", "round_1/efficiency.tsv"), "round_1/efficiency.tsv"),
    ("compare", Moment("compare.py", "comparison.tsv"), "comparison.tsv"),
    ("run_record", Moment("make_run_record.py", "run.json"), "run.json"),
    ("examples", Moment("draw_examples.py", "examples.json"), "examples.json"),
    ("report", Moment("report.py", "report.html"), "report/report.html"),
    ("round_1/export", Moment("export_model.py", "model.zip")),
]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=lambda number: number.name)
def test_a_run_that_is_ended_in_every_stage_ends_as_if_it_was_not(undisturbed, number, tmp_path, survived):
    project = FaultyProject(tmp_path / "project", **TINY)
    finished: dict[str, int] = {}
    for job, moment, *targets in MOMENTS:
        # The lock of a Snakemake that was killed is taken away first, as its message says.
        if number == signal.SIGKILL and finished:
            assert project.run("--unlock").returncode == 0
        said = project.end_at(moment, number, "all", *(f"results/{name}" for name in targets))
        assert f"{job}.log" in said or f"{job}_0.log" in said or f"{job}_1.log" in said, f"{job} did not run"
        now = project.finished_files()
        redone = [path for path, time in finished.items() if now.get(path, time) != time and "/embedded/" not in path]
        cases = {re.sub(r"(_0000|_seg)?\..*", "", Path(path).name) for path in redone}
        assert len(cases) <= CORES, f"before {job} was ended these were made anew: {redone}"
        finished = now
    project.finish()
    assert project.results() == undisturbed.results()
    undone, done = undisturbed.cpu_s(), project.cpu_s()
    for job in dict.fromkeys(job for job, *_ in MOMENTS):
        moments = ", then ".join(str(moment) for name, moment, *_ in MOMENTS if name == job)
        survived(
            job, f"{number.name} to everything, {moments}", "finished, same results", _of(job, done) - _of(job, undone)
        )


def _of(job: str, cpu_s: dict[str, float]) -> float:
    """CPU seconds of a job, or of all its shards."""
    return sum(cost for name, cost in cpu_s.items() if re.fullmatch(rf"{job}(_\d+)?", name))
