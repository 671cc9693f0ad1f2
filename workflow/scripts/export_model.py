"""Write a round's model as a zip that nnU-Net v2 installs, with its model card."""

import argparse
from pathlib import Path

from noisy_student.command import run
from noisy_student.export.model_zip import dataset_of, installed, write_model_zip
from noisy_student.export.round_card import add_arguments, round_card


def main() -> None:
    """Read the arguments and write the zip."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    dataset = dataset_of(arguments.checkpoints, arguments.round)
    card = round_card(arguments, installed(arguments.checkpoints, dataset))
    write_model_zip(arguments.checkpoints, dataset, card, arguments.output)


if __name__ == "__main__":
    run(main)
