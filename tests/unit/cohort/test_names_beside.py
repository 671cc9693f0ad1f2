import json

import pytest

from noisy_student.cohort.names_beside import names_beside

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
    assert names_beside(tmp_path / place) == ((str(path), names) if names else ("", {}))


def test_a_file_with_the_mark_of_windows_editors_is_read(tmp_path):
    path = tmp_path / "dataset.json"
    path.write_text('{"labels": {"1": "liver"}}', "utf-8-sig")
    assert names_beside(tmp_path) == (str(path), {1: "liver"})


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"labels": null}', "\0\1"])
def test_a_file_that_names_nothing_says_nothing(tmp_path, text):
    (tmp_path / "dataset.json").write_text(text)
    assert names_beside(tmp_path) == ("", {})


@pytest.mark.parametrize("name", ["labels.txt", "organs.label"])
def test_itk_snaps_description(tmp_path, name):
    (tmp_path / name).write_text(DESCRIPTION)
    (tmp_path / "readme.txt").write_text("1 2 3\nnothing of labels")
    assert names_beside(tmp_path) == (str(tmp_path / name), {1: "liver", 2: "right kidney"})


def test_descriptions_that_disagree_say_nothing(tmp_path):
    (tmp_path / "a.txt").write_text(DESCRIPTION)
    (tmp_path / "b.txt").write_text(DESCRIPTION.replace("liver", "spleen"))
    assert names_beside(tmp_path) == ("", {})
