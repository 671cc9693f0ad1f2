"""Experiments compared on one page, from the tables of synthetic runs, by the command that a user types."""

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from conftest import script
from noisy_student.errors import InputError
from noisy_student.organs import Organ
from noisy_student.report.experiments.comparison import compare
from noisy_student.report.experiments.configurations import differing_keys
from noisy_student.report.experiments.experiment import distinct_tails, read_experiments
from noisy_student.report.experiments.page import write_comparison
from noisy_student.report.experiments.tables import few, organs, rounds
from noisy_student.report.numbers import interval, score
from noisy_student.report.results import read_results
from noisy_student.report.warnings import missing
from noisy_student.tables import read_table, write_table
from synthetic_results import SyntheticRun

FIRST = SyntheticRun(measured=4, validation=3)
SECOND = SyntheticRun((0.03, 0.02, 0.0), training=1, at_least=0.85, epochs=60, measured=3, validation=3, folds=2)


def text_of(page):
    words = []
    parser = HTMLParser()
    parser.handle_data = words.append
    parser.feed(re.sub(r"<(style|script|svg).*?</\1>", "", page.read_text(), flags=re.S))
    return " ".join(" ".join(words).replace("\N{NO-BREAK SPACE}", " ").split())


def write(run, folder):
    run.write(folder / "results")
    return folder


def page_of(*folders, names=(), output):
    return write_comparison(compare(read_experiments(folders, names)), output, "the command")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    return write(FIRST, folder / "first"), write(SECOND, folder / "second")


@pytest.fixture
def copies(runs, tmp_path):
    """Copies that a test may change."""
    return [Path(shutil.copytree(run, tmp_path / run.name)) for run in runs]


@pytest.fixture(scope="module")
def made(runs, tmp_path_factory):
    """What the command makes of both, one of them given as its results."""
    output = tmp_path_factory.mktemp("out") / "comparison"
    done = script("compare_experiments.py", runs[0], runs[1] / "results", "--output", output)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"comparison: {output}/comparison.html\n"
    return output


def change_cases(folder, **columns):
    path = folder / "results/cohort/cases.tsv"
    table = read_table(path)
    for column, values in columns.items():
        table.loc[table["case"].isin(values), column] = "changed"
    write_table(table, path)


def test_means_are_those_of_the_single_runs_where_all_scans_are_shared(runs, made):
    page = text_of(made / "comparison.html")
    table = read_table(made / "tables/summary.tsv").set_index(["experiment", "round", "role", "measure", "label"])
    for run, name in zip(runs, ("first", "second"), strict=True):
        for number in range(3):
            of_run = read_table(run / f"results/round_{number}/summary.tsv")
            for row in of_run[of_run["role"] == "test"].itertuples():
                ours = table.loc[(name, number, "test", row.measure, row.label)]
                theirs = [row.n, row.mean, row.ci_low, row.ci_high, row.failures]
                assert ours[["n", "mean", "ci_low", "ci_high", "failures"]].tolist() == pytest.approx(theirs, rel=1e-5)
                if row.label == 0:
                    shown = f"{score(row.mean)} {interval(row.ci_low, row.ci_high)}"
                    assert shown.replace("\N{NO-BREAK SPACE}", " ") in page


def test_differences_say_over_how_many_tests_they_are_corrected(made):
    """Three validation scans are too few: the tests are those of DSC and NSD, of three equal rounds and the last."""
    page = text_of(made / "comparison.html")
    table = read_table(made / "tables/differences_test.tsv")
    assert table["p_holm"].notna().sum() == 8
    assert page.count("Holm-corrected over all 8 tests of this page") == 1 + 1 + 2
    assert "3 validation scans are shared, fewer than 6: there are no intervals and no p-values." in page
    validation = read_table(made / "tables/differences_validation.tsv")
    assert validation[["ci_low", "ci_high", "p_wilcoxon", "p_holm"]].isna().all(axis=None)
    assert "Last rounds on 12 shared test scans, by DSC: second is better than first" in page


def test_costs_name_what_is_not_known(copies, tmp_path):
    first, second = copies
    for fold in ("round_0/model/fold_0", "round_0/model/fold_1", "round_1/model/fold_1"):
        (second / f"results/{fold}/progress.tsv").unlink()
    output = tmp_path / "out"
    page_of(first, second, output=output)
    table = read_table(output / "tables/costs.tsv").set_index(["experiment", "round"])
    seconds = [read_table(path)["seconds"].sum() for path in second.glob("results/round_2/model/fold_*/progress.tsv")]
    assert len(seconds) == 2
    assert table.loc[("second", 2), "training_hours"] == pytest.approx(sum(seconds) / 3600, rel=1e-4)
    assert table.loc["second", "training_hours"].isna().tolist() == [True, False, False, False]
    page = text_of(output / "comparison.html")
    assert "not trained" in page and "1 of 2 folds" in page
    assert set(table["scans_measured"]) == {3} and table.loc[("first", 1), "seconds_a_scan"] == 20


def test_a_job_that_found_its_training_made_changes_nothing_of_what_it_took(copies, made, tmp_path):
    jobs = read_table(copies[0] / "results/jobs.tsv")
    write_table(pd.concat([jobs, jobs.iloc[[0]].assign(seconds=9.0)]), copies[0] / "results/jobs.tsv")
    page_of(*copies, output=tmp_path / "out")
    before, after = (read_table(folder / "tables/costs.tsv") for folder in (made, tmp_path / "out"))
    assert before["training_hours"].gt(0).all() and after.equals(before)


def test_other_machines_leave_times_out_of_the_ranking(copies, tmp_path, made):
    path = copies[1] / "results/run.json"
    path.write_text(path.read_text().replace('"cpu": "synthetic"', '"cpu": "another"'))
    page_of(*copies, output=tmp_path / "out")
    alike, other = (read_table(folder / "tables/ranking.tsv") for folder in (made, tmp_path / "out"))
    assert set(alike.query("role == 'test'")["n_seconds"]) == {3} and set(other["n_seconds"]) == {0}
    assert "the ranking leaves times out" in text_of(tmp_path / "out/comparison.html")


def test_measurements_on_other_gpus_leave_times_out_though_the_records_were_written_on_one_machine(copies, tmp_path):
    for folder, gpu in zip(copies, ("A100", "V100"), strict=True):
        for path in folder.glob("results/round_*/efficiency.tsv"):
            write_table(read_table(path).assign(cpu="EPYC", cores=64, gpu=gpu), path)
    page_of(*copies, output=tmp_path / "out")
    assert set(read_table(tmp_path / "out/tables/ranking.tsv")["n_seconds"]) == {0}
    assert "the ranking leaves times out" in text_of(tmp_path / "out/comparison.html")


def test_only_keys_that_differ_are_shown(made):
    table = read_table(made / "tables/configurations.tsv").set_index("key")
    assert table.index.tolist() == [
        "training.folds",
        "training.epochs",
        "selection",
        "rounds.3.network",
        "rounds.3.start",
    ]
    assert table.loc["training.epochs"].tolist() == ["40", "60"]
    assert table.loc["training.folds"].tolist() == ["[0]", "[0, 1]"]
    assert "at_least: 0.85" in table.loc["selection", "second"]
    assert table.loc["rounds.3.network"].tolist() == ["–", "standard"]


def test_keys_are_flattened_but_for_rules():
    rule = {"rule": "threshold", "at_least": 0.9, "at_most": None}
    one = {"seed": 1, "rounds": [{"network": "a"}, {"network": "a", "selection": None}]}
    other = {"seed": 1, "rounds": [{"network": "a"}, {"network": "a", "selection": [rule]}], "new": {"key": True}}
    assert differing_keys({"one": one, "other": other}).values.tolist() == [
        ["rounds.1.selection", "null", "rule: threshold, at_least: 0.9"],
        ["new.key", "–", "true"],
    ]


def test_sets_are_compared_each_on_its_own(tmp_path):
    sets = {"test_sets": ("internal", "external"), "pool_sets": True, "validation": 2}
    folders = [write(SyntheticRun(gains, **sets), tmp_path / name) for name, gains in (("a", (0.02,)), ("b", (0.03,)))]
    comparison = compare(read_experiments(folders))
    assert comparison.roles == ["test, external", "test, internal", "validation"]
    single = read_table(folders[1] / "results/round_1/summary.tsv").set_index(["set", "label", "measure"])["mean"]
    for name in sets["test_sets"]:
        mean = comparison.mean("b", 1, f"test, {name}", "DSC")
        assert mean["n"] == 6 and mean["mean"] == pytest.approx(single[name, 0, "DSC"], abs=1e-5)


def test_scans_that_differ_are_left_out_and_counted_in_words(copies, tmp_path):
    change_cases(copies[1], sha256=["Test_0001"], labels_sha256=["Test_0002", "Test_0003"])
    page = text_of(page_of(*copies, output=tmp_path / "out"))
    said = "3 of 12 test scans left out: 1 another scan of this name in second, 2 another truth in second."
    assert said in page and "give both experiments the same ones" in page
    assert "9 test scans that all experiments share" in page
    scores = read_table(tmp_path / "out/tables/case_scores.tsv")
    assert not {"Test_0001", "Test_0002", "Test_0003"} & set(scores["case"])


def test_no_shared_scan_is_refused(copies):
    names = {f"{role}_{number:04d}" for role in ("Test", "Validation") for number in range(1, 13)}
    change_cases(copies[1], labels_sha256=names)
    with pytest.raises(InputError, match="12 of 12 test scans left out: 12 another truth in second"):
        compare(read_experiments(copies))


def test_fewer_than_six_scans_are_said_in_the_headline(copies, tmp_path):
    change_cases(copies[1], sha256=[f"Test_{number:04d}" for number in range(1, 8)])
    page = text_of(page_of(*copies, output=tmp_path / "out"))
    assert "Last rounds on 5 shared test scans, by DSC: too few scans to tell second from first." in page
    assert "5 test scans are shared, fewer than 6" in page
    assert " p = " not in page and "[0." not in page and "Holm" not in page


def test_other_modes_are_refused(runs, tmp_path):
    other = write(SyntheticRun(mode="strict"), tmp_path / "other")
    with pytest.raises(InputError, match="first: flare22, other: strict"):
        read_experiments([runs[0], other])


def test_a_record_of_an_earlier_run_is_none_of_these_scores(runs, tmp_path):
    other = write(SyntheticRun(mode="strict"), tmp_path / "second")
    path = other / "results/round_0/summary.tsv"
    table = read_table(path)
    write_table(table.assign(mean=table["mean"] / 2), path)
    page = text_of(page_of(runs[0], other, output=tmp_path / "out"))
    assert "second: the record (run.json) is of an earlier run, and round 0 (teacher) was judged since: its" in page
    assert "Fewer than two configurations were recorded." in page
    table = pd.read_csv(tmp_path / "out/tables/experiments.tsv", sep="\t", dtype=str).set_index("experiment")
    assert table["evaluation"].tolist() == ["flare22", "not recorded"]
    [said] = missing(read_results(other / "results"))
    assert said.startswith("The record of the run (run.json) is of an earlier run, and round 0 (teacher) was judged")
    assert not missing(read_results(runs[0] / "results"))


def test_other_organs_and_tolerances_are_refused(copies, tmp_path):
    path = copies[1] / "results/run.json"
    run = json.loads(path.read_text())
    run["configuration"]["organs"][0]["tolerance_mm"] = 4.0
    path.write_text(json.dumps(run))
    with pytest.raises(InputError, match="first: 1 liver 5 mm; second: 1 liver 4 mm"):
        read_experiments(copies)
    organs = (Organ(1, "lung"), Organ(2, "heart"))
    other = write(SyntheticRun(organs=organs), tmp_path / "lungs")
    (other / "results/run.json").unlink()
    with pytest.raises(InputError, match=r"lungs: 1 lung, 2 heart"):
        read_experiments([copies[0], other])


def test_an_unfinished_experiment_is_compared_as_far_as_it_is(runs, tmp_path):
    other = write(SyntheticRun(training=2, unfinished=(1, 2)), tmp_path / "other")
    (other / "results/run.json").unlink()
    for number in (1, 2):
        (other / f"results/round_{number}").mkdir()
    page = text_of(page_of(runs[0], other, output=tmp_path / "out"))
    assert "other: round 1, 2 have no scores yet; they are not compared." in page
    assert "other has no run.json yet" in page and "Fewer than two configurations were recorded." in page
    table = read_table(tmp_path / "out/tables/differences_test.tsv")
    assert table[["round", "against"]].drop_duplicates().values.tolist() == [[0, 0], [0, 2]]


def test_an_experiment_without_scores_is_refused(runs, tmp_path):
    other = write(SyntheticRun(gains=(), unfinished=(0,)), tmp_path / "other")
    with pytest.raises(InputError, match=f"a round with scores in {other}"):
        read_experiments([runs[0], other])


def test_folders_that_cannot_be_compared_are_refused(runs, tmp_path):
    for folders, got in (([runs[0]], "1"), ([runs[0], runs[0] / "results"], "twice"), ([runs[0], tmp_path], "neither")):
        with pytest.raises(InputError) as error:
            read_experiments(folders)
        assert got in error.value.got
    for names in (["one"], ["one", "one"]):
        with pytest.raises(InputError, match="2 names that differ"):
            read_experiments(runs, names)


def test_names_are_the_shortest_ends_of_paths_that_differ():
    paths = [Path("/runs/a"), Path("/other/a"), Path("/runs/b"), Path("/a")]
    assert distinct_tails(paths) == ["runs/a", "other/a", "b", "/a"]


def test_the_page_says_what_it_was_made_from(made, runs):
    page = text_of(made / "comparison.html")
    assert f"compare_experiments.py {runs[0]} {runs[1]}/results --output {made}" in page
    table = pd.read_csv(made / "tables/experiments.tsv", sep="\t", dtype=str).set_index("experiment")
    assert table.loc["first", "git commit"] == "0123456789" * 4
    assert table.loc["second", "finished"] == "2026-01-01 00:00:00+00:00"
    assert str(runs[1] / "results") in page and "0123456789" * 4 in page


def test_names_are_shown_as_they_are(runs, tmp_path):
    page = page_of(*runs, names=["_a$b$", "<i>&"], output=tmp_path / "out").read_text()
    assert "<i>&" not in page
    legend = page[page.index('aria-label="Mean DSC over rounds, test') :]
    assert "_a$b$</text>" in legend[: legend.index("</svg>")]


def test_organs_that_some_scans_do_not_have_labelled_stand_with_their_number_of_scans(tmp_path):
    lacking = ((10,), (10, 13))
    folders = [write(SyntheticRun(lacking=lacking, training=n), tmp_path / name) for n, name in enumerate("xy")]
    comparison = compare(read_experiments(folders))
    table = organs(comparison, "test", "DSC")
    assert table.columns[:2] == ["organ", "scans"]
    scans = {row[0].text: row[1].text for row in table.rows}
    assert [scans[name] for name in ("liver", "esophagus", "left kidney", "mean")] == ["12", "0", "6", "12"]
    assert rounds(comparison, "test").rows[0][-1].text.endswith(f" of {11 * 12 + 6}")
    lacking_less = write(SyntheticRun(training=1), tmp_path / "z")
    with pytest.raises(InputError, match="other organs judged in z"):
        compare(read_experiments([folders[0], lacking_less]))


def test_what_a_test_can_reach_is_judged_by_the_tests_on_no_more_scans(tmp_path):
    """Six tests on nine test scans may all have smaller p-values than the six on eight validation scans."""
    sizes = {"test": 9, "validation": 8, "unlabelled": 2, "labelled": 5}
    folders = [
        write(SyntheticRun(**sizes), tmp_path / "a"),
        write(SyntheticRun((0.2, 0.1), training=1, **sizes), tmp_path / "b"),
    ]
    comparison = compare(read_experiments(folders))
    assert (comparison.tests, comparison.tests_of_at_most(8), comparison.tests_of_at_most(9)) == (12, 6, 12)
    assert few(comparison, "validation") == few(comparison, "test") == ""


def test_scans_of_a_set_are_shared_with_an_experiment_that_has_another_one_besides(tmp_path):
    sizes = {"validation": 2, "unlabelled": 2, "labelled": 5}
    first = write(SyntheticRun(test=4, **sizes), tmp_path / "a")
    second = write(SyntheticRun(test=8, test_sets=("hospital A", "external"), training=1, **sizes), tmp_path / "b")
    scans = compare(read_experiments([first, second])).scans
    shared = scans[scans["left_out"].isna()]
    assert shared.groupby("role")["case"].agg(list).to_dict() == {
        "test, hospital A": ["Test_0001", "Test_0003"], "validation": ["Validation_0001", "Validation_0002"],
    }  # fmt: skip
    external = scans.loc[scans["role"] == "test, external", "left_out"]
    assert len(external) == 4 and set(external) == {"not judged in a"}
