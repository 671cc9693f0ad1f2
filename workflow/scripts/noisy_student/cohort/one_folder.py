"""Scans and their label maps in one folder, as of LiTS and CT-ORG, told apart and paired by their names.

`volume-3` and `segmentation-3` are a pair: words for images and label maps tell them apart, all else is the same.
"""

from dataclasses import replace
from pathlib import Path

from noisy_student.cohort.finding import Finding
from noisy_student.cohort.pairing import (
    is_named_a_label_map,
    key,
    label_map_of,
    label_maps_in,
    likely_pairs,
    named_after,
)
from noisy_student.cohort.passed_over import SHOWN, Contents, PassedOver, some_names
from noisy_student.configuration.experiment import LabelledFolder
from noisy_student.errors import InputError
from noisy_student.lists import first_of
from noisy_student.reading.names import EXTENSIONS, case_name

# Where the label map of a scan that has none is looked for, after the scan's name.
MISSING = f"_label{EXTENSIONS[0]}"


def is_one_folder(entry: object) -> bool:
    """Whether an entry names one folder for scans and label maps both."""
    return isinstance(entry, LabelledFolder) and entry.images.resolve() == entry.label_maps.resolve()


def contents(folder: Path, found: Contents) -> Contents:
    """Of what is `found` in a folder of scans, the scans, and what is neither a scan nor the label map of one.

    Raises InputError where no name is a scan's.
    """
    scans = [path for path in found.scans if not is_named_a_label_map(path)]
    if not scans:
        wanted = f"scans in {folder}, which is named for scans and label maps both, told apart by their names"
        got = f"words for label maps in all of them: {some_names(found.scans)}"
        remedy = f"say how both are named: {by_patterns(folder)}; or list them in a table of scans (config/README.md)"
        raise InputError(wanted, got, remedy)
    taken = set(pairs(folder, replace(found, scans=scans)).values())
    strays = [PassedOver(path, "named as a label map, of no scan") for path in found.scans if path not in scans]
    others = [entry for entry in (*strays, *found.passed_over) if entry.path not in taken]
    return Contents(scans, found.superseded, others)


def by_patterns(folder: Path) -> str:
    """An entry that says of some made-up names which are scans and which label maps."""
    return f'{{cases: {folder}, scan: "ct_{{case}}.nii.gz", label_maps: "organs_{{case}}.nii.gz"}}'


def pairs(folder: Path, found: Contents) -> dict[Path, Path]:
    """The label map of each scan that has one, as an entry of the folder, in the order of the scans.

    By the same name, or by names that are the same without words for images and label maps, where no other has that.
    """
    label_maps = label_maps_in(folder, apart_from=[*found.scans, *found.superseded])
    named = {named_after(path): path for path in label_maps}
    taken = {image: path for image in found.scans if (path := label_map_of(image, named))}
    left = {case_name(image): image for image in found.scans if image not in taken}
    likely = likely_pairs(left, set(label_maps) - set(taken.values()), by=(key,))
    taken |= {left[case]: path for case, path in likely.items()}
    return {image: taken[image] for image in found.scans if image in taken}


def paired(folder: Path, found: Contents) -> list[Finding]:
    """A note that says which label maps were taken for which scans."""
    taken = pairs(folder, found)
    if not taken:
        return []
    listed = first_of([f"{label_map.name} of {image.name}" for image, label_map in taken.items()], SHOWN)
    said = f"scans and label maps in one folder, {len(taken)} paired by their names: {listed}"
    remedy = f"look whether they belong together; else say how both are named, as in {by_patterns(folder)}"
    return [Finding("all", folder, "note", said, "each label map with its scan", remedy)]
