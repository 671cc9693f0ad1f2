import shutil
import threading
import time
from functools import partial

import numpy as np
import pytest
import torch
from nnunetv2.imageio.simpleitk_reader_writer import SimpleITKIO
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

from noisy_student.cohort.converted import converted_image
from noisy_student.configuration.prediction_options import Prediction
from noisy_student.errors import InputError
from noisy_student.model.body import body_of, box_of_body
from noisy_student.model.device import choose_device, has_room, one_thread
from noisy_student.model.model_folder import checkpoints_of, read_model
from noisy_student.model.predictor import Predictor, mirrorings
from noisy_student.model.scores import dsc
from noisy_student.model.windows import CERTAIN, Windows
from noisy_student.organs import FLARE22
from noisy_student.plan.preprocessing import ARRAY, preprocess_image, read_array, read_properties, with_suffix

CPU = torch.device("cpu")
CASE = "FLARE22_Tr_0001"


@pytest.fixture(scope="module")
def scan(converted, plan, tmp_path_factory):
    target = tmp_path_factory.mktemp("cache") / CASE
    preprocess_image(converted_image(converted, CASE), target, plan)
    return target


def predictor_of(untrained, folds, **options):
    return Predictor(read_model(checkpoints_of(untrained, folds)), Prediction(**{"backend": "torch"} | options), CPU)


def test_the_label_map_is_that_of_stock_prediction_with_both_folds(untrained, scan, converted):
    stock = nnUNetPredictor(0.5, True, False, False, CPU, allow_tqdm=False)
    stock.initialize_from_trained_model_folder(str(untrained), (0, 1))
    image, properties = SimpleITKIO().read_images([str(converted_image(converted, CASE))])
    expected = stock.predict_single_npy_array(image, properties)
    found = predictor_of(untrained, (0, 1)).label(scan)
    assert len(np.unique(expected)) > 3
    assert (found.label_map_zyx != expected).mean() < 1e-4


def test_scores_name_every_organ_and_compare_what_there_is(untrained, scan):
    one, two = (predictor_of(untrained, folds).label(scan).scores for folds in [(0,), (0, 1)])
    mirrored = predictor_of(untrained, (0,), mirroring=True).label(scan).scores
    for table in (one, two, mirrored):
        assert list(table.label) == [organ.label for organ in FLARE22]
        assert list(table.organ) == [organ.name for organ in FLARE22]
        assert (table.mean_max_probability.notna() == (table.mean_entropy.notna())).all()
    assert one.fold_agreement.isna().all() and one.mirror_agreement.isna().all()
    assert two.fold_agreement.between(0, 1).all() and two.fold_agreement.min() < 1
    assert two.mirror_agreement.isna().all()
    assert mirrored.fold_agreement.isna().all() and mirrored.mirror_agreement.min() < 1


def test_voxels_are_sure_where_the_folds_agree(untrained, scan):
    predictor = predictor_of(untrained, (0, 1))
    logits = predictor.predict(predictor.on_host(read_array(with_suffix(scan, ARRAY))))
    labelled = predictor.labelled(logits, read_properties(scan), voxels=True)
    differ = logits.passes[0][0] != logits.passes[1][0]
    assert differ.any() and (labelled.confidence_zyx[differ] == 0).all()
    assert labelled.confidence_zyx[~differ].min() >= 100 // 14
    assert predictor.label(scan).confidence_zyx is None


def test_a_network_that_has_diverged_is_no_teacher_among_others_either(untrained, scan):
    model = read_model(checkpoints_of(untrained, (0, 1)))
    for weights in model.networks[-1].parameters():
        weights.data.fill_(torch.nan)
    predictor = Predictor(model, Prediction(backend="torch"), CPU)
    logits = predictor.predict(predictor.on_host(read_array(with_suffix(scan, ARRAY))))
    assert predictor.labelled(logits, read_properties(scan)).scores.voxels.sum() == 0
    with pytest.raises(InputError, match="diverged"):
        predictor.labelled(logits, read_properties(scan), voxels=True)


def test_soft_labels_and_counts_know_of_pieces_that_were_taken_away(untrained, scan):
    """Of two networks without training the pieces of an organ are many; all but the largest become background."""
    found = {}
    for steps in ((), ((1,), (6,))):
        predictor = Predictor(read_model(checkpoints_of(untrained)), Prediction(backend="torch"), CPU, steps)
        logits = predictor.predict(predictor.on_host(read_array(with_suffix(scan, ARRAY))))
        found[steps] = predictor.labelled(logits, read_properties(scan), voxels=True, soft=True)
    neither = predictor.labelled(logits, read_properties(scan))
    assert neither.soft_labels is neither.confidence_zyx is neither.confidence_counts is None
    before, after = (labelled.soft_labels for labelled in found.values())
    classes = logits.mean.float().argmax(0).numpy()
    assert (before[0] == classes).all()
    changed = (before != after).any(0)
    assert changed.any() and np.isin(classes[changed], (1, 6)).all()
    assert (after[:, changed] == np.array([[0], [0], [100]])).all()
    for labelled, labels in zip(found.values(), (classes, np.where(changed, 0, classes)), strict=True):
        counted = [np.bincount(labelled.confidence_zyx[labels == label], minlength=101) for label in range(14)]
        assert (labelled.confidence_counts == counted).all()
    properties = read_properties(scan)
    box = tuple(slice(low, high) for low, high in properties["bbox_used_for_cropping"])
    gone = (found[()].label_map_zyx != found[((1,), (6,))].label_map_zyx)[box]
    assert changed.mean() == pytest.approx(gone.mean(), rel=0.3)


def test_voices_label_by_the_mean_of_their_logits_and_are_compared_as_folds_are(untrained, scan, tmp_path):
    fold = shutil.copytree(untrained, tmp_path / "model") / "fold_0"
    voices = [fold / f"checkpoint_{kind}.pth" for kind in ("final", "average", "third_1")]
    shutil.copy(untrained / "fold_1/checkpoint_final.pth", voices[1])
    weights = [torch.load(path, weights_only=False)["network_weights"] for path in voices[:2]]
    between = {name: (weights[0][name] + weights[1][name]) / 2 for name in weights[0]}
    torch.save(torch.load(voices[0], weights_only=False) | {"network_weights": between}, voices[2])
    image = torch.from_numpy(read_array(with_suffix(scan, ARRAY)))
    singly = [Predictor(read_model([path]), Prediction(backend="torch"), CPU).predict(image).mean for path in voices]
    predictor = Predictor(read_model(voices), Prediction(backend="torch"), CPU)
    found = predictor.predict(image)
    assert torch.allclose(found.mean.float(), torch.stack(singly).float().mean(0), atol=0.02, rtol=0.002)
    labels = [logits.argmax(0).numpy() for logits in singly]
    assert [len(maps) for maps in found.passes] == [1, 1, 1]
    assert all((maps[0] == label_map).all() for maps, label_map in zip(found.passes, labels, strict=True))
    scores = predictor.labelled(found, read_properties(scan)).scores
    pairs = [(0, 1), (0, 2), (1, 2)]
    expected = np.mean([dsc(labels[one], labels[other], len(FLARE22) + 1) for one, other in pairs], axis=0)
    assert np.allclose(scores.fold_agreement, expected[1:])


FULL = [
    torch.OutOfMemoryError("CUDA out of memory"),
    RuntimeError("GET was unable to find an engine to execute this computation"),
]


@pytest.mark.parametrize("error", FULL, ids=["torch", "cuDNN"])
def test_a_gpu_that_runs_full_hands_the_scans_logits_to_the_host(untrained, scan, capfd, error):
    predictor = predictor_of(untrained, (0, 1))
    expected = predictor.label(scan)

    class FullOnce(torch.nn.Module):
        """Stands in for a network on a GPU whose memory runs out in the middle of a scan."""

        def __init__(self, network):
            super().__init__()
            self.network, self.calls = network, 0

        def forward(self, window):
            self.calls += 1
            if self.calls == 2:
                raise error
            return self.network(window)

    networks = predictor.backend.networks
    networks[1] = partial(map, FullOnce(networks[1].args[0]))
    found = predictor.label(scan)
    assert (found.label_map_zyx == expected.label_map_zyx).all() and found.scores.equals(expected.scores)
    assert "this scan's logits are gathered on the host" in capfd.readouterr().err


@pytest.mark.parametrize(("error", "tries"), [(FULL[0], 2), (FULL[1], 2), (RuntimeError("of another kind"), 1)])
def test_a_network_that_never_fits_is_an_error(untrained, scan, error, tries):
    predictor, calls = predictor_of(untrained, (0,)), []

    def full(window):
        calls.append(window)
        raise error

    predictor.backend.networks[:] = [partial(map, full)]
    with pytest.raises(type(error), match=str(error)):
        predictor.label(scan)
    assert len(calls) == tries


def test_logits_lie_on_the_gpu_where_there_is_room(monkeypatch):
    free = 10_000
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free - 3000, 2 * free))
    # Of the rest, torch keeps 3000 for what comes.
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 4000)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 1000)
    gpu = torch.device("cuda")
    assert has_room(gpu, free // 2) and not has_room(gpu, free // 2 + 1)
    assert has_room(CPU, 100 * free)


@pytest.mark.parametrize("option", ["channels_last", "compile"])
def test_what_makes_the_network_faster_leaves_the_label_map(untrained, scan, option, monkeypatch):
    # Traced as for a GPU, but without the minutes that a C++ compiler takes.
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager"))
    predictor = predictor_of(untrained, (0,), **{option: True})
    expected = predictor_of(untrained, (0,)).label(scan).label_map_zyx
    assert (predictor.label(scan).label_map_zyx != expected).mean() < 1e-4
    network = predictor.backend.networks[0].args[0]
    layout = next(weight for weight in network.parameters() if weight.dim() == 5 and weight.shape[1] > 1)
    assert layout.is_contiguous(memory_format=torch.channels_last_3d) == (option == "channels_last")
    assert isinstance(network, torch._dynamo.OptimizedModule) == (option == "compile")


def test_in_the_bodys_box_the_network_sees_nothing_else(untrained, scan, plan):
    predictor = predictor_of(untrained, (0,), windows="in_box_of_body")
    image = predictor.on_host(read_array(with_suffix(scan, ARRAY)))
    box = (slice(None), *box_of_body(body_of(image.numpy(), plan)))
    found = predictor.predict(image).mean.clone()
    windows = Windows(image[box], plan.configuration.patch_size, 0.5, plan.classes, CPU)
    alone = windows.logits(predictor.backend.networks[0])
    assert image[box].numel() < image.numel()
    assert torch.equal(found[box], alone)
    found[box][:] = 0
    assert (found.argmax(0) == 0).all() and (found[0] == CERTAIN).sum() == image[0].numel() - image[box].numel()


def test_with_windows_on_the_body_the_body_is_labelled_as_before(untrained, scan, plan):
    image = read_array(with_suffix(scan, ARRAY))
    # Air all around, so that there are windows to leave out.
    wide = np.pad(image, ((0, 0), (0, 0), (60, 60), (60, 60)), constant_values=image.min())
    everywhere, on_body = (predictor_of(untrained, (0,), windows=where) for where in ("everywhere", "on_body"))
    calls = []
    on_body.backend.networks[0].args[0].register_forward_hook(lambda *_: calls.append(1))
    expected, found = (predictor.predict(predictor.on_host(wide)).mean for predictor in (everywhere, on_body))
    body = torch.from_numpy(body_of(wide, plan))
    windows = Windows(torch.from_numpy(wide), plan.configuration.patch_size, 0.5, plan.classes, CPU)
    assert 0 < len(calls) < len(windows.places)
    assert torch.equal(found[:, body], expected[:, body])
    assert (found[:, :, 0, 0].argmax(0) == 0).all()


def test_without_hounsfield_units_there_is_no_telling_where_the_body_is(untrained, tmp_path):
    model = shutil.copytree(untrained, tmp_path / "model")
    plans = (model / "plans.json").read_text()
    (model / "plans.json").write_text(plans.replace("CTNormalization", "ZScoreNormalization"))
    with pytest.raises(InputError, match="ZScoreNormalization"):
        predictor_of(model, (0,), windows="on_body")


def test_left_and_right_are_never_mirrored():
    assert mirrorings((0, 1, 2)) == [(), (0,), (1,), (0, 1)]
    assert mirrorings((0, 1, 2), left_right=0) == [(), (1,), (2,), (1, 2)]
    assert mirrorings((2,)) == mirrorings(()) == [()]


def test_exporting_in_one_thread_leaves_the_networks_threads():
    before = torch.get_num_threads()
    choose_device("cpu", 3)
    inside, outside = [], []
    go_on = threading.Event()

    def export():
        with one_thread():
            inside.append(torch.get_num_threads())
            go_on.wait(10)

    exporter = threading.Thread(target=export)
    exporter.start()
    while not inside:
        time.sleep(0.01)
    outside.append(torch.get_num_threads())
    go_on.set()
    exporter.join()
    assert inside == [1] and outside == [3] and torch.get_num_threads() == 3
    torch.set_num_threads(before)
