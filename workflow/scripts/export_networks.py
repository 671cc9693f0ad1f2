"""Write a round's networks for programs without nnU-Net: a folder with all that these must know of them."""

import argparse
from pathlib import Path

from noisy_student.command import run
from noisy_student.configuration import prediction_options
from noisy_student.export import round_card
from noisy_student.export.network_files import WRITERS
from noisy_student.export.networks import in_words, write_networks
from noisy_student.files import sha256


def main() -> None:
    """Read the arguments and write the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    round_card.add_arguments(parser)
    prediction_options.add_arguments(parser)
    parser.add_argument("--runtime", choices=WRITERS, required=True, help="what is to run the networks")
    parser.add_argument("--output", type=Path, required=True, help="the folder")
    given = parser.parse_args()
    options = prediction_options.prediction_of(given)
    checksums = [sha256(path) for path in given.checkpoints]
    write_networks(
        given.checkpoints,
        given.runtime,
        given.output,
        options,
        given.postprocessing,
        lambda about: round_card.round_card(given, checksums, in_words(about, options.windows)),
    )


if __name__ == "__main__":
    run(main)
