"""The report of a run whose test scans are of several sets: what is said is said of one set."""

import pytest

from methods_text import methods
from noisy_student.evaluate.ranking import rank_rounds
from noisy_student.report.case_table import case_rows
from noisy_student.report.chosen import judged_cases
from noisy_student.report.efficiency_table import ranking
from noisy_student.report.numbers import score
from noisy_student.report.organ_tables import labelled_only
from noisy_student.report.page import write_report
from noisy_student.report.results import read_results
from noisy_student.report.verdict import answers
from noisy_student.report.warnings import warnings
from noisy_student.tables import read_table, write_table
from synthetic_results import SyntheticRun

SETS = ("internal", "other clinic/images")


def folder_of(tmp_path_factory, **run):
    settings = {"gains": (0.02,), "test": 8, "validation": 4, "unlabelled": 8, "epochs": 4}
    return SyntheticRun(**settings | run).write(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def apart(tmp_path_factory):
    return read_results(folder_of(tmp_path_factory, test_sets=SETS))


@pytest.fixture(scope="module")
def pooled(tmp_path_factory):
    return read_results(folder_of(tmp_path_factory, test_sets=SETS, pool_sets=True))


def mean_of(results, number, name, measure="DSC"):
    table = read_table(results.folder / f"round_{number}/summary.tsv").set_index(["role", "set", "measure", "label"])
    return score(table.loc[("test", name, measure, 0), "mean"])


def test_each_set_has_a_headline_and_numbers_of_its_own(apart):
    *of_sets, run = answers(apart)
    for name, answer in zip(SETS, of_sets, strict=True):
        assert answer.headline.startswith(f"On the “{name}” test scans, the student of round 1 ")
        numbers = [value for _, value, _ in answer.numbers]
        assert numbers == [f"{mean_of(apart, 0, name, m)} → {mean_of(apart, 1, name, m)}" for m in ("DSC", "NSD")]
        assert answer.paragraph.startswith(f"On 4 “{name}” test scans, the teacher")
    assert run.title == "Pseudo-labels" and "kept" in run.paragraph and not run.headline


def test_no_number_on_the_page_is_a_mean_over_sets(apart, tmp_path):
    write_report(apart, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert "pooled" not in page.split("Configuration in full")[0]
    overview = read_table(tmp_path / "tables/rounds_overview_test_internal.tsv")
    assert set(overview["set"]) == {"internal"} and set(overview["DSC_n"]) == {4}
    names = {path.stem for folder in ("tables", "figures") for path in (tmp_path / folder).iterdir()}
    assert {"table_4_rounds_DSC_test_other_clinic_images", "organ_differences_NSD_test_internal"} <= names
    assert not {"table_4_rounds_DSC_test", "rounds_overview"} & names


def test_pooled_scans_are_one_block_more_and_say_of_how_many_sets(pooled):
    headlines = [answer.headline for answer in answers(pooled)]
    assert [any(f"“{name}”" in text for text in headlines) for name in SETS] == [True, True]
    assert headlines[2].startswith("On the pooled test scans of 2 sets, the student of round 1 ")
    assert answers(pooled)[2].paragraph.startswith("On 8 pooled test scans of 2 sets, the teacher")
    assert [judged.file for judged in pooled.sets][2:] == ["test_pooled", "validation"]


def test_table_3_has_columns_for_every_set_and_the_validation_scans(pooled):
    columns = [column for column in labelled_only(pooled).columns if column.startswith("DSC")]
    assert columns == [f"DSC, {what}" for what in (*(f"“{name}” test" for name in SETS), "pooled test", "validation")]


def test_the_case_table_says_the_set_of_each_case(pooled):
    rows = case_rows(pooled)
    assert rows["sets"] == list(SETS)
    assert {item["set"] for item in rows["cases"] if item["role"] == "test"} == set(SETS)
    assert {item["set"] for item in rows["cases"] if item["role"] == "validation"} == {""}


def test_each_set_has_its_best_and_worst_case(pooled):
    choices = judged_cases(pooled)
    source = pooled.cases.set_index("case")["source"]
    for name in SETS:
        own = {choice.why: choice.case for choice in choices if choice.of == f"“{name}” test scans"}
        assert {"best", "median", "worst"} <= own.keys()
        assert {source[case] for case in own.values()} == {name}


def test_warnings_name_their_set(tmp_path_factory):
    run = {"gains": (-0.05,), "unfound_label": 7, "test_sets": SETS, "pool_sets": True}
    found = warnings(read_results(folder_of(tmp_path_factory, **run)))
    for name in SETS:
        assert any(f"mean DSC on the “{name}” test scans fell" in text for text in found)
        assert f"Right adrenal gland: DSC is 0 in every “{name}” test scan of round 1 that has it." in found
    assert not any("pooled" in text for text in found)


def test_the_methods_text_counts_the_sets(apart, pooled):
    assert "4 validation and 8 test scans (4 “internal”, 4 “other clinic/images”) took no part" in methods(apart)
    assert "Each set of scans was judged on its own." in methods(apart)
    assert "Each set of scans was judged on its own, and the sets of a role pooled." in methods(pooled)


def test_validation_sets_stand_apart_where_there_are_no_test_scans(tmp_path_factory):
    results = read_results(folder_of(tmp_path_factory, test=0, validation_sets=("a", "b")))
    assert [answer.headline[:31] for answer in answers(results)[:2]] == [
        "On the “a” validation scans, th", "On the “b” validation scans, th",
    ]  # fmt: skip


def test_the_ranking_has_a_column_for_the_set(pooled):
    scores = {number: round_.scores for number, round_ in enumerate(pooled.rounds)}
    write_table(rank_rounds(scores, pool_sets=True), pooled.folder / "ranking.tsv")
    table = ranking(read_results(pooled.folder))
    assert table.columns[:3] == ["role", "set", "round"]
    assert {row[1].text for row in table.rows if row[0].text == "test"} == {*SETS, "pooled"}
