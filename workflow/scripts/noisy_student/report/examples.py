"""The chosen cases drawn from their scans: figures 3 and 4, the pseudo-labels' pictures, the viewer's volumes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import SimpleITK as sitk

from noisy_student.cohort.converted import converted_image
from noisy_student.errors import InputError
from noisy_student.geometry import Geometry, turned_like
from noisy_student.images import read_image
from noisy_student.organs import Organ
from noisy_student.reading.door import read_label_map
from noisy_student.report.chosen import Choice, chosen_cases, last_selected
from noisy_student.report.example import Example, Panel
from noisy_student.report.label_maps import TRUTH, is_of, label_maps
from noisy_student.report.montage import Cut, Layer, choose_cut, picture, view, window
from noisy_student.report.numbers import capitalised, score
from noisy_student.report.results import Results, Round
from noisy_student.report.small_volumes import volumes_for_page
from noisy_student.report.volumes import limit_for
from noisy_student.sets import JudgedSet
from noisy_student.sparse import ignore_label, without_ignored

VIEWS = ("axial", "coronal")


def make_examples(results: Results, named: list[str]) -> list[Example]:
    """The chosen cases and those in `named`, with pictures and volumes, or with what hinders them."""
    chosen, maps = chosen_cases(results, named), label_maps(results)
    return [_example(results, choice, maps.get(choice.case), limit_for(len(chosen))) for choice in chosen]


def _example(results: Results, choice: Choice, paths: dict[str, Path] | None, limit_bytes: int) -> Example:
    rows = results.cases[results.cases["case"] == choice.case]
    judged = results.set_of(rows.iloc[0]) if len(rows) else JudgedSet("")
    reason = choice.why.split(",")[0].replace(" ", "_")
    about = {
        "case": choice.case,
        "kind": choice.kind,
        "name": f"example_{reason}_{choice.case}",
        "title": _title(choice),
        "caption": _caption(results, choice.case, judged),
    }
    try:
        if paths is None:
            raise InputError(f"{choice.case} in the case table", "no such row", "correct the name in report.cases")
        if not paths:
            raise InputError(f"a label map of {choice.case}", "none is known yet", "wait until a round has labelled it")
        scan, maps = read_scan(converted_image(results.folder / "cohort", choice.case), paths)
        layers = {title: layer_of(labels, results.organs) for title, labels in maps.items()}
        maps = {title: layer.labels for title, layer in layers.items()}
        cut = choose_cut(next(iter(maps.values())), list(maps.values()), scan.GetSpacing()[::-1])
        volumes = volumes_for_page(scan, maps, paths, cut, limit_bytes)
        shown = [TRUTH, *(title for round_ in _shown_rounds(results, judged) for title in maps if is_of(title, round_))]
        columns = {"image": Layer()} | {title: layers[title] for title in shown if title in layers}
        return Example(**about, panels=panels(choice.case, scan, columns, cut, results.organs), volumes=volumes)
    except InputError as error:
        return Example(**about, panels=[], problem=str(error))


def _title(choice: Choice) -> str:
    if choice.kind == "pseudo-labels":
        return f"{choice.case}: {choice.why}"
    if choice.kind == "named":
        return f"{choice.case}: named in the configuration"
    figure = "Figure 3" if choice.why in ("best", "median") else "Figure 4"
    of = f" of the {choice.of}" if choice.of else ""
    return f"{figure}. {choice.case}: {choice.why if ',' in choice.why else choice.why + ' case'}{of}"


def _caption(results: Results, case: str, judged: JudgedSet) -> str:
    rounds, is_unlabelled = _shown_rounds(results, judged), judged.role == "unlabelled"
    tables = {r.name: r.pseudo_label_truth if is_unlabelled else r.scores for r in rounds}
    means = {name: table.loc[table["case"] == case, "DSC"].mean() for name, table in tables.items()}
    known = [f"{name} {score(mean)}" for name, mean in means.items() if pd.notna(mean)]
    decided = [_decision(r, case) for r in rounds] if is_unlabelled else []
    said = [f"mean DSC over organs: {'; '.join(known)}" if known else "", *decided]
    return f"{capitalised(judged.words)} scan. " + " ".join(f"{capitalised(text)}." for text in said if text)


def _decision(round_: Round, case: str) -> str:
    row = round_.selection[round_.selection["case"] == case]
    if row.empty:
        return ""
    reason = row["reason"].iloc[0]
    return f"{row['decision'].iloc[0]} in {round_.name}" + (f": {reason}" if pd.notna(reason) else "")


def _shown_rounds(results: Results, judged: JudgedSet) -> list[Round]:
    """First and last judged round; for an unlabelled scan the last selection's; none for a labelled one."""
    if judged.role == "unlabelled":
        last = last_selected(results)
        return [last] if last else []
    rounds = results.evaluated(judged)
    return [rounds[0], rounds[-1]] if len(rounds) > 1 else rounds


def read_scan(path: Path, label_maps: dict[str, Path]) -> tuple[sitk.Image, dict[str, np.ndarray]]:
    """The scan, and title → label map (z, y, x) on its grid."""
    scan = read_image(path)
    return scan, {title: labels_on_grid_of(scan, of) for title, of in label_maps.items()}


def labels_on_grid_of(scan: sitk.Image, path: Path) -> np.ndarray:
    """A label map (z, y, x) of the workflow or of its user, which must be on the scan's grid."""
    labels = sitk.GetArrayFromImage(turned_like(read_label_map(path).image, Geometry.of(scan)))
    if labels.shape != scan.GetSize()[::-1]:
        raise InputError(
            f"a label map on the scan's grid, {scan.GetSize()} voxels (x, y, z), at {path}",
            f"{labels.shape[::-1]}",
            "make the prediction again; the other parts of the report do not depend on it",
        )
    return labels


def layer_of(labels: np.ndarray, organs: Sequence[Organ]) -> Layer:
    """A label map as it is drawn: what nobody labelled is hatched, and no organ."""
    ignore = ignore_label(organs)
    unlabelled = labels == ignore
    return Layer(without_ignored(labels, ignore), unlabelled) if unlabelled.any() else Layer(labels)


def panels(
    case: str, scan: sitk.Image, columns: dict[str, Layer], cut: Cut, organs: Sequence[Organ]
) -> list[list[Panel]]:
    """A row for each view; in it, by its title, what lies over the scan."""
    grey = window(sitk.GetArrayViewFromImage(scan))
    spacing = scan.GetSpacing()[::-1]
    pixel_mm = {"axial": (spacing[1], spacing[2]), "coronal": (spacing[0], spacing[2])}
    return [
        [
            Panel.of(title, f"{name.capitalize()} slice of {case}, {title}", picture(
                view(grey, cut, name), _layer(layer, cut, name), pixel_mm[name], organs))
            for title, layer in columns.items()
        ]
        for name in VIEWS
    ]  # fmt: skip


def _layer(layer: Layer, cut: Cut, name: str) -> Layer:
    return Layer(*(None if array is None else view(array, cut, name) for array in (layer.labels, layer.left_out)))
