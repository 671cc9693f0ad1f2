"""Write a round's label maps in a format that other programs open, with organs' names and colours.

Files lie in the folder that is named as the table without `.tsv`; a DICOM-SEG of an archive's scan, which names the
patient, beside the archive's names table, where the table says. A case without a file has the reason in the table:
DICOM-SEG refers to a scan that is DICOM, and cannot be without any organ. Partly labelled scans are left out: what a
teacher labels in them is there to be filled in around hand labels. Files of scans that are no longer among them go.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from noisy_student.cohort.archive.private import archive_of
from noisy_student.command import run
from noisy_student.errors import InputError
from noisy_student.export.label_maps import COLUMNS, Export, export, keep_only
from noisy_student.files import remove_unfinished
from noisy_student.model.records import SHORT
from noisy_student.organs import from_json
from noisy_student.parallel import in_order
from noisy_student.reading.dicom.files import is_dicom_scan
from noisy_student.tables import read_table, write_table
from noisy_student.writing.formats import DICOM_SEG, FORMATS


def exports(arguments: argparse.Namespace) -> list[Export]:
    """What is to be made. Raises InputError where DICOM-SEG is wanted and no scan is DICOM."""
    models = read_table(arguments.scores, ["case", "model"]).drop_duplicates("case").set_index("case").model
    cases = read_table(arguments.cases, ["case", "role", "image", "sha256"]).set_index("case").loc[models.index]
    cases = cases[cases.role != "labelled"]
    scans = list(map(Path, cases.image))
    if arguments.format == DICOM_SEG and scans and not any(map(is_dicom_scan, scans)):
        remedy = f"take another format: {', '.join(name for name in FORMATS if name != DICOM_SEG)}"
        raise InputError("DICOM scans, which DICOM-SEG refers to", f"{len(scans)} scan(s) of other formats", remedy)
    private = private_folders(scans, arguments.names) if arguments.format == DICOM_SEG else {}
    of_round, made_of = arguments.output.with_suffix(""), Path(*arguments.folder.parts[-2:])
    return [
        Export(
            case, arguments.folder / f"{case}.nii.gz", scan, checksum,
            private[scan] / made_of / models[case][:SHORT] if scan in private else of_round,
            arguments.format, arguments.organs, arguments.made_by, models[case], scan in private,
        )
        for case, scan, checksum in zip(cases.index, scans, cases.sha256, strict=True)
    ]  # fmt: skip


def private_folders(scans: Sequence[Path], names: Sequence[str]) -> dict[Path, Path]:
    """For each scan of an archive a folder that none but its owner may enter; `names`: the archives' tables."""
    found = {scan: own.exported for scan in scans if (own := archive_of(scan, names))}
    for folder in set(found.values()):
        folder.mkdir(mode=0o700, exist_ok=True)
    return found


def main() -> None:
    """Read the arguments, write the files and their table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=Path, required=True, help="the case table")
    parser.add_argument("--scores", type=Path, required=True, help="the label maps' scores, which name their model")
    parser.add_argument("--folder", type=Path, required=True, help="where the label maps lie")
    parser.add_argument(
        "--names", type=json.loads, required=True, help="names tables of the cohort's archives, as JSON"
    )
    parser.add_argument("--made-by", required=True, help="which label maps these are, in the files' own words")
    parser.add_argument("--organs", type=from_json, required=True, help="label table as JSON, with colours and codes")
    parser.add_argument("--format", choices=FORMATS, required=True)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--output", type=Path, required=True, help="table: case, file, organs found, why there is none")
    arguments = parser.parse_args()
    wanted = exports(arguments)
    rows = list(in_order(export, wanted, arguments.cores, "exporting"))
    keep_only(arguments.output.with_suffix(""), arguments.format, {row["case"] for row in rows})
    for row in rows:
        if row["why"]:
            print(f"no file of {row['case']}: {row['why']}", file=sys.stderr)
    print(f"{sum(not row['why'] for row in rows)} of {len(rows)} written", file=sys.stderr)
    write_table(pd.DataFrame(rows, columns=list(COLUMNS)), arguments.output)
    for folder in {job.folder for job in wanted}:
        remove_unfinished(folder)


if __name__ == "__main__":
    run(main)
