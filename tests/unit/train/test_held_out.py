import json
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from noisy_student.cohort.converted import converted_image, converted_label_map
from noisy_student.configuration.prediction_options import Prediction
from noisy_student.images import read_geometry
from noisy_student.model.model_folder import read_model
from noisy_student.model.predictor import Predictor
from noisy_student.plan.preprocessing import preprocess_image
from noisy_student.tables import read_table, write_table
from noisy_student.train.held_out import HandLabels, dsc_per_organ, hand_labels, held_out_cases, label_held_out

CASES = ("FLARE22_Tr_0001", "FLARE22_Tr_0002")


def test_only_the_scans_that_the_fold_held_out_are_labelled(untrained, converted, plan, tmp_path):
    dataset = tmp_path / "dataset"
    (dataset / "cases").mkdir(parents=True)
    for case in CASES:
        preprocess_image(converted_image(converted, case), dataset / "cases" / case, plan)
    folds = [{"train": [CASES[1]], "val": [CASES[0]]}, {"train": [CASES[0]], "val": [CASES[1]]}]
    (dataset / "splits_final.json").write_text(json.dumps(folds))
    rows = [{"case": case, "origin": "labelled", "label_map": converted_label_map(converted, case)} for case in CASES]
    write_table(pd.DataFrame(rows), dataset / "training_set.tsv")
    predictor = Predictor(read_model([untrained / "fold_1/checkpoint_final.pth"]), Prediction(), torch.device("cpu"))
    label_held_out(predictor, dataset, 1, tmp_path / "fold_1", seed=7)
    table = read_table(tmp_path / "fold_1/held_out.tsv", ["case", "label", "organ", "DSC", "seed"])
    assert held_out_cases(dataset, 1) == [CASES[1]] == table.case.unique().tolist()
    assert len(table) == 13 and table.DSC.between(0, 1).all() and set(table.seed) == {7}
    [written] = (tmp_path / "fold_1/held_out").iterdir()
    assert read_geometry(written).differences(read_geometry(converted_label_map(converted, CASES[1]))) == []


def test_the_dsc_of_an_organ_that_the_scan_does_not_show_is_undefined():
    truth, found = np.array([[[1, 1, 0, 0]]], np.uint8), np.array([[[1, 0, 2, 0]]], np.uint8)
    table = dsc_per_organ(truth, found, {"liver": 1, "spleen": 2}).set_index("organ").DSC
    assert table["liver"] == 2 / 3 and np.isnan(table["spleen"])


def test_hand_labels_are_labelled_and_corrected_scans_each_with_its_own_organs(tmp_path):
    rows = [("a", "labelled", "liver, spleen"), ("b", "corrected", "spleen"), ("b+filled", "filled", "spleen"),
            ("c", "labelled", ""), ("d", "pseudo", "")]  # fmt: skip
    table = pd.DataFrame(rows, columns=["case", "origin", "organs"]).assign(label_map="x.nii.gz")
    write_table(table, tmp_path / "training_set.tsv")
    expected = {"a": {1, 2}, "b": {2}, "c": set()}
    found = hand_labels(tmp_path, {"liver": 1, "spleen": 2})
    assert found == {case: HandLabels(Path("x.nii.gz"), frozenset(labels)) for case, labels in expected.items()}
    write_table(table.drop(columns="organs"), tmp_path / "training_set.tsv")
    found = hand_labels(tmp_path, {"liver": 1, "spleen": 2})
    assert {case: labels.labelled for case, labels in found.items()} == {case: {1, 2} for case in "abc"}
