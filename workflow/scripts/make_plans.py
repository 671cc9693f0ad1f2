"""nnU-Net's plans of one configured network."""

import argparse
import json
from pathlib import Path

from noisy_student.command import run
from noisy_student.configuration.settings import Network
from noisy_student.files import read_json, write_text
from noisy_student.model.elsewhere import unfit_for_online
from noisy_student.model.kind import labels_as, unlike
from noisy_student.model.source import read_source
from noisy_student.plan.planning import make_plans
from noisy_student.plan.preprocessing import Plan


def require_alike(model: Path, own: Plan, name: str) -> None:
    """Raise InputError for a model whose weights could not make online targets of a training by these plans."""
    source = read_source(model)
    plans = Plan(source.plans, source.dataset, source.configuration), own
    theirs, ours = (labels_as(plan.plans, plan.dataset, plan.configuration.configuration) for plan in plans)
    if differing := unlike(theirs, ours):
        raise unfit_for_online(f"network {name}", model, differing)


def main() -> None:
    """Read the arguments and plan."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", type=Path, required=True, help="dataset.json of the labelled scans")
    parser.add_argument("--fingerprint", type=Path, required=True)
    parser.add_argument("--network", type=Network.model_validate_json, required=True, help="its configuration")
    parser.add_argument("--name", required=True)
    parser.add_argument(
        "--online", type=Path, nargs="*", default=[], help="models from elsewhere whose weights make online targets"
    )
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    description = read_json(arguments.dataset)
    plans = make_plans(description, arguments.fingerprint, arguments.network, arguments.name)
    for model in arguments.online:
        require_alike(model, Plan(plans, description), arguments.name)
    write_text(arguments.output, json.dumps(plans, indent=2))


if __name__ == "__main__":
    run(main)
