"""The official tools' own scores of real cases, reproduced to the last digit."""

from pathlib import Path

import pandas as pd
import pytest

from noisy_student.evaluation_modes import MODES
from noisy_student.scoring import cases_of_folder, score_table

OFFICIAL = Path(__file__).parents[3] / "shared/data/evaluation"
# The organs' names in the official tables, in the order of their labels.
NAMES = (
    *("Liver", "RK", "Spleen", "Pancreas", "Aorta", "IVC", "RAG", "LAG"),
    *("Gallbladder", "Esophagus", "Stomach", "Duodenum", "LK"),
)


@pytest.mark.skipif(not OFFICIAL.is_dir(), reason=f"needs the challenge's label maps and scores in {OFFICIAL}")
@pytest.mark.parametrize("mode", ["flare22", "flare23plus"])
def test_every_cell_of_the_official_table(mode):
    official = pd.read_csv(OFFICIAL / f"official_{mode}.csv").set_index("Name")
    scores = score_table(cases_of_folder(OFFICIAL / "gt", OFFICIAL / "pred"), MODES[mode], cores=1)
    ours = pd.concat(
        {measure: scores.pivot(index="case", columns="label", values=measure) for measure in ("DSC", "NSD")}
    )
    assert len(official) == scores["case"].nunique() > 0
    for (measure, case), row in ours.iterrows():
        expected = official.loc[f"{case}.nii.gz", [f"{name}_{measure}" for name in NAMES]]
        assert row.tolist() == expected.tolist(), (case, measure)
