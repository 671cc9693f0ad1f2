"""What comes of faulty and unusual input: makes small files with scripts, and brings each through the project's doors.

SCRIPTS is a folder of scripts NAME.py or NAME/make.py, each called with the folder to write to. `kinds.tsv` says which
of the files that they make are which kind of input, and through which door (doors.py) they are brought. One line a kind
is printed: the input in words, a tab, what came of it; where its files fared differently, a line for each.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from cohort_door import WHOLE
from doors import DOORS, Surroundings
from scripts import short
from untrained_model import make_labelled, make_model

KINDS = Path(__file__).with_name("kinds.tsv")
TOGETHER = "check together"
# What other scripts import.
NO_SCRIPTS = {"common"}

Outcomes = dict[tuple[str, Path], dict[str, str]]


@dataclass(frozen=True)
class Kind:
    """A kind of input: in words, its door, and patterns of its files below the folder of all made files."""

    words: str
    door: str
    patterns: tuple[str, ...]

    @property
    def scripts(self) -> set[str]:
        """The scripts that make the files."""
        return {pattern.split("/")[0] for pattern in self.patterns}

    def given(self, made: Path) -> list[Path]:
        """The files and folders of this kind."""
        return [path for pattern in self.patterns for path in sorted(made.glob(pattern))]

    def brought(self, given: Path, made: Path) -> Path:
        """What goes through the door: the file itself, or all that its script made."""
        return made / given.relative_to(made).parts[0] if self.door == TOGETHER else given

    def lines(self, made: Path, outcomes: Outcomes) -> Iterator[str]:
        """What is printed: one line if all files fared alike."""
        fared = {}
        for path in self.given(made):
            brought = self.brought(path, made)
            name = WHOLE if self.door == TOGETHER and path == brought else path.name
            fared[str(path.relative_to(made))] = outcomes[self.door, brought][name]
        # Of a cohort, one line cannot say that two of its scans were taken instead of one.
        is_one = len(set(fared.values())) <= 1 and (len(fared) == 1 or self.door != TOGETHER)
        yield f"{self.words}\t{next(iter(fared.values()), 'not made') if is_one else ''}"
        if not is_one:
            yield from (f"    {name}\t{outcome}" for name, outcome in fared.items())


def read_kinds() -> list[Kind]:
    """The table of kinds."""
    rows = pd.read_csv(KINDS, sep="\t").itertuples()
    return [Kind(row.input, row.door, tuple(row.files.split())) for row in rows]


def scripts_of(folder: Path) -> dict[str, Path]:
    """Name → script. Exits if there are none."""
    scripts = {path.stem: path for path in sorted(folder.glob("*.py")) if path.stem not in NO_SCRIPTS}
    scripts |= {path.parent.name: path for path in sorted(folder.glob("*/make.py"))}
    if not scripts:
        sys.exit(
            f"wanted: a folder of scripts that make input files, NAME.py or NAME/make.py\n   got: none in {folder}\n"
            "remedy: name that folder: INPUTS=FOLDER make inputs"
        )
    return scripts


def make_files(script: Path, folder: Path, model: Path, python: Path) -> str:
    """Run a script; why it did not end well, if so. Programs beside its interpreter (gdcmconv) are found."""
    environment = os.environ | {"PATH": f"{python.parent}:{os.environ['PATH']}"}
    command = [python, "-B", script, folder, model]
    made = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    said = [line for line in made.stderr.splitlines() if line.strip()] or ["no reason given"]
    return f"{script} ended with status {made.returncode}: {short(said[-1])}" if made.returncode else ""


def bring(kinds: list[Kind], made: Path, labelled: dict[str, str], model: Path, cores: int) -> Outcomes:
    """(door, what was brought) → name → what came of it."""
    jobs = list(dict.fromkeys((kind.door, kind.brought(path, made)) for kind in kinds for path in kind.given(made)))

    def work(job: tuple[str, Path]) -> dict[str, str]:
        door, path = job
        with tempfile.TemporaryDirectory() as folder:
            outcome = DOORS[door](path, Surroundings(Path(folder).resolve(), labelled, model))
        return outcome if isinstance(outcome, dict) else {path.name: outcome}

    with ThreadPoolExecutor(cores) as pool:
        return dict(zip(jobs, pool.map(work, jobs), strict=True))


def run_inputs(scripts: dict[str, Path], folder: Path, python: Path, cores: int) -> list[str]:
    """Run the scripts and print what came of their files; what went wrong with the scripts themselves."""
    labelled = make_labelled(folder / "embedded")
    model, made = make_model(folder, labelled), folder / "made"
    broken = [make_files(script, made / name, model, python) for name, script in scripts.items()]
    kinds = [kind for kind in read_kinds() if kind.scripts & set(scripts)]
    outcomes = bring(kinds, made, labelled, model, cores)
    for kind in kinds:
        print(*kind.lines(made, outcomes), sep="\n")
    unknown = set(scripts).difference(*(kind.scripts for kind in kinds))
    return [*filter(None, broken), *(f"{scripts[name]} has no line in {KINDS}" for name in sorted(unknown))]


def main() -> None:
    """Read the arguments; exit with 1 if a script failed or is not known."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scripts", type=Path, help="the folder SCRIPTS")
    parser.add_argument("names", nargs="*", help="run these scripts alone")
    parser.add_argument("--python", type=Path, default=Path(sys.executable), help="interpreter that has their packages")
    parser.add_argument("--cores", type=int, default=os.cpu_count(), help="files brought at the same time")
    options = parser.parse_args()
    scripts = scripts_of(options.scripts)
    chosen = {name: path for name, path in scripts.items() if not options.names or name in options.names}
    with tempfile.TemporaryDirectory() as folder:
        wrong = run_inputs(chosen, Path(folder).resolve(), options.python, options.cores)
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
