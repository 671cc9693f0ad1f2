"""A copy of the project in a folder of its own, and Snakemake run in it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from conftest import ROOT

PARTS = ("Snakefile", "workflow", "config", "envs", "profiles")
VENV = ("--workflow-profile", "profiles/venv")
BIN = str(Path(sys.executable).parent)


class Project:
    """The workflow's files in a folder of their own, with an overlay of the configuration."""

    def __init__(self, folder: Path, **overlay: object) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for part in PARTS:
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(source, folder / part, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(source, folder / part)
        self.configure(**overlay)

    def configure(self, **overlay: object) -> None:
        """Replace the overlay."""
        (self.folder / "overlay.yaml").write_text(yaml.safe_dump(overlay))

    def command(self, *arguments: str, profile: tuple[str, ...] = VENV) -> list[str]:
        """The command line of Snakemake in this project."""
        return [f"{BIN}/snakemake", *profile, "--cores", "2", *arguments, "--configfile", "overlay.yaml"]

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


def job_counts(output: str) -> dict[str, int]:
    """The table of jobs that Snakemake prints, without its total."""
    table = re.search(r"Job stats:\njob +count\n[- ]+\n(.*?)\ntotal ", output, re.DOTALL)
    lines = table[1].splitlines() if table else []
    return {name: int(count) for name, count in (line.split() for line in lines)}
