"""A run whose round 0 is a model from elsewhere: where it came from is said, and nothing of a training is missed."""

import re
from dataclasses import replace

import pytest

from methods_text import methods
from noisy_student.report import held_out_table, run_tables
from noisy_student.report.results import read_results
from noisy_student.report.verdict import paragraph
from noisy_student.report.warnings import warnings
from synthetic_results import SyntheticRun, make_page


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return read_results(SyntheticRun(taken=1).write(tmp_path_factory.mktemp("taken")))


def test_no_training_of_round_0_is_shown_nor_missed_though_an_earlier_one_lies_there(results):
    first, second = results.rounds[:2]
    assert first.training == {} and first.postprocessing == {} and second.training
    assert run_tables.missing_parts(first) == []
    row = [cell.text for cell in run_tables.rounds(results, results.sets[0]).rows[0]]
    assert row[1:3] == ["from elsewhere", "none"] and row[-1] == "complete"


def test_where_it_came_from_is_said_with_its_checksum(results):
    [table] = run_tables.teachers(results).data.to_dict("records")
    assert table["model"] == "/models/a.zip" and table["SHA-256"] == f"a.zip {'a' * 64}"
    assert table["does not mark"] == "duodenum, left kidney" and table["left out of the loss"] == "tumour"
    assert table["organs"].startswith("liver, right kidney") and "duodenum" not in table["organs"]
    text = methods(results)
    assert f"a teacher from elsewhere (/models/a.zip, SHA-256 {'a' * 64}) labelled 30 unlabelled scans" in text
    assert (
        "a student learned from these and those of 8 hand-labelled scans" in text
        and "Length: 40 epochs of 50 steps." in text
    )
    assert "the teacher (round 0, a model from elsewhere) reached" in paragraph(results, results.sets[0])


def test_its_own_folds_and_axes_are_said_not_those_of_this_runs_trainings(results):
    text = methods(results)
    own = "Folds and mirroring of round 0 are not these: the model from elsewhere labelled with all of its folds, {}."
    assert own.format("without mirroring") in text

    def configured(**sections):
        return replace(results, run=results.run | {"configuration": results.run["configuration"] | sections})

    prediction = results.run["configuration"]["prediction"] | {"mirroring": True}
    mirrored = own.format("over copies mirrored along the axes of its own training, but never left-right")
    assert mirrored in methods(configured(prediction=prediction))
    both = configured(postprocessing={"predictions": True, "pseudo_labels": True})
    ends = "and pseudo-labels, and to nothing that a model from elsewhere labelled."
    assert ends in methods(both) and "nothing that" not in text


def test_organs_that_it_does_not_mark_are_a_warning(results):
    [text] = [text for text in warnings(results) if "not marked" in text]
    assert text.startswith("Duodenum, left kidney: ") and "background of its pseudo-labels had no part" in text


def test_the_first_student_is_not_compared_with_it(results):
    verdicts = held_out_table.held_out(results).data.verdict.tolist()
    assert verdicts[1] == "not compared: its teacher comes from elsewhere and held out no scans"
    assert verdicts[2] == "holds up"


def test_several_are_named_with_how_they_labelled_and_the_page_is_whole(tmp_path):
    page = make_page(SyntheticRun(taken=2, unlabelled=8), tmp_path).read_text()
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    assert f"2 teachers from elsewhere (/models/a.zip, SHA-256 {'a' * 64}; /models/b.zip" in text
    assert "together, by vote, labelled 8 unlabelled scans" in text
    assert "Teachers from elsewhere." in text and "Table 3. The teacher from elsewhere (round 0)" in text
    assert (tmp_path / "report/tables/teachers.tsv").exists()


def test_a_trained_teacher_has_no_such_table(tmp_path):
    results = read_results(SyntheticRun().write(tmp_path))
    assert run_tables.teachers(results) is None and "elsewhere" not in methods(results)
