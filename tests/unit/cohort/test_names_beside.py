import json
from pathlib import Path

import pytest

from noisy_student.cohort.names_beside import differing_names, names_beside, names_of

DESCRIPTION = """################################################
# ITK-SnAP Label Description File
    0     0    0    0        0  0  0    "Clear Label"
    1   255    0    0        1  1  1    "liver"
    2     0  255    0     0.50  1  0    "right kidney"
"""


@pytest.mark.parametrize("place", ["labelsTr", "."])
@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ({"0": "background", "1": "liver", "13": "spleen"}, {1: "liver", 13: "spleen"}),
        ({"background": 0, "liver": 1, "spleen": 13}, {1: "liver", 13: "spleen"}),
        ({"background": "0", "liver": "1", "spleen": 13.0}, {1: "liver", 13: "spleen"}),
        ({"background": 0, "pancreas": [1, 2], "tumour": 2}, {1: "pancreas", 2: "tumour"}),
        ({"background": 0, "whole": [1, 2, 3], "core": [2, 3], "edge": [3]}, {1: "whole", 3: "edge"}),
        ([], {}),
        ({"liver": "one"}, {}),
    ],
)
def test_nnunets_numbers_in_both_forms_and_with_regions(tmp_path, place, labels, names):
    (tmp_path / "labelsTr").mkdir()
    path = tmp_path / "dataset.json"
    path.write_text(json.dumps({"labels": labels, "numTraining": 3}))
    assert names_beside(tmp_path / place)[:2] == ((str(path), names) if names else ("", {}))


def test_a_file_with_the_mark_of_windows_editors_is_read(tmp_path):
    path = tmp_path / "dataset.json"
    path.write_text('{"labels": {"1": "liver"}}', "utf-8-sig")
    assert names_beside(tmp_path)[:2] == (str(path), {1: "liver"})


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"labels": null}', "\0\1"])
def test_a_file_that_names_nothing_says_nothing(tmp_path, text):
    (tmp_path / "dataset.json").write_text(text)
    assert names_beside(tmp_path)[:2] == ("", {})


@pytest.mark.parametrize("name", ["labels.txt", "organs.label"])
def test_itk_snaps_description(tmp_path, name):
    (tmp_path / name).write_text(DESCRIPTION)
    (tmp_path / "readme.txt").write_text("1 2 3\nnothing of labels")
    assert names_beside(tmp_path)[:2] == (str(tmp_path / name), {1: "liver", 2: "right kidney"})


def test_descriptions_that_disagree_say_nothing(tmp_path):
    (tmp_path / "a.txt").write_text(DESCRIPTION)
    (tmp_path / "b.txt").write_text(DESCRIPTION.replace("liver", "spleen"))
    assert names_beside(tmp_path)[:2] == ("", {})


COLOURS = """# Color table file C:/data/Segmentation-label_ColorTable.ctbl
# 4 values
0 Background 0 0 0 0
1 liver 216 101 79 255
3 right_kidney 241 214 145 255
4 (none) 0 0 0 0
"""
COLUMNS = """LabelValue,Name,Color_R,Color_G,Color_B,Color_A,Type_CodeMeaning
1,liver,185,102,83,255,Liver
3,"right kidney",185,102,83,255,Kidney
4,,185,102,83,255,Spleen
"""


@pytest.mark.parametrize(("ending", "text"), [("ctbl", COLOURS), ("txt", COLOURS), ("csv", COLUMNS),
                                              ("ctbl", COLOURS.partition("\n")[2]), ("CTBL", COLOURS)])  # fmt: skip
@pytest.mark.parametrize("name", ["Segmentation-label_ColorTable", "Segmentation-label", "colours"])
def test_slicers_colour_table_names_what_is_there(tmp_path, name, ending, text):
    path = tmp_path / f"{name}.{ending}"
    path.write_text(text)
    where = str(path) if name == "colours" else "its colour table"
    label_map = tmp_path / "Segmentation-label.nrrd"
    assert names_of(label_map) == (where, {1: "liver", 3: "right kidney"}, False)


def test_each_label_map_has_the_table_of_its_own_name_where_they_differ(tmp_path):
    (tmp_path / "a_ColorTable.ctbl").write_text(COLOURS)
    (tmp_path / "b.txt").write_text(DESCRIPTION)
    assert names_of(tmp_path / "a.nii.gz") == ("its colour table", {1: "liver", 3: "right kidney"}, False)
    assert names_of(tmp_path / "b.nrrd") == ("its label description", {1: "liver", 2: "right kidney"}, True)
    assert names_of(tmp_path / "c.nrrd") == names_beside(tmp_path) == ("", {}, True)
    assert [name for name, _ in differing_names(tmp_path)] == ["a_ColorTable.ctbl", "b.txt"]


def test_a_table_of_its_own_goes_before_the_dataset_s(tmp_path):
    (tmp_path / "dataset.json").write_text('{"labels": {"spleen": 1}}')
    (tmp_path / "a_ColorTable.ctbl").write_text(COLOURS)
    assert names_of(tmp_path / "a.nrrd").names[1] == "liver" and names_of(tmp_path / "b.nrrd").names == {1: "spleen"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", COLOURS.partition("\n")[2]),
        ("a.ctbl", "# Color procedural file a.txt\n0 0 0 0\n63 0 0.5 0.4\n"),
        ("a.ctbl", "1 liver 3\n"),
        ("a.csv", "case,volume\n1,20\n"),
        ("a.csv", '"' + "x" * 200_000),
    ],
)
def test_other_texts_are_no_colour_table(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert names_of(tmp_path / "a.nrrd").names == {}


@pytest.mark.parametrize(
    ("within", "is_found"),
    [
        ("fold_0/validation", True),
        ("fold_all/validation", True),
        ("fold_12/validation", True),
        ("fold_0/other", False),
        ("fold_x/validation", False),
        ("old/fold_0/validation", False),
    ],
)
def test_nnunets_cross_validation_has_its_names_above_the_fold(tmp_path, monkeypatch, within, is_found):
    folder = tmp_path / within
    folder.mkdir(parents=True)
    (tmp_path / "dataset.json").write_text('{"labels": {"liver": 3}}')
    wanted = (str(tmp_path / "dataset.json"), {3: "liver"}, True) if is_found else ("", {}, True)
    assert names_beside(folder) == names_of(folder / "a.nii.gz") == wanted
    monkeypatch.chdir(tmp_path)
    names_beside.cache_clear()
    assert names_beside(Path(within)).names == wanted[1]
