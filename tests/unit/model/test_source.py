"""Models looked at where they lie: folders and zips, whole or not, of kinds that can be used or not."""

import json
import os
import pickle
import shutil
import subprocess
import sys
import zipfile

import pytest
import torch

from conftest import ROOT
from noisy_student.errors import InputError
from noisy_student.model.inert import Inert, said_by
from noisy_student.model.model_folder import checkpoints_of, read_model
from noisy_student.model.source import read_source


class Trap:
    """What runs when this is loaded: a folder appears."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.fixture
def model(untrained, tmp_path):
    """A copy of a model folder with two folds."""
    return shutil.copytree(untrained, tmp_path / "model")


def zipped(model, path, inside="Dataset007_X/nnUNetTrainer__nnUNetPlans__3d_fullres/"):
    with zipfile.ZipFile(path, "a") as archive:
        for file in model.rglob("*"):
            if file.is_file():
                archive.write(file, inside + str(file.relative_to(model)))
    return path


def change(model, name, **values):
    (model / name).write_text(json.dumps(json.loads((model / name).read_text()) | values))


def test_a_folder_and_a_zip_of_it_say_the_same(model, tmp_path):
    folder, archive = read_source(model), read_source(zipped(model, tmp_path / "model.zip"))
    assert folder.folds == archive.folds == ("fold_0", "fold_1")
    assert folder.labels == archive.labels and list(folder.labels.values()) == list(range(1, 14))
    assert folder.grid == archive.grid == read_model(checkpoints_of(model)).grid
    assert folder.spacing_mm_zyx == (8, 6, 6)
    assert list(archive.checked_files) == ["model.zip"] and set(folder.checked_files) == set(folder.folds)


def test_nothing_is_run_while_a_model_is_looked_at(model, tmp_path):
    path = model / "fold_0/checkpoint_final.pth"
    checkpoint = torch.load(path, weights_only=False)
    torch.save(checkpoint | {"grad_scaler_state": Trap(tmp_path / "trapped")}, path)
    with path.open("rb") as stream:
        said = said_by(stream)
    assert said["init_args"] == {"configuration": "3d_fullres", "fold": 0} and said["trainer_name"] == "nnUNetTrainer"
    assert isinstance(said["grad_scaler_state"], Inert) and set(said["network_weights"]) == set(
        checkpoint["network_weights"]
    )
    assert read_source(model).configuration == "3d_fullres" and not (tmp_path / "trapped").exists()
    with pytest.raises(FileExistsError):
        (tmp_path / "trapped").mkdir()
        pickle.loads(pickle.dumps(Trap(tmp_path / "trapped")))


def test_the_fold_of_all_scans_is_taken_where_there_is_no_other(model):
    shutil.copytree(model / "fold_0", model / "fold_all")
    assert read_source(model).folds == ("fold_0", "fold_1")
    for fold in (0, 1):
        shutil.rmtree(model / f"fold_{fold}")
    assert read_source(model).folds == ("fold_all",)


@pytest.mark.parametrize(
    ("reason", "configuration", "dataset"),
    [
        ("slices", {"patch_size": [48, 48]}, {}),
        ("cascade", {"previous_stage": "3d_lowres"}, {}),
        ("preprocessor OfSomeone", {"preprocessor_name": "OfSomeone"}, {}),
        ("regions", {}, {"labels": {"background": 0, "body": [1, 2], "liver": 1}, "regions_class_order": [2, 1]}),
        ("2 channels", {}, {"channel_names": {"0": "CT", "1": "PET"}}),
    ],
)
def test_kinds_that_cannot_be_used_are_refused_with_the_reason(model, reason, configuration, dataset):
    plans = json.loads((model / "plans.json").read_text())
    base = plans["configurations"]["3d_fullres"]
    # As nnU-Net writes what differs from another configuration.
    plans["configurations"] = {"3d_base": base, "3d_fullres": {"inherits_from": "3d_base"} | configuration}
    (model / "plans.json").write_text(json.dumps(plans))
    assert dataset or configuration
    change(model, "dataset.json", **dataset)
    with pytest.raises(InputError, match=reason):
        read_source(model)


def test_plans_of_nnunet_2_0_which_do_not_list_layers_are_those_of_a_u_net(model):
    plans = json.loads((model / "plans.json").read_text())
    del plans["configurations"]["3d_fullres"]["architecture"]
    (model / "plans.json").write_text(json.dumps(plans))
    assert read_source(model).folds == ("fold_0", "fold_1")


def test_what_is_not_there_or_not_whole_is_named(model, tmp_path):
    with pytest.raises(InputError, match="nowhere: no such file or folder"):
        read_source(tmp_path / "nowhere")
    (tmp_path / "text").write_text("no zip")
    with pytest.raises(InputError, match="neither"):
        read_source(tmp_path / "text")
    checkpoint = model / "fold_1/checkpoint_final.pth"
    checkpoint.rename(checkpoint.with_name("checkpoint_latest.pth"))
    with pytest.raises(InputError, match="none in fold_1"):
        read_source(model)
    shutil.rmtree(model / "fold_1")
    first = model / "fold_0/checkpoint_final.pth"
    first.write_bytes(first.read_bytes()[:1000])
    with pytest.raises(InputError, match=f"a whole model of nnU-Net v2 at {model}"):
        read_source(model)
    shutil.rmtree(model / "fold_0")
    with pytest.raises(InputError, match=r"trained folds in .*\n.*got: none"):
        read_source(model)
    (model / "dataset.json").unlink()
    with pytest.raises(InputError, match=r"no dataset\.json in"):
        read_source(model)


def test_a_zip_of_several_models_is_refused_with_their_names(model, tmp_path):
    path = zipped(model, tmp_path / "two.zip", "X/a/")
    with pytest.raises(InputError, match="X/a/, X/b/"):
        read_source(zipped(model, path, "X/b/"))


def test_models_are_looked_at_without_torch_nnunet_or_any_reader_of_scans(model):
    code = f"""
import sys
from pathlib import Path
from noisy_student.model import elsewhere
from noisy_student.model.source import read_source
assert len(read_source(Path({str(model)!r})).folds) == 2
print({{"torch", "nnunetv2", "SimpleITK", "pandas"}} & set(sys.modules))
"""
    scripts = str(ROOT / "workflow/scripts")
    run = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": scripts}, capture_output=True, text=True
    )
    assert run.stdout.strip() == "set()", run.stderr
