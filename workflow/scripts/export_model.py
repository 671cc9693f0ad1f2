"""Write a round's model as a zip that nnU-Net v2 installs, with its model card."""

import argparse
from pathlib import Path

from noisy_student.command import run
from noisy_student.export.model_zip import dataset_of, installed, write_model_zip
from noisy_student.export.round_card import add_arguments, round_card
from noisy_student.files import sha256


def main() -> None:
    """Read the arguments and write the zip."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    parser.add_argument("--output", type=Path, required=True)
    given = parser.parse_args()
    checksums = [sha256(path) for path in given.checkpoints]
    dataset = dataset_of(checksums, given.round)
    card = round_card(given, checksums, installed(given.checkpoints, dataset, given.postprocessing))
    write_model_zip(given.checkpoints, dataset, card, given.output, given.postprocessing)


if __name__ == "__main__":
    run(main)
