"""What was found in the folders of scans besides the scans: a converter's leavings, and all that was passed over."""

from pathlib import Path

from noisy_student.cohort.case_folders import left_out
from noisy_student.cohort.converter_leavings import corrected_beside, further_images
from noisy_student.cohort.finding import Finding
from noisy_student.cohort.nnunet_raw import Searched
from noisy_student.cohort.one_folder import is_one_folder, paired
from noisy_student.cohort.passed_over import Contents, in_words
from noisy_student.cohort.scans import Scan, Search
from noisy_student.cohort.unpaired import strays
from noisy_student.configuration.experiment import LabelledFolder, ScanTable
from noisy_student.configuration.layouts import LabelledCases
from noisy_student.reading.names import EXTENSIONS, case_name

ONE_OF_A_SERIES = "one scan of each series"


def folder_findings(search: Search) -> list[Finding]:
    """Warnings about a converter's leavings, notes about what was passed over."""
    listed = [scan for entry, scans in search.entries if isinstance(entry, ScanTable) for scan in scans]
    named_one_by_one = corrected_beside(scan.image for scan in listed)
    cases = {scan.image: scan.case for scan in listed}
    return [
        *(finding for found in search.contents.values() for finding in leavings(found)),
        *(_not_the_corrected(cases[image], image, other) for image, other in named_one_by_one.items()),
        *(finding for entry, scans in search.entries if _is_left_out(entry, scans) for finding in left_out(entry)),
        *(_passed_over(folder, found) for folder, found in search.contents.items() if found.passed_over),
        *(note for entry, _ in search.entries if is_one_folder(entry) for note in _paired(entry, search)),
        *strays(search),
    ]


def _is_left_out(entry: Searched, scans: list[Scan]) -> bool:
    """Whether cases without a label map are left out: of labelled ones, not of those that are to be judged."""
    return isinstance(entry, LabelledCases) and all(scan.role == "labelled" for scan in scans)


def _paired(entry: LabelledFolder, search: Search) -> list[Finding]:
    return paired(entry.images, search.contents[entry.images])


def leavings(found: Contents) -> list[Finding]:
    """Warnings about scans of a folder that are one series' several files."""
    warnings = []
    for image, other in found.superseded.items():
        said = f"the slices of {other.name} as they were taken, uneven or tilted; passed over"
        remedy = "move it elsewhere; a label map that was drawn on it has to be drawn or resampled on the other"
        warnings.append(Finding(case_name(other), image, "warning", said, ONE_OF_A_SERIES, remedy))
    for image, other in further_images([*found.scans, *found.superseded]).items():
        if image not in found.superseded:
            said = f"a name as of a further image of the series of {other.name}; taken for a scan of its own"
            remedy = "look at both; move what is no other scan elsewhere"
            warnings.append(Finding(case_name(image), image, "warning", said, ONE_OF_A_SERIES, remedy))
    return warnings


def _not_the_corrected(case: str, image: Path, other: Path) -> Finding:
    said = f"slices as they were taken, uneven or tilted, beside {other.name}"
    return Finding(case, image, "warning", said, "the corrected scan", f"name {other.name} in the table")


def _passed_over(folder: Path, found: Contents) -> Finding:
    count = len(found.passed_over)
    said = f"{count} {'entry is no scan' if count == 1 else 'entries are no scans'}: {in_words(found.passed_over)}"
    wanted = f"{', '.join(EXTENSIONS)}, or a folder for each DICOM series"
    remedy = (
        "convert them, list them in a table of scans, or name folders of cases by `cases` and DICOM files by `archive` "
        "(config/README.md); else leave them"
    )
    return Finding("all", folder, "note", said, wanted, remedy)
