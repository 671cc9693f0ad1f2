"""Numbers of label maps that mean no organ, so that what is drawn with them would be taught as background."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import SimpleITK as sitk

from noisy_student.cohort.finding import Finding
from noisy_student.cohort.label_names import WANTED
from noisy_student.cohort.labelled_organs import LABELS, ORGANS
from noisy_student.configuration.numbering import Numbers, numbers_of
from noisy_student.organs import Organ
from noisy_student.reading.volume import Remark

# Of a row of the case table's making: numbers in the label map that `labels` does not name.
LEFT_OVER = "left_over"
# Those of them that fill more of it than organs do.
LARGE = "large_left_over"
LARGE_SHARE = 0.5
# The same of organs, by the label table's numbers, that `organs` does not name.
BEYOND = "beyond"
LEFT_WANTED = "numbers of the organs that are labelled"


def left_over(label_map: sitk.Image, numbers: Numbers | None) -> dict[str, list[int]]:
    """Under its key, what a label map in its own numbers has besides background and the given `numbers` of organs."""
    if numbers is None:
        return {}
    named = {0, *(number for name in numbers for number in numbers_of(numbers, name))}
    voxels = sitk.GetArrayViewFromImage(label_map)
    counts = dict(zip(*(found.tolist() for found in np.unique(voxels, return_counts=True)), strict=True))
    others = sorted(counts.keys() - named)
    return {LEFT_OVER: others, LARGE: [number for number in others if counts[number] > LARGE_SHARE * voxels.size]}


def other_numbers_remarks(measured: Mapping[str, Any], organs: Sequence[Organ]) -> list[Remark]:
    """An error where a label map, by the label table's numbers, has none of the organs that are labelled, but others.

    As long as it has one that is labelled, the others are left out, with a warning.
    """
    beyond, labelled = measured.get(BEYOND), measured[ORGANS]
    if not beyond or any(measured[LABELS]):
        return []
    said = f"by the label table's numbers it has {_named(beyond, organs)}, which `organs` does not name, and no "
    return [Remark("organs", said + _named(labelled, organs), WANTED, _numbers_remedy(labelled, organs), "error")]


def left_over_findings(rows: Sequence[Mapping[str, Any]], organs: Sequence[Organ]) -> list[Finding]:
    """Of each source, what its label maps have besides the organs that are said to be labelled there.

    Where `labels` gives the organs' numbers, others are an error where no organ at all is left, a warning where an
    organ is in none of the label maps or a number fills more than half of one, else a note. By the label table's
    numbers, others than `organs` names are a warning where an organ that it names is in none of the label maps.
    """
    by_source: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        for kind in (LEFT_OVER, BEYOND):
            if kind in row:
                by_source[kind, row["source"]].append(row)
    findings = []
    for (kind, source), own in by_source.items():
        scans = Counter(number for row in own for number in row[kind])
        labelled, present = ({label for row in own for label in row[column]} - {0} for column in (ORGANS, LABELS))
        absent = labelled - present
        if scans and kind == LEFT_OVER:
            findings.append(_besides_labels(source, len(own), scans, absent, bool(present), organs))
            if large := sorted({number for row in own for number in row[LARGE]}):
                findings.append(_large(source, large))
        elif scans and absent:
            findings.append(_besides_organs(source, len(own), scans, absent, organs))
    return findings


def _besides_labels(
    source: str, count: int, scans: Counter[int], absent: Collection[int], is_any: bool, organs: Sequence[Organ]
) -> Finding:
    others = ", ".join(f"{number} (in {times} of {count})" for number, times in sorted(scans.items()))
    found = f"source {source}: numbers that `labels` does not name, left over as background: {others}"
    if not absent:
        remedy = "nothing if they are no organs; if one is a part of an organ, give both numbers: {organ: [1, 2]}"
        return Finding("all", "", "note", found, LEFT_WANTED, remedy)
    found += f"; in none of its label maps: {', '.join(organ.name for organ in organs if organ.label in absent)}"
    remedy = "look whether the number of each organ under `labels` is right"
    return Finding("all", "", "warning" if is_any else "error", found, LEFT_WANTED, remedy)


def _large(source: str, numbers: Sequence[int]) -> Finding:
    listed = ", ".join(map(str, numbers))
    found = f"source {source}: {listed}, left over as background, fills more than half of a label map"
    remedy = f"if nobody labelled what has it, say so: ignore: {listed} under `labels`; nothing if it is background"
    return Finding("all", "", "warning", found, LEFT_WANTED, remedy)


def _besides_organs(
    source: str, count: int, others: Collection[int], absent: Collection[int], organs: Sequence[Organ]
) -> Finding:
    found = f"source {source}: by the label table's numbers its {count} label maps have {_named(others, organs)}, "
    found += f"which `organs` does not name, and none has {_named(absent, organs)}"
    return Finding("all", "", "warning", found, LEFT_WANTED, _numbers_remedy(absent, organs))


def _named(labels: Collection[int], organs: Sequence[Organ]) -> str:
    return ", ".join(f"{organ.name} ({organ.label})" for organ in organs if organ.label in labels)


def _numbers_remedy(labels: Collection[int], organs: Sequence[Organ]) -> str:
    by_table = ", ".join(f"{organ.name}: {organ.label}" for organ in organs if organ.label in labels)
    return f"give the organs' numbers in these label maps under `labels`; if they are the table's, {{{by_table}}}"
