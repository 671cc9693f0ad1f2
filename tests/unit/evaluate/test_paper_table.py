import numpy as np

from noisy_student.evaluate.aggregate import summarise
from noisy_student.evaluate.paper_table import as_markdown, paper_table
from noisy_student.organs import FLARE22, Organ
from score_tables import scores

PAPERS_ORDER = (
    *("Liver", "RK", "Spleen", "Pancreas", "Aorta", "IVC", "RAG", "LAG", "GB"),
    *("Esoph.", "Stomach", "Duod.", "LK", "mean"),
)


def table():
    values = np.linspace(0.7, 0.94, 13)
    summaries = {"round 0": summarise(scores([values, values])), "round 1": summarise(scores([1.0]))}
    return paper_table(summaries, "test", "DSC")


def test_organs_stand_in_the_papers_order_with_their_mean_last():
    assert table().columns.tolist() == ["result", "n", *PAPERS_ORDER]
    assert table()["n"].tolist() == [2, 1]
    np.testing.assert_allclose(table().loc[0, ["Liver", "LK", "mean"]].astype(float), [0.7, 0.94, 0.82])


def test_markdown():
    lines = as_markdown(table()).splitlines()
    assert lines[0].startswith("| result | n | Liver | RK |")
    assert lines[2].startswith("| round 0 | 2 | .7000 | .7200 |")
    assert lines[3].endswith("| 1.0000 |")


def test_a_role_without_results_has_dashes():
    nobody = paper_table({"round 0": summarise(scores([0.5]))}, "validation", "DSC")
    assert as_markdown(nobody).splitlines()[2].startswith("| round 0 | 0 | – | – |")


def test_an_organ_without_any_judged_scan_keeps_its_column():
    values = np.full((2, 13), 0.5)
    values[:, 12] = np.nan
    table = paper_table({"round 0": summarise(scores(values))}, "test", "DSC")
    assert table.columns.tolist()[2:] == [organ.short for organ in FLARE22] + ["mean"]
    assert as_markdown(table).splitlines()[-1] == f"| round 0 | 2 | {'.5000 | ' * 12}– | .5000 |"


def test_abbreviations_are_those_of_the_label_table_that_is_given():
    organs = [Organ(1, "liver", short="L"), Organ(2, "right kidney", short="K"), Organ(3, "spleen", short="K")]
    table = paper_table({"round 0": summarise(scores([0.5]))}, "test", "DSC", organs=organs)
    assert table.columns.tolist()[2:6] == ["L", "right kidney", "spleen", "pancreas"]
