"""How long an archive's headers take: read for the first time, looked at again, after growth; and a start's look.

Prints a table and puts it into docs/scale.md.

    PYTHONPATH=workflow/scripts:tests python benchmarks/archive.py [--files 20000] [--cores 2]
    (`make bench-archive`)
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from dicom_archive import AXIAL, header, write
from measured_run import DOCS, machine, put_into
from noisy_student.cohort.archive.index import read_archive
from noisy_student.cohort.archive.state import remember, state_of_tree

SERIES, SLICES = 5, 100
# In place of 512 × 512 pixels, which nobody reads.
PIXELS = bytes(4096)


def make_patient(folder: Path, patient: int) -> None:
    """Write five series of a hundred slices into one folder, which was made long ago."""
    folder.mkdir(parents=True)
    for series in range(SERIES):
        uid = f"1.2.{patient}.{series}"
        image = header(
            uid, uid, PatientID=f"P{patient}", StudyInstanceUID=f"1.2.{patient}", ImageOrientationPatient=AXIAL,
            SliceThickness=2.5, Rows=512, Columns=512, BitsAllocated=16, PixelData=PIXELS,
        )  # fmt: skip
        for number in range(SLICES):
            image.SOPInstanceUID, image.ImagePositionPatient = f"{uid}.{number}", [0, 0, 2.5 * number]
            write(image, folder / f"IM{series * SLICES + number:05}")
    os.utime(folder, (1, 1))


def seconds(work: Callable[[], object]) -> float:
    """How long a piece of work takes."""
    start = time.monotonic()
    work()
    return time.monotonic() - start


def measure(archive: Path, private: Path, patients: int, cores: int) -> list[tuple[str, int, float]]:
    """What is done, with how many files, and how long it takes."""
    index, folders = private / "index.jsonl", private / "folders.json"
    for patient in range(patients):
        make_patient(archive / f"{patient:04}", patient)
    files = patients * SERIES * SLICES
    found = [
        ("the first start looks", files, seconds(lambda: state_of_tree(archive, folders))),
        (f"headers, {cores} processes", files, seconds(lambda: read_archive(archive, index, cores))),
        ("again, nothing changed", files, seconds(lambda: read_archive(archive, index, cores))),
    ]
    os.utime(archive, (1, 1))
    remember(archive, folders)
    found.append(("a later start looks", files, seconds(lambda: state_of_tree(archive, folders))))
    make_patient(archive / "more", patients)
    more = SERIES * SLICES
    found.append((f"again, {more} more", files + more, seconds(lambda: read_archive(archive, index, cores))))
    return found


def main() -> None:
    """Make the files, time, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=20000)
    parser.add_argument("--cores", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        (work / "private").mkdir()
        rows = measure(work / "pacs", work / "private", options.files // (SERIES * SLICES), options.cores)
    lines = ["| what | files | s | ms a file |", "|---|---|---|---|"]
    lines += [f"| {what} | {files} | {took:.2g} | {1000 * took / files:.2g} |" for what, files, took in rows]
    table = "\n".join([*lines, "", f"{machine()}; files lie on its own disk and were just written."])
    print(table)
    put_into(DOCS, "archive", table)


if __name__ == "__main__":
    main()
