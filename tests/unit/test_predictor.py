import json

import numpy as np
import pytest
import torch
from nnunetv2.imageio.simpleitk_reader_writer import SimpleITKIO
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
from nnunetv2.utilities.get_network_from_plans import get_network_from_plans

from noisy_student.cohort.conversion import converted_image
from noisy_student.learning.device import has_room
from noisy_student.learning.predictor import Predictor, mirrorings
from noisy_student.learning.preprocessing import ARRAY, preprocess_image, read_array, read_properties, with_suffix
from noisy_student.organs import FLARE22

CPU = torch.device("cpu")
CASE = "FLARE22_Tr_0001"


def network_of(plan, seed):
    configuration = plan.configuration
    torch.manual_seed(seed)
    return get_network_from_plans(
        configuration.network_arch_class_name,
        configuration.network_arch_init_kwargs,
        configuration.network_arch_init_kwargs_req_import,
        1,
        14,
        deep_supervision=False,
    )


@pytest.fixture(scope="module")
def model(plan, tmp_path_factory):
    """A model folder with two folds of untrained networks."""
    folder = tmp_path_factory.mktemp("model")
    (folder / "plans.json").write_text(json.dumps(plan.plans))
    (folder / "dataset.json").write_text(json.dumps(plan.dataset))
    for fold in range(2):
        network = network_of(plan, fold)
        for layer in network.decoder.seg_layers:
            # As sure of itself as a trained network: only rounding decides between classes that are equally likely.
            torch.nn.init.normal_(layer.weight, std=5)
        checkpoint = {
            "network_weights": network.state_dict(),
            "trainer_name": "nnUNetTrainer",
            "init_args": {"configuration": "3d_fullres"},
            "inference_allowed_mirroring_axes": (0, 1, 2),
        }
        (folder / f"fold_{fold}").mkdir()
        torch.save(checkpoint, folder / f"fold_{fold}/checkpoint_final.pth")
    return folder


@pytest.fixture(scope="module")
def scan(converted, plan, tmp_path_factory):
    target = tmp_path_factory.mktemp("cache") / CASE
    preprocess_image(converted_image(converted, CASE), target, plan)
    return target


def predictor_of(model, folds, mirroring=False):
    return Predictor([model / f"fold_{fold}/checkpoint_final.pth" for fold in folds], 0.5, mirroring, CPU)


def test_the_label_map_is_that_of_stock_prediction_with_both_folds(model, scan, converted):
    stock = nnUNetPredictor(0.5, True, False, False, CPU, allow_tqdm=False)
    stock.initialize_from_trained_model_folder(str(model), (0, 1))
    image, properties = SimpleITKIO().read_images([str(converted_image(converted, CASE))])
    expected = stock.predict_single_npy_array(image, properties)
    found = predictor_of(model, (0, 1)).label(scan)
    assert len(np.unique(expected)) > 3
    assert (found.label_map_zyx != expected).mean() < 1e-4


def test_scores_name_every_organ_and_compare_what_there_is(model, scan):
    one, two, mirrored = (
        predictor_of(model, *which).label(scan).scores for which in [((0,),), ((0, 1),), ((0,), True)]
    )
    for table in (one, two, mirrored):
        assert list(table.label) == [organ.label for organ in FLARE22]
        assert list(table.organ) == [organ.name for organ in FLARE22]
        assert (table.mean_max_probability.notna() == (table.mean_entropy.notna())).all()
    assert one.fold_agreement.isna().all() and one.mirror_agreement.isna().all()
    assert two.fold_agreement.between(0, 1).all() and two.fold_agreement.min() < 1
    assert two.mirror_agreement.isna().all()
    assert mirrored.fold_agreement.isna().all() and mirrored.mirror_agreement.min() < 1


def test_voxels_are_sure_where_the_folds_agree(model, scan):
    predictor = predictor_of(model, (0, 1))
    prediction = predictor.predict(read_array(with_suffix(scan, ARRAY)))
    labelled = predictor.labelled(prediction, read_properties(scan), voxels=True)
    differ = prediction.passes[0][0] != prediction.passes[1][0]
    assert differ.any() and (labelled.confidence_zyx[differ] == 0).all()
    assert labelled.confidence_zyx[~differ].min() >= 100 // 14
    assert predictor.label(scan).confidence_zyx is None


def test_a_gpu_that_runs_full_hands_the_scans_logits_to_the_host(model, scan, capfd):
    predictor = predictor_of(model, (0, 1))
    expected = predictor.label(scan)

    class FullOnce(torch.nn.Module):
        """Stands in for a network on a GPU whose memory runs out in the middle of a scan."""

        def __init__(self, network):
            super().__init__()
            self.network, self.calls = network, 0

        def forward(self, window):
            self.calls += 1
            if self.calls == 2:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return self.network(window)

    predictor.networks[1] = FullOnce(predictor.networks[1])
    found = predictor.label(scan)
    assert (found.label_map_zyx == expected.label_map_zyx).all() and found.scores.equals(expected.scores)
    assert "this scan's logits are gathered on the host" in capfd.readouterr().err


def test_a_network_that_never_fits_is_an_error(model, scan):
    predictor = predictor_of(model, (0,))

    def full(window):
        raise torch.OutOfMemoryError("CUDA out of memory")

    predictor.networks = [full]
    with pytest.raises(torch.OutOfMemoryError):
        predictor.label(scan)


def test_logits_lie_on_the_gpu_where_there_is_room(monkeypatch):
    free = 10_000
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free, 2 * free))
    gpu = torch.device("cuda")
    assert has_room(gpu, free // 2) and not has_room(gpu, free // 2 + 1)
    assert has_room(CPU, 100 * free)


def test_left_and_right_are_never_mirrored():
    assert mirrorings((0, 1, 2)) == [(), (0,), (1,), (0, 1)]
    assert mirrorings((2,)) == mirrorings(()) == [()]
