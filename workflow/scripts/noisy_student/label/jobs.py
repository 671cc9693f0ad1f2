"""Where each scan's label maps go. Whatever would overwrite a scan, or another file, is refused before any work."""

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from noisy_student.errors import InputError
from noisy_student.label.mark import is_marked, is_unchanged
from noisy_student.label.scans import Found
from noisy_student.reading.dicom.files import is_dicom_scan, visible_files
from noisy_student.reading.names import case_name, stem_of
from noisy_student.writing.door import ENDINGS
from noisy_student.writing.formats import DICOM_SEG, FORMATS, NIFTI

# What an extension looks like; `labels_v1.2` has none.
EXTENSION = re.compile(r"\.[A-Za-z]\w{0,5}")
ANOTHER_PLACE = "name another folder, or another file, with --output"
A_FOLDER = "a folder for label maps"
NAMED = 3


@dataclass(frozen=True)
class Job:
    """One scan to label, a file or the folder of a DICOM series, and its label map in each format that is wanted."""

    case: str
    scan: Path
    label_maps: tuple[Path, ...]


def jobs_of(image: Path, found: Found, output: str, formats: Sequence[str] = ()) -> list[Job]:
    """A job for each scan that was found at `image`; `output` as it was typed, since `x/` is a folder.

    Raises InputError for an output that is among the scans or cannot be written, for two scans of one name, for a file
    that is not of the `formats`, and for DICOM-SEG of scans that are no DICOM.
    """
    cases = {scan: found.cases.get(scan) or _case_of(scan) for scan in found.scans}
    _require_different(cases)
    target = Path(output)
    if is_folder(output):
        endings = [FORMATS[name] for name in dict.fromkeys(formats or [NIFTI])]
        jobs = [Job(case, scan, tuple(target / f"{case}{end}" for end in endings)) for scan, case in cases.items()]
        _require_another_folder(image, target)
    elif len(cases) > 1:
        got = f"the name of a file, {output}, for {len(cases)} scans of {image}"
        raise InputError(A_FOLDER, got, f"name a folder, such as {target.with_name(stem_of(target))}/, with --output")
    else:
        _require_format(output, formats)
        jobs = [Job(case, scan, (target,)) for scan, case in cases.items()]
    _require_apart(jobs, [*found.scans, *found.channels])
    _require_dicom(jobs)
    for job in jobs:
        for label_map in job.label_maps:
            _require_replaceable(label_map)
    _require_writable(jobs[0].label_maps[0].parent)
    return jobs


def is_folder(output: str) -> bool:
    """Whether an output means a folder. Raises InputError for a file that cannot hold a label map."""
    path = Path(output)
    if path.is_dir() or output.endswith("/"):
        return True
    if path.name.endswith(ENDINGS):
        return False
    if EXTENSION.fullmatch(path.suffix):
        remedy = f"name a folder ({output}/ if it is one), or end the file's name in {FORMATS[NIFTI]}, in small letters"
        raise InputError(f"{A_FOLDER}, or a file of a format that holds one: {', '.join(ENDINGS)}", output, remedy)
    return True


def _require_format(output: str, formats: Sequence[str]) -> None:
    """Raise where a file is not of the one format that is wanted, or several are."""
    if wrong := [name for name in formats if not output.endswith(FORMATS[name])]:
        remedy = "name a folder with --output, or leave --format out: a file's name says its format"
        raise InputError(f"{A_FOLDER}, for --format {' '.join(formats)}", f"{output}, no {wrong[0]}", remedy)


def _require_dicom(jobs: list[Job]) -> None:
    """Raise where DICOM-SEG is wanted of scans that have no slices for it to refer to."""
    ending = FORMATS[DICOM_SEG]
    others = [
        job.scan.name
        for job in jobs
        if any(path.name.endswith(ending) for path in job.label_maps) and not is_dicom_scan(job.scan)
    ]
    if others:
        named = ", ".join(others[:NAMED]) + (", ..." if len(others) > NAMED else "")
        raise InputError(
            "DICOM scans, which DICOM-SEG refers to", f"{len(others)} scan(s) of other formats: {named}",
            "leave dicom-seg out, or name the DICOM scans alone: --image",
        )  # fmt: skip


def _case_of(scan: Path) -> str:
    return case_name(scan if scan.name not in ("", "..") else scan.resolve())


def _require_different(cases: dict[Path, str]) -> None:
    scans = defaultdict(list)
    for scan, case in cases.items():
        scans[case].append(scan.name)
    if twice := [f"{', '.join(names)} are all {case}" for case, names in scans.items() if len(names) > 1]:
        remedy = "rename all but one of them, or take them out, since their label maps would have one name"
        raise InputError("scans with different case names", "; ".join(twice[:5]), remedy)


def _require_another_folder(image: Path, target: Path) -> None:
    own = image if image.is_dir() else image.parent
    if target.resolve() == own.resolve():
        raise InputError(f"label maps in another folder than the scans, {own}", f"--output {target}", ANOTHER_PLACE)


def _require_apart(jobs: list[Job], inputs: list[Path]) -> None:
    """Raise where a label map would replace one of the inputs, by whatever name, or lie among a series' slices."""
    series = {scan.resolve(): scan for scan in inputs if scan.is_dir()}
    label_maps = [path for job in jobs for path in job.label_maps]
    for label_map in label_maps:
        for parent in label_map.resolve().parents:
            if parent in series:
                got = f"--output {label_map} among the slices of {series[parent]}"
                raise InputError("label maps in another folder than the scans", got, ANOTHER_PLACE)
    written = {identity: path for path in label_maps for identity in _identities([path])}
    if not written:
        return
    for scan in inputs:
        files = visible_files(scan) if scan.is_dir() else [scan]
        if same := next((written[identity] for identity in _identities(files) if identity in written), None):
            got = f"--output {same}, which is the scan {scan} itself"
            raise InputError("label maps that replace no scan", got, ANOTHER_PLACE)


def _identities(files: Iterable[Path]) -> list[tuple[int, int]]:
    """What tells files apart that are there, whatever their names: links to one file have one identity."""
    return [(stat.st_dev, stat.st_ino) for stat in (file.stat() for file in files if file.exists())]


def _require_replaceable(path: Path) -> None:
    """Raise unless nothing is lost: no file, an empty one, or a label map as this command has written it."""
    if not path.exists() or (path.is_file() and not path.stat().st_size):
        return
    if not is_marked(path):
        remedy = f"move it away if it is not needed, or {ANOTHER_PLACE}"
        raise InputError(f"no file at {path}, or a label map of an earlier run", "another file, to be kept", remedy)
    if not is_unchanged(path):
        got = "one whose voxels were changed since, perhaps corrected by hand"
        remedy = f"move it away to keep it, delete it if it is not needed, or {ANOTHER_PLACE}"
        raise InputError(f"no file at {path}, or a label map of an earlier run as that wrote it", got, remedy)


def _require_writable(folder: Path) -> None:
    places = (folder.absolute(), *folder.absolute().parents)
    place = next(parent for parent in places if parent.exists() or parent.is_symlink())
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        got = f"{place} is no folder" if not place.is_dir() else f"{place} may not be written to"
        if not place.exists():
            got = f"{place} is a link to {place.readlink()}, which is not there"
        raise InputError(f"{A_FOLDER}, {folder}", got, ANOTHER_PLACE)
