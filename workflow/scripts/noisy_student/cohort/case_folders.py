"""A folder with a folder for each case: TotalSegmentator's, AbdomenAtlas's, KiTS's."""

from pathlib import Path

from noisy_student.cohort.finding import Finding
from noisy_student.cohort.pairing import label_map_at
from noisy_student.cohort.passed_over import SHOWN, Contents, PassedOver, why_not
from noisy_student.configuration.layouts import LabelledCases, ScanCases
from noisy_student.errors import InputError
from noisy_student.files import visible


def folders_in(cases: Path) -> list[Path]:
    """The folder of each case, by name."""
    return [path for path in visible(cases) if path.is_dir()]


def label_map_in(folder: Path, entry: LabelledCases | ScanCases) -> Path | None:
    """Where a case's label map or truth lies, if it is named."""
    within = entry.label_maps if isinstance(entry, LabelledCases) else entry.truth
    return label_map_at(folder / within) if within else None


def contents(entry: LabelledCases | ScanCases) -> Contents:
    """The scan of each case, and what else lies among the folders. Raises InputError where there is no scan at all."""
    folders = folders_in(entry.cases)
    scans = [folder / entry.scan for folder in folders]
    without = [folder for folder, scan in zip(folders, scans, strict=True) if not scan.exists()]
    if len(without) == len(folders):
        wanted = f"a folder for each case with {entry.scan} in it, in {entry.cases}"
        there = next(iter(folders), entry.cases)
        got = f"{len(folders)} folder(s) without; in {there} there is {_there(there)}"
        raise InputError(wanted, got, "correct `cases` or `scan` under `cohort.folders`")
    others = [PassedOver(path, why_not(path)) for path in visible(entry.cases) if not path.is_dir()]
    others += [PassedOver(folder, f"the folder of a case without {entry.scan}") for folder in without]
    return Contents([scan for scan in scans if scan.exists()], {}, others)


def without_label_map(entry: LabelledCases) -> list[Path]:
    """The folders of cases that have a scan and no label map, as of KiTS's test cases."""
    return [
        folder
        for folder in folders_in(entry.cases)
        if (folder / entry.scan).exists() and not label_map_in(folder, entry).exists()
    ]


def no_label_maps(entry: LabelledCases) -> InputError:
    """The error where no case has a label map."""
    wanted = f"{entry.label_maps} in the folders of cases in {entry.cases}"
    first = without_label_map(entry)[0]
    got = f"none; in {first} there is {_there(first)}"
    return InputError(wanted, got, "correct `label_maps` under `cohort.folders`")


def _there(folder: Path) -> str:
    """Some names of what lies in a folder."""
    names = [path.name for path in visible(folder)]
    return ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "") if names else "nothing"


def left_out(entry: LabelledCases) -> list[Finding]:
    """A warning about labelled cases that are left out, since they have no label map."""
    if not (folders := without_label_map(entry)):
        return []
    names = ", ".join(folder.name for folder in folders[:SHOWN]) + (", …" if len(folders) > SHOWN else "")
    found = f"{len(folders)} folder(s) of cases without {entry.label_maps}, left out: {names}"
    remedy = "put it there, or leave them; a table of scans can name them as unlabelled ones"
    return [Finding("all", entry.cases, "warning", found, "a label map of each labelled case", remedy)]
