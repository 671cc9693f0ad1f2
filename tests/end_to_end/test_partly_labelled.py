"""Scans in which only some organs are labelled, really run: a teacher of them, and a student of what it filled."""

import numpy as np
import pandas as pd

from noisy_student.cohort.scans import embedded_folders
from noisy_student.files import read_json
from noisy_student.organs import FLARE22
from noisy_student.plan.preprocessing import read_array, read_properties
from noisy_student.reading.names import case_name
from noisy_student.tables import write_table
from project import Project
from tiny_loop import TINY

CHECKPOINT = "results/round_1/model/fold_0/checkpoint_final.pth"
SETTINGS = {"splits": 3, "epochs": 2, "iterations_per_epoch": 3, "validation_iterations_per_epoch": 1}


def test_a_student_learns_from_partly_labelled_scans_that_its_teacher_filled(embedded, tmp_path):
    folders = embedded_folders(embedded)
    images = sorted(folders.labelled[0].images.glob("*.nii.gz"))
    label_maps = sorted(folders.labelled[0].label_maps.glob("*.nii.gz"))
    cases = list(map(case_name, images))
    labelled = ["liver, spleen", "aorta", None]
    table = pd.DataFrame({"case": cases, "image": images, "label_map": label_maps, "organs": labelled})
    write_table(table, tmp_path / "labelled.tsv")
    cohort = {
        "labelled": [{"table": str(tmp_path / "labelled.tsv")}],
        "unlabelled": [{"images": str(folders.unlabelled[0].images)}],
        "test": [{name: str(path) for name, path in folders.test[0] if name in ("images", "label_maps")}],
    }
    project = Project(
        tmp_path / "run", **TINY | {
            "cohort": {"kind": "folders", "folders": cohort}, "training": SETTINGS | {"fine_tuning": {"epochs": 1}},
            "rounds": TINY["rounds"][:2], "targets": "soft", "prediction": {"mirroring": False}, "shards": 1,
        }
    )  # fmt: skip
    run = project.run(CHECKPOINT)
    assert run.returncode == 0, run.stdout[-3000:]

    results = project.folder / "results"
    dataset = results / "round_1/dataset"
    labels = {organ.name: organ.label for organ in FLARE22} | {"nan": 0}
    rows = pd.read_csv(dataset / "training_set.tsv", sep="\t").set_index("case")
    assert rows.origin.value_counts().to_dict() == {"labelled": 3, "pseudo": 2, "filled": 2}
    filled = [f"{case}+filled" for case in cases[:2]]
    assert rows.organs[cases].tolist() == [*labelled[:2], ", ".join(organ.name for organ in FLARE22)]
    assert rows.organs[filled].tolist() == labelled[:2]
    sets, by_teacher = read_sets(dataset), read_sets(results / "round_0/dataset")
    assert sorted(map(len, by_teacher.values())) == [12, 13]
    assert all(labels in sets.values() for labels in by_teacher.values())
    for case in cases[:2]:
        teacher, by_hand, with_gaps = (
            read_array(results / f"round_{number}/dataset/cases/{name}_seg.b2nd")
            for number, name in ((0, case), (1, case), (1, f"{case}+filled"))
        )
        (code,) = set(np.unique(by_hand[0])) & set(sets)
        is_hand = by_hand[0] != code
        assert (teacher[0][is_hand] == by_hand[0][is_hand]).all() and set(np.unique(by_hand[0])) <= {
            *range(1, 14),
            code,
        }
        assert {tuple(by_teacher[label]) for label in np.unique(teacher[0][~is_hand])} == {tuple(sets[code])}
        assert (with_gaps[0][is_hand] == by_hand[0][is_hand]).all()
        # What the teacher found, or background unless it missed organs; no organ that is labelled by hand elsewhere.
        missed = set(sets[code]) - {0} - {labels[organ] for organ in str(rows.filled[f"{case}+filled"]).split(", ")}
        background = [label for label, members in sets.items() if set(members) == {0, *missed}] if missed else [0, -1]
        assert set(np.unique(with_gaps[:2, ~is_hand])) <= {code, *sets[code], *background} - ({0} if missed else set())
        assert np.isin(with_gaps[0], background).any()
        assert "class_locations" in read_properties(dataset / f"cases/{case}+filled")
    for fold in read_json(dataset / "splits_final.json"):
        assert not {case.removesuffix("+filled") for case in fold["train"]} & set(fold["val"])
    assert set(pd.read_csv(results / "round_1/filling.tsv", sep="\t").case) == set(cases[:2])
    assert len(pd.read_csv(results / "round_1/selection.tsv", sep="\t")) == 2
    progress = pd.read_csv(results / "round_1/model/fold_0/progress.tsv", sep="\t")
    assert np.isfinite(progress[["training_loss", "validation_loss"]]).all(axis=None)
    measures = pd.read_csv(results / "cohort/labelled_measures.tsv", sep="\t")
    assert measures.groupby("case").size().tolist() == [2, 1, 13]


def read_sets(dataset):
    return {int(code): labels for code, labels in read_json(dataset / "label_sets.json").items()}
