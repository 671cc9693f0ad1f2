"""Which hand labels are contradicted."""

import numpy as np
import pandas as pd

from noisy_student.images import write_image
from noisy_student.organs import Organ
from noisy_student.review import pictures
from noisy_student.review.hand_labels import HeldOut, contradictions, volumes
from synthetic_scans import as_image

ORGANS = (Organ(label=1, name="liver"), Organ(label=2, name="spleen"))
DSC = {1: 0.9, 2: 0.8}


def tables(**changed):
    """Five scans that are held out, each as good as usual; `changed` has other values of some (case, label)."""
    rows = []
    for case in "abcde":
        for organ in ORGANS:
            row = {"case": case, "label": organ.label, "organ": organ.name, "DSC": DSC[organ.label], "is_whole": True}
            rows.append(row | {"by_hand_ml": 100.0, "found_ml": 98.0} | changed.get(f"{case}{organ.label}", {}))
    table = pd.DataFrame(rows)
    return table[["case", "label", "organ", "DSC"]], table[["case", "label", "by_hand_ml", "found_ml", "is_whole"]]


def test_as_good_as_usual_is_no_contradiction():
    found = contradictions(*tables())
    assert (found.contradiction == 0).all() and (found.contradicted == 0).all()


def test_the_worse_beyond_what_is_usual_the_earlier_it_stands():
    found = contradictions(*tables(c1={"DSC": 0.1}, d2={"DSC": 0.5}, e1={"DSC": 0.85}))
    assert found.index[:2].tolist() == ["c", "d"] and found.contradicted.tolist() == [1, 1, 0, 0, 0]
    assert found.organs.iloc[0] == "liver: DSC 0.10, 100 ml by hand, 98 ml found"


def test_what_is_found_but_not_labelled_counts_if_it_is_no_scrap():
    nothing = {"DSC": np.nan, "by_hand_ml": 0.0}
    found = contradictions(*tables(b2=nothing | {"found_ml": 120.0}, a2=nothing | {"found_ml": 3.0}))
    assert found.index[0] == "b" and found.organs.iloc[0] == "spleen: not labelled, 120 ml found"
    assert found.contradiction["a"] == 0


def test_volumes_are_those_of_both_label_maps(tmp_path):
    by_hand = np.zeros((4, 5, 6), np.uint8)
    by_hand[0, :2, :3] = 1
    write_image(as_image(by_hand), tmp_path / "hand.nii.gz")
    write_image(as_image(np.where(by_hand, 2, 0).astype(np.uint8)), tmp_path / "fold.nii.gz")
    table = volumes(HeldOut("a", tmp_path / "fold.nii.gz", tmp_path / "hand.nii.gz", {1, 2}), ORGANS)
    assert table.by_hand_ml.tolist() == [6 * 0.2, 0] and table.found_ml.tolist() == [0, 6 * 0.2]
    assert table.is_whole.all()


def test_what_is_not_labelled_in_a_scan_does_not_contradict_its_hand_label(tmp_path):
    write_image(as_image(np.ones((4, 5, 6), np.uint8)), tmp_path / "hand.nii.gz")
    write_image(as_image(np.full((4, 5, 6), 2, np.uint8)), tmp_path / "fold.nii.gz")
    table = volumes(HeldOut("a", tmp_path / "fold.nii.gz", tmp_path / "hand.nii.gz", {1}), ORGANS)
    assert table.label.tolist() == [1]
    # Of b, the spleen is not labelled: there is no row of it, though the fold found it.
    held_out, measured = tables(b2={"DSC": np.nan, "by_hand_ml": 0.0, "found_ml": 120.0})
    found = contradictions(held_out, measured[~((measured.case == "b") & (measured.label == 2))])
    assert (found.contradiction == 0).all() and sorted(found.index) == list("abcde")


def test_what_nobody_labelled_contradicts_nothing(tmp_path):
    """The fold finds the spleen wherever nobody labelled, in all slices but the first."""
    by_hand = np.full((4, 5, 6), 3, np.uint8)
    by_hand[0] = 0
    by_hand[0, :2, :3] = 1
    write_image(as_image(by_hand), tmp_path / "hand.nii.gz")
    write_image(as_image(np.where(by_hand == 3, 2, by_hand)), tmp_path / "fold.nii.gz")
    table = volumes(HeldOut("a", tmp_path / "fold.nii.gz", tmp_path / "hand.nii.gz", {1, 2}), ORGANS)
    assert table.by_hand_ml.tolist() == table.found_ml.tolist() == [6 * 0.2, 0] and not table.is_whole.any()


def test_what_an_organ_at_least_measures_is_of_whole_label_maps_alone():
    nothing = {"DSC": np.nan, "by_hand_ml": 0.0, "found_ml": 3.0}
    in_part = {"by_hand_ml": 1.0, "found_ml": 1.0, "is_whole": False}
    found = contradictions(*tables(a2=nothing, b2=in_part))
    assert (found.contradiction == 0).all()
    assert contradictions(*tables(a2=nothing, b2=in_part | {"is_whole": True})).index[0] == "a"


def test_a_picture_hatches_what_nobody_labelled_and_looks_for_differences_elsewhere(monkeypatch):
    shown = {}
    monkeypatch.setattr(pictures, "panels", lambda case, scan, columns, cut, organs: shown.update(columns, cut=cut))
    by_hand = np.full((4, 5, 6), 3, np.uint8)
    by_hand[2] = 0
    by_hand[2, :2, :3] = 1
    found = np.where(by_hand == 3, 2, 0)
    pictures.contradicted_panels("a", as_image(by_hand), by_hand, found, ORGANS)
    layer = shown["by hand"]
    assert (layer.left_out == (by_hand == 3)).all() and set(np.unique(layer.labels)) == {0, 1}
    assert shown["cut"].axial == 2 and shown["by the fold that held it out"].left_out is None
