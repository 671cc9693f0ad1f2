"""nnU-Net's plans of one configured network."""

import argparse
import json
from pathlib import Path

from noisy_student.command import run
from noisy_student.configuration.settings import Network
from noisy_student.files import read_json, write_text
from noisy_student.plan.planning import make_plans


def main() -> None:
    """Read the arguments and plan."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", type=Path, required=True, help="dataset.json of the labelled scans")
    parser.add_argument("--fingerprint", type=Path, required=True)
    parser.add_argument("--network", type=Network.model_validate_json, required=True, help="its configuration")
    parser.add_argument("--name", required=True)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    description = read_json(arguments.dataset)
    plans = make_plans(description, arguments.fingerprint, arguments.network, arguments.name)
    write_text(arguments.output, json.dumps(plans, indent=2))


if __name__ == "__main__":
    run(main)
