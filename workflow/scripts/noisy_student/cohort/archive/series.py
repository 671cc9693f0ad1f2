"""Which series of an archive are scans, and why the others are not."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from noisy_student.cohort.archive.index import File
from noisy_student.configuration.archive import SeriesRules, Words
from noisy_student.reading.dicom.identity import SeriesHeader

LOCALIZER, PLACELESS = "localizers", "pictures that do not say where they lie"
DERIVED = "reformats, projections and other derived images"
NOT_THINNEST = "not the thinnest of their study"


@dataclass(frozen=True)
class Series:
    """The files of a series that belong to the scan."""

    files: Sequence[File]

    @property
    def header(self) -> SeriesHeader:
        """What its images share."""
        return self.files[0].header

    @cached_property
    def heights_mm(self) -> np.ndarray:
        """Where its slices lie along their normal, each place once."""
        return np.unique([height for file in self.files for height in file.heights_mm])

    @property
    def length_mm(self) -> float:
        """From the first slice to the last."""
        return float(np.ptp(self.heights_mm)) if len(self.heights_mm) else 0.0

    @property
    def thickness_mm(self) -> float:
        """Of a slice, by the header; where that does not say it, the distance of slices."""
        gaps_mm = np.diff(self.heights_mm)
        return self.header.thickness_mm or (float(np.median(gaps_mm)) if len(gaps_mm) else np.inf)


@dataclass(frozen=True)
class Choice:
    """The series that count and why each other one does not, by their UID."""

    chosen: Mapping[str, Series]
    left_out: Mapping[str, str]


def by_series(files: Iterable[File]) -> dict[str, list[File]]:
    """The files of each series, wherever they lie; an image that was exported twice is there once."""
    found: dict[str, dict[str, File]] = defaultdict(dict)
    for file in files:
        if file.header:
            found[file.header.series].setdefault(file.instance or file.path, file)
    return {series: list(once.values()) for series, once in found.items()}


def choose(series: Mapping[str, Sequence[File]], rules: SeriesRules, apart: Mapping[str, str]) -> Choice:
    """Which series count. `apart`: those that cannot for another reason."""
    chosen, left_out = {}, {}
    for uid, files in series.items():
        whole = scan_of(files, rules)
        reason = whole if isinstance(whole, str) else apart.get(uid) or _too_little(whole, rules)
        if reason:
            left_out[uid] = reason
        else:
            chosen[uid] = whole
    if rules.per_study == "thinnest":
        thinnest = _thinnest(chosen)
        left_out |= dict.fromkeys(chosen.keys() - thinnest, NOT_THINNEST)
        chosen = {uid: whole for uid, whole in chosen.items() if uid in thinnest}
    return Choice(chosen, left_out)


def scan_of(files: Sequence[File], rules: SeriesRules | None) -> Series | str:
    """The images of a series that make up a scan, or the reason why most of them do not.

    Without rules, as for a series on which labels were drawn, all but localizers and pictures without a place.
    """
    reasons = [_no_slice(file, rules) for file in files]
    kept = [file for file, reason in zip(files, reasons, strict=True) if not reason]
    return Series(kept) if kept else Counter(reasons).most_common(1)[0][0]


def _no_slice(file: File, rules: SeriesRules | None) -> str:
    """Why an image is no slice of a scan; empty if it is."""
    header = file.header
    if rules and header.modality != rules.modality:
        return f"not {rules.modality}"
    if header.is_localizer:
        return LOCALIZER
    if rules and header.is_derived and not rules.derived:
        return DERIVED
    if not file.heights_mm:
        return PLACELESS
    return "not axial" if rules and rules.axial and header.plane != "axial" else ""


def _too_little(series: Series, rules: SeriesRules) -> str:
    """Why a series is no scan; empty if it is."""
    if reason := _described(series.header.description, rules.description):
        return reason
    if len(series.heights_mm) < rules.slices_at_least:
        return f"fewer than {rules.slices_at_least} slices"
    if series.length_mm < rules.length_mm_at_least:
        return f"shorter than {rules.length_mm_at_least:g} mm"
    if rules.thickness_mm_at_most and series.thickness_mm > rules.thickness_mm_at_most:
        return f"slices thicker than {rules.thickness_mm_at_most:g} mm"
    return ""


def _described(description: str, words: Words) -> str:
    said = description.casefold()
    if unwanted := next((word for word in words.none_of if word.casefold() in said), ""):
        return f"“{unwanted}” in the description"
    if words.any_of and not any(word.casefold() in said for word in words.any_of):
        return f"no “{'”, “'.join(words.any_of)}” in the description"
    return ""


def _thinnest(chosen: Mapping[str, Series]) -> set[str]:
    """The series of the thinnest slices of each study; of equal ones that of more slices."""
    studies = defaultdict(list)
    for uid, series in chosen.items():
        studies[series.header.study or uid].append((series.thickness_mm, -len(series.heights_mm), uid))
    return {min(of_study)[-1] for of_study in studies.values()}
