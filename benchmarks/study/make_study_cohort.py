"""Make the scans of one seed of the study: generated, or painted around label maps dealt over the roles by the seed."""

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np

from arms import ROLES, Counts, Shares
from noisy_student.command import run
from noisy_student.embedded.wrapping import read_label_map
from noisy_student.errors import InputError
from noisy_student.files import visible

MAKE_COHORT = Path(__file__).parents[2] / "workflow/scripts/make_cohort.py"
FEWEST_MAPS = 10


def usable(folder: Path) -> list[Path]:
    """The label maps that a body can be painted around; what is wrong with the others is said."""
    found = []
    for path in visible(folder, ".nii.gz"):
        try:
            read_label_map(path)
        except InputError as error:
            print(f"not used: {error}", file=sys.stderr)
        else:
            found.append(path)
    if len(found) < FEWEST_MAPS:
        raise InputError(
            f"at least {FEWEST_MAPS} label maps in {folder}", f"{len(found)} of use", "give another folder"
        )
    return found


def deal(label_maps: list[Path], folder: Path, seed: int) -> None:
    """Links to the label maps in an order that the seed gives, in which `make_cohort` deals them over the roles."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, path in enumerate(np.random.default_rng(seed).permutation(label_maps)):
        link = folder / f"{number:04}_{path.name}"
        link.unlink(missing_ok=True)
        link.symlink_to(path.resolve())


def main() -> None:
    """Deal the label maps, if there are any, and make the scans."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--label-maps", type=Path, help="folder of label maps (none: scans are generated)")
    parser.add_argument("--procedural", type=Counts.model_validate_json, required=True, help="counts, as JSON")
    parser.add_argument("--painted", type=Shares.model_validate_json, required=True, help="shares, as JSON")
    parser.add_argument("--variation", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--output", type=Path, required=True, help="folder of the cohort")
    arguments = parser.parse_args()
    counts, flags = arguments.procedural, []
    if arguments.label_maps:
        maps = usable(arguments.label_maps)
        deal(maps, arguments.output.parent / "dealt_label_maps", arguments.seed)
        counts = arguments.painted.counts(len(maps))
        flags = ["--label-maps", arguments.output.parent / "dealt_label_maps"]
    flags += [part for role in ROLES for part in (f"--{role}", getattr(counts, role))]
    flags += ["--seed", arguments.seed, "--variation", arguments.variation, "--cores", arguments.cores]
    command = [sys.executable, MAKE_COHORT, "--output", arguments.output, *flags]
    subprocess.run([*map(str, command)], check=True)


if __name__ == "__main__":
    run(main)
