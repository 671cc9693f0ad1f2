"""The command: from a round's pseudo-labels to the list, its page, its folders and its zip file."""

import sys

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import binary_erosion

import review
from noisy_student.errors import InputError
from noisy_student.images import write_image
from noisy_student.model.label_files import LabelFiles, Labelled
from noisy_student.model.scores import class_counts
from noisy_student.organs import FLARE22, to_json
from noisy_student.plan.preprocessing import write_properties
from noisy_student.tables import read_table, write_table
from synthetic_scans import CROP_ZYX, SPACING_MM_XYZ, as_image, body

CASES = {"a": "unlabelled", "b": "unlabelled", "c": "unlabelled", "hand": "labelled", "other": "labelled"}
ML = float(np.prod(SPACING_MM_XYZ)) / 1000
FOLD, TRAINING_SET = "round_0/model/fold_0", "round_0/dataset/training_set.tsv"
CROP = tuple(slice(low, high) for low, high in CROP_ZYX)


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory):
    """Three scans, of which the teacher is least sure of `b`; two hand labels, of which one lacks the liver."""
    folder = tmp_path_factory.mktemp("run")
    rows, scores, truths = [], [], []
    for number, (case, role) in enumerate(CASES.items()):
        labels = body(np.zeros(3), 0.9 + 0.02 * number)
        write_image(as_image(np.where(labels, 100, 0).astype(np.int16)), folder / f"images/{case}_0000.nii.gz")
        rows.append({"case": case, "role": role, "image": folder / f"images/{case}_0000.nii.gz", "orientation": "LPS",
                     "spacing_x_mm": 5.0, "spacing_y_mm": 5.0, "spacing_z_mm": 8.0, "intensity_low": 0,
                     "intensity_high": 100 + number, "label_map": ""})  # fmt: skip
        write_properties({"bbox_used_for_cropping": CROP_ZYX}, folder / f"preprocessed/{case}")
        if role == "labelled":
            rows[-1]["label_map"] = folder / f"hand/{case}.nii.gz"
            write_image(
                as_image(np.where(labels == 1, 0, labels) if case == "hand" else labels), folder / f"hand/{case}.nii.gz"
            )
            write_image(as_image(labels), folder / f"{FOLD}/held_out/{case}.nii.gz")
            continue
        table = labelled(folder, case, labels, 40 if case == "b" else 90)
        scores.append(table.assign(case=case, model="f" * 64))
        for organ in FLARE22:
            dsc = 0.5 if case == "b" else 0.9
            truths.append({"case": case, "DSC": dsc, "truth_ml": 10.0, "prediction_ml": 10.0, "label": organ.label})
    index = pd.DataFrame(rows).assign(preprocessed=[folder / f"preprocessed/{case}" for case in CASES])
    for name, table in {"cases": index, "scores": pd.concat(scores), "truth": pd.DataFrame(truths)}.items():
        write_table(table, folder / f"{name}.tsv")
    held_out = [{"case": case, "label": organ.label, "organ": organ.name,
                 "DSC": np.nan if (case, organ.label) == ("hand", 1) else 0.9}
                for case in ("hand", "other") for organ in FLARE22]  # fmt: skip
    write_table(pd.DataFrame(held_out), folder / f"{FOLD}/held_out.tsv")
    by_hand = index[index.role == "labelled"].assign(origin="labelled")
    write_table(by_hand[["case", "origin", "label_map"]], folder / TRAINING_SET)
    (folder / "verdict.json").write_text('{"labeller": 0}')
    made(folder)
    return folder


def labelled(folder, case, labels, confidence_of_surfaces):
    """Write what a teacher said of a scan, unsure of organs' surfaces; its scores."""
    files = LabelFiles(folder / "pseudo_labels", case, voxels=True)
    inside = binary_erosion(labels > 0) | (labels == 0)
    confidence = np.ascontiguousarray(np.where(inside, 99, confidence_of_surfaces).astype(np.uint8)[CROP][:, ::2, ::2])
    counts = class_counts(labels, 14)[1:]
    scores = pd.DataFrame({"label": range(1, 14), "organ": [organ.name for organ in FLARE22], "voxels": counts,
                           "mean_max_probability": confidence_of_surfaces / 100, "volume_ml": counts * ML,
                           "organ_disagreement": np.nan})  # fmt: skip
    scan = folder / f"images/{case}_0000.nii.gz"
    files.write(
        Labelled(labels, scores, confidence, confidence_counts=np.zeros((14, 101))), scan, "LPS", "model f, scan s"
    )
    return scores


def made(folder, *more):
    named = {"cases": "cases.tsv", "converted": "cases.tsv", "preprocessed": "cases.tsv", "scores": "scores.tsv",
             "measures": "scores.tsv", "held-out": f"{FOLD}/held_out.tsv", "verdict": "verdict.json",
             "truth": "truth.tsv",
             "pseudo-labels": "pseudo_labels", "output": "review/review.tsv"}  # fmt: skip
    paths = [word for name, path in named.items() for word in (f"--{name}", folder / path)]
    organs = to_json(FLARE22, "label", "name", "colour", "snomed")
    words = ["review.py", *paths, "--organs", organs, "--scans", 2, "--round", 1, *more]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", list(map(str, words)))
        review.main()


def test_the_scan_most_in_doubt_is_first_and_so_many_are_handed_out(reviewed):
    folder = reviewed
    table = read_table(folder / "review/review.tsv")
    assert table.case[0] == "b" and table.place.tolist() == [1, 2, 3] and table.doubt_ml[0] == table.doubt_ml.max()
    handed = sorted(path.parent.name for path in folder.glob("review/*/README.txt"))
    assert handed == sorted(table.case[:2]) and (folder / "review/review.zip").exists()


def test_the_hand_label_that_lacks_what_the_fold_found_is_first(reviewed):
    table = read_table(reviewed / "review/hand_labels.tsv")
    assert table.case[0] == "hand" and table.organs[0].startswith("liver: not labelled, ")
    assert table.contradicted.tolist() == [1, 0]


def test_the_page_has_pictures_of_both_and_how_good_the_list_was(reviewed):
    page = (reviewed / "review/review.html").read_text()
    assert page.count('alt="Axial slice of b') == 3 and 'alt="Axial slice of hand' in page
    assert "lowest confidence" in page and 'href="b/README.txt"' in page and "http" not in page.split("</style>")[1]
    quality = read_table(reviewed / "review/tables/quality.tsv").set_index("order")
    assert quality.share_of_worst["this list"] == 1


def test_a_scan_that_was_corrected_before_is_not_on_the_list(reviewed):
    folder = reviewed
    write_table(pd.DataFrame({"case": ["b"]}), folder / "corrected.tsv")
    made(folder, "--corrected", folder / "corrected.tsv")
    assert sorted(read_table(folder / "review/review.tsv").case) == ["a", "c"] and not (folder / "review/b").exists()


def test_where_all_are_corrected_or_right_nothing_is_said_of_how_good_the_list_was(reviewed):
    folder = reviewed
    write_table(pd.DataFrame({"case": ["a", "b", "c"]}), folder / "corrected.tsv")
    made(folder, "--corrected", folder / "corrected.tsv")
    assert read_table(folder / "review/review.tsv").empty and not list(folder.glob("review/*/README.txt"))
    write_table(read_table(folder / "truth.tsv").assign(DSC=1.0), folder / "right.tsv")
    made(folder, "--truth", folder / "right.tsv")
    assert "How good the list was" not in (folder / "review/review.html").read_text()


def test_organs_that_are_not_labelled_in_a_scan_are_no_contradiction(reviewed):
    folder = reviewed
    whole = read_table(folder / TRAINING_SET)
    organs = [organ.name for organ in FLARE22]
    named = {"hand": ", ".join(organs[1:]), "other": ", ".join(organs)}
    write_table(whole.assign(organs=whole.case.map(named)), folder / TRAINING_SET)
    made(folder)
    write_table(whole, folder / TRAINING_SET)
    assert read_table(folder / "review/hand_labels.tsv").contradicted.tolist() == [0, 0]


def test_a_corrected_scan_that_is_held_out_has_its_correction_as_hand_label(reviewed):
    folder = reviewed
    whole, held_out = read_table(folder / TRAINING_SET), read_table(folder / FOLD / "held_out.tsv")
    corrected = {"case": "a", "origin": "corrected", "label_map": folder / "hand/other.nii.gz"}
    write_table(pd.concat([whole, pd.DataFrame([corrected])]), folder / TRAINING_SET)
    write_table(pd.concat([held_out, held_out[:13].assign(case="a", DSC=0.9)]), folder / FOLD / "held_out.tsv")
    (folder / FOLD / "held_out/a.nii.gz").write_bytes((folder / FOLD / "held_out/other.nii.gz").read_bytes())
    made(folder)
    write_table(whole, folder / TRAINING_SET)
    write_table(held_out, folder / FOLD / "held_out.tsv")
    assert sorted(read_table(folder / "review/hand_labels.tsv").case) == ["a", "hand", "other"]
    assert "3 of 3 scans labelled by hand were held out" in (folder / "review/review.html").read_text()


def test_hand_labels_are_held_against_the_model_that_labelled_not_against_a_student_that_collapsed(reviewed):
    folder = reviewed
    collapsed = folder / "round_1/model/fold_0/held_out.tsv"
    write_table(read_table(folder / FOLD / "held_out.tsv").assign(DSC=0.0), collapsed)
    made(folder, "--held-out", folder / FOLD / "held_out.tsv", collapsed)
    assert read_table(folder / "review/hand_labels.tsv").contradicted.tolist() == [1, 0]


def test_made_again_it_stops_at_what_a_person_saved_there(reviewed):
    made(reviewed)
    (reviewed / "review/b/b.seg.nrrd").write_text("corrected")
    with pytest.raises(InputError, match=r"b\.seg\.nrrd changed since"):
        made(reviewed)
