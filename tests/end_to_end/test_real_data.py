"""Real CT and real label maps take the same way as everything else, without special treatment.

The data are not part of the project; where they are absent, these tests are skipped.
"""

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from conftest import ROOT, script
from noisy_student.files import sha256
from noisy_student.geometry import Geometry, image_like
from noisy_student.images import read_geometry, read_image, write_image
from project import Project
from tiny_loop import TINY

DATA = ROOT.parent / "shared/data"
CT = DATA / "ct/totalseg_example"
SERIES = DATA / "ct/totalseg_dicom_slab"
# One of each header variant among FLARE22's label maps: qform 1 with sform 0, and qform 2 with sform 1.
LABEL_MAPS = ("FLARE22_Tr_0014", "FLARE22_Tr_0022")

pytestmark = pytest.mark.skipif(not CT.exists(), reason=f"the real scans are not at {DATA}")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Label maps of the challenge with scans of one intensity per organ, and the real CT, as a user would lay them."""
    root = tmp_path_factory.mktemp("real")
    for case in LABEL_MAPS:
        label_map = read_image(DATA / f"flare22_labels/{case}.nii.gz")
        labels = sitk.GetArrayFromImage(label_map).astype(np.int16)
        hounsfield = np.where(labels, labels * 15 - 50, -1000).astype(np.int16)
        write_image(image_like(hounsfield, label_map), root / f"images/{case}_0000.nii.gz")
        write_image(label_map, root / f"labels/{case}.nii.gz")
    for name, source in (("ct/real_0000.nii.gz", "image.nii.gz"), ("ct_labels/real.nii.gz", "label.nii.gz")):
        (root / name).parent.mkdir()
        (root / name).symlink_to(CT / source)
    # A DICOM series beside its label map.
    (root / "ct/slab").symlink_to(SERIES)
    (root / "ct_labels/slab.nii.gz").symlink_to(SERIES / "label.nii.gz")
    return root


def test_real_scans_and_label_maps_go_from_case_table_to_preprocessed(folders, tmp_path):
    cohort = {
        "labelled": [{"images": str(folders / "images"), "label_maps": str(folders / "labels")}],
        "test": [{"images": str(folders / "ct"), "label_maps": str(folders / "ct_labels")}],
    }
    overlay = TINY | {"cohort": {"kind": "folders", "folders": cohort}, "rounds": TINY["rounds"][:1]}
    project = Project(tmp_path / "project", **overlay)
    run = project.run("check", "results/preprocessed/coarse.tsv")
    assert run.returncode == 0, run.stdout[-3000:]
    assert "4 scans (2 labelled, 2 test), 1 warning(s), no errors" in run.stdout
    cases = pd.read_csv(project.folder / "results/cohort/cases.tsv", sep="\t").set_index("case")
    assert set(cases.index) == {*LABEL_MAPS, "real", "slab"}
    assert tuple(cases.loc["real", ["size_x", "size_y", "size_z"]]) == (122, 101, 112)
    findings = pd.read_csv(project.folder / "results/cohort/findings.tsv", sep="\t")
    # Neither real CT shows one.
    assert findings.found.str.contains("esophagus in none of 2 test scans").tolist() == [True], findings.to_string()
    converted = read_geometry(project.folder / "results/cohort/images/slab_0000.nii.gz")
    assert converted.differences(read_geometry(SERIES / "label.nii.gz")) == []


def test_the_embedded_cohorts_model_labels_real_cts_and_is_judged(finished, folders, tmp_path):
    model = finished.folder / "results/round_2/model"
    given = ("--model", model, "--image", folders / "ct", "--output", tmp_path / "predictions")
    # To the project under test this model is foreign: it lies in another copy's results.
    run = script("label_scan.py", *given)
    assert run.returncode == 2 and "--trust" in run.stderr and not (tmp_path / "predictions").exists()
    run = script("label_scan.py", *given, "--trust", sha256(model / "fold_0/checkpoint_final.pth"))
    assert run.returncode == 0, run.stderr
    for label_map, truth in (("real", CT / "label.nii.gz"), ("slab", SERIES / "label.nii.gz")):
        predicted = Geometry.of(read_image(tmp_path / f"predictions/{label_map}.nii.gz"))
        assert predicted.differences(read_geometry(truth)) == []
    run = script(
        "evaluate.py",
        *("--truth", folders / "ct_labels", "--predictions", tmp_path / "predictions"),
        *("--mode", "flare22", "--output", tmp_path / "scores.tsv"),
    )
    assert run.returncode == 0, run.stderr
    scores = pd.read_csv(tmp_path / "scores.tsv", sep="\t")
    assert len(scores) == 2 * 13 and scores.DSC.between(0, 1).all()
