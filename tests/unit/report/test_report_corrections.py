"""The report of a run with corrected pseudo-labels: what was changed, how long it took, how far readers agree."""

import json
import shutil

import pandas as pd
import pytest

from methods_text import methods
from noisy_student.organs import FLARE22
from noisy_student.report.corrections import corrections
from noisy_student.report.page import write_report
from noisy_student.report.results import read_results
from noisy_student.report.run_tables import rounds
from noisy_student.sets import JudgedSet
from noisy_student.tables import read_table, write_table
from synthetic_results import SyntheticRun


def configured(folder, **settings):
    run = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(run | {"configuration": run["configuration"] | settings}))


# Of the training set's label maps.
FOLDERS = ("label_maps", "corrected", "corrected", "pseudo_labels", "pseudo_labels")
ALL = " ".join(str(organ.label) for organ in FLARE22)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run whose second student learned from two corrected scans, one of them read by two persons."""
    folder = SyntheticRun((0.02, 0.01), test=4, validation=0, unlabelled=6).write(tmp_path_factory.mktemp("corrected"))
    selection = read_table(folder / "round_2/selection.tsv")
    names = selection.case[:2].tolist()
    selection.loc[:1, ["decision", "reason"]] = ["corrected", "label of round 1 corrected by anna"]
    write_table(selection, folder / "round_2/selection.tsv")
    each = {
        "round": 1, "case": [names[0], names[0], names[1]], "reader": ["anna", "ben", None],
        "is_used": ["yes", "no", "yes"], "state": ["changed", "changed", "confirmed"],
        "changed": ["liver, pancreas", "liver", None], "added_ml": [12.345, 1.0, 0.0], "removed_ml": [3.0, 0.5, 0.0],
        "slices": [9, 3, 0], "minutes": [12.5, None, 2.0],
        "organs": [ALL, ALL, "1 3"], "sha256": ["a" * 64, "b" * 64, "c" * 64],
        "file": ["a__anna.nii.gz", "a__ben.nii.gz", "b.nii.gz"], "handed_out_sha256": "d" * 64,
    }  # fmt: skip
    write_table(pd.DataFrame(each), folder / "round_1/corrections.tsv")
    organs = {
        "case": names[0], "reader": ["anna", "anna", "ben"], "label": [1, 4, 1],
        "organ": ["liver", "pancreas", "liver"],
       
        "before_ml": 1.0, "after_ml": 2.0, "added_ml": [10.0, 2.345, 1.0], "removed_ml": [3.0, 0.0, 0.5],
        "voxels": [9, 9, 9], "slices": [5, 4, 3],
    }  # fmt: skip
    write_table(pd.DataFrame(organs), folder / "round_1/corrections_by_organ.tsv")
    readers = {
        "case": names[0],
        "reader": "anna",
        "other_reader": "ben",
        "label": [1, 9],
        "organ": ["liver", "gallbladder"],
    }
    write_table(pd.DataFrame(readers | {"DSC": [0.91, None]}), folder / "round_1/corrections_by_readers.tsv")
    origins = ["labelled", "corrected", "corrected", "filled", "pseudo"]
    cases = ["Labelled_0001", *names, f"{names[1]}+filled", "x"]
    training_set = pd.DataFrame({"case": cases, "origin": origins, "sha256": list("abcde")})
    training_set["label_map"] = [f"results/round_1/{folder}/x.nii.gz" for folder in FOLDERS]
    write_table(training_set, folder / "round_2/dataset/training_set.tsv")
    (folder / "round_2/dataset/splits_final.json").write_text(json.dumps([{"train": cases[1:], "val": cases[:1]}] * 2))
    configured(folder, corrections={"folder": "corrections", "organs": None, "readers": ["anna"], "validate": False})
    return folder


def shown(table):
    return [dict(zip(table.columns, (cell.text for cell in row), strict=True)) for row in table.rows]


def test_the_section_says_what_was_changed_by_whom_in_how_many_minutes(folder):
    results = read_results(folder)
    content = corrections(results)
    assert content.sentences == [
        "2 pseudo-labels of round 1 were looked through by hand (1 confirmed, 1 changed; most often liver, in 1; 1 in "
        "some organs alone; in 14\u00a0min of work), and learned from as hand labels in round 2."
    ]
    each, by_organ, by_readers = content.tables
    first, second, third = shown(each)
    assert first["reader"] == "anna" and first["organs changed"] == "liver, pancreas" and first["added, ml"] == "12.3"
    assert second["counts"] == "no, another reader goes first" and second["minutes"] == ""
    assert third["state"] == "confirmed" and third["minutes"] == "2"
    assert [row["looked at"] for row in (first, third)] == ["all", "liver and spleen"]
    assert [(row["organ"], row["scans"], row["added, ml"]) for row in shown(by_organ)] == [
        ("liver", "1", "10.0"), ("pancreas", "1", "2.3")
    ]  # fmt: skip
    assert shown(by_readers) == [{"organ": "liver", "pairs": "1", "mean DSC": "0.910", "least DSC": "0.910"}]


def test_of_a_scan_corrected_twice_each_round_learned_from_the_last_one_before_it(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    for name in ("corrections", "corrections_by_organ", "corrections_by_readers"):
        shutil.copy(copy / f"round_1/{name}.tsv", copy / f"round_2/{name}.tsv")
    shutil.copytree(copy / "round_2", copy / "round_3")
    for name in ("corrections", "corrections_by_organ", "corrections_by_readers"):
        (copy / f"round_3/{name}.tsv").unlink()
    table = read_table(copy / "round_2/dataset/training_set.tsv")
    later = table.assign(label_map=table.label_map.str.replace("round_1", "round_2"))
    write_table(later, copy / "round_3/dataset/training_set.tsv")
    first, second = corrections(read_results(copy)).sentences
    assert first.endswith("learned from as hand labels in round 2.") and second.endswith("labels in round 3.")


def test_of_how_many_label_maps_the_minutes_are_is_said_where_not_all_have_them(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    table = read_table(copy / "round_1/corrections.tsv")
    table.loc[table.state == "confirmed", "minutes"] = None
    write_table(table, copy / "round_1/corrections.tsv")
    assert "; in 12\u00a0min of work on 1 of them), and" in corrections(read_results(copy)).sentences[0]


def test_a_round_of_which_every_correction_confirms_is_told_on_a_whole_page(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    table = read_table(copy / "round_1/corrections.tsv")
    write_table(table[table.state == "confirmed"], copy / "round_1/corrections.tsv")
    organs = read_table(copy / "round_1/corrections_by_organ.tsv")
    write_table(organs.assign(voxels=0, added_ml=0.0, removed_ml=0.0), copy / "round_1/corrections_by_organ.tsv")
    results = read_results(copy)
    assert "looked through by hand (1 confirmed, 0 changed; " in corrections(results).sentences[0]
    write_report(results, tmp_path / "report/report.html")
    assert "1 confirmed, 0 changed" in (tmp_path / "report/report.html").read_text()


def test_corrected_scans_are_neither_kept_nor_dropped(folder):
    results = read_results(folder)
    assert set(results.rounds[2].selection["decision"]) <= {"kept", "dropped"} and len(results.rounds[2].selection) == 4
    learned_from = rounds(results, JudgedSet("test")).rows[2][1].text
    assert learned_from.endswith(
        " labelled + 2 corrected by hand (1 of them filled by the teacher) + 1 pseudo-labelled"
    )
    text = methods(results)
    assert "counted as hand labels from the next round on" in text and "no fold validated on them" in text
    assert "the first of anna counted. 2 pseudo-labels of round 1 were looked through" in text
    assert "Corrected scans that were learned from: 2 in round 2" in text


def test_the_methods_text_says_of_how_many_label_maps_other_organs_were_corrected(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    given = {"folder": "corrections", "organs": ["liver", "spleen"], "readers": [], "validate": False}
    configured(copy, corrections=given)
    text = methods(read_results(copy))
    assert "Corrections by hand, of liver and spleen alone (of other organs in 2 label maps), counted" in text


def test_the_page_has_the_section_only_where_there_are_corrections(folder, tmp_path):
    write_report(read_results(folder), tmp_path / "with/report.html")
    page = (tmp_path / "with/report.html").read_text()
    assert 'id="corrections"' in page and "#corrections" in page and "How far readers agree" in page
    # The table of cases says why no rule decided.
    assert "label of round 1 corrected by anna" in page
    for name in ("corrections", "corrections_by_organ", "corrections_by_readers"):
        assert (tmp_path / f"with/tables/{name}.tsv").exists()
    without = SyntheticRun((0.02,), test=2, validation=0, unlabelled=4).write(tmp_path / "run")
    assert corrections(read_results(without)) is None and "Corrections. " not in methods(read_results(without))
    write_report(read_results(without), tmp_path / "without/report.html")
    assert "#corrections" not in (tmp_path / "without/report.html").read_text()
