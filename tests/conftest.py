"""Fixtures that several tests share."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import SimpleITK as sitk
import torch
from hypothesis import HealthCheck, settings
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
from nnunetv2.utilities.get_network_from_plans import get_network_from_plans

from noisy_student.cohort.conversion import convert, convert_label_map
from noisy_student.cohort.converted import converted_image, converted_label_map
from noisy_student.cohort.scans import embedded_folders, find_scans
from noisy_student.configuration.settings import Network
from noisy_student.nnunet import nnunet_folders
from noisy_student.plan.planning import dataset_description, make_fingerprint, make_plans
from noisy_student.plan.preprocessing import Plan, preprocess_image
from noisy_student.tables import write_table
from noisy_student.train.training_set import Example, add_example, splits

pytest_plugins = ["fault_table"]
# On a busy machine drawing takes long, which says nothing about the code.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")
ROOT = Path(__file__).parent.parent
COARSE = Network(
    spacing_mm_zyx=(8, 6, 6), patch_size_zyx=(24, 48, 48), stages=4, base_features=4, batch_size=2, encoder_blocks=[1]
)


# These share one finished loop.
ON_THE_LOOP = ("test_conda", "test_faults", "test_loop", "test_real_data", "test_second_experiment")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Tests that share what takes long to make are run by one process: those of a file, and those on the loop."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            return "loop" if Path(file).stem in ON_THE_LOOP else file

    return Scheduling(config, log)


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    """Nothing is kept in the user's cache, nor taken from there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("xdg_cache")))
        yield


def script(name: str, *arguments: object) -> subprocess.CompletedProcess:
    """Run one of the workflow's scripts as a rule does."""
    command = [sys.executable, str(ROOT / "workflow/scripts" / name), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def stock_label_map(model, scan, reader, fold=0):
    """What nnU-Net's own prediction makes of a scan, as the reader gives it."""
    predictor = nnUNetPredictor(0.5, True, False, False, torch.device("cpu"), allow_tqdm=False)
    predictor.initialize_from_trained_model_folder(str(model), (fold,))
    image, properties = reader.read_images([str(scan)])
    return predictor.predict_single_npy_array(image, properties)


@pytest.fixture(scope="session")
def embedded(tmp_path_factory) -> Path:
    """A small embedded cohort: 3 labelled, 2 unlabelled, 1 validation and 1 test scan."""
    folder = tmp_path_factory.mktemp("embedded")
    counts = ("--labelled", 3, "--unlabelled", 2, "--validation", 1, "--test", 1)
    run = script("make_cohort.py", "--output", folder, "--seed", 5, *counts)
    assert run.returncode == 0, run.stderr
    return folder


@pytest.fixture(scope="session")
def converted(embedded, tmp_path_factory) -> Path:
    """The labelled scans of the embedded cohort in canonical orientation."""
    folder = tmp_path_factory.mktemp("converted")
    for scan in find_scans(embedded_folders(embedded)):
        if scan.label_map and scan.role == "labelled":
            image = converted_image(folder, scan.case)
            convert(scan.image, image)
            convert_label_map(scan.label_map, converted_label_map(folder, scan.case), image)
    return folder


@pytest.fixture(scope="session")
def description(converted) -> dict:
    """nnU-Net's dataset.json of the labelled scans."""
    label_maps = {
        path.name.removesuffix(".nii.gz"): str(path) for path in sorted(converted.glob("label_maps/*.nii.gz"))
    }
    return dataset_description({case: str(converted_image(converted, case)) for case in label_maps}, label_maps)


@pytest.fixture(scope="session")
def fingerprint(description, tmp_path_factory) -> Path:
    """nnU-Net's fingerprint of the labelled scans."""
    path = tmp_path_factory.mktemp("plans") / "dataset_fingerprint.json"
    path.write_text(json.dumps(make_fingerprint(description, path, cores=1)))
    return path


@pytest.fixture(scope="session")
def plan(description, fingerprint) -> Plan:
    """Plans of a small network on a coarse grid."""
    return Plan(make_plans(description, fingerprint, COARSE, "coarse"), description)


@pytest.fixture(scope="session")
def untrained(plan, tmp_path_factory) -> Path:
    """A model folder with two folds of untrained networks."""
    folder = tmp_path_factory.mktemp("model")
    (folder / "plans.json").write_text(json.dumps(plan.plans))
    (folder / "dataset.json").write_text(json.dumps(plan.dataset))
    configuration = plan.configuration
    for fold in range(2):
        torch.manual_seed(fold)
        network = get_network_from_plans(
            configuration.network_arch_class_name,
            configuration.network_arch_init_kwargs,
            configuration.network_arch_init_kwargs_req_import,
            1,
            plan.classes,
            deep_supervision=False,
        )
        for layer in network.decoder.seg_layers:
            # As sure of itself as a trained network: only rounding decides between classes that are equally likely.
            torch.nn.init.normal_(layer.weight, std=5)
        checkpoint = {
            "network_weights": network.state_dict(),
            "trainer_name": "nnUNetTrainer",
            "init_args": {"configuration": "3d_fullres", "fold": fold},
            "inference_allowed_mirroring_axes": (0, 1, 2),
        }
        (folder / f"fold_{fold}").mkdir()
        torch.save(checkpoint, folder / f"fold_{fold}/checkpoint_final.pth")
    return folder


@pytest.fixture(scope="session")
def stock_model(plan, tmp_path_factory):
    """What nnU-Net's own trainer leaves before its first step, of a dataset of another name."""
    folder = tmp_path_factory.mktemp("results")
    plans = plan.plans | {"dataset_name": "Dataset007_Abdomen", "continue_training": False}
    with nnunet_folders(folder / "x") as (_, preprocessed):
        trainer = nnUNetTrainer(plans, "3d_fullres", 0, plan.dataset, torch.device("cpu"))
        (preprocessed / "cases").mkdir()
        (preprocessed / "cases/case.b2nd").touch()
        trainer.preprocessed_dataset_folder = str(preprocessed / "cases")
        trainer.output_folder = str(folder / "fold_0")
        trainer.log_file = str(folder / "log.txt")
        (folder / "fold_0").mkdir()
        torch.manual_seed(0)
        trainer.initialize()
        for layer in trainer.network.decoder.seg_layers:
            torch.nn.init.normal_(layer.weight, std=5)
        trainer.save_checkpoint(str(folder / "fold_0/checkpoint_final.pth"))
    (folder / "plans.json").write_text(json.dumps(plans))
    (folder / "dataset.json").write_text(json.dumps(plan.dataset))
    return folder


@pytest.fixture(scope="session")
def dataset(converted, plan, fingerprint, tmp_path_factory):
    """A round's dataset: two labelled scans, and a third one as if it were pseudo-labelled."""
    folder = tmp_path_factory.mktemp("dataset")
    cases = [f"FLARE22_Tr_{number:04}" for number in (1, 2, 3)]
    rows = []
    for case, origin in zip(cases, ("labelled", "labelled", "pseudo"), strict=True):
        preprocess_image(converted_image(converted, case), folder / "cache" / case, plan)
        example = Example(case, origin, converted_label_map(converted, case), folder / "cache" / case)
        rows.append(add_example(example, folder / "cases", plan))
    write_table(pd.DataFrame(rows), folder / "training_set.tsv")
    (folder / "splits_final.json").write_text(json.dumps(splits(cases[:2], cases[2:], 2, seed=1)))
    shutil.copy(fingerprint, folder / "dataset_fingerprint.json")
    return folder


@pytest.fixture
def not_allowed(monkeypatch):
    """Let a method of `Path` be refused at one path, as of another person's file."""

    def refuse(method, place):
        allowed = getattr(Path, method)

        def asked(path):
            if path == place:
                raise PermissionError(13, "Permission denied")
            return allowed(path)

        monkeypatch.setattr(Path, method, asked)

    return refuse


@pytest.fixture
def write_scan(tmp_path):
    """Write an array (z, y, x) as an image file and return its path."""

    def write(name, array, spacing=(3.0, 3.0, 5.0), direction=None):
        image = sitk.GetImageFromArray(array)
        if array.ndim == 3:
            image.SetSpacing(spacing)
            image.SetDirection(direction or (-1, 0, 0, 0, -1, 0, 0, 0, 1))
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        sitk.WriteImage(image, str(path))
        return path

    return write


@pytest.fixture
def lay(tmp_path):
    """Make empty files below a folder."""

    def make(*names):
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        return tmp_path

    return make


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """The tiny loop with two students, run to its end once for all end-to-end tests: with conda, where that can be.

    What the tests run again they run without: that conda is left does no job again.
    """
    import conda_project
    from project import Project
    from tiny_loop import TINY

    folder = tmp_path_factory.mktemp("loop") / "a run of its own"
    if conda_project.why_not():
        project = Project(folder, **TINY)
        run = project.run()
    else:
        project = conda_project.CondaProject(folder, **TINY)
        project.make_environments()
        run = project.as_typed()
    assert run.returncode == 0, run.stdout[-5000:]
    (project.folder / "output.txt").write_text(run.stdout)
    # What is run again writes it again.
    shutil.copy(project.folder / "results/report/live.html", project.folder)
    yield project
    shutil.rmtree(folder.with_name("conda"), ignore_errors=True)
