"""The official tools' own scores of real cases, reproduced to the last digit."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from noisy_student.evaluate.evaluation_modes import MODES
from noisy_student.evaluate.scoring import cases_of_folder, score_table
from plain_evaluation import plain_scores

OFFICIAL = Path(__file__).parents[4] / "shared/data/evaluation"
# The organs' names in the official tables, in the order of their labels.
NAMES = (
    *("Liver", "RK", "Spleen", "Pancreas", "Aorta", "IVC", "RAG", "LAG"),
    *("Gallbladder", "Esophagus", "Stomach", "Duodenum", "LK"),
)


pytestmark = pytest.mark.skipif(
    not OFFICIAL.is_dir(), reason=f"needs the challenge's label maps and scores in {OFFICIAL}"
)


def official_row(mode, case):
    table = pd.read_csv(OFFICIAL / f"official_{mode}.csv").set_index("Name")
    return [table.loc[f"{case}.nii.gz", [f"{name}_{measure}" for name in NAMES]].tolist() for measure in ("DSC", "NSD")]


@pytest.mark.parametrize("mode", ["flare22", "flare23plus"])
def test_every_cell_of_the_official_table(mode):
    scores = score_table(cases_of_folder(OFFICIAL / "gt", OFFICIAL / "pred"), MODES[mode], cores=1)
    assert scores["case"].nunique() == len(list((OFFICIAL / "gt").iterdir())) > 0
    for case, rows in scores.groupby("case"):
        assert [rows["DSC"].tolist(), rows["NSD"].tolist()] == official_row(mode, case), case


def test_the_plain_evaluation_is_the_official_one():
    """On one case without far strays, where it takes seconds."""
    case = "FLARE22_Tr_0003"
    image = sitk.ReadImage(str(OFFICIAL / "gt" / f"{case}.nii.gz"))
    prediction = sitk.GetArrayFromImage(sitk.ReadImage(str(OFFICIAL / "pred" / f"{case}.nii.gz")))
    scores = plain_scores(sitk.GetArrayFromImage(image).T, prediction.T, image.GetSpacing())
    dsc, nsd = zip(*scores, strict=True)
    assert [[float(round(np.float64(score), 4)) for score in row] for row in (dsc, nsd)] == official_row(
        "flare22", case
    )
