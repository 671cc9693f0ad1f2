"""The scans of archives: headers are read, series chosen, or found by the label maps that refer to them, files linked.

A scan of an archive is a folder of links to its files, as its own folder may hold other series too, and a folder's
name that of a patient.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from noisy_student.cohort.archive.drawn import SEVERAL, Drawn, drawn_on
from noisy_student.cohort.archive.index import File, read_archive
from noisy_student.cohort.archive.patients import Cases, Patient, patient_of, study_of
from noisy_student.cohort.archive.private import Private, case_of, link_file, link_files, read_key
from noisy_student.cohort.archive.series import Choice, Series, by_series, choose
from noisy_student.cohort.archive.state import remember
from noisy_student.cohort.archive.tables import note, write_tables
from noisy_student.cohort.finding import Finding
from noisy_student.cohort.scans import LABELLED_ROLES, ROLES, Scan, names_of
from noisy_student.configuration.archive import Archive, LabelledArchive
from noisy_student.configuration.experiment import Folders
from noisy_student.errors import InputError
from noisy_student.files import only_one

LABELLED, UNLABELLED = "labelled", "unlabelled"
JUDGED = ("validation", "test")
OF_LABELLED, OF_JUDGED = "of a study with labelled scans", "of a patient with validation or test scans"
# Cases that a finding names; a dummy ID may be that of all.
SHOWN = 3
Roles = Mapping[str, Archive]


@dataclass(frozen=True)
class Archived:
    """The scans of archives, by role and archive; what was left out, and who is both learned from and judged."""

    scans: Mapping[tuple[str, Path], list[Scan]]
    findings: Sequence[Finding]


@dataclass(frozen=True)
class _Headers:
    """What the headers of an archive say: the files of each series, and those series that have label maps, by role."""

    roles: Roles
    own: Private
    key: bytes
    files: Sequence[File]
    series: Mapping[str, Sequence[File]]
    drawn: Mapping[str, Drawn]

    @property
    def archive(self) -> Path:
        """Its folder."""
        return next(iter(self.roles.values())).archive

    def case(self, uid: str) -> str:
        """What a series is called."""
        return case_of(self.key, uid)

    def patient(self, uid: str) -> Patient:
        """Of whom a series is."""
        return patient_of(self.archive, self.series[uid][0].header)

    def with_labels(self, *roles: str) -> Iterator[tuple[str, str]]:
        """Role and UID of the scans of some roles."""
        return ((role, uid) for role in roles if role in self.drawn for uid in self.drawn[role].series)


def scans_of_archives(folders: Folders, cores: int) -> Archived:
    """Every scan of the archives that roles name. Raises InputError for a role that finds none in its archive."""
    archives: dict[Path, dict[str, Archive]] = defaultdict(dict)
    for role in ROLES:
        for entry in getattr(folders, role):
            if isinstance(entry, Archive):
                archives[entry.names.absolute()][role] = entry
    read = [_headers(roles, Private(names), cores) for names, roles in archives.items()]
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


def _headers(roles: Roles, own: Private, cores: int) -> _Headers:
    """Read the headers of an archive, and of its label maps."""
    some = next(iter(roles.values()))
    key = read_key(some.key, some.names)
    with only_one(own.beside("lock"), wait=True):
        files = read_archive(some.archive.absolute(), own.index, cores)
        remember(some.archive, own.folders)
        series = by_series(files)
        drawn = {role: _drawn(role, roles[role], files, series, own, cores) for role in LABELLED_ROLES if role in roles}
    return _Headers(roles, own, key, files, series, drawn)


def _of_one(
    one: _Headers, judged: Cases, studies: Collection[str]
) -> tuple[dict[tuple[str, Path], list[Scan]], Finding | None]:
    """The scans of an archive in each of its roles; and what was left out."""
    choice = _chosen(one, judged, studies) if UNLABELLED in one.roles else Choice({}, {})
    found = {role: those.series for role, those in one.drawn.items()}
    found |= {UNLABELLED: choice.chosen} if UNLABELLED in one.roles else {}
    label_maps = [label_map for those in one.drawn.values() for label_map in those.label_maps]
    left_out = {uid: (why, one.series[uid]) for uid, why in choice.left_out.items()}
    write_tables(one.own, one.key, found, left_out, one.files, label_maps)
    strays = sum((those.strays for those in one.drawn.values()), start=Counter())
    said = note(one.archive, one.own, choice.left_out.values(), one.files, strays)
    _require_scans(found, one.archive, strays, said, one.own)
    return {(role, one.archive): _linked(role, one, found[role]) for role in found}, said


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


def _drawn(
    role: str,
    entry: LabelledArchive,
    files: Sequence[File],
    series: Mapping[str, Sequence[File]],
    own: Private,
    cores: int,
) -> Drawn:
    """The series on which a role's label maps were drawn; these may lie in the archive itself."""
    folder = entry.label_maps.absolute()
    is_archive = folder.samefile(entry.archive)
    found = files if is_archive else read_archive(folder, own.beside(f"{role}_label_maps.jsonl"), cores)
    return drawn_on(role, folder, found, series)


def _chosen(one: _Headers, judged: Cases, studies: Collection[str]) -> Choice:
    """The unlabelled series that count: none of a patient on whom networks are judged, none of a labelled study."""
    apart = {uid: OF_LABELLED for uid, files in one.series.items() if study_of(files[0].header) in studies}
    apart |= {uid: OF_JUDGED for uid in one.series if judged.of(one.patient(uid))}
    return choose(one.series, one.roles[UNLABELLED].series, apart)


def _require_scans(
    found: Mapping[str, Mapping[str, Series]],
    archive: Path,
    strays: Mapping[str, int],
    said: Finding | None,
    own: Private,
) -> None:
    """Raise InputError for a role without scans, or where it is not clear which label map is a scan's."""
    if strays[SEVERAL]:
        wanted = f"one label map for each series of {archive}"
        raise InputError(
            wanted, f"{strays[SEVERAL]} that are {SEVERAL}", f"leave one of each; {own.label_maps} has all"
        )
    if none := [role for role, scans in found.items() if not scans]:
        got = f"none: {said.found}" if said else "an archive without DICOM files"
        remedy = f"correct the archive's entry; {own.beside('*.tsv')} name what was left out"
        raise InputError(f"{' and '.join(none)} scans in {archive}", got, remedy)


def _linked(role: str, one: _Headers, found: Mapping[str, Series]) -> list[Scan]:
    """The scans of a role, by case name, each a folder of links."""
    entry, drawn, own = one.roles[role], one.drawn.get(role), one.own
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
