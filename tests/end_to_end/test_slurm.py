"""The profile on a real SLURM cluster: the whole graph, and one run through everything that goes wrong on clusters.

That run ends with the results of one that was not disturbed, no finished scan is done again, no training starts from
zero, and no folder is trained in by two.
"""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pandas as pd
import pytest
import torch

import slurm_cluster
from cluster_project import SLURM, ClusterProject, Workflow, go_on
from slurm_cluster import Cluster

GPU_RULES = {"train", "pseudo_label", "predict", "efficiency"}
TRAIN = "workflow/scripts/train.py"
LABEL = ("workflow/scripts/predict.py", "unlabelled")
CHECKPOINT = "results/round_{}/model/fold_0/checkpoint_final.pth"
LABELS = "results/round_1/pseudo_labels"


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
    project.start(project.safe_command()).finish()
    return project


def test_the_whole_graph_runs_through_the_profile(undisturbed):
    said = undisturbed.log.read_text()
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
    assert 1000 < memory_mb["preprocess"] < 4000 and memory_mb["select"] == 8000


@pytest.fixture
def project(undisturbed, tmp_path):
    """The undisturbed run before its first training; labelling gets too little memory at first."""
    project = undisturbed.copy(tmp_path / "project")
    for number in (0, 1):
        shutil.rmtree(project.folder / f"results/round_{number}")
    with project.profile() as profile:
        profile["set-resources"]["pseudo_label"]["mem_mb"] = "350 * attempt ** 3"
    yield project
    for number in project.processes():
        os.kill(number, signal.SIGKILL)


def training_log(project: ClusterProject, number: int) -> str:
    path = (project.folder / CHECKPOINT.format(number)).with_name("training_log.txt")
    return path.read_text() if path.exists() else ""


def halt_training(run: Workflow, number: int, epoch: int) -> list[int]:
    """Halt a round's training after an epoch."""
    line = f"epoch {epoch} of 4:"
    return run.halt(lambda: line in training_log(run.project, number), line, TRAIN, f"results/round_{number}/model")


def cancel_training(run: Workflow) -> None:
    """`scancel` after the first epoch."""
    halt_training(run, 0, 1)
    run.project.cluster.call("scancel", run.project.job("train"))
    run.wait_for(lambda: "resumed after epoch 1" in training_log(run.project, 0), "the training goes on")
    assert "CANCELLED" in run.project.log.read_text()


def kill_snakemake_and_cancel_its_jobs(run: Workflow) -> Workflow:
    """Snakemake is killed and started again by one who does not want to wait for what it left."""
    halt_training(run, 0, 2)
    run.kill()
    run = run.project.start(run.project.safe_command("--cancel", "round_1"))
    run.wait_for(lambda: "resumed after epoch 2" in training_log(run.project, 0), "the training goes on")
    assert "cancelling SLURM job" in run.project.log.read_text()
    return run


def kill_snakemake_and_keep_its_jobs(run: Workflow) -> Workflow:
    """Snakemake is killed and started again; the training that it left is not started a second time."""
    project = run.project
    halted = halt_training(run, 0, 3)
    job = project.job("train")
    run.kill()

    # Neither as it is, nor with its lock taken away, does Snakemake submit a second copy.
    assert "unlock" in project.run("round_1", profile=SLURM).stdout
    assert project.run("--unlock").returncode == 0
    blind = project.run("round_1", profile=SLURM)
    assert blind.returncode != 0
    assert f"{job} (running) train 0_0" in blind.stdout and "start_on_slurm.py" in blind.stdout, blind.stdout
    assert list(project.cluster.jobs("train", "RUNNING,PENDING", project.folder)) == [job]

    # The safe command waits for the job and then does what is left; a second one is refused.
    command = project.safe_command("round_1")
    run = project.start(command)
    run.wait_for(lambda: f"waiting for SLURM job {job}" in project.log.read_text(), "the safe command waits")
    second = subprocess.run(command, cwd=project.folder, env=project.environment(), capture_output=True, text=True)
    assert second.returncode != 0 and "for one process alone" in second.stderr
    go_on(halted)
    return run


def run_labelling_out_of_memory(run: Workflow) -> None:
    """The first attempt has too little memory."""
    cluster, folder = run.project.cluster, run.project.folder
    run.wait_for(lambda: len(cluster.jobs("pseudo_label", "all", folder)) == 2, "labelling is submitted again")
    slurm_log = "".join(path.read_text() for path in folder.glob(".snakemake/slurm_logs/**/*.log"))
    assert re.search("exceeded|oom|out of memory", slurm_log, re.IGNORECASE), slurm_log


def lose_node(run: Workflow, job: str) -> None:
    """Lose a job's node. SLURM puts the job back into the queue."""
    cluster = run.project.cluster
    cluster.lose(cluster.node_of(job))
    run.wait_for(lambda: job in cluster.jobs(states="PENDING"), "SLURM puts the job back into the queue")
    cluster.begin_now(job)


def lose_node_in_the_middle_of_a_shard(run: Workflow) -> dict[str, int]:
    """After the first of two scans; returns its files with their dates."""
    folder = run.project.folder / LABELS
    run.halt(lambda: [*folder.glob("scores/*.json")], "the first scan", *LABEL)
    (scores,) = folder.glob("scores/*.json")
    done = [scores, folder / f"{scores.stem}.nii.gz"]
    dates = {path: path.stat().st_mtime_ns for path in done}
    lose_node(run, run.project.job("pseudo_label"))
    return dates


def let_training_run_over_its_time(run: Workflow) -> None:
    """The student hangs after its first epoch; its time is up."""
    halt_training(run, 1, 1)
    # Of a time that is over by the second in which it arrives, SLURM would say that it is none.
    run.project.cluster.call("scontrol", "update", f"JobId={run.project.job('train')}", "EndTime=now+2seconds")
    run.wait_for(lambda: "resumed after epoch 1" in training_log(run.project, 1), "the training goes on")
    assert "TIMEOUT" in run.project.log.read_text()
    limit = run.project.cluster.call("squeue", "--noheader", "--jobs", run.project.job("train"), "--format=%l")
    assert limit.strip() == "2-00:00:00"


def lose_node_on_which_a_training_lives_on(run: Workflow) -> None:
    """The lost training and its second copy see one folder; the second waits until the first has ended."""
    halted = halt_training(run, 1, 3)
    lose_node(run, run.project.job("train"))
    said = run.project.folder / "logs/round_1/train_fold_0.log"
    # Snakemake takes the log away before a job begins anew.
    run.wait_for(lambda: said.exists() and "waiting for process" in said.read_text(), "the second training waits")
    go_on(halted)


def test_one_run_through_every_failure_ends_like_an_undisturbed_one(project, undisturbed):
    run = project.start(project.safe_command("round_1"))
    cancel_training(run)
    run = kill_snakemake_and_cancel_its_jobs(run)
    run = kill_snakemake_and_keep_its_jobs(run)
    run_labelling_out_of_memory(run)
    dates = lose_node_in_the_middle_of_a_shard(run)
    let_training_run_over_its_time(run)
    lose_node_on_which_a_training_lives_on(run)
    run.finish()

    assert {path: path.stat().st_mtime_ns for path in dates} == dates, "a finished scan was done again"
    for number, resumed in ((0, 2), (1, 1)):
        log = training_log(project, number)
        # A kill may take the line of an epoch from the log, not the epoch.
        assert all(log.count(f"epoch {epoch} of 4:") <= 1 for epoch in range(1, 5)), log
        assert log.count("epoch 4 of 4:") == 1 and log.count("resumed after epoch") == resumed, log
    assert_same_results(project.folder, undisturbed.folder)


def weights(folder: Path, number: int) -> dict:
    return torch.load(folder / CHECKPOINT.format(number), weights_only=False)["network_weights"]


def assert_same_results(ours: Path, expected: Path) -> None:
    """The same weights, label maps and tables, but for times, and checksums of checkpoints, which hold times too."""
    for number in (0, 1):
        mine = weights(ours, number)
        assert all(torch.equal(value, mine[name]) for name, value in weights(expected, number).items())
    label_maps = sorted(expected.glob("results/round_*/p*/*.nii.gz"))
    # Times, and what is made for the report alone.
    others = {"progress.tsv", "efficiency.tsv", "pseudo_label_truth.tsv", "pseudo_label_calibration.tsv"}
    tables = [path for path in expected.glob("results/round_*/**/*.tsv") if path.name not in others]
    assert len(label_maps) == 2 + 2 * 2 and len(tables) > 8
    for path in label_maps:
        assert (ours / path.relative_to(expected)).read_bytes() == path.read_bytes(), path
    for path in tables:
        mine, theirs = (pd.read_csv(folder / path.relative_to(expected), sep="\t") for folder in (ours, expected))
        pd.testing.assert_frame_equal(*(table.drop(columns="model", errors="ignore") for table in (mine, theirs)))
