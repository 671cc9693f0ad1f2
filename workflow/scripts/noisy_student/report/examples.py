"""Example cases, chosen by rule, with the pictures that show them: figures 3 and 4."""

import base64
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import SimpleITK as sitk
from PIL import Image

from noisy_student.errors import InputError
from noisy_student.images import CANONICAL_ORIENTATION, read_image, reorient
from noisy_student.organs import FLARE22
from noisy_student.report.montage import choose_cut, picture, sheet, view, window
from noisy_student.report.numbers import score
from noisy_student.report.results import Results
from noisy_student.report.verdict import judged_role

VIEWS = ("axial", "coronal")


@dataclass(frozen=True)
class Panel:
    """One picture with its column title and what it shows for those who cannot see it."""

    title: str
    description: str
    image: Image.Image

    @property
    def data_uri(self) -> str:
        """The picture as PNG inside the page."""
        stream = io.BytesIO()
        self.image.quantize(256).save(stream, format="PNG", optimize=True)
        return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()


@dataclass(frozen=True)
class Example:
    """A case, why it is shown, and its panels per view; `problem` says why there are none."""

    case: str
    name: str
    title: str
    caption: str
    panels: list[list[Panel]]
    problem: str = ""

    def sheet(self) -> Image.Image:
        """All panels as one picture."""
        return sheet([[panel.image for panel in row] for row in self.panels], [panel.title for panel in self.panels[0]])


def chosen_cases(results: Results) -> list[tuple[str, str]]:
    """(case, why): the best, median and worst case of the last round, and the worst case of its weakest organ."""
    role = judged_role(results)
    rounds = [round_ for round_ in results.evaluated(role) if len(round_.scores)]
    if not rounds:
        return []
    scores = rounds[-1].scores
    scores = scores[scores["role"] == role]
    ranked = scores.groupby("case")["DSC"].mean().sort_values(ascending=False, kind="stable")
    chosen = {ranked.index[0]: "best", ranked.index[-1]: "worst"}
    chosen.setdefault(ranked.index[len(ranked) // 2], "median")
    case, why = _weakest_organ(scores)
    chosen.setdefault(case, why)
    order = {"best": 0, "median": 1, "worst": 2}
    return sorted(chosen.items(), key=lambda item: order.get(item[1], 3))


def _weakest_organ(scores: pd.DataFrame) -> tuple[str, str]:
    present = scores[scores["truth_voxels"] > 0]
    present = scores if present.empty else present
    label = present.groupby("label")["DSC"].mean().idxmin()
    rows = present[present["label"] == label].sort_values("DSC", kind="stable")
    organ = next((organ.name for organ in FLARE22 if organ.label == label), f"label {label}")
    return rows["case"].iloc[0], f"worst {organ}, the weakest organ"


def examples(results: Results) -> list[Example]:
    """The chosen cases with their pictures."""
    return [_example(results, case, why) for case, why in chosen_cases(results)]


def _example(results: Results, case: str, why: str) -> Example:
    role = judged_role(results)
    rounds = results.evaluated(role)
    shown = [rounds[0], rounds[-1]] if len(rounds) > 1 else rounds
    figure = "Figure 3" if why in ("best", "median") else "Figure 4"
    title = f"{figure}. {case}: {why if ',' in why else why + ' case'}"
    dsc = "; ".join(f"{r.name} {score(r.scores.loc[r.scores['case'] == case, 'DSC'].mean())}" for r in shown)
    caption = f"{role.capitalize()} scan, mean DSC over organs: {dsc}. Chosen by mean DSC in round {rounds[-1].number}."
    name = f"example_{why.split(',')[0].replace(' ', '_')}_{case}"
    predictions = {f"round {r.number}": r.folder / "predictions" / f"{case}.nii.gz" for r in shown}
    try:
        return Example(case, name, title, caption, _panels(results, case, predictions))
    except InputError as error:
        return Example(case, name, title, caption, [], str(error))


def _panels(results: Results, case: str, predictions: dict[str, Path]) -> list[list[Panel]]:
    rows = results.cases[results.cases["case"] == case]
    if rows.empty:
        raise InputError(f"{case} in the case table", "no such row", "evaluate again with the present case table")
    row = rows.iloc[0]
    truth = row["truth"] if pd.notna(row["truth"]) else row["label_map"]
    scan = reorient(read_image(Path(row["image"])), CANONICAL_ORIENTATION)
    maps = {"truth": _labels(Path(str(truth)), scan)}
    maps |= {f"prediction, {name}": _labels(path, scan) for name, path in predictions.items()}
    grey = window(sitk.GetArrayViewFromImage(scan))
    spacing = scan.GetSpacing()[::-1]
    cut = choose_cut(maps["truth"], list(maps.values()), spacing)
    pixel_mm = {"axial": (spacing[1], spacing[2]), "coronal": (spacing[0], spacing[2])}
    return [
        [
            Panel(title, f"{name.capitalize()} slice of {case}, {title}", picture(
                view(grey, cut, name), None if labels is None else view(labels, cut, name), pixel_mm[name]))
            for title, labels in ({"image": None} | maps).items()
        ]
        for name in VIEWS
    ]  # fmt: skip


def _labels(path: Path, scan: sitk.Image) -> np.ndarray:
    labels = sitk.GetArrayFromImage(reorient(read_image(path), CANONICAL_ORIENTATION))
    if labels.shape != scan.GetSize()[::-1]:
        raise InputError(
            f"a label map on the scan's grid, {scan.GetSize()} voxels (x, y, z), at {path}",
            f"{labels.shape[::-1]}",
            "make the prediction again; the other parts of the report do not depend on it",
        )
    return labels
