"""The report's page, and the files beside it, from the tables of synthetic runs."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from noisy_student.organs import Organ
from noisy_student.report.numbers import score
from noisy_student.report.page import write_report
from noisy_student.report.results import read_results
from noisy_student.tables import read_table
from synthetic_results import SyntheticRun, make_page

SCRIPT = Path(__file__).parents[3] / "workflow/scripts/report.py"


class Page(HTMLParser):
    """Text of the page, and the attributes of its elements."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.words, self.skipped = [], [], 0
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self.skipped += tag in ("style", "script", "svg")

    def handle_endtag(self, tag):
        self.skipped -= tag in ("style", "script", "svg")

    def handle_data(self, data):
        if not self.skipped:
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def make(run, folder):
    return make_page(run, folder).read_text()


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    folder = tmp_path_factory.mktemp("good")
    return folder, make(SyntheticRun(test=6, validation=3, unlabelled=12, pictures=True, soft=True), folder)


@pytest.fixture(scope="module")
def bad(tmp_path_factory):
    run = SyntheticRun((-0.05, 0, 0), all_dropped=2, absent_label=9, unfound_label=7, test=6, validation=0)
    return Page(make(run, tmp_path_factory.mktemp("bad"))).text


def test_summary_says_the_numbers_of_the_tables(good):
    folder, html = good
    text = Page(html).text
    for number in (0, 2):
        table = read_table(folder / f"round_{number}/summary.tsv")
        overall = table[(table["role"] == "test") & (table["label"] == 0)].set_index("measure")["mean"]
        assert f"reached a mean DSC of {score(overall['DSC'])}" in text
        assert f"and a mean NSD of {score(overall['NSD'])}" in text
    assert "The student of round 2 is better than the teacher" in text
    assert "n = 6) in DSC" in text


def test_nothing_points_outside_the_page(good):
    _, html = good
    for tag, attributes in Page(html).elements:
        for name in ("src", "href", "xlink:href", "action", "srcset"):
            assert (attributes.get(name) or "#").startswith(("#", "data:")), (tag, attributes[name])
    style = re.search(r"<style>(.*?)</style>", html, re.S)[1]
    assert "url(" not in style and "@import" not in style


def test_every_picture_and_plot_has_a_text(good):
    _, html = good
    elements = Page(html).elements
    images = [attributes for tag, attributes in elements if tag == "img"]
    plots = [attributes for tag, attributes in elements if tag == "svg"]
    assert len(images) >= 3 * 8 and len(plots) >= 7
    assert all(image["alt"] for image in images)
    assert all(plot["role"] == "img" and plot["aria-label"] for plot in plots)


def test_ids_are_unique(good):
    ids = [attributes["id"] for _, attributes in Page(good[1]).elements if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_all_sections_and_paper_tables_are_there(good):
    text = Page(good[1]).text
    for words in ("Table 1. Environment", "Table 2. Training protocol", "Table 3. Labelled scans only",
                  "Table 4. DSC of every round, test", "Table 4. NSD of every round, validation", "Figure 3.",
                  "Figure 4.", "Spearman", "Methods text", "How to cite",
                  "flare-noisy-student 0.1.0, commit 0123456789",
                  "snakemake results/round_2/summary.tsv results/round_2/verdict.json --cores 2",
                  "Configuration in full"):  # fmt: skip
        assert words in text


def test_what_is_left_out_stands_beside_the_table_of_its_round_and_not_among_the_examples(good):
    text = Page(good[1]).text
    places = [
        (
            text.rindex(f"What the student learned from, round {number}"),
            text.index(f"left out of the loss in round {number}"),
        )
        for number in (1, 2)
    ]
    assert places[0] < places[1] and all(table < picture for table, picture in places) and places[0][1] < places[1][0]
    assert all(text.count(f"left out of the loss in round {number}") == 1 for number in (1, 2))


def test_files_lie_beside_the_page(good):
    report = good[0] / "report"
    assert len(list(report.glob("figures/example_*.png"))) >= 3
    assert (report / "figures/training_curves_round_2.svg").read_text().startswith("<?xml")
    judged, held_out, pseudo_labelled = 3 * 9 * 13, 3 * 2 * 13, 2 * 12 * 13
    assert len(read_table(report / "tables/case_scores.tsv")) == judged + held_out + pseudo_labelled
    assert not list(report.rglob(".writing-*"))


def test_same_tables_give_the_same_page(good, tmp_path):
    folder, html = good
    write_report(read_results(folder), tmp_path / "again.html")
    assert (tmp_path / "again.html").read_text() == html


def test_worsened_round_is_said_in_words(bad):
    assert "The student of round 1 is worse than the teacher" in bad
    assert "Round 1 got worse than round 0: mean DSC on the test scans fell from" in bad
    assert "The highest mean DSC on the test scans is that of round 0 (teacher)" in bad


def test_dropping_everything_is_said_in_words(bad):
    assert "Round 2: all 30 pseudo-labels were dropped" in bad
    assert "mean max probability below 0.8 (30 cases)" in bad


def test_failed_jobs_are_named_and_every_rules_time_is_shown(good, bad):
    assert "1 job failed when last tried: select (round=2)" in bad
    assert "failed when last tried" not in Page(good[1]).text
    table = read_table(good[0] / "report/tables/jobs.tsv").set_index("rule")
    assert table.loc["train", "jobs"] == 3 and table.loc["train", "seconds"] == 180


def test_undecided_pseudo_labels_are_said_in_words(tmp_path):
    SyntheticRun(gains=(0,), all_dropped=1, unlabelled=4, validation=0, test=2).write(tmp_path)
    (tmp_path / "run.json").unlink()
    (tmp_path / "round_1/all_dropped.tsv").unlink()
    write_report(read_results(tmp_path), tmp_path / "report.html")
    assert "Round 1: 4 pseudo-labels scored, none selected yet." in Page((tmp_path / "report.html").read_text()).text


def test_absent_and_unfound_organs_are_said_in_words(bad):
    assert "Gallbladder: absent from the truth of all test scans" in bad
    assert "Right adrenal gland: DSC is 0 in every test scan of round 1 that has it." in bad


def test_missing_rounds_are_named(bad):
    assert "Round 2 is not complete: no selection, no training, no scores, no summary." in bad
    assert "Round 3 has not started" in bad


def test_missing_pictures_are_explained(bad):
    assert "No pictures for this case." in bad
    assert "no such file" in bad


def test_case_table_alone_is_enough(tmp_path):
    SyntheticRun(gains=(), validation=1, test=2).write(tmp_path / "all")
    (tmp_path / "few/cohort").mkdir(parents=True)
    (tmp_path / "all/cohort/cases.tsv").rename(tmp_path / "few/cohort/cases.tsv")
    write_report(read_results(tmp_path / "few"), tmp_path / "report.html")
    text = Page((tmp_path / "report.html").read_text()).text
    assert "No round has been evaluated yet." in text
    assert "run.json) yet" in text and "Methods text" in text


def test_report_needs_no_package_of_other_environments():
    code = f"import sys; sys.path[:0] = {[str(SCRIPT.parent), *sys.path]!r}"
    code += "; import noisy_student.report.page, noisy_student.report.experiments.page"
    code += "; assert not {'pydantic', 'torch', 'nnunetv2', 'cc3d', 'yaml', 'psutil', 'pynvml'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_teacher_alone_has_nothing_to_compare(tmp_path):
    text = Page(make(SyntheticRun(gains=(), test=3), tmp_path)).text
    assert "Only round 0 (teacher) has been evaluated so far" in text


def test_command_names_the_missing_case_table(tmp_path):
    done = subprocess.run([sys.executable, SCRIPT, "--results", tmp_path], capture_output=True, text=True)
    assert done.returncode == 2
    assert f"wanted: a case table at {tmp_path}/cohort/cases.tsv" in done.stderr


def test_a_run_with_other_organs_shows_these_and_not_the_papers_figures(tmp_path):
    organs = (Organ(1, "lung"), Organ(2, "heart"), Organ(3, "trachea"))
    text = Page(make(SyntheticRun(test=5, validation=0, unlabelled=12, organs=organs), tmp_path)).text
    assert "lung" in text and "3 organs were segmented" in text
    assert "liver" not in text and "gallbladder" not in text
    assert set(read_table(tmp_path / "report/tables/table_3_labelled_only.tsv").organ) == {
        "lung",
        "heart",
        "trachea",
        "mean",
    }


def test_a_collapsed_round_is_named_with_the_round_that_labels_in_its_place(tmp_path):
    text = Page(make(SyntheticRun(collapsed=1, test=4, validation=0), tmp_path)).text
    assert "Round 1 collapsed" in text and "left kidney: mean DSC 0.00, its teacher's 0.80" in text
    assert "round 0 labels on in its place" in text
    table = read_table(tmp_path / "report/tables/held_out.tsv")
    assert table["labels next"].tolist() == ["round 0", "round 0", "round 2"]
    assert set(table["largest piece alone helps"]) == {"all organs together, liver"}
