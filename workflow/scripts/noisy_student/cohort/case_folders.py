"""Datasets whose paths tell each case: a folder for each, as of TotalSegmentator and KiTS, or files named after it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from noisy_student.cohort import case_paths
from noisy_student.cohort.finding import Finding
from noisy_student.cohort.likely_layout import of_case_folders, of_neighbours, remedy_of
from noisy_student.cohort.pairing import label_map_at, table_line
from noisy_student.cohort.passed_over import SHOWN, Contents, PassedOver, some_names, why_not, without_companions
from noisy_student.configuration.layouts import CASE, LabelledCases, ScanCases
from noisy_student.errors import InputError
from noisy_student.files import visible
from noisy_student.lists import first_of
from noisy_student.reading.names import extension_of

Entry = LabelledCases | ScanCases


def home_of(entry: Entry) -> Path:
    """The folder that has an entry for each scan."""
    return case_paths.home(entry.cases, entry.scan)


def key_of_label_maps(entry: Entry) -> str:
    """Which key says where label maps or truths lie."""
    return "label_maps" if isinstance(entry, LabelledCases) else "truth"


def scans_of(entry: Entry) -> dict[str, Path]:
    """The scan of each case, by the case's name. Raises InputError where a case has several."""
    found = case_paths.found(entry.cases, entry.scan)
    label_maps = {path for paths in _label_maps(entry).values() for path in paths}
    scans = {case: [path for path in paths if path not in label_maps] for case, paths in found.items()}
    return _one_each(entry, "scan", {case: paths for case, paths in scans.items() if paths})


def label_maps_of(entry: Entry) -> dict[str, Path]:
    """The label map or truth of each case that has one. Raises InputError where a case has several."""
    found, scans = _one_each(entry, key_of_label_maps(entry), _label_maps(entry)), scans_of(entry)
    return {case: label_map_at(path) for case, path in found.items() if not _has_nothing_but(path, scans.get(case))}


def missing_label_map(entry: Entry, case: str) -> Path:
    """Where the label map of a case that has none is looked for."""
    return case_paths.place(entry.cases, getattr(entry, key_of_label_maps(entry)), case)


def contents(entry: Entry) -> Contents:
    """The scan of each case, and what else lies among them. Raises InputError where there is no scan at all."""
    scans, label_maps = scans_of(entry), _label_maps(entry)
    if not scans:
        raise _no_scans(entry)
    home = home_of(entry)
    used = [*scans.values(), *(path for case in scans for path in label_maps.get(case, ()))]
    entries = {home / path.relative_to(home).parts[0] for path in used if path.is_relative_to(home)}
    others = {path: _why_not(path, entry) for path in without_companions(visible(home), entries)}
    strays = [path for case, paths in label_maps.items() if case not in scans for path in paths]
    others |= {path: "the label map of no scan" for path in strays if not others.keys() & set(path.parents)}
    beside = (path for folder in entries for path in _images(folder))
    others |= _other_images(path for path in beside if not {path, path.parent} & set(used))
    return Contents(list(scans.values()), {}, [PassedOver(path, why) for path, why in others.items()])


def without_label_map(entry: LabelledCases) -> list[str]:
    """The cases that have a scan and no label map, as KiTS's test cases."""
    label_maps = label_maps_of(entry)
    return [case for case in scans_of(entry) if case not in label_maps]


def no_label_maps(entry: LabelledCases) -> InputError:
    """The error where no case has a label map."""
    wanted = f"{entry.label_maps} in the folders of cases in {entry.cases}"
    if CASE in entry.label_maps:
        wanted = f"label maps by `label_maps: {entry.label_maps}` in {entry.cases}"
    first = missing_label_map(entry, next(iter(scans_of(entry))))
    folder = next(folder for folder in first.parents if folder.is_dir())
    remedy = _remedy(entry, "correct `label_maps` under `cohort.folders`")
    return InputError(wanted, f"none; in {folder} there is {_there(folder)}", remedy)


def left_out(entry: LabelledCases) -> list[Finding]:
    """A warning about labelled cases that are left out, since they have no label map."""
    if not (cases := without_label_map(entry)):
        return []
    found = f"{len(cases)} case(s) without {entry.label_maps}, left out: {first_of(cases, SHOWN)}"
    remedy = "put it there, or leave them; a table of scans can name them as unlabelled ones"
    return [Finding("all", entry.cases, "warning", found, "a label map of each labelled case", remedy)]


def _label_maps(entry: Entry) -> dict[str, list[Path]]:
    path = getattr(entry, key_of_label_maps(entry))
    return case_paths.found(entry.cases, path) if path else {}


def _has_nothing_but(path: Path, scan: Path | None) -> bool:
    """Whether a folder, named for masks beside the scan, holds the scan alone."""
    return scan is not None and path == scan.parent and visible(path) == [scan]


def _one_each(entry: Entry, key: str, found: Mapping[str, list[Path]]) -> dict[str, Path]:
    several = {case: paths for case, paths in found.items() if len(paths) > 1}
    if not several:
        return {case: path for case, (path,) in found.items()}
    case, paths = next(iter(several.items()))
    listed = "; ".join(f"{case}: {some_names(paths)}" for case, paths in list(several.items())[:SHOWN])
    got = f"several of {len(several)} case(s): {listed}" + ("; …" if len(several) > SHOWN else "")
    remedy = f"write `{key}` more closely, or move the others elsewhere"
    if key == "scan":
        lines = "\n".join(f"{case}_{number}\t{path.absolute()}" for number, path in enumerate(paths, 1))
        remedy += (
            f"; or list scans in a table in place of `cases` (config/README.md), where each has a name of its own:\n"
            f"case\timage\n{lines}"
        )
    elif scan := case_paths.found(entry.cases, entry.scan).get(case):
        line = table_line(case, scan[0], paths[0], key.removesuffix("s"))
        remedy += f"; or list all in a table in place of `cases` (config/README.md), {case} as\n{line}"
    raise InputError(f"one file of each case by `{key}: {getattr(entry, key)}` in {entry.cases}", got, remedy)


def _no_scans(entry: Entry) -> InputError:
    home = home_of(entry)
    folders = [path for path in visible(home) if path.is_dir()]
    if CASE in entry.scan:
        wanted, got = f"scans by `scan: {entry.scan}` in {entry.cases}", "none"
    else:
        wanted = f"a folder for each case with {entry.scan} in it, in {entry.cases}"
        got = f"{len(folders)} folder(s) without"
    there = next(iter(folders), home)
    remedy = _remedy(entry, "correct `cases` or `scan` under `cohort.folders`")
    return InputError(wanted, f"{got}; in {there} there is {_there(there)}", remedy)


def _remedy(entry: Entry, otherwise: str) -> str:
    """The entry that would fit what lies there, if that can be told."""
    layout = of_case_folders(entry.cases)
    if layout and isinstance(entry, ScanCases):
        layout = layout.unlabelled()
    elif layout and not layout.label_maps:
        layout = of_neighbours(entry.cases)
    return remedy_of(layout) if layout else otherwise


def _why_not(path: Path, entry: Entry) -> str:
    if path.is_dir() and case_paths.whole(entry.scan).startswith(f"{CASE}/"):
        return f"the folder of a case without {case_paths.within(case_paths.whole(entry.scan))}"
    return f"not named as {entry.scan}" if path.is_dir() or extension_of(path) else why_not(path)


def _other_images(paths: Iterable[Path]) -> dict[Path, str]:
    """Images in the folders of cases that are not used, each name once."""
    named = defaultdict(list)
    for path in paths:
        named[path.name].append(path)
    return {same[0]: f"another image, in {len(same)} folder(s) of cases" for same in named.values()}


def _images(folder: Path) -> list[Path]:
    """The image files of a case's folder; none of what is no folder, or a series."""
    return [path for path in visible(folder) if extension_of(path)] if folder.is_dir() else []


def _there(folder: Path) -> str:
    return some_names(visible(folder)) or "nothing"
