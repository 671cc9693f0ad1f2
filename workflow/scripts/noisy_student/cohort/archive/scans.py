"""The scans of archives: headers are read, series chosen, or found by the label maps that refer to them, files linked.

A scan of an archive is a folder of links to its files, as its own folder may hold other series too, and a folder's
name that of a patient.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from noisy_student.cohort.archive.drawn import SEVERAL, Drawn, drawn_on
from noisy_student.cohort.archive.index import File, read_archive
from noisy_student.cohort.archive.private import Private, case_of, link_file, link_files, read_key
from noisy_student.cohort.archive.series import Choice, Series, by_series, choose
from noisy_student.cohort.archive.state import remember
from noisy_student.cohort.archive.tables import note, write_tables
from noisy_student.cohort.finding import Finding
from noisy_student.cohort.scans import LABELLED_ROLES, ROLES, Scan, names_of
from noisy_student.configuration.archive import Archive, LabelledArchive, ScanArchive
from noisy_student.configuration.experiment import Folders
from noisy_student.errors import InputError
from noisy_student.files import only_one
from noisy_student.reading.dicom.identity import SeriesHeader

UNLABELLED = "unlabelled"
JUDGED = ("validation", "test")
OF_LABELLED, OF_JUDGED = "of a study with labelled scans", "of a patient with validation or test scans"
Roles = Mapping[str, Archive]


@dataclass(frozen=True)
class Archived:
    """The scans of archives, by role and archive, and what was left out of them."""

    scans: Mapping[tuple[str, Path], list[Scan]]
    notes: Sequence[Finding]


def scans_of_archives(folders: Folders, cores: int) -> Archived:
    """Every scan of the archives that roles name. Raises InputError for a role that finds none in its archive."""
    archives: dict[Path, dict[str, Archive]] = defaultdict(dict)
    for role in ROLES:
        for entry in getattr(folders, role):
            if isinstance(entry, Archive):
                archives[entry.names.absolute()][role] = entry
    scans, notes = {}, []
    for names, roles in archives.items():
        own = Private(names)
        with only_one(own.beside("lock"), wait=True):
            found, said = _of_one(roles, own, cores)
        scans |= found
        notes += [said] if said else []
    return Archived(scans, notes)


def _of_one(roles: Roles, own: Private, cores: int) -> tuple[dict[tuple[str, Path], list[Scan]], Finding | None]:
    """The scans of an archive in each of its roles; and what was left out."""
    some = next(iter(roles.values()))
    key = read_key(some.key, some.names)
    files = read_archive(some.archive.absolute(), own.index, cores)
    remember(some.archive, own.folders)
    series = by_series(files)
    drawn = {role: _drawn(role, roles[role], files, series, own, cores) for role in LABELLED_ROLES if role in roles}
    choice = _chosen(roles[UNLABELLED], series, drawn) if UNLABELLED in roles else Choice({}, {})
    found = {role: those.series for role, those in drawn.items()}
    found |= {UNLABELLED: choice.chosen} if UNLABELLED in roles else {}
    label_maps = [one for those in drawn.values() for one in those.label_maps]
    left_out = {uid: (why, series[uid]) for uid, why in choice.left_out.items()}
    write_tables(own, key, found, left_out, files, label_maps)
    strays = sum((those.strays for those in drawn.values()), start=Counter())
    said = note(some.archive, own, choice.left_out.values(), files, strays)
    _require_scans(found, some.archive, strays, said, own)
    return {
        (role, some.archive): _linked(role, roles[role], found[role], drawn.get(role), key, own) for role in found
    }, said


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


def _chosen(entry: ScanArchive, series: Mapping[str, Sequence[File]], drawn: Mapping[str, Drawn]) -> Choice:
    """The unlabelled series that count: none of a patient on whom networks are judged, none of a labelled study."""
    headers = {uid: files[0].header for uid, files in series.items()}
    patients = {_patient(headers[uid]) for role in JUDGED if role in drawn for uid in drawn[role].series}
    studies = {_study(headers[uid]) for those in drawn.values() for uid in those.series}
    apart = {uid: OF_LABELLED for uid, header in headers.items() if _study(header) in studies}
    apart |= {uid: OF_JUDGED for uid, header in headers.items() if _patient(header) in patients}
    return choose(series, entry.series, apart)


def _study(header: SeriesHeader) -> str:
    return header.study or header.series


def _patient(header: SeriesHeader) -> str:
    return header.patient or _study(header)


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


def _linked(
    role: str, entry: Archive, found: Mapping[str, Series], drawn: Drawn | None, key: bytes, own: Private
) -> list[Scan]:
    """The scans of a role, by case name, each a folder of links."""
    organs = names_of(entry.organs) if drawn else None
    own.series.mkdir(mode=0o700, exist_ok=True)
    scans = []
    for uid, series in found.items():
        case = case_of(key, uid)
        folder, label_map = own.series / case, None
        link_files(folder, [entry.archive.absolute() / file.path for file in series.files])
        if drawn:
            label_map = folder.with_name(f"{case}.dcm")
            link_file(label_map, drawn.file_of[uid])
        scans.append(Scan(case, role, folder, label_map, organs=organs, may_be_left_out=drawn is None))
    return sorted(scans, key=lambda scan: scan.case)
