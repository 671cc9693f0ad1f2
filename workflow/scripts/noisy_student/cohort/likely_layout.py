"""Which entry of the configuration would fit what lies in a folder, for a remedy: nothing is taken by it."""

import json
import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path, PurePosixPath

from noisy_student.cohort import case_paths
from noisy_student.cohort.organ_names import is_known
from noisy_student.cohort.pairing import is_named_a_label_map
from noisy_student.configuration.layouts import CASE
from noisy_student.files import visible
from noisy_student.reading.dicom.files import visible_files
from noisy_student.reading.masks import MASKS
from noisy_student.reading.names import LABEL_WORDS, extension_of, stem_of

# So many folders of cases tell what all of them have.
LOOKED_AT = 50


@dataclass(frozen=True)
class Layout:
    """An entry `cases`, as it would be written. `key` is what its label maps are called there."""

    cases: Path
    scan: str
    label_maps: str = ""
    key: str = "label_maps"

    def unlabelled(self) -> "Layout":
        """The same without its label maps."""
        return replace(self, label_maps="")

    def __str__(self) -> str:
        """A flow mapping of YAML."""
        keys = {"cases": str(self.cases), "scan": self.scan} | ({self.key: self.label_maps} if self.label_maps else {})
        return "{" + ", ".join(f"{key}: {in_yaml(value)}" for key, value in keys.items()) + "}"


def remedy_of(layout: Layout) -> str:
    """What to write."""
    return f"if that is meant, write {layout} in place of its entry under `cohort.folders`, other keys as they are"


def of_case_folders(root: Path) -> Layout | None:
    """The layout of a folder with a folder for each case, if one file alone can be the scan of each."""
    folders = [path for path in visible(root) if path.is_dir()][:LOOKED_AT] if root.is_dir() else []
    files = [(folder, images) for folder in folders if (images := _images(folder))]
    label_maps = [{path for path in images if _is_label_map(path)} for _, images in files]
    scans = [set(images) - apart for (_, images), apart in zip(files, label_maps, strict=True)]
    if not files or not (scan := _scan(scans)):
        return None
    likely = Counter(place for paths in label_maps for place in {_place(path) for path in paths})
    most = [place for place, count in likely.items() if 2 * count >= len(files)]
    label_map = MASKS if MASKS in most else most[0] if len(most) == 1 else ""
    return Layout(root, *(path and case_paths.within(f"{CASE}/{path}") for path in (scan, label_map)))


def of_two_trees(images: Path, label_maps: Path, key: str = "label_maps") -> Layout | None:
    """The layout of folders of cases with scans, and beside them files or folders of the same cases' label maps."""
    cases, root = {path.name for path in visible(images)}, _common([images, label_maps])
    own = [path for path in visible(label_maps) if (path.name if path.is_dir() else stem_of(path)) in cases]
    kinds = {extension_of(path) if path.is_file() else "/" for path in own}
    layout = of_case_folders(images) if len(kinds) == 1 and root else None
    if layout is None:
        return None
    ending = kinds.pop().rstrip("/") or (f"/{MASKS}" if all((path / MASKS).is_dir() for path in own) else "")
    below = [f"{folder.absolute().relative_to(root).as_posix()}/" for folder in (images, label_maps)]
    return Layout(root, below[0] + case_paths.whole(layout.scan), f"{below[1]}{CASE}{ending}", key)


def of_neighbours(images: Path) -> Layout | None:
    """The same with the one folder beside that of the scans that has label maps of these cases."""
    beside = [path for path in visible(images.absolute().parent) if path.is_dir() and path != images.absolute()]
    layouts = [layout for path in beside[:LOOKED_AT] if (layout := of_two_trees(images, path))]
    return layouts[0] if len(layouts) == 1 else None


def of_pairs(pairs: Mapping[Path, Path]) -> Layout | None:
    """The layout of scans and their label maps, all of them in two folders or one, if their names have one form."""
    of_scans, of_label_maps = sides = list(pairs), list(pairs.values())
    places = [{path.parent.absolute() for path in side} for side in sides]
    root, forms = _common([*places[0], *places[1]]), [_form([path.name for path in side]) for side in sides]
    if root is None or not all(forms) or any(len(folders) > 1 for folders in places):
        return None
    named = [case_paths.pattern_of(form) for form in forms]
    for scan, label_map in zip(of_scans, of_label_maps, strict=True):
        one, other = named[0].fullmatch(scan.name), named[1].fullmatch(label_map.name)
        if not one or not other or one["case"] != other["case"]:
            return None
    paths = [(place.pop().relative_to(root) / form).as_posix() for place, form in zip(places, forms, strict=True)]
    return Layout(root, *paths)


def _images(folder: Path) -> list[str]:
    """The image files of a case, with the name of its folder as `{case}`."""
    own = re.compile(rf"(?<![A-Za-z0-9]){re.escape(folder.name)}(?![A-Za-z0-9])")
    files = [path.relative_to(folder).as_posix() for path in visible_files(folder) if extension_of(path)]
    return [own.sub(lambda _: CASE, path) for path in files]


def _is_label_map(path: str) -> bool:
    *folders, name = PurePosixPath(path).parts
    is_below = any(part in LABEL_WORDS for folder in folders for part in re.findall("[a-z]+", folder.lower()))
    return is_below or is_named_a_label_map(Path(name)) or is_known(stem_of(Path(name)))


def _scan(scans: Sequence[set[str]]) -> str:
    """The one file that all cases have, or `*` where each has one of a name of its own; empty if there is no one."""
    common = set[str].intersection(*scans)
    if len(common) == 1:
        return common.pop()
    endings = {f"*{extension_of(Path(path))}" for paths in scans for path in paths}
    is_one_each = all(len(paths) == 1 and "/" not in next(iter(paths)) for paths in scans)
    return endings.pop() if is_one_each and len(endings) == 1 else ""


def _place(path: str) -> str:
    """The folder of masks, or the label map itself."""
    return PurePosixPath(path).parts[0]


def _common(folders: Sequence[Path]) -> Path | None:
    common = Path(os.path.commonpath([folder.absolute() for folder in folders]))
    return None if common == Path(common.anchor) else common


def _form(names: Sequence[str]) -> str:
    """The one form of names, the number or text in which they differ being `{case}`; empty if there is none."""
    if len(set(names)) == 1:
        parts = re.fullmatch(r"(.*?)(\d+)(\D*)", names[0])
        return f"{parts[1]}{CASE}{parts[3]}" if parts else ""
    before = _common_start(names).rstrip("0123456789")
    rest = [name[len(before) :] for name in names]
    after = _common_start([name[::-1] for name in rest])[::-1].lstrip("0123456789")
    return f"{before}{CASE}{after}" if all(len(name) > len(after) for name in rest) else ""


def _common_start(names: Sequence[str]) -> str:
    same = takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))
    return "".join(letter for letter, *_ in same)


def in_yaml(text: str) -> str:
    """A text as a key or value of a flow mapping or list."""
    return text if re.fullmatch(r"[\w./][\w ./-]*", text) else json.dumps(text, ensure_ascii=False)
