"""Make the embedded cohort: CT-like scans with 13 organs, in FLARE22's folders and file names.

The labelled scans are few and alike, all others vary as those of many clinics do. The truth of the unlabelled
scans is kept apart, for judging only. The same seed gives the same voxels, however many scans are asked for.
"""

import argparse
import re
import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path

import numpy as np

from noisy_student.command import run
from noisy_student.embedded.phantom import make_phantom
from noisy_student.embedded.variation import BROAD, NARROW, Variation, between
from noisy_student.embedded.wrapping import read_label_map
from noisy_student.errors import InputError
from noisy_student.files import visible
from noisy_student.images import write_image
from noisy_student.keeping.store import own
from noisy_student.parallel import end_with_parent

# Role: the scan's and the label map's file, for a number from 1.
FILES = {
    "labelled": (
        "Training/FLARE22_LabeledCase50/images/FLARE22_Tr_{:04}_0000.nii.gz",
        "Training/FLARE22_LabeledCase50/labels/FLARE22_Tr_{:04}.nii.gz",
    ),
    "unlabelled": ("Training/FLARE22_UnlabeledCase2000/Case_{:05}_0000.nii.gz", "Truth/Case_{:05}.nii.gz"),
    "validation": ("Validation/images/FLARETs_{:04}_0000.nii.gz", "Validation/labels/FLARETs_{:04}.nii.gz"),
    "test": ("Test/images/FLARETest_{:04}_0000.nii.gz", "Test/labels/FLARETest_{:04}.nii.gz"),
}
ROLES = tuple(FILES)


@dataclass(frozen=True)
class Case:
    """One scan to make: its role, its number within the role, and the label map to paint around, if any."""

    role: str
    number: int
    label_map: Path | None = None

    def rng(self, seed: int) -> np.random.Generator:
        """The case's own generator: it depends on the seed, the role and the number, and on no other case."""
        return np.random.default_rng(np.random.SeedSequence([seed, ROLES.index(self.role), self.number]))


def list_cases(counts: dict[str, int], label_maps: Path | None = None) -> list[Case]:
    """The cases of a cohort, role after role; each label map of the folder goes to one case at most.

    Raises InputError if there are fewer label maps than cases.
    """
    cases = [Case(role, number) for role in ROLES for number in range(1, counts[role] + 1)]
    if label_maps is None:
        return cases
    paths = visible(label_maps, ".nii.gz")
    if len(paths) < len(cases):
        raise InputError(
            f"a label map for each of {len(cases)} scans in {label_maps}",
            f"{len(paths)} files *.nii.gz",
            "ask for fewer scans; no label map is used twice, lest a test scan resemble a training scan",
        )
    return [Case(case.role, case.number, path) for case, path in zip(cases, paths, strict=False)]


def files_of(case: Case, folder: Path) -> list[Path]:
    """A case's scan and label map."""
    return [folder / name.format(case.number) for name in FILES[case.role]]


def remove_others(cases: list[Case], folder: Path) -> None:
    """Remove what an earlier cohort in this folder had more than these cases; files of other names stay."""
    wanted = {path for case in cases for path in files_of(case, folder)}
    for name in chain(*FILES.values()):
        before, after = re.split(r"{.*}", name)
        for path in folder.glob(f"{before}*{after}"):
            number = path.relative_to(folder).as_posix().removeprefix(before).removesuffix(after)
            if path not in wanted and number.isdecimal() and folder / name.format(int(number)) == path:
                path.unlink()


def make_case(case: Case, folder: Path, seed: int, strength: float) -> str:
    """Write a case's scan and label map; give back the scan's name."""
    label_map = None if case.label_map is None else read_label_map(case.label_map)
    phantom = make_phantom(case.rng(seed), variation_of(case.role, strength), label_map)
    scan_path, label_path = files_of(case, folder)
    write_image(phantom.label_map, label_path)
    write_image(phantom.scan, scan_path)
    return scan_path.name


def variation_of(role: str, strength: float) -> Variation:
    """The labelled scans are alike; the others spread the further, the greater the strength."""
    return NARROW if role == "labelled" else between(NARROW, BROAD, strength)


def make_cohort(cases: list[Case], folder: Path, seed: int, strength: float, cores: int) -> Iterable[str]:
    """Make all cases, `cores` at a time; yields each scan's name when its files are written."""
    arguments = (cases, repeat(folder), repeat(seed), repeat(strength))
    if cores == 1:
        yield from map(make_case, *arguments)
        return
    with ProcessPoolExecutor(cores, initializer=end_with_parent) as pool:
        yield from pool.map(make_case, *arguments)


def parse_arguments(words: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True, help="folder of the cohort")
    parser.add_argument("--seed", type=int, default=1)
    for role, count in zip(ROLES, (6, 32, 4, 10), strict=True):
        parser.add_argument(f"--{role}", type=int, default=count, help=f"how many {role} scans (%(default)s)")
    parser.add_argument("--label-maps", type=Path, help="paint around these label maps (*.nii.gz, FLARE22 labels)")
    parser.add_argument("--variation", type=float, default=1.0, help="0: as alike as the labelled scans (%(default)s)")
    parser.add_argument("--remove-others", action="store_true", help="remove scans of an earlier cohort in the folder")
    parser.add_argument("--cores", type=int, default=1, help="scans made at a time (%(default)s)")
    return parser.parse_args(words)


def main() -> None:
    """Make a cohort as the command line says, one line of progress a scan on stderr."""
    asked = parse_arguments()
    cases = list_cases({role: getattr(asked, role) for role in ROLES}, asked.label_maps)
    own(asked.output)
    if asked.remove_others:
        remove_others(cases, asked.output)
    names = make_cohort(cases, asked.output, asked.seed, asked.variation, asked.cores)
    for count, name in enumerate(names, start=1):
        print(f"{count}/{len(cases)} {name}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
