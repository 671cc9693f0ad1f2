"""What a person reads of a run that fails, really run; and the banners themselves."""

from pathlib import Path

import pytest

from noisy_student.running import banner
from noisy_student.tables import read_table
from project import Project


@pytest.fixture(scope="module")
def failed(tmp_path_factory):
    """A run whose folders of scans are empty: its first job fails."""
    folder = tmp_path_factory.mktemp("failed") / "project"
    folders = {role: [{"images": role, "label_maps": f"{role}_maps"}] for role in ("labelled", "test")}
    folders["unlabelled"] = [{"images": "unlabelled"}]
    project = Project(folder, cohort={"kind": "folders", "folders": folders})
    for name in ("labelled", "labelled_maps", "test", "test_maps", "unlabelled"):
        (folder / name).mkdir()
    return project, project.run("results/cohort/cases.tsv")


def test_start_names_results_logs_and_how_to_watch(failed):
    project, run = failed
    start = run.stdout[: run.stdout.index("Select jobs to execute")]
    assert "Noisy-student run: teacher and 2 students" in start
    assert f"results  {project.folder}/results" in start and f"logs     {project.folder}/logs" in start
    assert f"watch    {project.folder}/results/report/live.html" in start


def test_failure_shows_the_jobs_log_and_what_to_do(failed):
    project, run = failed
    assert run.returncode != 0
    end = run.stdout[run.stdout.index("Error in rule case_table") :]
    assert end.index("got: none") < end.index("Not finished: case_table")
    assert "draw_examples.py" not in end, "of nothing there is no report"
    own = Path(end.split("Snakemake's own: ")[1].split("\n")[0])
    assert own.is_relative_to(project.folder) and own.is_file()


def test_the_message_of_the_error_stands_last_and_no_json_before_it(failed):
    project, run = failed
    rule, *message = run.stdout.splitlines()[-4:]
    assert rule == "case_table:" and [line.split(":")[0].strip() for line in message] == ["wanted", "got", "remedy"]
    assert "--organs '[…]'" in run.stdout and '"label"' not in run.stdout
    (own,) = (project.folder / ".snakemake/log").glob("*.log")
    assert '--organs \'[{"label": 1' in own.read_text()


def test_failed_job_is_on_record(failed):
    project, _ = failed
    jobs = read_table(project.folder / "results/jobs.tsv")
    assert jobs[["rule", "state"]].to_numpy().tolist() == [["case_table", "failed"]]


def test_end_names_the_report_only_where_there_is_one(tmp_path):
    assert "not made yet" in banner.finished(tmp_path, "log", "snakemake --cores 8")
    (tmp_path / "results/report").mkdir(parents=True)
    (tmp_path / banner.REPORT).touch()
    assert f"report   {tmp_path / banner.REPORT}" in banner.finished(tmp_path, "log", "snakemake --cores 8")
