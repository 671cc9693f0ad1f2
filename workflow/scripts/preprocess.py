"""Preprocess one shard of the scans with frozen plans: each image once, for all rounds."""

import argparse
from pathlib import Path

import pandas as pd

from noisy_student.command import run
from noisy_student.files import read_json, sha256
from noisy_student.keeping.store import NO_STORE, Store, own
from noisy_student.parallel import with_progress
from noisy_student.plan.preprocessing import ARRAY, LABELS, PROPERTIES, Plan, is_whole, preprocess_image, with_suffix
from noisy_student.shards import shard_of
from noisy_student.tables import read_table, write_table

KIND = "preprocessed"


def preprocess_case(
    case: str, image: Path, folder: Path, plan: Plan, made_from: str, store: Store = NO_STORE
) -> dict[str, str]:
    """Preprocess the scan unless that is done already, from the same scan and plans."""
    target = folder / case
    files = {suffix: with_suffix(target, suffix) for suffix in (ARRAY, LABELS, PROPERTIES)}
    if not is_whole(target, made_from) and not store.take(KIND, made_from, files):
        preprocess_image(image, target, plan, made_from)
        store.put(KIND, made_from, files)
    return {"case": case, "preprocessed": str(target), "made_from": made_from}


def main() -> None:
    """Read the arguments and preprocess."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=Path, required=True, help="the case table")
    parser.add_argument("--converted", type=Path, required=True, help="index of the converted scans")
    parser.add_argument("--plans", type=Path, required=True)
    parser.add_argument("--dataset", type=Path, required=True, help="dataset.json of the labelled scans")
    parser.add_argument("--folder", type=Path, required=True, help="where the preprocessed cases are made")
    parser.add_argument("--shard", type=int, required=True)
    parser.add_argument("--shards", type=int, required=True)
    parser.add_argument("--output", type=Path, required=True, help="index table: case, preprocessed, made_from")
    arguments = parser.parse_args()
    plan = Plan(read_json(arguments.plans), read_json(arguments.dataset))
    cases = shard_of(read_table(arguments.cases, ["case", "sha256"]), arguments.shard, arguments.shards)
    images = read_table(arguments.converted, ["case", "image"]).set_index("case").image
    plans = sha256(arguments.plans)
    own(arguments.folder)
    store = Store.of_environment()
    made_from = {row.case: f"scan {row.sha256}, plans {plans}" for row in cases.itertuples()}
    rows = (
        preprocess_case(case, Path(images[case]), arguments.folder, plan, origin, store)
        for case, origin in made_from.items()
    )
    with store.alone(f"preprocessing {', '.join(made_from.values())}"):
        index = list(with_progress(rows, len(cases), "preprocessing"))
    write_table(pd.DataFrame(index, columns=["case", "preprocessed", "made_from"]), arguments.output)


if __name__ == "__main__":
    run(main)
