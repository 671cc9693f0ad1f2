"""Count a network's parameters and floating-point operations at the patch size, from nnU-Net's plans."""

import argparse
import json
from pathlib import Path

from noisy_student.command import run
from noisy_student.files import read_json, write_text
from noisy_student.plan.network_figures import network_figures


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plans", type=Path, required=True, help="nnU-Net's plans file")
    parser.add_argument("--dataset", type=Path, required=True, help="nnU-Net's dataset.json")
    parser.add_argument("--configuration", default="3d_fullres", help="which configuration of the plans")
    parser.add_argument("--output", type=Path, required=True, help="the figures to write, as JSON")
    return parser.parse_args()


def main() -> None:
    """Read the plans, write the figures."""
    options = arguments()
    plans, dataset = (read_json(path) for path in (options.plans, options.dataset))
    write_text(options.output, json.dumps(network_figures(plans, dataset, options.configuration), indent=2) + "\n")


if __name__ == "__main__":
    run(main)
