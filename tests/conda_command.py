"""A `conda` for machines that cannot get one: what Snakemake asks of it, done by conda's own solver library and pip.

    conda --version | info --json | config --get channel_priority --json | list --explicit | env export | clean
    conda env create --file FILE --prefix FOLDER

`conda-forge` is found where the environment variable CONDA_CHANNELS says: the folder that holds the channel. As the
real one does, it solves and links the conda packages first and then calls the environment's own pip.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from conda_channel import SUBDIR

CONDA_VERSION = "24.11.0"
ACTIVATE = """export CONDA_PREFIX="$1" CONDA_DEFAULT_ENV="$1" CONDA_SHLVL=1 PATH="$1/bin:$PATH"
"""


def install_command(folder: Path) -> Path:
    """Write `conda` and `activate` into `folder/bin`, which is to be put on the PATH; return it."""
    binaries = folder / "bin"
    binaries.mkdir(parents=True, exist_ok=True)
    conda = binaries / "conda"
    conda.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).resolve()}" "{folder}" "$@"\n')
    conda.chmod(0o755)
    (binaries / "activate").write_text(ACTIVATE)
    return binaries


async def link_packages(specifications: list[str], channels: list[str], prefix: Path) -> None:
    """Solve and install conda packages."""
    from rattler import Channel, MatchSpec, VirtualPackage, install, solve

    found = [Channel(f"file://{os.environ['CONDA_CHANNELS']}/{name}") for name in channels]
    records = await solve(
        found,
        [MatchSpec(specification) for specification in specifications],
        platforms=[SUBDIR, "noarch"],
        virtual_packages=VirtualPackage.detect(),
    )
    await install(records, prefix, show_progress=False)


def create(file: Path, prefix: Path) -> None:
    """Make an environment from its file."""
    import yaml

    environment = yaml.safe_load(file.read_text())
    packages = [entry for entry in environment["dependencies"] if isinstance(entry, str)]
    pins = [pin for entry in environment["dependencies"] if isinstance(entry, dict) for pin in entry["pip"]]
    asyncio.run(link_packages(packages, environment["channels"], prefix))
    (prefix / "conda-meta/history").touch()
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as requirements:
        requirements.write("\n".join(pins))
        requirements.flush()
        pip = (prefix / "bin/python", "-m", "pip", "install", "--requirement", requirements.name)
        subprocess.run(pip, check=True, stdout=sys.stderr)


def installed(prefix: Path) -> list[dict]:
    """The records of an environment's conda packages."""
    return [json.loads(path.read_text()) for path in sorted(prefix.glob("conda-meta/*.json"))]


def answer(root: str, words: list[str], prefix: Path | None) -> str:
    """What the commands that only tell something print."""
    match words:
        case ["info", *_]:
            about = {"conda_prefix": root, "root_prefix": root, "platform": SUBDIR, "conda_version": CONDA_VERSION}
            return json.dumps(about)
        case ["config", *_]:
            return json.dumps({"get": {"channel_priority": "strict"}})
        case ["list", *_]:
            return "\n".join(["@EXPLICIT", *(record["url"] for record in installed(prefix))])
        case ["env", "export", *_]:
            packages = [f"{record['name']}={record['version']}" for record in installed(prefix)]
            return json.dumps({"channels": ["conda-forge"], "dependencies": packages})
        case ["clean", *_]:
            return ""
    raise SystemExit(f"this stand-in for conda knows no command `{' '.join(words)}`")


def main() -> None:
    """Read the command line."""
    root, *arguments = sys.argv[1:]
    if arguments == ["--version"]:
        print(f"conda {CONDA_VERSION}")
        return
    parser = argparse.ArgumentParser()
    parser.add_argument("words", nargs="*")
    parser.add_argument("--file", type=Path)
    parser.add_argument("--prefix", type=Path)
    known, _ = parser.parse_known_args(arguments)
    if known.words[:2] == ["env", "create"]:
        create(known.file, known.prefix)
    else:
        print(answer(root, known.words, known.prefix))


if __name__ == "__main__":
    main()
    # Threads of the solver must not outlive what they were for.
    sys.stdout.flush()
    os._exit(0)
