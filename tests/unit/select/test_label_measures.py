import json
import sys

import numpy as np
import pandas as pd
import pytest

import make_training_set
import measure_label_maps
from conftest import script
from noisy_student.configuration.selection_rules import Plausible
from noisy_student.organs import FLARE22
from noisy_student.select.disagreement import disagreements
from noisy_student.select.measures import label_measures
from noisy_student.select.plausibility import implausible_organs
from noisy_student.tables import read_table, write_table


@pytest.fixture
def label_map():
    """A liver in two pieces, a right and a left kidney on their sides, a spleen at the scan's upper end."""
    array = np.zeros((10, 20, 30), dtype=np.uint8)
    array[2:6, 2:6, 2:6] = 1
    array[8, 8, 8] = 1
    array[2:4, 10:14, 4:8] = 2
    array[2:4, 10:14, 22:26] = 13
    array[9, 2:4, 24:28] = 3
    return array


def measured(array):
    return label_measures(array, 0.5, FLARE22).set_index("organ")


def test_pieces_volume_and_edge(label_map):
    table = measured(label_map)
    assert table.volume_ml["liver"] == 65 * 0.5 and table.components["liver"] == 2
    assert table.stray_share["liver"] == pytest.approx(1 / 65)
    assert table.touches_edge.to_dict() == {organ.name: int(organ.name == "spleen") for organ in FLARE22}


def test_an_absent_organ_has_no_piece_and_no_stray_share(label_map):
    pancreas = measured(label_map).loc["pancreas"]
    assert pancreas.volume_ml == 0 and pancreas.components == 0 and pd.isna(pancreas.stray_share)
    assert measured(np.zeros((3, 3, 3), np.uint8)).volume_ml.sum() == 0


def test_a_planted_swap_of_the_kidneys_is_found(label_map):
    assert measured(label_map).wrong_side.sum() == 0
    swapped = measured(label_map[:, :, ::-1])
    assert set(swapped.index[swapped.wrong_side == 1]) == {"right kidney", "left kidney"}


def test_disagreement_is_blackbeans_formula():
    """u = (Σ(p1≠p2)/Σ(p2>0) + Σ(p2≠p3)/Σ(p3>0)) / 2, worked out by hand."""
    first, second, third = (np.array([[row]], np.uint8) for row in ([1, 1, 0, 0], [1, 2, 2, 0], [1, 2, 0, 0]))
    table = disagreements([first, second, third], FLARE22).set_index("label")
    assert (table.disagreement == (2 / 3 + 1 / 2) / 2).all()
    assert table.organ_disagreement[1] == (1 / 1 + 0) / 2
    assert table.organ_disagreement[2] == (2 / 2 + 1 / 1) / 2
    earlier = np.full_like(first, 5)
    assert disagreements([earlier, first, second, third], FLARE22).disagreement[0] == table.disagreement[1]


def test_disagreement_about_organs_that_are_not_there():
    organ, nothing = np.array([[[1, 0]]], np.uint8), np.zeros((1, 1, 2), np.uint8)
    assert disagreements([nothing, nothing], FLARE22).disagreement[0] == 0
    assert disagreements([organ, nothing], FLARE22).organ_disagreement[0] == 1
    assert disagreements([nothing, nothing], FLARE22).organ_disagreement[0] == 0
    assert disagreements([organ], FLARE22).disagreement.isna().all()


@pytest.mark.parametrize(
    ("sizes", "changed"),
    [([100, 0], 100), ([100, 100, 0], 50), ([100, 2, 100], 98), ([0, 100, 100], 50), ([5, 100, 100, 110], 5)],
)
def test_what_changed_of_an_organ_is_what_it_gained_or_lost_whatever_is_left_of_it(sizes, changed):
    maps = [(np.arange(1000).reshape(10, 10, 10) < size).astype(np.uint8) for size in sizes]
    table = disagreements(maps, FLARE22).set_index("label").changed_voxels
    assert table[1] == changed and (table.drop(1) == 0).all()
    assert disagreements(maps[-1:], FLARE22).changed_voxels.isna().all()


def test_what_changed_is_measured_as_a_volume(label_map, write_scan, tmp_path):
    write_scan("round_1/x.nii.gz", label_map, spacing=(1, 1, 2))
    write_scan("round_2/x.nii.gz", np.where(label_map == 1, 0, label_map), spacing=(1, 1, 2))
    table = measure_label_maps.measure("x", tmp_path / "round_2", [tmp_path / "round_1"], FLARE22).set_index("organ")
    assert table.changed_ml["liver"] == pytest.approx(65 * 2 / 1000) and table.volume_ml["liver"] == 0
    assert table.changed_ml.drop("liver").eq(0).all() and "changed_voxels" not in table
    assert measure_label_maps.measure("x", tmp_path / "round_1", [], FLARE22).changed_ml.isna().all()


@pytest.mark.parametrize(
    ("models", "differs"),
    [
        (("a", "b", "c"), True), (("a", "b", "b"), True), (("a", "a", "b"), True), (("b", "b", "b"), False),
        (("", "", ""), True),
    ],
)  # fmt: skip
def test_a_model_that_labels_twice_does_not_agree_with_itself(label_map, write_scan, tmp_path, models, differs):
    """As after a collapse. The label maps of the same model are the same; without a record nobody knows."""
    earliest = label_map.copy()
    earliest[2:6, 2:6, 2:6] = 0
    folders = [tmp_path / f"round_{number}" for number in (1, 2, 3)]
    for folder, model in zip(folders, models, strict=True):
        write_scan(f"{folder.name}/x.nii.gz", earliest if model == "a" else label_map, spacing=(1, 1, 1))
        if model:
            (folder / "scores").mkdir()
            (folder / "scores/x.json").write_text(json.dumps({"made_from": f"model {model}, scan 1"}))
    *earlier, last = folders
    found = measure_label_maps.measure("x", last, earlier, FLARE22).disagreement
    pair = disagreements([earliest, label_map], FLARE22).disagreement[0]
    expected = pair / 2 if models == ("a", "b", "c") else pair if "a" in models else 0
    assert (found == expected).all() if differs else found.isna().all()


def test_an_organ_that_is_not_labelled_in_a_scan_has_no_volume_there(label_map, write_scan, tmp_path):
    """The first scan has liver and pancreas labelled and shows no pancreas; as a teacher's it has all rows."""
    for case in "ab":
        write_scan(f"maps/{case}.nii.gz", label_map, spacing=(1, 1, 1))
    size = {f"size_{axis}": 10 for axis in "xyz"} | {f"spacing_{axis}_mm": 1.0 for axis in "xyz"}
    everything = " ".join(str(organ.label) for organ in FLARE22)
    cases = pd.DataFrame(
        {"case": list("abc"), "role": ["labelled"] * 2 + ["unlabelled"], "organs": ["1 4", everything, None]}
    )
    write_table(cases.assign(**size), tmp_path / "cases.tsv")
    measures = tmp_path / "measures.tsv"
    words = ("--cases", tmp_path / "cases.tsv", "--folder", tmp_path / "maps", "--output", measures)
    assert script("measure_label_maps.py", *words, "--roles", "labelled", "--hand-labels").returncode == 0
    table = read_table(measures, ["case"])
    assert table.groupby("case").size().to_dict() == {"a": 2, "b": len(FLARE22)}
    liver = 65 / 1000
    means = make_training_set.mean_volumes_ml(measures)
    assert means["liver"] == pytest.approx(liver) and means["pancreas"] == 0
    assert means["spleen"] == table[(table.case == "b") & (table.organ == "spleen")].volume_ml.item() > 0
    assert script("measure_label_maps.py", *words, "--roles", "validation", "--fewer-than", 13).returncode == 0
    assert read_table(measures, ["case"]).case.tolist() == ["a"] * len(FLARE22)
    columns = list(read_table(measures))
    # Of more shards than scans.
    shard = ("--roles", "validation", "--fewer-than", 13, "--shard", 1, "--shards", 2)
    assert script("measure_label_maps.py", *words, *shard).returncode == 0
    assert sorted(read_table(measures)) == sorted(columns) and read_table(measures).empty


def test_organs_of_a_scan_in_which_only_some_voxels_are_labelled_have_no_known_volume(
    label_map, write_scan, tmp_path, monkeypatch
):
    for case in "ab":
        write_scan(f"maps/{case}.nii.gz", label_map, spacing=(1, 1, 1))
    size = {f"size_{axis}": 10 for axis in "xyz"} | {f"spacing_{axis}_mm": 1.0 for axis in "xyz"}
    measures = tmp_path / "measures.tsv"
    words = [f"--cases={tmp_path}/cases.tsv", f"--folder={tmp_path}/maps", f"--output={measures}", "--roles=labelled"]
    monkeypatch.setattr(sys, "argv", ["measure_label_maps.py", *words, "--hand-labels"])
    for shares, left in (([0.1, None], ["b"]), ([0.1, 0.2], [])):
        cases = pd.DataFrame({"case": list("ab"), "role": "labelled", "labelled_share": shares})
        write_table(cases.assign(**size), tmp_path / "cases.tsv")
        measure_label_maps.main()
        assert read_table(measures, ["case"]).case.unique().tolist() == left
    assert make_training_set.mean_volumes_ml(measures) == make_training_set.usual_volumes_ml(measures) == {}
    judged = measured(label_map).reset_index().assign(case="u")
    assert implausible_organs(judged, read_table(measures), Plausible(rule="plausible")) == []
