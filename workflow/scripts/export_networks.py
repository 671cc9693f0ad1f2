"""Write a round's networks for programs without nnU-Net: a folder with all that these must know of them."""

import argparse
from pathlib import Path

from noisy_student.command import run
from noisy_student.configuration import prediction_options
from noisy_student.export import round_card
from noisy_student.export.network_files import WRITERS
from noisy_student.export.networks import in_words, write_networks
from noisy_student.model.postprocessing import read_steps


def main() -> None:
    """Read the arguments and write the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    round_card.add_arguments(parser)
    prediction_options.add_arguments(parser)
    parser.add_argument("--runtime", choices=WRITERS, required=True, help="what is to run the networks")
    parser.add_argument("--postprocessing", type=read_steps, default=(), help="postprocessing.json of the model")
    parser.add_argument("--output", type=Path, required=True, help="the folder")
    given = parser.parse_args()
    write_networks(
        given.checkpoints,
        given.runtime,
        given.output,
        prediction_options.prediction_of(given),
        given.postprocessing,
        lambda about: round_card.round_card(given, in_words(about)),
    )


if __name__ == "__main__":
    run(main)
