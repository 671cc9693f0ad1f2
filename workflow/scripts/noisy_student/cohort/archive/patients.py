"""Which scans are of one patient, by their headers: in one archive, and in several."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from noisy_student.reading.dicom.identity import SeriesHeader

Clue = tuple[str, ...]


class Patient(NamedTuple):
    """What a header says of whom it is; empty what it does not say. `study`: the series, where it names no study."""

    archive: Path
    study: str
    id: str
    issuer: str
    name: str
    birth_date: str

    @property
    def clues(self) -> list[Clue]:
        """Headers of one patient have at least one of these in common."""
        clues = ("study", self.study), ("id", self.id), ("name", self.name, self.birth_date)
        return [clue for clue in clues if all(clue)]


class Cases:
    """The cases of patients, found by other headers of the same patients."""

    def __init__(self, cases: Iterable[tuple[Patient, str]]) -> None:
        self._by_clue: dict[Clue, dict[Patient, list[str]]] = {}
        for patient, case in cases:
            for clue in patient.clues:
                self._by_clue.setdefault(clue, {}).setdefault(patient, []).append(case)

    def of(self, patient: Patient) -> list[str]:
        """The cases of a patient, each once."""
        known = {who: cases for clue in patient.clues for who, cases in self._by_clue.get(clue, {}).items()}
        return list(dict.fromkeys(case for who, cases in known.items() if is_same(patient, who) for case in cases))


def study_of(header: SeriesHeader) -> str:
    """The study of a series; one that names none is a study of its own."""
    return header.study or header.series


def patient_of(archive: Path, header: SeriesHeader) -> Patient:
    """Of whom a series of an archive is; names in whichever case and with whichever marks between their parts."""
    name = " ".join(re.findall(r"[^\s^]+", header.name.partition("=")[0].casefold()))
    birth_date = "".join(re.findall(r"\d", header.birth_date))
    return Patient(archive, study_of(header), header.patient, header.issuer, name, birth_date)


def is_same(one: Patient, other: Patient) -> bool:
    """Whether two headers are of one patient.

    A study is of one patient. IDs are compared where both have one, and are another patient's where both say who gave
    them and that is not the same. In two archives one ID may be of two people: where both have a name, or both a birth
    date, one of these has to be equal too. Without an ID, name and birth date tell.
    """
    if one.study == other.study:
        return True
    if not (one.id and other.id):
        return bool(one.name and one.birth_date) and (one.name, one.birth_date) == (other.name, other.birth_date)
    issuers = {one.issuer, other.issuer} - {""}
    if one.id != other.id or len(issuers) > 1:
        return False
    if one.archive == other.archive or one.issuer == other.issuer != "":
        return True
    told = [pair for pair in ((one.name, other.name), (one.birth_date, other.birth_date)) if all(pair)]
    return not told or any(first == second for first, second in told)
