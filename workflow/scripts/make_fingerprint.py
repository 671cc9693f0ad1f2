"""nnU-Net's dataset description and fingerprint, from the labelled scans only."""

import argparse
import json
from pathlib import Path

from noisy_student.cohort.labelled_organs import sparse_in
from noisy_student.command import run
from noisy_student.errors import InputError
from noisy_student.files import write_text
from noisy_student.keeping.store import Store
from noisy_student.organs import FLARE22, from_json
from noisy_student.plan.planning import dataset_description, make_fingerprint
from noisy_student.tables import read_table

KIND = "fingerprint"


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--converted", type=Path, required=True, help="index of the converted scans")
    parser.add_argument("--organs", type=from_json, default=FLARE22, help="label table as JSON (default: FLARE22's)")
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--dataset", type=Path, required=True, help="where dataset.json is written")
    parser.add_argument("--output", type=Path, required=True, help="where the fingerprint is written")
    arguments = parser.parse_args()
    labelled = read_table(arguments.converted, ["case", "image", "label_map", "made_from"]).dropna(subset="label_map")
    if labelled.empty:
        remedy = "name them under `cohort.folders.labelled`"
        raise InputError("labelled scans", f"none in {arguments.converted}", remedy)
    by_case = labelled.set_index("case")
    description = dataset_description(by_case.image.to_dict(), by_case.label_map.to_dict(), arguments.organs)
    write_text(arguments.dataset, json.dumps(description, indent=2))
    store = Store.of_environment()
    made_from = json.dumps([labelled.made_from.tolist(), description["labels"]])
    files = {"dataset_fingerprint.json": arguments.output}
    with store.alone(f"fingerprint {made_from}"):
        if not store.take(KIND, made_from, files):
            fingerprint = make_fingerprint(description, arguments.output, arguments.cores, sparse_in(labelled))
            write_text(arguments.output, json.dumps(fingerprint, indent=2))
            store.put(KIND, made_from, files)


if __name__ == "__main__":
    run(main)
