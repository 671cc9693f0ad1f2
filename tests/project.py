"""Runs in folders of their own, and Snakemake called there with the workflow as it lies here, or with a copy of it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from conftest import ROOT

PARTS = ("Snakefile", "workflow", "config", "envs", "profiles")
# By name: found beside the workflow.
VENV = ("--workflow-profile", "venv")
BIN = str(Path(sys.executable).parent)


class Project:
    """The folder of a run, with an overlay of the configuration."""

    workflow = ROOT

    def __init__(self, folder: Path, **overlay: object) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.configure(**overlay)

    def configure(self, **overlay: object) -> None:
        """Replace the overlay."""
        (self.folder / "overlay.yaml").write_text(yaml.safe_dump(overlay))

    def command(self, *arguments: str, profile: tuple[str, ...] = VENV) -> list[str]:
        """The command line of Snakemake in this project."""
        return [*self.snakemake(), *profile, "--cores", "2", *arguments, "--configfile", "overlay.yaml"]

    def snakemake(self) -> list[str]:
        """Snakemake with the workflow."""
        return [f"{BIN}/snakemake", "--snakefile", f"{self.workflow}/Snakefile"]

    def environment(self, **variables: str) -> dict[str, str]:
        """The environment of a user who has activated the project's own."""
        return {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", **variables}

    def run(self, *arguments: str, profile: tuple[str, ...] = VENV, **variables: str) -> subprocess.CompletedProcess:
        """Run Snakemake and return what came of it; stderr is in stdout."""
        return subprocess.run(
            self.command(*arguments, profile=profile),
            cwd=self.folder,
            env=self.environment(**variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def planned(self, *arguments: str, profile: tuple[str, ...] = VENV, **variables: str) -> dict[str, int]:
        """Which jobs a dry run would do: rule → number."""
        run = self.run("--dry-run", *arguments, profile=profile, **variables)
        assert run.returncode == 0, run.stdout
        return job_counts(run.stdout)


class Checkout(Project):
    """A run in a copy of the workflow, which may be edited."""

    def __init__(self, folder: Path, **overlay: object) -> None:
        copy_workflow(folder)
        super().__init__(folder, **overlay)
        self.workflow = folder

    def snakemake(self) -> list[str]:
        return [f"{BIN}/snakemake"]


def copy_workflow(folder: Path) -> None:
    """Copy the workflow's files to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, folder / part)


def job_counts(output: str) -> dict[str, int]:
    """The table of jobs that Snakemake prints, without its total."""
    table = re.search(r"Job stats:\njob +count\n[- ]+\n(.*?)\ntotal ", output, re.DOTALL)
    lines = table[1].splitlines() if table else []
    return {name: int(count) for name, count in (line.split() for line in lines)}
