"""The report of a run with a student that is made to be deployed."""

import json
import shutil
from dataclasses import replace

import pytest

from noisy_student.report.case_table import case_rows
from noisy_student.report.commands import commands
from noisy_student.report.deployed_table import deployed, in_words
from noisy_student.report.methods import sections
from noisy_student.report.page import content, render
from noisy_student.report.results import read_results
from noisy_student.report.verdict import headline, key_numbers
from noisy_student.report.warnings import missing
from noisy_student.tables import read_table, write_table
from synthetic_results import SyntheticRun


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    run = SyntheticRun(deployed=True, measured=3, test=8, validation=0)
    return run.write(tmp_path_factory.mktemp("deployed"))


def column(table, place):
    return {row[0].text: row[place] for row in table.rows}


def test_it_stands_beside_the_round_that_taught_it(folder):
    results = read_results(folder)
    table = deployed(results)
    assert table.columns == ["", "round 2, which taught it", "deploy student"]
    teacher, student = column(table, 1), column(table, 2)
    lost = student["mean DSC, test"]
    assert float(teacher["mean DSC, test"].text) - float(lost.text) == pytest.approx(0.01, abs=0.001)
    assert lost.mark == "worse" and lost.note.startswith("−0.010")
    # By the synthetic tables a second less for a later round.
    assert (teacher["time, s"].text, student["time, s"].text) == ("19.0", "18.0")
    assert student["time, s"].note == "95% as long" and student["peak RAM, MB"].note == "100% as much"
    assert "GPU memory, MB" not in student
    assert "against round 2, which taught it, −0.010" in in_words(results, results.sets[0])
    last = table.data.iloc[1]
    assert last.model == "deploy student" and last.difference == pytest.approx(-0.01)


def test_on_another_machine_its_costs_are_no_shares_of_its_teachers(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    for name, gpu in (("2", "A100"), ("deploy", "V100")):
        path = copy / f"round_{name}/efficiency.tsv"
        write_table(read_table(path).assign(cpu="EPYC", cores=64, gpu=gpu), path)
    results = read_results(copy)
    student = column(deployed(results), 2)
    assert (student["time, s"].text, student["time, s"].note, student["peak RAM, MB"].note) == ("18.0", "", "")
    assert "of the time" in in_words(read_results(folder), results.sets[0])
    assert "of the time" not in in_words(results, results.sets[0])


def test_a_scan_that_failed_counts_with_the_penalty_in_a_mean_and_in_no_share(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    path = copy / "round_2/efficiency.tsv"
    table = read_table(path).astype({"seconds": float})
    table.loc[2, ["outcome", "seconds"]] = "timed out", 3600.0
    write_table(table, path)
    results = read_results(copy)
    teacher, student = column(deployed(results), 1)["time, s"], column(deployed(results), 2)["time, s"]
    assert (teacher.text, teacher.note) == ("1,212", "1 of 3 failed: penalty")
    assert student.note == "95% as long" and "in 95% of the time" in in_words(results, results.sets[0])
    write_table(table.assign(outcome="timed out", seconds=3600.0), path)
    none = read_results(copy)
    assert column(deployed(none), 2)["time, s"].note == "" and "of the time" not in in_words(none, none.sets[0])


def test_it_is_no_round_of_the_chain(folder):
    results = read_results(folder)
    shown = content(results)
    assert [round_.number for round_ in results.rounds] == [0, 1, 2]
    assert [len(table.rows) for table in shown.rounds] == [3]
    assert [row[0].text for row in shown.efficiency.rows][-2:] == ["round 2", "deploy student"]
    page = render(results, shown).replace("<wbr>", "")
    assert "The student of round 2" in page and "tables/deploy_student.tsv" in page
    assert "training_curves_round_deploy" in page
    assert case_rows(results)["chain"] == 3 and case_rows(results)["rounds"] == [0, 1, 2, 3]
    assert shown.case_scores.data["round"].unique().tolist() == ["0", "1", "2", "deploy"]


def test_of_a_run_without_further_rounds_the_summary_speaks_of_it(tmp_path):
    results = read_results(SyntheticRun((), test=8, validation=0, deployed=True).write(tmp_path))
    said, tone = headline(results, results.sets[0])
    assert said == "The student made to be deployed is worse than the teacher, by more than chance explains."
    assert tone == "worse" and " → " in key_numbers(results, results.sets[0])[0][1]
    said, tone = headline(replace(results, deployed=None), results.sets[0])
    assert said.startswith("Only round 0 (teacher) has been evaluated so far") and tone == ""


def test_methods_and_commands_have_it(folder):
    results = read_results(folder)
    text = sections(results)["Deployment"]
    assert "learned from the hand-labelled scans and from those that round 2 labelled" in text
    kept = int((results.deployed.selection.decision == "kept").sum())
    assert f"({kept} of {len(results.deployed.selection)})" in text
    assert "over the smallest box around the body, and background elsewhere, in steps of 0.75 of the patch" in text
    command = dict(commands(results))["up to and with deploy student"]
    assert command == "snakemake results/round_deploy/summary.tsv --cores 2"


def test_after_a_collapse_it_is_compared_with_the_round_that_taught_it(tmp_path):
    folder = SyntheticRun(deployed=True, collapsed=2, measured=3, test=8, validation=0).write(tmp_path)
    assert deployed(read_results(folder)).columns[1] == "round 1, which taught it"


def test_the_winner_stands_beside_it_where_the_scans_are_the_challenges_alone(folder, tmp_path):
    assert len(deployed(read_results(folder)).columns) == 3
    run = SyntheticRun(deployed=True, measured=3, labelled=50, validation=50, test=0, unlabelled=4, of_challenge=True)
    table = deployed(read_results(run.write(tmp_path)))
    assert {len(row) for row in table.rows} == {4}
    winner = column(table, 3)
    assert winner["time, s"].text == "14.6" and winner["mean DSC, validation"].text == "–" and "0.886" in table.caption


def test_one_that_has_not_begun_is_named(tmp_path):
    folder = SyntheticRun(test=4, validation=0).write(tmp_path)
    record = json.loads((folder / "run.json").read_text())
    record["configuration"]["deploy"] = {"network": "standard"}
    (folder / "run.json").write_text(json.dumps(record))
    assert "The deploy student has not started: there is no folder round_deploy among the results." in missing(
        read_results(folder)
    )
    content(read_results(folder))
