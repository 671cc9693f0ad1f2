"""The volumes beside the page made from the scans: which, and of each its scan with all its label maps."""

from pathlib import Path

from noisy_student.cohort.converted import converted_image
from noisy_student.errors import InputError
from noisy_student.report.chosen import last_selected
from noisy_student.report.examples import read_scan
from noisy_student.report.label_maps import label_maps
from noisy_student.report.montage import choose_cut
from noisy_student.report.results import Results
from noisy_student.report.small_volumes import volumes_for_page
from noisy_student.report.volumes import CASE_BYTES, Volumes, Wanted, file_of, fitting, is_made, write_volumes
from noisy_student.sparse import ignore_label, without_ignored

# What is judged comes first, then what a reader would look at.
ROLES = ("test", "validation", "labelled", "unlabelled")


def volumes_within(results: Results, megabytes: int) -> list[Wanted]:
    """What fits into so many MB: first judged scans, then labelled ones, then the others, the least sure first."""
    last = last_selected(results)
    confidence = last.selection.set_index("case")["confidence"].astype(float).to_dict() if last else {}
    maps = label_maps(results)
    cases = results.cases[results.cases["case"].map(maps).map(len) > 0]
    places = zip(cases["role"].map(ROLES.index), cases["case"].map(confidence).fillna(0), cases["case"], strict=True)
    chosen, limit = fitting([case for _, _, case in sorted(places)], megabytes)
    return [_wanted(results, case, maps[case], limit) for case in chosen]


def volumes_of(results: Results, cases: list[str]) -> list[Wanted]:
    """Those of the named scans. Raises InputError for one that is not in the case table or has no label map yet."""
    maps = label_maps(results)
    unknown = [case for case in cases if not maps.get(case)]
    if unknown:
        got = f"{', '.join(unknown)}: no such case, or no label map of it"
        raise InputError("cases of the case table with a label map", got, "correct --cases, or wait for a round")
    return [_wanted(results, case, maps[case], CASE_BYTES) for case in cases]


def _wanted(results: Results, case: str, maps: dict[str, Path], limit_bytes: int) -> Wanted:
    scan = converted_image(results.folder / "cohort", case)
    return Wanted(case, scan, maps, limit_bytes, ignore_label(results.organs))


def draw(wanted: Wanted, folder: Path) -> dict[str, object]:
    """Make the file unless it is up to date; `case`, `bytes` and, where nothing could be made, the `problem`."""
    path = file_of(folder, wanted.case)
    try:
        if not is_made(folder, wanted):
            write_volumes(folder, wanted, _volumes(wanted))
    except InputError as error:
        path.unlink(missing_ok=True)
        return {"case": wanted.case, "bytes": 0, "problem": " ".join(str(error).split())}
    return {"case": wanted.case, "bytes": path.stat().st_size, "problem": ""}


def _volumes(wanted: Wanted) -> Volumes:
    scan, maps = read_scan(wanted.scan, wanted.label_maps)
    maps = {title: without_ignored(labels, wanted.ignore) for title, labels in maps.items()}
    cut = choose_cut(next(iter(maps.values())), list(maps.values()), scan.GetSpacing()[::-1])
    return volumes_for_page(scan, maps, wanted.label_maps, cut, wanted.limit_bytes)
