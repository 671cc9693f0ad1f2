"""Say which scans the experiments of one seed have: generated, or painted around label maps dealt over the roles."""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from arms import Study
from noisy_student.cohort.folder_state import state_of
from noisy_student.command import run
from noisy_student.embedded.wrapping import read_label_map
from noisy_student.errors import InputError
from noisy_student.files import visible, write_text

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
    """Deal the label maps, if there are any, and write the configuration's keys."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--study", type=Study.model_validate_json, required=True, help="the study, as JSON")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--output", type=Path, required=True, help="the seed's part of the configuration")
    arguments = parser.parse_args()
    study, embedded = arguments.study, {}
    counts = study.procedural
    if study.label_maps:
        maps = usable(Path(study.label_maps))
        # Other label maps are another cohort, also where they have the same names.
        dealt = arguments.output.with_name(f"label_maps_{state_of([Path(study.label_maps)])}")
        deal(maps, dealt, arguments.seed)
        counts, embedded = study.painted.counts(len(maps)), {"label_maps": f"../{dealt.name}"}
    embedded |= counts.model_dump() | {"variation": study.variation}
    overlay = {"seed": arguments.seed, "cohort": {"kind": "embedded", "embedded": embedded}}
    write_text(arguments.output, json.dumps(overlay, indent=2))


if __name__ == "__main__":
    run(main)
