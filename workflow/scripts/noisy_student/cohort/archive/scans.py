"""The scans of archives: headers are read, series chosen, or found by the label maps that refer to them, files linked.

A scan of an archive is a folder of links to its files, as its own folder may hold other series too, and a folder's
name that of a patient.
"""

import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from noisy_student.cohort.archive.drawn import SEVERAL, Drawn, Reference, drawn_on, references
from noisy_student.cohort.archive.index import File, read_archive
from noisy_student.cohort.archive.patients import Cases, Patient, patient_of, study_of
from noisy_student.cohort.archive.private import Private, case_of, link_file, link_files, read_key
from noisy_student.cohort.archive.series import Choice, Series, by_series, choose
from noisy_student.cohort.archive.state import remember
from noisy_student.cohort.archive.tables import note, write_tables
from noisy_student.cohort.finding import Finding
from noisy_student.cohort.roles import JUDGED, LABELLED_ROLES
from noisy_student.cohort.scans import InArchive, Scan, names_of
from noisy_student.configuration.archive import Archive, LabelledArchive, ScanArchive
from noisy_student.configuration.experiment import Folders
from noisy_student.errors import InputError
from noisy_student.files import only_one

LABELLED, UNLABELLED = "labelled", "unlabelled"
OF_LABELLED, OF_JUDGED = "of a study with labelled scans", "of a patient with validation or test scans"
# Cases that a finding names; a dummy ID may be that of all.
SHOWN = 3
# Of what tells folders of label maps apart in the names of their indexes.
FOLDER_LENGTH = 8


@dataclass(frozen=True)
class Archived:
    """The scans of archives, by role and folders; what was left out, and who is both learned from and judged."""

    scans: Mapping[InArchive, list[Scan]]
    findings: Sequence[Finding]


@dataclass(frozen=True)
class _Headers:
    """What the headers of an archive say: the files of each series, and which have label maps, by role and folders."""

    entries: Mapping[InArchive, Archive]
    own: Private
    key: bytes
    files: Sequence[File]
    series: Mapping[str, Sequence[File]]
    drawn: Mapping[InArchive, Drawn]

    @property
    def archive(self) -> Path:
        """Its folder."""
        return next(iter(self.entries.values())).archive

    def case(self, uid: str) -> str:
        """What a series is called."""
        return case_of(self.key, uid)

    def patient(self, uid: str) -> Patient:
        """Of whom a series is."""
        return patient_of(self.archive, self.series[uid][0].header)

    def with_labels(self, *roles: str) -> Iterator[tuple[str, str]]:
        """Role and UID of the scans of some roles."""
        return ((role, uid) for (role, _), found in self.drawn.items() if role in roles for uid in found.series)


def scans_of_archives(folders: Folders, cores: int) -> Archived:
    """Every scan of the archives that roles name. Raises InputError for an entry that finds none."""
    archives: dict[Path, dict[InArchive, Archive]] = defaultdict(dict)
    for role, entry in folders.by_role():
        if isinstance(entry, Archive):
            archives[entry.names.absolute()][role, entry.folders] = entry
    read = [_headers(entries, Private(names), cores) for names, entries in archives.items()]
    judged = Cases(
        (one.patient(uid), f"{one.case(uid)} ({role})") for one in read for role, uid in one.with_labels(*JUDGED)
    )
    studies = {study_of(one.series[uid][0].header) for one in read for _, uid in one.with_labels(*LABELLED_ROLES)}
    scans, findings = {}, []
    for one in read:
        with only_one(one.own.beside("lock"), wait=True):
            found, said = _of_one(one, judged, studies)
        scans |= found
        findings += [said] if said else []
    return Archived(scans, [*findings, *_learned_from_and_judged(read, judged)])


def _headers(entries: Mapping[InArchive, Archive], own: Private, cores: int) -> _Headers:
    """Read the headers of an archive, and of its label maps."""
    some = next(iter(entries.values()))
    key = read_key(some.key, some.names)
    with only_one(own.beside("lock"), wait=True):
        files = read_archive(some.archive.absolute(), own.index, cores)
        remember(some.archive, own.folders)
        series = by_series(files)
        refer = {
            (role, folders): _references(entry, files, series, own, cores)
            for (role, folders), entry in entries.items()
            if role in LABELLED_ROLES
        }
    count: dict[str, Counter[str]] = defaultdict(Counter)
    for (role, _), found in refer.items():
        count[role].update(one.series for one in found)
    drawn = {(role, folders): drawn_on(role, found, count[role], series) for (role, folders), found in refer.items()}
    return _Headers(entries, own, key, files, series, drawn)


def _of_one(
    one: _Headers, judged: Cases, studies: Collection[str]
) -> tuple[dict[InArchive, list[Scan]], Finding | None]:
    """The scans of each entry of an archive; and what was left out."""
    unlabelled = next((of for of in one.entries if of[0] == UNLABELLED), None)
    choice = _chosen(one, one.entries[unlabelled], judged, studies) if unlabelled else Choice({}, {})
    found = {of: those.series for of, those in one.drawn.items()}
    found |= {unlabelled: choice.chosen} if unlabelled else {}
    label_maps = [label_map for those in one.drawn.values() for label_map in those.label_maps]
    left_out = {uid: (why, one.series[uid]) for uid, why in choice.left_out.items()}
    names = [(role, those) for (role, _), those in found.items()]
    write_tables(one.own, one.key, names, left_out, one.files, label_maps)
    strays = sum((those.strays for those in one.drawn.values()), start=Counter())
    said = note(one.archive, one.own, choice.left_out.values(), one.files, strays)
    _require_scans(found, one.archive, strays, said, one.own)
    return {of: _linked(of, one, those) for of, those in found.items()}, said


def _learned_from_and_judged(read: Sequence[_Headers], judged: Cases) -> Iterator[Finding]:
    """An error for each labelled scan of a patient who has validation or test scans too, in whichever archive."""
    for one in read:
        for _, uid in one.with_labels(LABELLED):
            if cases := judged.of(one.patient(uid)):
                case, more = one.case(uid), len(cases) - SHOWN
                yield Finding(
                    case,
                    one.own.series / case,
                    "error",
                    f"of one patient with {', '.join(cases[:SHOWN])}{f' and {more} more' if more > 0 else ''}",
                    "each patient in labelled scans alone, or in validation and test scans alone",
                    f"take the label maps of one role away ({one.own.names} has whose case each is, for you alone); if "
                    "they are several people under one ID, correct PatientID or IssuerOfPatientID in their headers",
                )


def _references(
    entry: LabelledArchive, files: Sequence[File], series: Mapping[str, Sequence[File]], own: Private, cores: int
) -> list[Reference]:
    """What an entry's label maps refer to; these may lie in the archive itself."""
    folder = entry.label_maps.absolute()
    if folder.samefile(entry.archive):
        return references(folder, files, series)
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:FOLDER_LENGTH]
    return references(folder, read_archive(folder, own.beside(f"label_maps_{digest}.jsonl"), cores), series)


def _chosen(one: _Headers, entry: ScanArchive, judged: Cases, studies: Collection[str]) -> Choice:
    """The unlabelled series that count: none of a patient on whom networks are judged, none of a labelled study."""
    apart = {uid: OF_LABELLED for uid, files in one.series.items() if study_of(files[0].header) in studies}
    apart |= {uid: OF_JUDGED for uid in one.series if judged.of(one.patient(uid))}
    return choose(one.series, entry.series, apart)


def _require_scans(
    found: Mapping[InArchive, Mapping[str, Series]],
    archive: Path,
    strays: Mapping[str, int],
    said: Finding | None,
    own: Private,
) -> None:
    """Raise InputError for an entry without scans, or where it is not clear which label map is a scan's."""
    if strays[SEVERAL]:
        wanted = f"one label map for each series of {archive}"
        raise InputError(
            wanted, f"{strays[SEVERAL]} that are {SEVERAL}", f"leave one of each; {own.label_maps} has all"
        )
    if none := [
        " by ".join([f"{role} scans", *map(str, more)]) for (role, (_, *more)), those in found.items() if not those
    ]:
        got = f"none: {said.found}" if said else "an archive without DICOM files"
        remedy = f"correct the archive's entry; {own.beside('*.tsv')} name what was left out"
        raise InputError(f"{' and '.join(none)} in {archive}", got, remedy)


def _linked(of: InArchive, one: _Headers, found: Mapping[str, Series]) -> list[Scan]:
    """The scans of an entry, by case name, each a folder of links."""
    role, entry, drawn, own = of[0], one.entries[of], one.drawn.get(of), one.own
    organs = names_of(entry.organs) if drawn else None
    own.series.mkdir(mode=0o700, exist_ok=True)
    scans = []
    for uid, series in found.items():
        case, label_map = one.case(uid), None
        folder = own.series / case
        link_files(folder, [entry.archive.absolute() / file.path for file in series.files])
        if drawn:
            label_map = folder.with_name(f"{case}.dcm")
            link_file(label_map, drawn.file_of[uid])
        scans.append(Scan(case, role, folder, label_map, organs=organs, may_be_left_out=drawn is None))
    return sorted(scans, key=lambda scan: scan.case)
