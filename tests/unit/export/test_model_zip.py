"""The zip that nnU-Net installs: each model under a name of its own, which its card tells."""

import shutil
import zipfile

import pytest

from noisy_student.configuration.prediction_options import Prediction
from noisy_student.export.model_zip import dataset_of, installed, write_model_zip
from noisy_student.files import sha256
from noisy_student.model.own_prediction import write_own_prediction
from noisy_student.model.postprocessing import read_steps, steps_beside

STEPS = [[1, 2, 3], [2]]


def test_each_model_is_installed_beside_the_others(untrained, tmp_path):
    folds = sorted(untrained.glob("fold_*/checkpoint_final.pth"))
    both = [sha256(path) for path in folds]
    of = {name: dataset_of(checksums, name) for name, checksums in {"1": both, "2": both, "deploy": both[:1]}.items()}
    assert len({dataset_of(both, "1"), dataset_of(both[:1], "1"), *of.values()}) == 4
    # nnU-Net takes `Dataset`, three digits and any word.
    assert all(
        name.startswith("Dataset001_NoisyStudent_round_") and name.replace("_", "").isalnum() for name in of.values()
    )
    write_model_zip(folds, of["1"], "", tmp_path / "model.zip")
    names = zipfile.ZipFile(tmp_path / "model.zip").namelist()
    assert {name.partition("/")[0] for name in names} == {of["1"]}
    (_, folder), *_ = (name.split("/")[:2] for name in names)
    said = installed(folds, of["1"])
    plans = folder.split("__")[1]
    assert f"nnUNetv2_predict -d {of['1']} -p {plans} -c 3d_fullres -f 0 1 " in said


@pytest.mark.parametrize("steps", [STEPS, []])
def test_what_the_scores_are_after_goes_with_the_model(untrained, tmp_path, steps):
    folds = sorted(untrained.glob("fold_*/checkpoint_final.pth"))
    write_model_zip(folds, "Dataset001_X", "", tmp_path / "model.zip", steps)
    shutil.unpack_archive(tmp_path / "model.zip", tmp_path)
    [model] = (tmp_path / "Dataset001_X").iterdir()
    assert [read_steps(path) for path in steps_beside([model])] == ([steps] if steps else [])
    assert ("does not keep the largest pieces" in installed(folds, "Dataset001_X", steps)) == bool(steps)


@pytest.mark.parametrize(
    ("own", "flags", "elsewhere"),
    [
        (Prediction(step_size=0.75, windows="in_box_of_body"), "-step_size 0.75 --disable_tta ", True),
        (Prediction(), "--disable_tta ", False),
        (Prediction(mirroring=True), "", False),
    ],
)
def test_nnunet_is_told_to_label_as_the_model_was_scored(untrained, tmp_path, own, flags, elsewhere):
    model = shutil.copytree(untrained, tmp_path / "model")
    write_own_prediction(model, own)
    said = installed(sorted(model.glob("fold_*/checkpoint_final.pth")), "Dataset001_X")
    assert f" -f 0 1 {flags}-i SCANS" in said
    assert ("`windows: in_box_of_body`" in said and "nnU-Net looks at the whole scan" in said) == elsewhere
