"""The tables of the report hold the numbers of the result tables, in the paper's order."""

import json
import shutil

import pandas as pd
import pytest

from noisy_student.files import read_json
from noisy_student.organs import FLARE22
from noisy_student.report import held_out_table
from noisy_student.report.case_table import case_rows, case_scores
from noisy_student.report.learned_scans import learned_scans
from noisy_student.report.methods.labelling import pseudo_labels
from noisy_student.report.methods.scans import design
from noisy_student.report.numbers import score, signed
from noisy_student.report.organ_tables import every_round, labelled_only, mark
from noisy_student.report.paper import LABELLED_DSC, PSEUDO_LABELLED_DSC
from noisy_student.report.protocol import protocol
from noisy_student.report.results import read_results
from noisy_student.report.run_tables import facts, rounds
from noisy_student.report.training import trainings
from noisy_student.report.warnings import missing
from noisy_student.sets import JudgedSet
from noisy_student.tables import read_table, write_table
from synthetic_results import SyntheticRun

NAMES = [*(organ.name for organ in FLARE22), "mean"]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return read_results(SyntheticRun(test=5, validation=7, unlabelled=12).write(tmp_path_factory.mktemp("run")))


def mean_of(results, number, role, measure, label):
    table = results.rounds[number].summary.set_index(["role", "measure", "label"])
    return table.loc[(role, measure, label), "mean"]


def test_table_3_has_the_teachers_means_in_the_papers_order(results):
    table = labelled_only(results)
    assert [row[0].text for row in table.rows] == NAMES
    assert table.columns[1:] == ["DSC, test", "NSD, test", "DSC, validation", "NSD, validation"]
    for row, label in zip(table.rows, [*range(1, 14), 0], strict=True):
        assert row[1].text == score(mean_of(results, 0, "test", "DSC", label))
        assert row[4].text == score(mean_of(results, 0, "validation", "NSD", label))


@pytest.mark.parametrize("measure", ["DSC", "NSD"])
def test_table_4_has_means_and_differences_to_round_0(results, measure):
    table = every_round(results, JudgedSet("test"), measure)
    assert [row[0].text for row in table.rows] == NAMES
    compared = results.comparison.set_index(["role", "round", "against", "measure", "label"])
    for row, label in zip(table.rows, [*range(1, 14), 0], strict=True):
        for number in (1, 2):
            change = compared.loc[("test", number, 0, measure, label)]
            assert row[number + 1].text == score(mean_of(results, number, "test", measure, label))
            assert row[number + 1].note.startswith(signed(change["difference"]))
            assert bool(row[number + 1].mark) == (change["p_holm"] < 0.05)


@pytest.fixture(scope="module")
def of_challenge(tmp_path_factory):
    run = SyntheticRun(gains=(0.01,), test=2, validation=50, labelled=50, unlabelled=4, of_challenge=True)
    return read_results(run.write(tmp_path_factory.mktemp("challenge")))


def test_the_papers_figures_stand_beside_its_own_scans_alone(results, of_challenge):
    third, fourth = labelled_only(of_challenge), every_round(of_challenge, JudgedSet("validation"), "DSC")
    assert [row[-1].text for row in third.rows] == [score(LABELLED_DSC[label]) for label in [*range(1, 14), 0]]
    assert fourth.rows[0][-1].text == score(PSEUDO_LABELLED_DSC[1])
    others = [
        every_round(of_challenge, JudgedSet("validation"), "NSD"),
        every_round(of_challenge, JudgedSet("test"), "DSC"),
        every_round(results, JudgedSet("validation"), "DSC"),
        labelled_only(results),
    ]
    assert not [column for table in others for column in table.columns if "paper" in column]
    assert [list(protocol(one).data)[-1] for one in (of_challenge, results)] == ["the paper", "round 2"]


def test_the_papers_figures_are_of_no_part_of_its_scans(tmp_path):
    run = SyntheticRun((0.01,), labelled=2, unlabelled=2, test=0, validation=50, validation_sets=("a", "b"),
                       pool_sets=True, of_challenge=True)  # fmt: skip
    results = read_results(run.write(tmp_path))
    tables = {judged.name: every_round(results, judged, "DSC") for judged in results.sets_of("validation")}
    assert {name: "paper" in table.columns[-1] for name, table in tables.items()} == {
        "a": False,
        "b": False,
        "pooled": True,
    }
    data = labelled_only(results).data
    assert set(data.loc[data["paper_DSC"].notna(), "set"]) == {"pooled"}


def test_table_4_says_when_there_are_too_few_scans_to_tell(results):
    few, enough = (every_round(results, JudgedSet(role), "DSC") for role in ("test", "validation"))
    assert "Of test scans there are fewer than 6: neither an interval nor a p-value." in few.caption
    assert "[" not in few.rows[0][2].note and "p" not in few.rows[0][2].note and few.rows[0][2].note
    assert "With 7 scans no organ can reach p < 0.05" in enough.caption


def test_marks_need_a_corrected_p_value():
    change = pd.Series({"difference": -0.1, "ci_low": -0.2, "ci_high": -0.05, "p_holm": 0.01})
    assert mark(change) == "worse"
    assert mark(pd.Series({**change, "p_holm": float("nan")})) == ""
    assert mark(pd.Series({**change, "difference": 0.1})) == "better"


def test_protocol_stands_beside_the_papers(of_challenge):
    table = protocol(of_challenge).data.set_index("what")
    assert table.loc["patch (z × y × x)"].tolist() == ["16 × 48 × 48", "16 × 48 × 48", "32 × 224 × 224"]
    assert table.loc["parameters", "round 1"] == "1.23 M" and table.loc["parameters", "the paper"] == "63.07 M"
    assert table.loc["epochs", "round 1"] == "40" and table.loc["iterations per epoch", "round 1"] == "50"
    assert table.loc["seed"].tolist() == ["1", "2", "–"]


def test_who_learned_from_what_is_counted_by_fold(results):
    table = learned_scans(results).data
    assert table[["round", "fold", "hand-labelled", "held out"]].to_numpy().tolist() == [
        [number, 0, 6, 2] for number in range(3)
    ]
    kept = [int((round_.selection["decision"] == "kept").sum()) for round_ in results.rounds]
    assert table["pseudo-labelled"].tolist() == kept and kept[0] == 0
    cells = [row[1].text for row in rounds(results, JudgedSet("test")).rows]
    assert cells[0] == "6 of 8 labelled" and cells[2] == f"6 of 8 labelled + {kept[2]} pseudo-labelled"


def test_case_rows_hold_every_scan_and_score(results):
    rows = case_rows(results)
    assert rows["rounds"] == [0, 1, 2] and len(rows["cases"]) == len(results.cases)
    assert [item["role"] for item in rows["cases"]] == sorted(
        (item["role"] for item in rows["cases"]), key=["test", "validation", "unlabelled", "labelled"].index
    )
    first = rows["cases"][0]
    scores = results.rounds[2].scores
    of_case = scores[scores["case"] == first["case"]].set_index("label")["NSD"]
    assert first["scores"]["NSD"][4][2] == pytest.approx(of_case[4] * rows["perOne"], abs=1)
    assert first["scores"]["NSD"][0][2] == pytest.approx(of_case.mean() * rows["perOne"], abs=1)
    assert "confidence" not in first["scores"] and first["decisions"] == {}


def test_case_rows_say_what_became_of_each_pseudo_label(results):
    rows, round_ = case_rows(results), results.rounds[2]
    texts, cases = rows["texts"], {item["case"]: item for item in rows["cases"]}
    truth = round_.pseudo_label_truth.groupby("case")["DSC"].mean()
    for row in round_.selection.itertuples():
        item = cases[row.case]
        assert [texts[place] for place in item["decisions"][2]][:2] == [row.decision, row.reason]
        assert item["scores"]["confidence"][0][2] == pytest.approx(row.confidence * rows["perOne"], abs=1)
        assert item["scores"]["DSC"][0][2] == pytest.approx(truth[row.case] * rows["perOne"], abs=1)
        assert item["scores"]["DSC"][0][0] is None
        maps = {texts[title]: texts[path].replace("{}", row.case) for title, path in item["maps"]}
        assert maps["pseudo-label, round 2"] == str(round_.folder / f"pseudo_labels/{row.case}.nii.gz")
        assert list(maps) == ["truth", "pseudo-label, round 1", "pseudo-label, round 2"]


def test_labelled_scans_have_the_scores_of_the_fold_that_held_them_out(results):
    rows, round_ = case_rows(results), results.rounds[1]
    held_out = round_.held_out.groupby("case")["DSC"].mean()
    labelled = [item for item in rows["cases"] if item["role"] == "labelled"]
    assert 0 < len(held_out) < len(labelled)
    for item in labelled:
        means = item["scores"].get("DSC", [[None] * 3])[0]
        expected = held_out.get(item["case"])
        assert means[1] is None if expected is None else means[1] == pytest.approx(expected * rows["perOne"], abs=1)
        assert (len(item["maps"]) > 1) == (expected is not None)


def test_a_held_out_scan_keeps_its_score_beside_a_pseudo_label(results, tmp_path):
    """One that is labelled in part was filled by the teacher; one that was corrected is held out as a hand label is."""
    folder = shutil.copytree(results.folder, tmp_path / "copy") / "round_1"
    held_out = read_table(folder / "model/fold_0/held_out.tsv")
    labelled, corrected = held_out["case"].iloc[0], read_table(folder / "pseudo_label_truth.tsv")["case"].iloc[0]
    both = [held_out[held_out["case"] == labelled].assign(case=case, DSC=0.25) for case in (labelled, corrected)]
    write_table(pd.concat(both), folder / "model/fold_0/held_out.tsv")
    scores = read_table(folder / "pseudo_label_scores.tsv")
    filled = scores[scores["case"] == corrected].assign(case=labelled, mean_max_probability=0.75)
    write_table(pd.concat([scores, filled]), folder / "pseudo_label_scores.tsv")
    copied = read_results(folder.parent)
    table = case_scores(copied)
    assert not table.duplicated(["round", "case", "label"]).any()
    rows = case_rows(copied)
    shown = {item["case"]: item["scores"] for item in rows["cases"]}
    for case in (labelled, corrected):
        assert shown[case]["DSC"][0][1] == 0.25 * rows["perOne"] and "confidence" in shown[case]
        assert shown[case].get("NSD", [[None] * 3])[0][1] is None
    assert shown[labelled]["confidence"][0][1] == 0.75 * rows["perOne"]


def test_a_round_after_the_end_of_all_rounds_learned_nothing_and_took_no_time(tmp_path):
    """Its folder has copies of the last round's training."""
    folder = SyntheticRun(test=2, validation=0, unlabelled=4, labelled=5).write(tmp_path)
    for number in (1, 2):
        verdict = read_json(folder / f"round_{number}/verdict.json") | {"labeller": 1, "stopped": "no gain"}
        (folder / f"round_{number}/verdict.json").write_text(json.dumps(verdict))
    results = read_results(folder)
    assert [round_.repeats for round_ in results.rounds] == [None, None, 1]
    last = rounds(results, JudgedSet("test"))
    assert [cell.text for cell in last.rows[2][1:3]] == ["none: round 1 again", "none"]
    assert last.rows[2][-1].text == "complete" and last.data["training_seconds"][2] == 0
    assert list(protocol(results).data) == ["what", "round 0 (teacher)", "round 1"]
    assert trainings(results).data["round"].tolist() == ["0", "1"]
    assert learned_scans(results).data["round"].tolist() == [0, 1]
    assert "became the next teacher, 1 time." in design(results) and dict(facts(results))["rounds"] == (
        "teacher + 1 student"
    )
    assert "round 2" not in pseudo_labels(results)
    assert held_out_table.held_out(results).data["verdict"].tolist()[1:] == ["holds up", "not made: repeats round 1"]


def test_rounds_of_an_earlier_longer_configuration_are_left_out_and_named(tmp_path):
    folder = SyntheticRun(test=2, validation=0, unlabelled=2, labelled=5).write(tmp_path)
    record = read_json(folder / "run.json")
    record["configuration"]["rounds"] = record["configuration"]["rounds"][:2]
    for jobs, numbers in (([], [0, 1, 2]), ([{"rule": "train", "wildcards": "round=2 fold=0"}], [0, 1])):
        (folder / "run.json").write_text(json.dumps(record | {"jobs": jobs}))
        results = read_results(folder)
        assert [round_.number for round_ in results.rounds] == numbers
    [named] = missing(results)
    assert named.startswith("The folder round_2 is of a round that the configuration no longer has")
