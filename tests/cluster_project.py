"""A run on a throw-away SLURM cluster, and its processes, which a test can halt and let go on."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from conftest import ROOT
from project import BIN, VENV, Project
from slurm_cluster import Cluster

TINY = {
    "cohort": {"embedded": {"labelled": 3, "unlabelled": 2, "validation": 1, "test": 1}},
    "training": {"epochs": 4, "iterations_per_epoch": 10, "validation_iterations_per_epoch": 2},
    "networks": {"coarse": {"base_features": 4}},
    # So little training finds few organs; what is tested is the way, not the result.
    "selection": "paper",
    "efficiency": {"scans": 1},
    "rounds": [{"network": "coarse"}] * 2,
    "shards": 1,
}
SNAKEMAKE = str(ROOT / "tests/bin/snakemake")
# What a site may set: nothing of the experiment.
QUICK = ("--slurm-init-seconds-before-status-checks", "1", "--latency-wait", "10", "--max-threads", "2")
SLURM = ("--workflow-profile", "profiles/slurm", *QUICK)


class ClusterProject(Project):
    """A run on the cluster; its folder has the profile as a site without conda has it."""

    def __init__(self, folder: Path, cluster: Cluster) -> None:
        super().__init__(folder, **TINY)
        self.cluster = cluster
        shutil.copytree(ROOT / "profiles/slurm", folder / "profiles/slurm")
        with self.profile() as profile:
            del profile["software-deployment-method"], profile["conda-prefix"]

    @contextmanager
    def profile(self) -> Iterator[dict]:
        """The SLURM profile, to be changed."""
        path = self.folder / "profiles/slurm/config.yaml"
        profile = yaml.safe_load(path.read_text())
        yield profile
        path.write_text(yaml.safe_dump(profile))

    def environment(self, **variables: str) -> dict[str, str]:
        path = f"{Path(SNAKEMAKE).parent}:{BIN}:{self.cluster.environment['PATH']}"
        return {**self.cluster.environment, "PATH": path, **variables}

    def command(self, *arguments: str, profile: tuple[str, ...] = VENV) -> list[str]:
        """The command line of Snakemake; on a cluster it is not told a number of cores."""
        if profile != SLURM:
            return super().command(*arguments, profile=profile)
        return [SNAKEMAKE, *self.snakemake()[1:], *SLURM, *arguments, "--configfile", "overlay.yaml"]

    def safe_command(self, *arguments: str) -> list[str]:
        """The one command that starts and restarts a run on a cluster, as it is typed in another folder."""
        script = (f"{BIN}/python", f"{ROOT}/workflow/scripts/start_on_slurm.py", "--poll", "1")
        run = ("--directory", str(self.folder), "--workflow-profile", f"{self.folder}/profiles/slurm")
        return [*script, *run, *arguments, *QUICK, "--configfile", f"{self.folder}/overlay.yaml"]

    def start(self, command: list[str]) -> "Workflow":
        """Start a command whose words go to `snakemake.log`."""
        with self.log.open("w") as log:
            process = subprocess.Popen(
                command, cwd=self.folder.parent, env=self.environment(), stdout=log, stderr=log, start_new_session=True
            )
        return Workflow(process, self)

    @property
    def log(self) -> Path:
        """What the command that was started last says."""
        return self.folder / "snakemake.log"

    def job(self, rule: str) -> str:
        """The number of the one job of a rule that runs, or nothing."""
        return next(iter(self.cluster.jobs(rule, folder=self.folder)), "")

    def processes(self, *words: str) -> list[int]:
        """The processes in the run's folder whose command line ends in a word as each of `words` does."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                line = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
                # Of Python alone: the shell and Snakemake, which started it, name its words in one.
                named = all(any(part.endswith(word) for part in line[1:]) for word in words)
                found += [int(process.name)] if named and (process / "cwd").readlink() == self.folder else []
            except OSError:
                continue
        return found

    def copy(self, folder: Path) -> "ClusterProject":
        """A project with the same results."""
        copy = ClusterProject(folder, self.cluster)
        for part in ("results", ".snakemake/metadata"):
            shutil.copytree(self.folder / part, copy.folder / part)
        return copy


class Workflow:
    """A Snakemake at work in a project."""

    def __init__(self, process: subprocess.Popen, project: ClusterProject) -> None:
        self.process, self.project = process, project

    def wait_for(self, condition, what: str, seconds: float = 600):
        """Wait for something to happen; return what it is."""
        end = time.monotonic() + seconds
        while not (found := condition()):
            assert self.process.poll() is None, f"ended before {what}: {self.project.log.read_text()[-5000:]}"
            assert time.monotonic() < end, f"waited in vain for {what}: {self.project.log.read_text()[-5000:]}"
            time.sleep(0.02)
        return found

    def halt(self, condition, what: str, *words: str) -> list[int]:
        """Halt a job's processes as soon as it has come to a certain point, so that it cannot end by itself."""
        self.wait_for(condition, what)
        halted = self.wait_for(lambda: self.project.processes(*words), f"{words} run")
        for number in halted:
            os.kill(number, signal.SIGSTOP)
        return halted

    def kill(self) -> None:
        """End Snakemake at once; its jobs live on."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def finish(self, seconds: float = 900) -> str:
        """Wait for the good end; return what was said."""
        code = self.process.wait(seconds)
        said = self.project.log.read_text()
        assert code == 0, said[-5000:]
        return said


def go_on(processes: list[int]) -> None:
    """Let halted processes go on."""
    for number in processes:
        os.kill(number, signal.SIGCONT)
