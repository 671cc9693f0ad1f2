"""Files beside label maps that seem to name their numbers, which are nevertheless taken by the label table."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from noisy_student.cohort.finding import Finding
from noisy_student.cohort.names_beside import ENDINGS, OF_LABEL_MAP, text_of
from noisy_student.cohort.nnunet_raw import DATASET
from noisy_student.cohort.numbers_by_name import NAMES, TAKEN
from noisy_student.cohort.scans import Scan
from noisy_student.files import visible
from noisy_student.lists import first_of
from noisy_student.organs import Organ, words_of
from noisy_student.reading.names import stem_of

KINDS = (*ENDINGS, ".tsv", ".json", ".xml")
WORDS = ("label", "colortable", "dataset")
# Of MONAI Label, beside the folder that has those of its label maps.
DATASTORE, LABELS, OF_LABELS = "datastore_v2.json", "labels", ("final", "original")
# So many organs a table of names has at least, unless the label table has fewer.
FEWEST = 2
SHOWN = 3


def unread_names(scans: Sequence[Scan], rows: Sequence[Mapping[str, Any]], organs: Sequence[Organ]) -> list[Finding]:
    """A note about each folder with such files: of label maps whose numbers neither names nor `labels` say.

    They may lie beside label maps, or beside the folder of these.
    """
    by_table = {row["case"] for row in rows if NAMES not in row}
    near = defaultdict(list)
    for scan in scans:
        label_map = scan.label_map or scan.truth
        if label_map and scan.case in by_table and scan.labels is None and label_map.is_file():
            for place in _places(label_map.parent):
                near[place].append(label_map)
    found = {place: _tables_in(place, label_maps, organs) for place, label_maps in near.items()}
    return [_finding(place, tables, len(near[place])) for place, tables in found.items() if tables]


def _places(folder: Path) -> list[Path]:
    """Where names of the label maps of a folder may lie."""
    is_of_datastore = folder.name in OF_LABELS and folder.parent.name == LABELS
    return list(dict.fromkeys([folder, folder.parent, *([folder.parent.parent] if is_of_datastore else [])]))


def _tables_in(place: Path, label_maps: Collection[Path], organs: Sequence[Organ]) -> list[Path]:
    stems = {stem + ending for stem in map(stem_of, label_maps) for ending in ("", OF_LABEL_MAP)}
    words = (*WORDS, *([DATASTORE.removesuffix(".json")] if (place / LABELS).is_dir() else []))
    return [
        path
        for path in visible(place)
        if path.suffix.lower() in KINDS and path.name != DATASET and path.is_file()
        if path.stem in stems or any(word in path.name.lower() for word in words)
        if _names_organs(text_of(path), organs)
    ]


def _names_organs(text: str, organs: Sequence[Organ]) -> bool:
    said = f" {' '.join(words_of(text))} "
    named = [organ for organ in organs if any(_is_in(name, said) for name in (organ.name, *organ.aliases))]
    return len(named) >= min(FEWEST, len(organs))


def _is_in(name: str, said: str) -> bool:
    """Whether words have a name in them, its side before or behind it."""
    words = words_of(name)
    return any(f" {' '.join(order)} " in said for order in (words, words[1:] + words[:1]))


def _finding(folder: Path, tables: Sequence[Path], label_maps: int) -> Finding:
    names = first_of([path.name for path in tables], SHOWN)
    found = f"{names} may name the numbers of {label_maps} label map(s), which are taken by the label table"
    remedy = "look whether they say the same; if not, give each organ's number under `labels`"
    return Finding("all", folder, "note", found, TAKEN, remedy)
