"""The zip that nnU-Net installs: each model under a name of its own, which its card tells."""

import zipfile

from noisy_student.export.model_zip import dataset_of, installed, write_model_zip


def test_each_model_is_installed_beside_the_others(untrained, tmp_path):
    folds = sorted(untrained.glob("fold_*/checkpoint_final.pth"))
    of = {
        name: dataset_of(checkpoints, name)
        for name, checkpoints in {"1": folds, "2": folds, "deploy": folds[:1]}.items()
    }
    assert len({dataset_of(folds, "1"), dataset_of(folds[:1], "1"), *of.values()}) == 4
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
