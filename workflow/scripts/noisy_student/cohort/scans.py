"""Which scans there are: folders searched, tables read, names made, roles given."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType

from noisy_student.cohort import case_folders, one_folder
from noisy_student.cohort.flat_masks import Masks, masks_by_case
from noisy_student.cohort.likely_layout import Layout, of_case_folders, of_two_trees, remedy_of
from noisy_student.cohort.nnunet_raw import Searched, as_folders, ending_of
from noisy_student.cohort.one_folder import is_one_folder
from noisy_student.cohort.organ_names import OrganNames
from noisy_student.cohort.pairing import by_name, label_map_at, label_map_of, label_maps_in
from noisy_student.cohort.passed_over import Contents, contents, in_words
from noisy_student.cohort.roles import LABELLED_ROLES
from noisy_student.cohort.scan_table import file_of, organs_in, rows_of
from noisy_student.cohort.sources import place_of, source_names
from noisy_student.configuration.archive import Archive, ScanArchive
from noisy_student.configuration.experiment import (
    Cohort,
    Folders,
    LabelledFolder,
    ScanFolder,
    ScanTable,
    Unlabelled,
)
from noisy_student.configuration.layouts import Cases, LabelledCases
from noisy_student.configuration.numbering import Numbers, is_one_number
from noisy_student.errors import InputError
from noisy_student.organs import FLARE22, Organ, sided_pairs
from noisy_student.reading.names import EXTENSIONS, case_name, extension_of

NO_ARCHIVES: Mapping = MappingProxyType({})
# An entry of an archive: its role, and its `folders`.
InArchive = tuple[str, tuple[Path, ...]]


@dataclass(frozen=True)
class Scan:
    """A scan as the user gave it: a file, or the folder of a DICOM series.

    `truth` is kept aside for judging and never reaches a training. `labels`: the organs' numbers in its label map,
    where they are not the label table's. `organs`: the names of the only organs that are labelled in it. `source`: what
    its folder or table is called. `table`: the table that lists it, if one does. `may_be_left_out`: one of an archive
    as it is, that nobody chose. `masks`: of a label map that is a folder with masks of several cases, those of this
    one, each with what it is called besides the case. `is_correction`: files beside its label map are other persons',
    and name its numbers only under its own name.
    """

    case: str
    role: str
    image: Path
    label_map: Path | None = None
    truth: Path | None = None
    labels: Numbers | None = None
    organs: tuple[str, ...] | None = None
    source: str = ""
    table: Path | None = None
    may_be_left_out: bool = False
    masks: tuple[tuple[Path, str], ...] = ()
    is_correction: bool = False


@dataclass(frozen=True)
class Search:
    """The scans of each configured folder and table, by role and name, and what lies in the folders of scans."""

    entries: list[tuple[Searched, list[Scan]]]
    contents: Mapping[Path, Contents]

    @property
    def scans(self) -> list[Scan]:
        """Every scan."""
        return [scan for _, scans in self.entries for scan in scans]


def embedded_folders(root: Path) -> Folders:
    """Where `make_cohort.py` puts the scans of each role: FLARE22's own layout."""
    training = root / "Training"
    labelled = training / "FLARE22_LabeledCase50"
    return Folders(
        labelled=[LabelledFolder(images=labelled / "images", label_maps=labelled / "labels")],
        unlabelled=[ScanFolder(images=training / "FLARE22_UnlabeledCase2000", truth=root / "Truth")],
        validation=[LabelledFolder(images=root / "Validation/images", label_maps=root / "Validation/labels")],
        test=[LabelledFolder(images=root / "Test/images", label_maps=root / "Test/labels")],
    )


def folders_of(cohort: Cohort, embedded_root: Path) -> Folders:
    """The folders of a configured cohort."""
    return embedded_folders(embedded_root) if cohort.folders is None or cohort.kind == "embedded" else cohort.folders


def names_truth(entry: Unlabelled) -> bool:
    """Whether the unlabelled scans of a folder or table come with truths that are kept aside."""
    entry = as_folders(entry, "unlabelled")
    if isinstance(entry, ScanArchive):
        return False
    if not isinstance(entry, ScanTable):
        return entry.truth is not None
    return entry.table.exists() and any(row.get("truth") for row in rows_of(entry.table, ("case", "image")))


def says_what_is_labelled(cohort: Cohort) -> bool:
    """Whether a cohort says of some labelled scans that only some organs are labelled in them."""
    entries = cohort.folders.labelled if cohort.folders else []
    return any(entry.organs is not None or _lists_organs(entry) for entry in entries)


def may_lack_organs(cohort: Cohort, organs: Sequence[Organ]) -> bool:
    """Whether in some labelled scans only some organs may be labelled.

    It is so where a cohort says it, and where a right organ and its left one have the same numbers: in scans in which
    these cannot be told apart, neither is labelled.
    """
    entries = cohort.folders.labelled if cohort.folders else []
    pairs = [right for right, _ in sided_pairs(organs)]
    are_shared = any(is_one_number(entry.labels or {}, right) for entry in entries for right in pairs)
    return are_shared or says_what_is_labelled(cohort)


def _lists_organs(entry: LabelledFolder | ScanTable) -> bool:
    if not isinstance(entry, ScanTable) or not entry.table.exists():
        return False
    return any(map(organs_in, rows_of(entry.table, ("case", "image"))))


def find_scans(folders: Folders) -> list[Scan]:
    """Every scan of every folder and table, ordered by role and name."""
    return search(folders).scans


def search(
    folders: Folders, archived: Mapping[InArchive, list[Scan]] = NO_ARCHIVES, organs: Sequence[Organ] = FLARE22
) -> Search:
    """The same, with what lies in the folders besides. `archived`: the scans of archives, by role and folders.

    By the names of `organs`, and all that are known, it is told which masks of a folder are a case's.
    """
    meaning = OrganNames(organs)
    named = folders.by_role()
    sources = source_names(entry for _, entry in named)
    named_paths = [path.absolute() for path in folders.paths()]
    elsewhere = {place for path in named_paths for place in (path, *path.parents)}
    searched = [as_folders(entry, role) for role, entry in named]
    looked: dict[Path, Contents] = {}

    @cache
    def cases() -> set[str]:
        """Of all entries whose scans are named by their files."""
        found = {case_name(image) for one in looked.values() for image in one.scans}
        of_folders = (case_folders.scans_of(entry) for entry in searched if isinstance(entry, Cases))
        tables = (_listed(role, entry, "") for role, entry in named if isinstance(entry, ScanTable))
        return found.union(*of_folders, (scan.case for table in tables for scan in table))

    for (_, given), entry in zip(named, searched, strict=True):
        if isinstance(entry, ScanTable | Archive) or (place := place_of(entry)) in looked:
            continue
        looked[place] = _contents(entry, elsewhere, ending_of(given))
    entries = []
    for (role, given), entry in zip(named, searched, strict=True):
        source = given.name or sources[place_of(given)]
        if isinstance(entry, Archive):
            found = [replace(scan, source=source) for scan in archived[role, entry.folders]]
        else:
            found = list(_scans_of(role, entry, looked, source, meaning, cases))
        entries.append((entry, found))
    return Search(entries, looked)


def _contents(entry: LabelledFolder | ScanFolder | Cases, elsewhere: Collection[Path], ending: str) -> Contents:
    """What lies in the folder of an entry's scans. Raises InputError for none, with the entry that would fit."""
    if isinstance(entry, Cases):
        return case_folders.contents(entry)
    try:
        found = scans_in(entry.images, elsewhere, ending)
    except InputError as error:
        layout = None if ending else _likely(entry)
        raise InputError(error.wanted, error.got, remedy_of(layout) if layout else error.remedy) from None
    return one_folder.contents(entry.images, found) if is_one_folder(entry) else found


def _likely(entry: LabelledFolder | ScanFolder) -> Layout | None:
    """The layout of an entry whose scans lie in folders of cases."""
    layout = of_case_folders(entry.images)
    label_maps, key = (entry.label_maps, "label_maps") if isinstance(entry, LabelledFolder) else (entry.truth, "truth")
    if layout is None or label_maps is None:
        return layout and layout.unlabelled()
    if layout.label_maps and is_one_folder(entry):
        return layout
    return of_two_trees(entry.images, label_maps, key)


def scans_in(folder: Path, elsewhere: Collection[Path] = (), ending: str = "") -> Contents:
    """What lies in a folder of scans. Raises InputError for none.

    `elsewhere`: absolute paths of what is named for something else, and of all folders that it lies in. A scan is a
    file of a known format, or a folder that is one DICOM series; of a dataset of nnU-Net, a file with its `ending`.
    """
    if not folder.is_dir():
        raise InputError("a folder of scans", f"{folder} is no folder", "correct `cohort.folders`")
    found = contents(folder, elsewhere, ending)
    if not found.scans:
        wanted = f"scans ({ending or ', '.join(EXTENSIONS) + ', or a folder for each DICOM series'}) in {folder}"
        passed_over = f": {len(found.passed_over)} passed over: {in_words(found.passed_over)}"
        got = "none" + (passed_over if found.passed_over else "")
        remedy = "name the folder that holds them, or list them in a table (config/README.md)"
        raise InputError(wanted, got, f"say their `file_ending` in dataset.json, or {remedy}" if ending else remedy)
    return found


def _scans_of(
    role: str,
    entry: Searched,
    looked: Mapping[Path, Contents],
    source: str,
    meaning: OrganNames,
    cases: Callable[[], Collection[str]],
) -> Iterator[Scan]:
    if isinstance(entry, ScanTable):
        yield from _listed(role, entry, source)
    elif isinstance(entry, Cases):
        yield from _of_case_folders(role, entry, source)
    else:
        yield from _of_folders(role, entry, looked[entry.images], source, meaning, cases)


def _of_folders(
    role: str,
    entry: LabelledFolder | ScanFolder,
    found: Contents,
    source: str,
    meaning: OrganNames,
    cases: Callable[[], Collection[str]],
) -> Iterator[Scan]:
    is_labelled = isinstance(entry, LabelledFolder)
    folder = entry.label_maps if is_labelled else entry.truth
    label_maps, missing = _label_maps_by_image(entry, found)
    flat = {}
    if folder and not is_one_folder(entry) and len(label_maps) < len(found.scans):
        flat = _flat_masks(folder, found.scans, label_maps.values(), meaning, cases)
    for image in found.scans:
        case, label_map, masks = case_name(image), label_maps.get(image), ()
        if label_map is None and case in flat:
            label_map, masks = folder, tuple(flat[case].items())
        files = (label_map or entry.label_maps / f"{case}{missing}", None) if is_labelled else (None, label_map)
        yield Scan(case, role, image, *files, entry.labels, names_of(entry.organs), source, masks=masks)


def _flat_masks(
    folder: Path,
    images: Sequence[Path],
    label_maps: Iterable[Path],
    meaning: OrganNames,
    cases: Callable[[], Collection[str]],
) -> dict[str, Masks]:
    """The masks of each case among the files of a folder that are no case's label map; other entries' may lie there."""
    free = set(by_name(label_maps_in(folder, apart_from=images)).values()) - set(label_maps)
    files = sorted(path for path in free if path.parent == folder and extension_of(path))
    own = {case_name(image) for image in images}
    return masks_by_case(files, own, meaning.is_known, cases()) if files else {}


def _label_maps_by_image(entry: LabelledFolder | ScanFolder, found: Contents) -> tuple[dict[Path, Path], str]:
    """The label maps or truths of scans, and how the name of one that is missing would end after the case's."""
    if is_one_folder(entry):
        pairs = one_folder.pairs(entry.images, found)
        return {image: label_map_at(path) for image, path in pairs.items()}, one_folder.MISSING
    folder = entry.label_maps if isinstance(entry, LabelledFolder) else entry.truth
    named = by_name(label_maps_in(folder, apart_from=found.scans)) if folder else {}
    label_maps = {image: label_map_of(image, named) for image in found.scans}
    return {image: path for image, path in label_maps.items() if path}, EXTENSIONS[0]


def _of_case_folders(role: str, entry: Cases, source: str) -> Iterator[Scan]:
    """Labelled cases without a label map are left out, with a warning; those to be judged are errors without."""
    scans, label_maps = case_folders.scans_of(entry), case_folders.label_maps_of(entry)
    if role == "labelled" and not scans.keys() & label_maps.keys():
        raise case_folders.no_label_maps(entry)
    for case, image in scans.items():
        found = label_maps.get(case)
        if found is None and role == "labelled":
            continue
        is_labelled = isinstance(entry, LabelledCases)
        files = (found or case_folders.missing_label_map(entry, case), None) if is_labelled else (None, found)
        yield Scan(case, role, image, *files, entry.labels, names_of(entry.organs), source)


def _listed(role: str, entry: ScanTable, source: str) -> Iterator[Scan]:
    is_labelled = role in LABELLED_ROLES
    for row in rows_of(entry.table, ("case", "image", "label_map") if is_labelled else ("case", "image")):
        image, label_map, truth = (file_of(entry.table, row, name) for name in ("image", "label_map", "truth"))
        found = label_map if is_labelled else truth
        at = label_map_at(found) if found else None
        files = (at, None) if is_labelled else (None, at)
        organs = organs_in(row) or names_of(entry.organs)
        yield Scan(row["case"], role, image, *files, entry.labels, organs, row.get("source") or source, entry.table)


def names_of(organs: Sequence[str] | None) -> tuple[str, ...] | None:
    """The only organs that are labelled; None where all are."""
    return None if organs is None else tuple(organs)
