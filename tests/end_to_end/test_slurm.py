"""The profile on a real SLURM cluster: the whole graph, and what goes wrong on clusters.

Whatever happens, the run ends with the results of one that was not disturbed, no finished scan is done again, no
training starts from zero, and no folder is trained in twice.
"""

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pandas as pd
import pytest
import torch

import slurm_cluster
from project import BIN, VENV, Project
from slurm_cluster import Cluster

TINY = {
    "cohort": {"embedded": {"labelled": 3, "unlabelled": 2, "validation": 1, "test": 1}},
    "training": {"epochs": 3, "iterations_per_epoch": 10, "validation_iterations_per_epoch": 2},
    "networks": {"coarse": {"base_features": 4}},
    # So little training finds few organs; what is tested is the way, not the result.
    "selection": "paper",
    "efficiency": {"scans": 1},
    "rounds": [{"network": "coarse"}] * 2,
    "shards": 1,
}
TRAINING = "results/round_0/model/fold_0/checkpoint_final.pth"
SHARD = "results/round_1/shards/pseudo_label_scores_0.tsv"
GPU_RULES = {"train", "pseudo_label", "predict", "efficiency"}
# What a site may set: nothing of the experiment.
QUICK = ("--slurm-init-seconds-before-status-checks", "1", "--latency-wait", "10", "--max-threads", "2")
SLURM = ("--workflow-profile", "profiles/slurm", *QUICK)


class ClusterProject(Project):
    """A project on the cluster, with the profile as a site without conda has it."""

    def __init__(self, folder: Path, cluster: Cluster) -> None:
        super().__init__(folder, **TINY)
        self.cluster = cluster
        profile = folder / "profiles/slurm/config.yaml"
        lines = profile.read_text().splitlines(keepends=True)
        conda = [line for line in lines if line.startswith(("software-deployment-method:", "conda-prefix:"))]
        assert len(conda) == 2
        profile.write_text("".join(line for line in lines if line not in conda))

    def environment(self, **variables: str) -> dict[str, str]:
        return {**self.cluster.environment, "PATH": f"{BIN}:{self.cluster.environment['PATH']}", **variables}

    def command(self, *arguments: str, profile: tuple[str, ...] = VENV) -> list[str]:
        """The command line of Snakemake; on a cluster it is not told a number of cores."""
        command = super().command(*arguments, profile=profile)
        if profile == SLURM:
            position = command.index("--cores")
            del command[position : position + 2]
        return command

    def on_slurm(self, *arguments: str) -> subprocess.CompletedProcess:
        """Run Snakemake with the profile."""
        return self.run(*arguments, profile=SLURM)

    def start(self, *arguments: str) -> subprocess.Popen:
        """Start Snakemake with the profile, its words in `snakemake.log`."""
        return self.start_command(self.command(*arguments, profile=SLURM))

    def start_command(self, command: list[str]) -> subprocess.Popen:
        with (self.folder / "snakemake.log").open("w") as log:
            return subprocess.Popen(
                command, cwd=self.folder, env=self.environment(), stdout=log, stderr=log, start_new_session=True
            )

    def safe_command(self, *options: str) -> list[str]:
        """The one command that starts and restarts a run on a cluster."""
        script = (f"{BIN}/python", "workflow/scripts/start_on_slurm.py", *options, "--poll", "1", TRAINING)
        return [*script, *QUICK, "--configfile", "overlay.yaml"]

    def remove(self, *paths: str) -> None:
        """Remove results, and the marks of a finished training beside them."""
        for path in paths:
            target = self.folder / path
            shutil.rmtree(target) if target.is_dir() else target.unlink()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    why_not = slurm_cluster.install()
    if why_not:
        pytest.skip(why_not)
    cluster = Cluster(tmp_path_factory.mktemp("slurm"))
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.fixture(scope="module")
def undisturbed(cluster, tmp_path_factory) -> ClusterProject:
    """The whole graph, run to its end on the cluster."""
    project = ClusterProject(tmp_path_factory.mktemp("undisturbed") / "project", cluster)
    run = project.on_slurm()
    assert run.returncode == 0, run.stdout[-5000:]
    (project.folder / "snakemake.log").write_text(run.stdout)
    return project


def copy_of(undisturbed: ClusterProject, folder: Path) -> ClusterProject:
    """A project with the results of the undisturbed run."""
    copy = ClusterProject(folder, undisturbed.cluster)
    for part in ("results", ".snakemake/metadata"):
        shutil.copytree(undisturbed.folder / part, copy.folder / part)
    return copy


@pytest.fixture
def project(undisturbed, tmp_path):
    """A copy of the undisturbed run."""
    copy = copy_of(undisturbed, tmp_path / "project")
    yield copy
    for number in processes_of(copy, ""):
        os.kill(number, signal.SIGKILL)


@pytest.fixture(scope="module")
def overdue(undisturbed, tmp_path_factory):
    """A training that hangs until its time is up; SLURM counts in minutes."""
    project = copy_of(undisturbed, tmp_path_factory.mktemp("overdue") / "project")
    process = interrupted_training(project)
    project.cluster.call("scontrol", "update", f"JobId={running(project, 'train')}", "TimeLimit=1")
    yield project, process
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)


def wait_for(condition, process: subprocess.Popen, what: str, seconds: float = 240):
    """Wait for something to happen in a running workflow; return what it is."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert process.poll() is None, f"the workflow ended before {what}"
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.02)
    return found


def processes_of(project: Project, script: str) -> list[int]:
    """The processes that run a script, or any, in a project's folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            runs = not script or any(word.endswith(script.encode()) for word in words[:2])
            found += [int(process.name)] if runs and (process / "cwd").readlink() == project.folder else []
        except OSError:
            continue
    return found


def stop_when(project: Project, script: str, condition, process: subprocess.Popen, what: str) -> None:
    """Halt a job's processes as soon as it has come to a certain point, so that it cannot end by itself."""
    wait_for(condition, process, what)
    for number in wait_for(lambda: processes_of(project, script), process, f"{script} runs"):
        os.kill(number, signal.SIGSTOP)


def finish(process: subprocess.Popen, project: Project, seconds: float = 300) -> str:
    """Wait for the workflow's good end; return what it said."""
    code = process.wait(seconds)
    said = (project.folder / "snakemake.log").read_text()
    assert code == 0, said[-5000:]
    return said


def weights(project: Project) -> dict:
    return torch.load(project.folder / TRAINING, weights_only=False)["network_weights"]


def training_log(project: Project) -> str:
    return (project.folder / TRAINING).with_name("training_log.txt").read_text()


def assert_trained_once_and_as_if_undisturbed(project: Project, undisturbed: Project) -> None:
    """No epoch twice, and the weights that an undisturbed training has.

    A kill between an epoch's checkpoint and its line in the log leaves the line out, but not the epoch.
    """
    log = training_log(project)
    assert all(log.count(f"epoch {number} of 3:") <= 1 for number in (1, 2, 3)), log
    assert log.count("epoch 3 of 3:") == 1, log
    expected = weights(undisturbed)
    assert all(torch.equal(value, expected[name]) for name, value in weights(project).items())


def interrupted_training(project: Project) -> subprocess.Popen:
    """Start a training from its beginning and halt it after its first epoch."""
    project.remove("results/round_0/model/fold_0")
    process = project.start(TRAINING)
    latest = (project.folder / TRAINING).with_name("checkpoint_latest.pth")
    stop_when(project, "train.py", latest.exists, process, "the first epoch")
    return process


def running(project: Project, rule: str) -> str:
    """The number of this project's one job of a rule that runs."""
    (number,) = project.cluster.jobs(rule, folder=project.folder)
    return number


def test_the_whole_graph_runs_through_the_profile(undisturbed):
    said = (undisturbed.folder / "snakemake.log").read_text()
    assert "Error" not in said
    assert (undisturbed.folder / "results/report/report.html").stat().st_size > 10_000
    scores = pd.read_csv(undisturbed.folder / "results/round_1/scores.tsv", sep="\t")
    assert set(scores.role) == {"validation", "test"}
    submitted = set(re.findall(r"slurm_logs/rule_(\w+)/", said))
    assert {"embedded_cohort", "train", "pseudo_label", "predict", "select", "evaluate", "report"} <= submitted
    assert not submitted & {"all", "converted", "preprocessed", "pseudo_label_scores", "prediction_scores"}
    assert undisturbed.planned() == {}


def test_jobs_ask_for_what_the_profile_says(undisturbed):
    jobs = {}
    for line in undisturbed.cluster.call("scontrol", "show", "--oneliner", "jobs").splitlines():
        fields = dict(field.split("=", 1) for field in line.split() if "=" in field)
        if Path(fields["WorkDir"]) != undisturbed.folder:
            continue
        jobs[fields["Comment"].split("_wildcards_")[0].removeprefix("rule_")] = fields
    memory_mb = {rule: int(re.search(r"mem=(\d+)M", fields["TRES"])[1]) for rule, fields in jobs.items()}
    assert {rule for rule, fields in jobs.items() if "gpu" in fields.get("TresPerJob", "")} == GPU_RULES
    assert memory_mb["train"] == 32000 and jobs["train"]["TimeLimit"] == "2-00:00:00"
    # By the largest scan, not the 8000 MB of rules that say nothing.
    assert 4000 < memory_mb["predict"] < 8000 and 4000 < memory_mb["pseudo_label"] < 8000
    assert 2000 < memory_mb["preprocess"] < 8000 and memory_mb["select"] == 8000


@pytest.mark.cluster_faults
def test_a_cancelled_training_is_submitted_again_and_goes_on(project, undisturbed):
    process = interrupted_training(project)
    project.cluster.call("scancel", running(project, "train"))
    assert "CANCELLED" in finish(process, project)
    assert "resumed after epoch" in training_log(project)
    assert_trained_once_and_as_if_undisturbed(project, undisturbed)


def lose_node(project: ClusterProject, job: str, process: subprocess.Popen) -> None:
    """Lose a job's node. SLURM puts the job back into the queue."""
    project.cluster.lose(project.cluster.node_of(job))
    wait_for(lambda: job in project.cluster.jobs(states="PENDING"), process, "SLURM puts the job back into the queue")
    project.cluster.begin_now(job)


@pytest.mark.cluster_faults
def test_a_node_that_goes_down_in_the_middle_of_a_shard_costs_no_finished_scan(project):
    expected = (project.folder / SHARD).read_bytes()
    labels = project.folder / "results/round_1/pseudo_labels"
    project.remove(SHARD, "results/round_1/pseudo_labels")
    process = project.start(SHARD)
    stop_when(project, "predict.py", lambda: [*labels.glob("scores/*.json")], process, "the first scan")
    job = running(project, "pseudo_label")
    done = {path.name: path.stat().st_mtime_ns for path in labels.glob("scores/*.json")}
    assert len(done) == 1
    lose_node(project, job, process)
    finish(process, project)
    assert (project.folder / SHARD).read_bytes() == expected
    after = {path.name: path.stat().st_mtime_ns for path in labels.glob("scores/*.json")}
    assert len(after) == 2 and done.items() <= after.items()


@pytest.mark.cluster_faults
def test_a_training_that_lives_on_on_a_lost_node_is_not_joined_by_a_second(project, undisturbed):
    process = interrupted_training(project)
    halted = processes_of(project, "train.py")
    lose_node(project, running(project, "train"), process)
    said = project.folder / "logs/round_0/train_fold_0.log"
    wait_for(lambda: "for one process alone" in said.read_text(), process, "the second training is refused")
    for number in halted:
        os.kill(number, signal.SIGCONT)
    finish(process, project)
    assert_trained_once_and_as_if_undisturbed(project, undisturbed)


@pytest.mark.cluster_faults
def test_a_job_out_of_memory_gets_more(project):
    expected = (project.folder / SHARD).read_bytes()
    project.remove(SHARD, "results/round_1/pseudo_labels")
    process = project.start(SHARD, "--set-resources", "pseudo_label:mem_mb=350*attempt**3")
    said = finish(process, project)
    assert len(re.findall(r"Job \d+ has been submitted", said)) == 2
    slurm_log = "".join(path.read_text() for path in project.folder.glob(".snakemake/slurm_logs/**/*.log"))
    assert re.search("exceeded|oom|out of memory", slurm_log, re.IGNORECASE), slurm_log
    assert (project.folder / SHARD).read_bytes() == expected


@pytest.mark.cluster_faults
def test_snakemake_killed_while_its_job_lives_on(project, undisturbed):
    process = interrupted_training(project)
    job = running(project, "train")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()

    # Neither as it is, nor with its lock taken away, does Snakemake submit a second copy.
    assert "unlock" in project.on_slurm(TRAINING).stdout
    assert project.run("--unlock").returncode == 0
    blind = project.on_slurm(TRAINING)
    assert blind.returncode != 0
    assert f"{job} (running) train 0_0" in blind.stdout and "start_on_slurm.py" in blind.stdout, blind.stdout
    assert list(project.cluster.jobs("train", "RUNNING,PENDING", project.folder)) == [job]

    # The safe command waits for the job, and then there is nothing left to do.
    command = project.safe_command()
    safe = project.start_command(command)
    said = project.folder / "snakemake.log"
    wait_for(lambda: f"waiting for SLURM job {job}" in said.read_text(), safe, "the safe command waits")
    second = subprocess.run(command, cwd=project.folder, env=project.environment(), capture_output=True, text=True)
    assert second.returncode != 0 and "for one process alone" in second.stderr
    for number in processes_of(project, "train.py"):
        os.kill(number, signal.SIGCONT)
    finish(safe, project)
    assert "Nothing to be done" in said.read_text()
    assert_trained_once_and_as_if_undisturbed(project, undisturbed)


@pytest.mark.cluster_faults
def test_snakemake_killed_and_its_job_cancelled_goes_on_from_the_checkpoint(project, undisturbed):
    process = interrupted_training(project)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    safe = project.start_command(project.safe_command("--cancel"))
    assert "cancelling SLURM job" in finish(safe, project)
    assert_trained_once_and_as_if_undisturbed(project, undisturbed)


@pytest.mark.cluster_faults
def test_a_training_that_was_done_when_snakemake_was_killed_is_not_done_again(project, undisturbed):
    # As after a kill between the end of a training and the note of it: Snakemake deletes the output and starts the job.
    project.remove(TRAINING)
    before = training_log(project)
    run = project.on_slurm(TRAINING)
    assert run.returncode == 0, run.stdout[-3000:]
    assert training_log(project) == before
    assert_trained_once_and_as_if_undisturbed(project, undisturbed)


@pytest.mark.cluster_faults
def test_a_training_over_its_run_time_goes_on_with_more(overdue, undisturbed):
    project, process = overdue
    assert "TIMEOUT" in finish(process, project)
    limits = {line.split()[1] for line in project.cluster.call("squeue", "-h", "-t", "all", "-o", "%i %l").splitlines()}
    assert "4-00:00:00" in limits
    assert_trained_once_and_as_if_undisturbed(project, undisturbed)
