"""Convert one shard of the scans to canonical orientation and nnU-Net's names."""

import argparse
import json
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from noisy_student.cohort.conversion import convert, convert_label_map, is_whole
from noisy_student.cohort.converted import converted_image, converted_label_map
from noisy_student.cohort.labelled_organs import LABELLED_SHARE
from noisy_student.command import run
from noisy_student.files import write_text
from noisy_student.keeping.store import Store, own
from noisy_student.parallel import with_progress
from noisy_student.reading.door import require_unchanged
from noisy_student.shards import shard_of
from noisy_student.tables import read_table, write_table

KIND = "converted"


def origins(checksums: list[str]) -> list[str]:
    """What a converted scan, and its label map, are made from."""
    scan, *label_maps = checksums
    return [f"scan {scan}", *(f"label map {label_map} of scan {scan}" for label_map in label_maps)]


def convert_case(row: Any, root: Path, store: Store) -> dict[str, Any]:
    """Convert what is not yet there, or was made from other files; the paths of both files, and what is labelled."""
    image = converted_image(root, row.case)
    jobs = [(Path(row.image), image, convert)]
    require_unchanged(Path(row.image), row.sha256)
    if is_labelled := row.role == "labelled":
        as_the_scan = partial(convert_label_map, converted=image)
        jobs.append((Path(row.label_map), converted_label_map(root, row.case), as_the_scan))
        require_unchanged(Path(row.label_map), row.labels_sha256)
    record = root / "records" / f"{row.case}.json"
    checksums = [row.sha256, row.labels_sha256][: len(jobs)]
    made_from = json.dumps({str(target): made for (_, target, _), made in zip(jobs, checksums, strict=True)}, indent=2)
    is_done = record.exists() and record.read_text() == made_from
    if not is_done or not all(is_whole(target) for _, target, _ in jobs):
        record.unlink(missing_ok=True)
        for (source, target, make), origin in zip(jobs, origins(checksums), strict=True):
            if not store.take(KIND, origin, {target.name: target}):
                make(source, target)
                # A scan that is linked as it is was not made.
                if not target.samefile(source):
                    store.put(KIND, origin, {target.name: target})
        write_text(record, made_from)
    return {
        "case": row.case,
        "image": str(image),
        "label_map": str(jobs[-1][1]) if is_labelled else "",
        "made_from": ", ".join(checksums),
        LABELLED_SHARE: getattr(row, LABELLED_SHARE, None),
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
    cases = shard_of(
        read_table(arguments.cases, ["case", "role", "sha256", "labels_sha256"]), arguments.shard, arguments.shards
    )
    for name in ("images", "label_maps", "records"):
        own(arguments.folder / name)
    store = Store.of_environment()
    rows = (convert_case(row, arguments.folder, store) for row in cases.itertuples())
    with store.alone(f"converting {' '.join(cases.sha256)}"):
        index = list(with_progress(rows, len(cases), "converting"))
    columns = ["case", "image", "label_map", "made_from", *({LABELLED_SHARE} & set(cases))]
    write_table(pd.DataFrame(index, columns=columns), arguments.output)


if __name__ == "__main__":
    run(main)
