"""The report of a run in whose scans not every organ is labelled says so, and counts each where it is."""

import json
import shutil

import pandas as pd
import pytest

from methods_text import methods
from noisy_student.organs import FLARE22
from noisy_student.report.labelled_organs import in_words, labelled_organs
from noisy_student.report.learned_scans import learned_scans
from noisy_student.report.organ_tables import every_round, labelled_only
from noisy_student.report.page import write_report
from noisy_student.report.protocol import protocol
from noisy_student.report.pseudo_label_truth import confidence_and_truth
from noisy_student.report.results import read_results
from noisy_student.report.run_tables import rounds
from noisy_student.report.warnings import organs
from noisy_student.sets import JudgedSet
from noisy_student.tables import read_table, write_table
from synthetic_results import SyntheticRun

ESOPHAGUS, KIDNEY = 10, 13
WORDS = "not all have every organ labelled"


@pytest.fixture(scope="module")
def partly(tmp_path_factory):
    """No scan has the left kidney labelled, and every other one has not the esophagus either."""
    run = SyntheticRun(test=9, validation=3, labelled=4, unlabelled=12, lacking=((KIDNEY,), (ESOPHAGUS, KIDNEY)))
    return read_results(run.write(tmp_path_factory.mktemp("partly")))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return read_results(SyntheticRun(test=9, validation=3, unlabelled=12).write(tmp_path_factory.mktemp("whole")))


def column(table, name):
    return [row[table.columns.index(name)].text for row in table.rows]


def test_tables_3_and_4_keep_their_rows_and_say_in_how_many_scans_an_organ_was_judged(partly):
    third, fourth = labelled_only(partly), every_round(partly, JudgedSet("test"), "DSC")
    for table, name in ((third, "scans, test"), (fourth, "scans")):
        scans = dict(zip(column(table, "organ"), column(table, name), strict=True))
        assert list(scans) == [*(organ.name for organ in FLARE22), "mean"]
        assert [scans[name] for name in ("liver", "esophagus", "left kidney", "mean")] == ["9", "4", "0", "9"]
        assert "in the scans in which it is labelled" in table.caption
    assert fourth.rows[KIDNEY - 1][2].text == fourth.rows[KIDNEY - 1][3].text == "–"
    assert fourth.rows[KIDNEY - 1][3].note == ""


def test_failures_are_counted_among_the_organs_that_were_judged(partly):
    assert rounds(partly, JudgedSet("test")).rows[0][6].text.endswith(f" of {11 * 9 + 4}")


def test_where_an_organ_is_labelled_stands_in_a_table_a_warning_and_the_methods_text(partly):
    table = labelled_organs(partly)
    esophagus = dict(zip(table.columns, (cell.text for cell in table.rows[ESOPHAGUS - 1]), strict=True))
    of_roles = {"labelled": "2 of 4", "unlabelled": "6 of 12", "validation": "1 of 3", "test": "4 of 9"}
    assert esophagus == {"organ": "esophagus", **of_roles}
    [warning] = organs(partly)
    assert warning.startswith(f"Of 9 test scans {WORDS}: ")
    assert "esophagus in 4, left kidney in none. An organ is judged where it is labelled" in warning
    text = methods(partly)
    assert "Not every organ was labelled in every scan: of 4 labelled scans " in text
    assert text.count("left kidney in none") == 4


def test_in_how_many_scans_only_some_voxels_are_labelled_stands_in_the_methods_text(whole, tmp_path):
    assert "some voxels" not in methods(whole)
    folder = shutil.copytree(whole.folder, tmp_path / "copy")
    cases = read_table(folder / "cohort/cases.tsv")
    labelled = cases[cases["role"] == "labelled"].index
    shares = pd.Series([0.021, 0.1], labelled[:2]).reindex(cases.index)
    write_table(cases.assign(labelled_share=shares), folder / "cohort/cases.tsv")
    text = methods(read_results(folder))
    assert f"In 2 of {len(labelled)} labelled scans only some voxels are labelled (2.1% to 10.0% of them). " in text


def test_filled_scans_are_counted_among_the_labelled_ones_and_the_methods_text_says_how_they_were_learned(tmp_path):
    run = SyntheticRun((0.02,), test=1, validation=0, labelled=4, unlabelled=6, lacking=((), (KIDNEY,)), soft=True)
    folder = run.write(tmp_path)
    assert "filled" not in methods(read_results(folder))
    cases = ["Labelled_0001", "Labelled_0003"]
    write_table(pd.DataFrame({"case": cases, "decision": ["kept", "dropped"]}), folder / "round_1/filling.tsv")
    labelled = [f"Labelled_000{number}" for number in range(1, 5)]
    rows = {"case": [*labelled, "Labelled_0001+filled"], "origin": [*["labelled"] * 4, "filled"], "label_map": "x"}
    write_table(pd.DataFrame(rows), folder / "round_1/dataset/training_set.tsv")
    fold = {"train": [*labelled[:3], "Labelled_0001+filled"], "val": labelled[3:]}
    (folder / "round_1/dataset/splits_final.json").write_text(json.dumps([fold]))
    results = read_results(folder)
    learned_from = column(rounds(results, JudgedSet("test")), "scans learnt from")
    assert learned_from == ["3 of 4 labelled", "3 of 4 labelled (1 of them filled by the teacher)"]
    [_, row] = learned_scans(results).data.to_dict("records")
    assert (row["hand-labelled"], row["partly labelled"], row["filled by the teacher"], row["held out"]) == (3, 2, 1, 1)
    text = methods(results)
    assert "In 2 of 4 labelled scans only some organs are labelled" in text and "(1 of 2 in round 1)" in text
    assert "Hand labels were hard, but for what a teacher filled in" in text
    assert "marginal" in protocol(results).data.set_index("what")["round 1"]["loss"]


def test_pages_of_both_runs_are_made(partly, whole, tmp_path):
    for results, is_partly in ((partly, True), (whole, False)):
        write_report(results, tmp_path / f"{is_partly}/report.html")
        assert (tmp_path / f"{is_partly}/tables/labelled_organs.tsv").exists() == is_partly
        assert (WORDS in (tmp_path / f"{is_partly}/report.html").read_text()) == is_partly


def test_where_every_organ_is_labelled_nothing_is_said_of_it(whole):
    assert labelled_organs(whole) is None and organs(whole) == []
    assert "Not every organ" not in methods(whole) and "marginal" not in methods(whole)
    assert "marginal" not in protocol(whole).data.set_index("what")["round 1"]["loss"]
    for table in (labelled_only(whole), every_round(whole, JudgedSet("test"), "DSC")):
        assert not [name for name in table.columns if name.startswith("scans")]


def test_a_pseudo_labels_true_dsc_is_over_the_organs_of_its_truth(partly):
    round_ = partly.rounds[1]
    truth = round_.pseudo_label_truth
    case = truth["case"].iloc[0]
    mean = truth.loc[(truth["case"] == case) & truth["truth_voxels"].notna(), "DSC"].mean()
    assert confidence_and_truth(round_).set_index("case").loc[case, "DSC"] == pytest.approx(mean)


def test_organs_of_one_count_stand_together():
    counts = {"liver": 8, "aorta": 0, "spleen": 8, "stomach": 3}
    assert in_words(counts) == "liver, spleen in 8, stomach in 3, aorta in none"


def test_organs_that_are_too_seldom_labelled_to_be_tested_do_not_count_in_what_can_be_reached(tmp_path):
    """In all seven scans two organs are labelled, of the others in one: the correction is over two."""
    seldom = tuple(range(3, 14))
    run = SyntheticRun((0.2,), test=7, validation=0, unlabelled=3, lacking=((), *[seldom] * 6))
    table = every_round(read_results(run.write(tmp_path)), JudgedSet("test"), "DSC")
    assert table.rows[1][3].mark == "better" and "can reach" not in table.caption
