"""A project whose rules run in conda environments, really made from the files of envs/."""

import os
import subprocess
from pathlib import Path

import conda_channel
import conda_command
import environments
from project import BIN, Project

# Put into each environment that was made: its interpreter tells which script it runs.
WITNESS = """import json, sys
scripts = [word for word in sys.orig_argv[1:2] if "workflow/scripts/" in word]
if scripts:
    with open("{seen}", "a") as file:
        print(json.dumps([scripts[0].split("/")[-1], sys.prefix]), file=file)
"""


def why_not() -> str:
    """Why environments cannot be made on this machine, or nothing."""
    if conda_channel.SHORT != environments.PYTHON:
        return f"needs Python {environments.PYTHON} to pack"
    return "needs a platform that conda-forge knows" if conda_channel.SUBDIR == "unsupported" else ""


class CondaProject(Project):
    """A project with a conda on its PATH, and Snakemake's own Python found by that command alone."""

    def __init__(self, folder: Path, **overlay: object) -> None:
        super().__init__(folder, **overlay)
        self.places = folder.with_name("conda")
        conda_channel.build_channel(self.places / "channels/conda-forge")
        conda_command.install_command(self.places)

    def environment(self, **variables: str) -> dict[str, str]:
        path = f"{self.places / 'bin'}:{BIN}:{os.environ['PATH']}"
        # What is never imported need not be compiled.
        own = {"PATH": path, "CONDA_CHANNELS": str(self.places / "channels"), "PIP_NO_COMPILE": "1"}
        return super().environment(**own, **variables)

    def as_typed(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess:
        """Run Snakemake as a user with conda does, but for where environments lie; the default profile is found."""
        prefix = str(self.places / "environments")
        return self.run(*arguments, "--resources", "gpu=1", "--conda-prefix", prefix, profile=(), **variables)

    def make_environments(self) -> None:
        """Make all of them, each with a witness of what its interpreter runs."""
        run = self.as_typed("--conda-create-envs-only")
        assert run.returncode == 0, run.stdout[-5000:]
        for folder in self.made().values():
            packages = folder / f"lib/python{environments.PYTHON}/site-packages"
            (packages / "sitecustomize.py").write_text(WITNESS.format(seen=self.seen))

    @property
    def seen(self) -> Path:
        """What the witnesses wrote: script and environment."""
        return self.places / "seen"

    def made(self) -> dict[str, Path]:
        """The environments that were made: the text of each one's file → its folder."""
        return {path.read_text(): path.with_suffix("") for path in (self.places / "environments").glob("*.yaml")}
