import json
import os
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk
import torch
from nnunetv2.training.loss.compound_losses import DC_and_CE_loss
from nnunetv2.training.loss.deep_supervision import DeepSupervisionWrapper
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

import train
from conftest import COARSE
from noisy_student.cohort.converted import converted_label_map
from noisy_student.configuration.settings import FineTuning, Noise, Training
from noisy_student.errors import InputError
from noisy_student.geometry import image_like
from noisy_student.images import read_image, write_image
from noisy_student.model import device
from noisy_student.model.soft_labels import write_soft_labels
from noisy_student.plan.planning import make_plans
from noisy_student.plan.preprocessing import Plan, read_array, read_properties
from noisy_student.tables import write_table
from noisy_student.train import moving_average
from noisy_student.train.first_weights import FirstWeights
from noisy_student.train.masking import with_ignore_label
from noisy_student.train.origins import filled_name
from noisy_student.train.trainer import NoisyStudentTrainer, Places
from noisy_student.train.training_set import Example, add_example, label_sets, splits

CASES = [f"FLARE22_Tr_{number:04}" for number in (1, 2, 3)]
SETTINGS = Training(
    splits=2, folds=[0], epochs=2, iterations_per_epoch=2, validation_iterations_per_epoch=1
).model_dump() | {"noise": Noise().model_dump(), "seed": 1, "targets": "hard"}
NO_NOISE = Noise(augmentation="none").model_dump()


def fine_tuning(**own):
    return FineTuning(epochs=1, **own).model_dump()


@pytest.fixture
def trainer(dataset, plan, tmp_path):
    def make(dataset_json=plan.dataset, first_weights=None, plans=plan.plans, **changes):
        places = Places(dataset, tmp_path / "model", 0)
        plans, device = json.loads(json.dumps(plans)), torch.device("cpu")
        settings = SETTINGS | changes
        made = NoisyStudentTrainer.prepare(plans, dataset_json, places, settings, device, 1, first_weights)
        made.save_every = 1
        return made

    return make


@pytest.mark.parametrize("targets", ["hard", "soft"])
def test_a_network_of_two_stages_learns_from_its_only_output(trainer, description, fingerprint, targets):
    """nnU-Net gives the coarsest output no weight; of one output it would be 0 / 0."""
    two = make_plans(description, fingerprint, COARSE.model_copy(update={"stages": 2}), "two")
    made = trainer(plans=two, targets=targets)
    made.initialize()
    weights = made.loss.weights if targets == "soft" else made.loss.weight_factors
    assert list(weights) == [1.0]
    output = torch.randn(2, made.label_manager.num_segmentation_heads, *made.configuration_manager.patch_size)
    assert torch.isfinite(made.loss([output], [torch.zeros((2, 1, *output.shape[2:]))]))


@pytest.mark.parametrize(("axes", "expected"), [(["z", "y"], (0, 1)), (["y"], (1,)), ([], None)])
def test_mirroring_never_takes_the_left_right_axis(trainer, axes, expected):
    made = trainer(mirror_axes=axes)
    *_, mirrored = made.configure_rotation_dummyDA_mirroring_and_inital_patch_size()
    assert made.inference_allowed_mirroring_axes == expected
    assert tuple(mirrored) == (expected or ())


def test_without_noise_a_patch_is_cut_as_the_network_sees_it(trainer):
    noisy, plain = trainer(), trainer(noise=NO_NOISE)
    patches = [made.configure_rotation_dummyDA_mirroring_and_inital_patch_size()[2] for made in (noisy, plain)]
    assert list(patches[1]) == [24, 48, 48] and max(patches[0]) > 48


def test_the_last_epochs_draw_hand_labelled_scans_alone(trainer):
    chances = trainer(epochs=3, fine_tuning=fine_tuning(), labelled_fraction=0.3).chances_of(CASES)
    assert np.allclose([chances(3), chances(4)], [[0.15, 0.15, 0.7], [0.5, 0.5, 0]])


def first_batches(made, count, epoch=0, workers=1):
    made.initialize()
    made.current_epoch, made.workers = epoch, workers
    loaders = made.get_dataloaders()
    try:
        return [next(loaders[0]) for _ in range(count)]
    finally:
        for loader in loaders:
            loader._finish()


def first_patches(*args, **kwargs):
    return [batch["data"] for batch in first_batches(*args, **kwargs)]


def test_the_last_epochs_have_batches_with_their_own_augmentation_also_when_resumed(trainer):
    """As if all epochs had the one augmentation, or the other; however many workers there are."""
    own, plain = fine_tuning(noise=NO_NOISE), fine_tuning()
    batches = first_patches(trainer(fine_tuning=own), 4, workers=2)
    noisy = first_patches(trainer(fine_tuning=plain), 4)
    quiet = first_patches(trainer(fine_tuning=plain, noise=NO_NOISE), 4)
    assert not any(map(torch.equal, noisy, quiet))
    assert all(map(torch.equal, batches, [*noisy[:2], *quiet[2:]]))
    assert all(map(torch.equal, first_patches(trainer(fine_tuning=own), 2, epoch=1), batches[2:]))


def test_the_network_has_the_noise_of_the_epoch(trainer):
    made = trainer(noise=Noise(dropout=0.5).model_dump(), fine_tuning=fine_tuning(noise=NO_NOISE))
    made.initialize()
    scan, is_quiet = torch.randn(1, 1, 24, 48, 48), []
    for made.current_epoch in (0, 1):
        made.on_train_epoch_start()
        is_quiet.append(torch.equal(made.network(scan)[0], made.network(scan)[0]))
    assert is_quiet == [False, True]


def test_patches_are_mixed_in_the_epochs_whose_noise_says_so(trainer, monkeypatch):
    seen = []
    monkeypatch.setattr(nnUNetTrainer, "train_step", lambda _, batch: seen.append(batch))
    made = trainer(noise=Noise(mixing=1).model_dump(), fine_tuning=fine_tuning(noise=NO_NOISE))
    given = first_batches(made, 1)[0]
    for made.current_epoch in (0, 1):
        made.train_step(given)
    assert seen[1] is given
    moved = seen[0]["data"] != given["data"]
    assert moved.any() and torch.equal(seen[0]["data"][moved], given["data"].roll(1, 0)[moved])
    assert len(seen[0]["target"]) == len(given["target"]) > 1


def test_masked_organs_have_no_part_in_the_loss(dataset, plan, trainer, converted, tmp_path):
    """Deep supervision included: the loss of two predictions that differ in ignored voxels alone is the same."""
    ignoring = Plan(plan.plans, with_ignore_label(plan.dataset))
    case = CASES[2]
    masked = Example(
        case, "pseudo", converted_label_map(converted, case), dataset / "cache" / case, ("liver", "spleen")
    )
    add_example(masked, tmp_path / "cases", ignoring)
    properties, labels = read_properties(tmp_path / "cases" / case), read_array(tmp_path / "cases" / f"{case}_seg.b2nd")
    assert (labels == 14).any() and not np.isin(labels, (1, 3)).any()
    assert len(properties["class_locations"][(-1, *range(14))]) and not len(properties["class_locations"][1])
    made = trainer(dataset_json=ignoring.dataset)
    made.initialize()
    outputs = made.network(torch.zeros(1, 1, 24, 48, 48))
    assert outputs[0].shape[1] == 14
    patch = np.zeros((1, 1, 24, 48, 48), np.float32)
    z, y, x = (min(size, wanted) for size, wanted in zip(labels.shape[1:], patch.shape[2:], strict=True))
    patch[0, 0, :z, :y, :x] = labels[0, :z, :y, :x].clip(min=0)
    targets = [torch.from_numpy(patch)]
    targets += [torch.nn.functional.interpolate(targets[0], size=output.shape[2:]) for output in outputs[1:]]
    others = [output + 5 * torch.randn_like(output) * (t == 14) for output, t in zip(outputs, targets, strict=True)]
    assert all((target == 14).any() for target in targets[:2])
    assert torch.isclose(made.loss(outputs, targets), made.loss(others, targets))


@pytest.mark.parametrize(("name", "kind"), [("sgd", torch.optim.SGD), ("adamw", torch.optim.AdamW)])
def test_the_optimizer_and_its_falling_learning_rate(trainer, name, kind):
    made = trainer(optimizer=name, learning_rate=0.02)
    made.initialize()
    assert isinstance(made.optimizer, kind)
    made.lr_scheduler.step(1)
    assert made.optimizer.param_groups[0]["lr"] == pytest.approx(0.02 * 0.5**0.9)


def test_weights_come_from_the_seed(trainer):
    networks = [trainer(seed=seed) for seed in (1, 1, 2)]
    for made in networks:
        made.initialize()
    first, same, other = (torch.cat([value.flatten() for value in made.network.parameters()]) for made in networks)
    assert torch.equal(first, same) and not torch.equal(first, other)


@pytest.mark.parametrize(("processor", "last"), [("AVX2", True), ("AVX512", False), ("DEFAULT", False)])
def test_channels_lie_last_where_that_trains_faster_and_the_loss_is_the_same(trainer, monkeypatch, processor, last):
    losses = []
    for capability in ("AVX512", processor):
        monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda capability=capability: capability)
        made = trainer()
        made.on_train_start()
        made.on_train_epoch_start()
        losses += [float(made.train_step(next(made.dataloader_train))["loss"]) for _ in range(2)]
        made.dataloader_train._finish()
        made.dataloader_val._finish()
    weights = [value for value in made.network.parameters() if value.dim() == 5 and min(value.shape[1:]) > 1]
    assert weights
    assert all(value.is_contiguous(memory_format=torch.channels_last_3d) == last for value in weights)
    assert losses[2:] == pytest.approx(losses[:2], rel=1e-3)


def test_a_student_may_start_from_its_teachers_weights_whatever_its_noise(trainer, tmp_path):
    teacher = trainer(seed=1)
    teacher.initialize()
    teacher.save_checkpoint(str(tmp_path / "teacher.pth"))
    first = FirstWeights(tmp_path / "teacher.pth", with_heads=True, sees_alike=True)
    student = trainer(first_weights=first, seed=2, noise=Noise(dropout=0.2).model_dump())
    student.initialize()
    weights = [made.network.state_dict() for made in (teacher, student)]
    assert list(weights[0]) == list(weights[1])
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    assert "layers that did not fit: none" in (tmp_path / "model/fold_0/training_log.txt").read_text()


def test_training_writes_progress_and_whole_checkpoints(trainer):
    before = dict(os.environ)
    made = trainer(
        noise=Noise(augmentation="strong", dropout=0.1).model_dump(), fine_tuning=fine_tuning(learning_rate=0.002)
    )
    made.run_training()
    assert {key: value for key, value in os.environ.items() if "n_proc" in key} == {
        key: value for key, value in before.items() if "n_proc" in key
    }
    folder = made.places.fold_folder
    progress = pd.read_csv(folder / "progress.tsv", sep="\t")
    assert list(progress.columns) == [
        *("epoch", "learning_rate", "training_loss", "validation_loss", "validation_dice", "seconds")
    ]
    assert progress.learning_rate.tolist() == [0.01, 0.002] and progress.training_loss.notna().all()
    assert (folder / "checkpoint_final.pth").exists()
    assert not list(folder.glob(".writing*"))
    assert (folder.parent / "plans.json").exists()


@pytest.fixture(scope="module")
def soft_dataset(dataset, converted, plan, tmp_path_factory):
    """The same with soft targets: the third scan's teacher was sure of no voxel."""
    folder = shutil.copytree(dataset, tmp_path_factory.mktemp("soft") / "dataset", ignore=lambda *_: ["cases"])
    for case in CASES:
        soft = None
        if case == CASES[2]:
            first = read_array(dataset / "cases" / f"{case}_seg.b2nd")[0].clip(min=0).astype(np.uint8)
            soft = folder / "soft.b2nd"
            write_soft_labels(np.stack([first, np.full_like(first, 6), np.full_like(first, 80)]), soft)
        label_map = converted_label_map(converted, case)
        example = Example(case, "labelled", label_map, dataset / "cache" / case, soft=soft)
        add_example(example, folder / "cases", plan, soft=True)
    return folder


def made_on(dataset, trainer, **changes):
    made = trainer(**changes)
    made.preprocessed_dataset_folder_base = str(dataset)
    made.preprocessed_dataset_folder = str(dataset / "cases")
    return made


@pytest.mark.parametrize("augmentation", ["none", "nnunet", "strong"])
def test_soft_targets_come_through_augmentation_and_hand_labels_validate(soft_dataset, trainer, augmentation):
    noise = Noise(augmentation=augmentation).model_dump()
    made = made_on(soft_dataset, trainer, targets="soft", noise=noise, iterations_per_epoch=12)
    made.initialize()
    training, validation = made.get_dataloaders()
    try:
        shares = {case: set() for case in CASES}
        for _ in range(12):
            batch = next(training)
            assert batch["target"].shape == (2, 3, 24, 48, 48) and batch["target"].dtype == torch.uint8
            for case, target in zip(batch["keys"], batch["target"], strict=True):
                shares[case] |= set(target[2].unique().tolist())
                assert (target[2][target[0] == target[1]] == 100).all()
        found = {case: values for case, values in shares.items() if values}
        assert all((min(values) < 100) == (case == CASES[2]) for case, values in found.items()) and len(found) == 2
        targets = next(validation)["target"]
        assert [target.shape[1] for target in targets] == [1] * len(targets)
        assert len(made.network(torch.zeros(1, 1, 24, 48, 48))) == len(targets)
    finally:
        training._finish()
        validation._finish()


def test_a_student_learns_from_soft_targets(soft_dataset, trainer):
    made = made_on(soft_dataset, trainer, targets="soft")
    made.run_training()
    progress = pd.read_csv(made.places.fold_folder / "progress.tsv", sep="\t")
    assert len(progress) == 2 and progress.training_loss.notna().all() and progress.validation_loss.notna().all()


@pytest.fixture
def teacher(trainer, tmp_path):
    """First weights of the network as it is made."""
    made = trainer(seed=5)
    made.initialize()
    made.save_checkpoint(str(tmp_path / "teacher.pth"))
    shutil.rmtree(made.places.fold_folder)
    return FirstWeights(tmp_path / "teacher.pth", with_heads=True, sees_alike=True)


def test_a_teacher_that_learns_along_makes_the_targets_and_a_resumed_training_ends_the_same(
    soft_dataset, trainer, teacher, monkeypatch
):
    # So that the average is not the weights themselves after so few steps.
    monkeypatch.setattr(moving_average, "TIME_CONSTANTS", 1)

    def student():
        noise = Noise(augmentation="strong", dropout=0.2, mixing=0.5).model_dump()
        return made_on(soft_dataset, trainer, first_weights=teacher, targets="online", noise=noise, splits=2)

    whole = student()
    whole.run_training()
    expected = {name: value.clone() for name, value in whole.network.state_dict().items()}
    shutil.rmtree(whole.places.fold_folder)
    save = NoisyStudentTrainer.save_checkpoint

    def save_and_die(trainer, filename):
        save(trainer, filename)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(NoisyStudentTrainer, "save_checkpoint", save_and_die)
        student().run_training()
    second = student()
    train.resume(second)
    assert second.current_epoch == 1
    second.run_training()
    assert all(torch.equal(value, expected[name]) for name, value in second.network.state_dict().items())
    assert not second.places.voices.exists()


def test_only_a_damaged_checkpoint_is_to_be_deleted_not_a_whole_one_on_a_full_gpu(trainer, monkeypatch):
    first = trainer()
    first.initialize()
    latest = first.places.fold_folder / "checkpoint_latest.pth"
    first.save_checkpoint(str(latest))

    def initialize(_):
        raise RuntimeError("CUDA out of memory")

    with monkeypatch.context() as patched, pytest.raises(RuntimeError, match=r"^CUDA out of memory$"):
        patched.setattr(NoisyStudentTrainer, "initialize", initialize)
        train.resume(trainer())
    os.truncate(latest, latest.stat().st_size // 2)
    with pytest.raises(InputError, match=r"(?s)checkpoint_latest\.pth.*damaged.*delete it"):
        train.resume(trainer())


def test_a_batch_for_a_teacher_that_learns_along_has_both_views(soft_dataset, trainer, teacher):
    made = made_on(soft_dataset, trainer, first_weights=teacher, targets="online", labelled_fraction=0.01)
    batch = first_batches(made, 1)[0]
    assert batch["data"].shape == (2, 2, 24, 48, 48) and CASES[2] in batch["keys"]
    after = made.online.taught(batch, torch.device("cpu"))
    for number, case in enumerate(batch["keys"]):
        is_changed = not torch.equal(after["target"][number], batch["target"][number])
        assert is_changed == (case == CASES[2])
    assert after["data"].shape == (2, 1, 24, 48, 48)


@pytest.mark.parametrize("change", [{"with_heads": False}, {"sees_alike": False}, None])
def test_without_weights_that_label_there_are_no_such_targets(soft_dataset, trainer, teacher, change):
    first = change and replace(teacher, **change)
    made = made_on(soft_dataset, trainer, first_weights=first, targets="online")
    said = teacher.checkpoint.name if change else "random first weights"
    with pytest.raises(InputError, match=f"(?s)targets: online.*{said}.*targets: soft"):
        made.initialize()


def test_without_partly_labelled_scans_the_loss_is_nnunets_own(trainer):
    made = trainer()
    made.initialize()
    assert type(made.loss) is DeepSupervisionWrapper and type(made.loss.loss) is DC_and_CE_loss


@pytest.mark.parametrize(("has_compiler", "wish"), [(True, ""), (True, "f"), (False, ""), (False, "t")])
def test_on_a_gpu_a_network_is_compiled_where_that_can_be_done(trainer, monkeypatch, tmp_path, has_compiler, wish):
    made = trainer()
    made.device = torch.device("cuda")
    (tmp_path / "Python.h").touch()
    monkeypatch.setattr(device.sysconfig, "get_path", lambda *_: str(tmp_path))
    monkeypatch.setattr(device.shutil, "which", lambda name: f"/usr/bin/{name}" if has_compiler else None)
    monkeypatch.delenv("nnUNet_compile", raising=False)
    if wish:
        monkeypatch.setenv("nnUNet_compile", wish)
    assert made._do_i_compile() == (has_compiler and wish != "f")


def test_a_training_that_is_not_compiled_for_want_of_a_compiler_says_so_once(trainer, monkeypatch):
    monkeypatch.setattr(nnUNetTrainer, "_do_i_compile", lambda _: True)
    monkeypatch.setattr(device.shutil, "which", lambda _: None)
    monkeypatch.delenv("CC", raising=False)
    made = trainer()
    made.initialize()
    log = (made.places.fold_folder / "training_log.txt").read_text()
    assert log.count("not compiled, which would make it faster: no C compiler (gcc, clang)") == 1
    assert not isinstance(made.network, torch._dynamo.OptimizedModule)


@pytest.mark.parametrize(("kind", "waited_s", "advised"), [("cuda", 51.0, 1), ("cuda", 20.0, 0), ("cpu", 51.0, 0)])
def test_a_gpu_that_waits_for_batches_is_said_with_the_remedy_once(trainer, kind, waited_s, advised):
    made = trainer()
    made.device, made.workers, made.dataloader_train = torch.device(kind), 7, SimpleNamespace(waited_s=0.0)
    values = made.logger.local_logger.my_fantastic_logging
    for epoch in range(2):
        for key in ("lrs", "train_losses", "val_losses", "mean_fg_dice"):
            values[key].append(0.5)
        values["epoch_start_timestamps"].append(100.0 * epoch)
        values["epoch_end_timestamps"].append(100.0 * epoch + 90)
        made.dataloader_train.waited_s += waited_s
        made.write_progress()
    log = (made.places.fold_folder / "training_log.txt").read_text()
    assert log.count(f", 90.0 s, of it {waited_s} waiting for batches, ") == 2
    assert log.count("which 7 processes make") == log.count("--set-threads train=16 (docs/gpu.md)") == advised


@pytest.mark.parametrize("targets", ["hard", "soft"])
def test_partly_labelled_scans_are_learned_from_and_validate_filled_ones_are_drawn(
    dataset, converted, plan, trainer, tmp_path, targets
):
    folder = shutil.copytree(dataset, tmp_path / "partly", ignore=lambda *_: ["cases", "training_set.tsv"])
    organs, examples = list(plan.organs), []
    for case, known in zip(CASES, (organs[:3], organs[2:8], organs), strict=True):
        whole = read_image(converted_label_map(converted, case))
        voxels = sitk.GetArrayFromImage(whole)
        label_map, labels = tmp_path / f"{case}.nii.gz", [plan.organs[organ] for organ in known]
        write_image(image_like(np.where(np.isin(voxels, labels), voxels, 0).astype(np.uint8), whole), label_map)
        unlabelled = tuple(organ for organ in organs if organ not in known)
        hand = Example(case, "labelled", label_map, dataset / "cache" / case, unlabelled=unlabelled)
        examples.append(hand)
        if unlabelled:
            filled = replace(hand, case=filled_name(case), origin="filled", by_hand=label_map)
            examples.append(replace(filled, label_map=converted_label_map(converted, case)))
    sets, is_soft = label_sets(examples, plan), targets == "soft"
    sets.write(folder)
    rows = [add_example(example, folder / "cases", plan, is_soft, sets) for example in examples]
    write_table(pd.DataFrame(rows), folder / "training_set.tsv")
    folds = splits(CASES, list(map(filled_name, CASES[:2])), 2, seed=3)
    (folder / "splits_final.json").write_text(json.dumps(folds))
    assert set(folds[0]["val"]) & set(CASES[:2])
    own = fine_tuning(noise=NO_NOISE)
    made = made_on(folder, trainer, targets=targets, fine_tuning=own, noise=Noise(augmentation="strong").model_dump())
    made.places = replace(made.places, dataset=folder)
    made.run_training()
    progress = pd.read_csv(made.places.fold_folder / "progress.tsv", sep="\t")
    assert np.isfinite(progress[["training_loss", "validation_loss", "validation_dice"]]).all(axis=None)
    chances = made.chances_of(folds[0]["train"])
    drawn = [
        {case for case, chance in zip(folds[0]["train"], chances(number), strict=True) if chance} for number in (0, 2)
    ]
    left = set(CASES) - set(folds[0]["val"])
    assert drawn == [{filled_name(case) if case in CASES[:2] else case for case in left}, left]
