"""Convert one shard of the scans to canonical orientation and nnU-Net's names."""

import argparse
import json
from pathlib import Path

import pandas as pd

from noisy_student.cohort.conversion import convert, converted_image, converted_label_map, is_whole
from noisy_student.command import run
from noisy_student.files import sha256, write_text
from noisy_student.parallel import with_progress
from noisy_student.shards import shard_of
from noisy_student.tables import read_table, write_table


def convert_case(case: str, image: str, label_map: str | None, root: Path) -> dict[str, str]:
    """Convert what is not yet there, or was made from other files; the paths of both files."""
    jobs = [(Path(image), converted_image(root, case), False)]
    if label_map:
        jobs.append((Path(label_map), converted_label_map(root, case), True))
    record = root / "records" / f"{case}.json"
    made_from = json.dumps({str(target): sha256(source) for source, target, _ in jobs}, indent=2)
    is_done = record.exists() and record.read_text() == made_from
    if not is_done or not all(is_whole(target) for _, target, _ in jobs):
        record.unlink(missing_ok=True)
        for source, target, is_label_map in jobs:
            convert(source, target, is_label_map)
        write_text(record, made_from)
    return {
        "case": case,
        "image": str(jobs[0][1]),
        "label_map": str(jobs[-1][1]) if label_map else "",
        "made_from": ", ".join(json.loads(made_from).values()),
    }


def main() -> None:
    """Read the arguments and convert."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=Path, required=True, help="the case table")
    parser.add_argument("--folder", type=Path, required=True, help="where images/ and label_maps/ are made")
    parser.add_argument("--shard", type=int, required=True)
    parser.add_argument("--shards", type=int, required=True)
    parser.add_argument("--output", type=Path, required=True, help="index table: case, image, label_map, made_from")
    arguments = parser.parse_args()
    cases = shard_of(read_table(arguments.cases, ["case", "role"]), arguments.shard, arguments.shards)
    rows = (
        convert_case(row.case, row.image, row.label_map if row.role == "labelled" else None, arguments.folder)
        for row in cases.itertuples()
    )
    index = list(with_progress(rows, len(cases), "converting"))
    write_table(pd.DataFrame(index, columns=["case", "image", "label_map", "made_from"]), arguments.output)


if __name__ == "__main__":
    run(main)
