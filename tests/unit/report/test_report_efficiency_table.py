import json

import pandas as pd
import pytest

from methods_text import methods
from noisy_student.evaluate.ranking import rank_rounds
from noisy_student.report.efficiency_table import efficiency, ranking
from noisy_student.report.page import write_report
from noisy_student.report.results import read_results
from noisy_student.tables import read_table, write_table
from synthetic_results import SyntheticRun


def measured(seconds, gpu=None, outcomes=("ok", "ok")):
    cases = len(outcomes)
    columns = {"gpu_stable_max_mb": gpu, "gpu_area_mb_s": gpu, "gpu_area_true_mb_s": gpu}
    columns |= {"gpu_area_over_tolerance_mb_s": gpu, "cpu_area_percent_s": 400.0, "cpu_area_true_percent_s": 450.0}
    columns |= {"tree_cpu_s": 7.5, "peak_ram_mb": 812.0, "seconds": seconds}
    return pd.DataFrame({"case": [f"test_{n}" for n in range(cases)], "outcome": outcomes, **columns})


@pytest.fixture
def results(tmp_path):
    """A run whose rounds 0 and 1 were measured; the second one also failed on a scan."""
    SyntheticRun(gains=(0.02,)).write(tmp_path)
    tables = {0: measured([8.0, 10.0]), 1: measured([5.0, 3600.0], outcomes=("ok", "timed out"))}
    for number, table in tables.items():
        write_table(table, tmp_path / f"round_{number}/efficiency.tsv")
    scores = {number: pd.read_csv(tmp_path / f"round_{number}/scores.tsv", sep="\t") for number in tables}
    for number, table in tables.items():
        cases = scores[number].query("role == 'test'").case.unique()[: len(table)]
        tables[number] = table.assign(case=cases)
    write_table(rank_rounds(scores, tables), tmp_path / "ranking.tsv")
    return read_results(tmp_path)


def test_means_per_round_and_an_empty_gpu(results):
    table = efficiency(results)
    assert [row[0].text for row in table.rows] == ["round 0 (teacher)", "round 1"]
    assert table.data.seconds.tolist() == [9.0, 1802.5]
    heading = {name: number for number, name in enumerate(table.columns)}
    assert table.rows[0][heading["time, s"]].text == "9.0"
    assert table.rows[0][heading["GPU memory, MB"]].text == "–"
    assert "no GPU" in table.caption
    assert "1 failed" in table.rows[1][heading["scans"]].text


def test_with_a_gpu_its_columns_are_filled_and_nothing_is_excused(results, tmp_path):
    write_table(measured([8.0, 10.0], gpu=1500.0), tmp_path / "round_0/efficiency.tsv")
    table = efficiency(read_results(tmp_path))
    assert "no GPU" not in table.caption and table.rows[0][3].text == "1,500"


def test_the_ranking_shows_measures_that_were_taken_with_their_n(results):
    table = ranking(results)
    assert "time" in table.columns and "GPU area over 2048 MB" not in table.columns
    time = table.columns.index("time")
    assert {row[time].note for row in table.rows if row[0].text == "test"} == {"n = 2"}


@pytest.mark.parametrize("gpu", [None, "A100"])
def test_the_machine_is_named_and_figures_of_several_are_not_compared(results, tmp_path, gpu):
    words = f"EPYC (64 cores, {gpu or 'no GPU used'})"
    for number in (0, 1):
        path = tmp_path / f"round_{number}/efficiency.tsv"
        write_table(read_table(path).assign(cpu="EPYC", cores=64, gpu=gpu), path)
    alike = read_results(tmp_path)
    assert f"Measured on {words}." in efficiency(alike).caption and words in methods(alike)
    assert "do not count" not in ranking(alike).caption
    write_table(read_table(path).assign(gpu="V100"), path)
    other = read_results(tmp_path)
    assert "do not compare" in efficiency(other).caption and "do not count" in ranking(other).caption
    assert [row[0].note for row in efficiency(other).rows] == [words, "EPYC (64 cores, V100)"]
    assert f"on {words} and EPYC (64 cores, V100), once" in methods(other)


def test_the_methods_text_has_the_number_of_scans_that_there_were_to_measure(results, tmp_path):
    path = tmp_path / "run.json"
    record = json.loads(path.read_text())
    record["configuration"]["efficiency"]["scans"] = 50
    path.write_text(json.dumps(record))
    assert "on the first 2 test scans" in methods(read_results(tmp_path))
    for number in (0, 1):
        (tmp_path / f"round_{number}/efficiency.tsv").unlink()
    assert "on the first 50 test scans" in methods(read_results(tmp_path))


def test_the_page_shows_both_or_says_that_nothing_was_measured(results, tmp_path):
    write_report(results, tmp_path / "report/report.html")
    page = (tmp_path / "report/report.html").read_text()
    assert 'id="efficiency"' in page and "CPU area" in page and "in the place of teams" in page
    assert (tmp_path / "report/tables/efficiency.tsv").exists()
    SyntheticRun(gains=(0.02,)).write(tmp_path / "other")
    write_report(read_results(tmp_path / "other"), tmp_path / "other/report.html")
    assert "No model has been measured yet" in (tmp_path / "other/report.html").read_text()
