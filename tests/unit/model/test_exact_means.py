import copy

import torch

from noisy_student.model import openvino_model
from noisy_student.model.exact_means import with_exact_means

PATCH = (16, 128, 128)
MVN = "MVN"


def normalized(channels=8):
    """A layer as nnU-Net's, whose features do not lie around 0."""
    torch.manual_seed(0)
    convolution = torch.nn.Conv3d(1, channels, 3, padding=1)
    torch.nn.init.constant_(convolution.bias, 1)
    norm = torch.nn.InstanceNorm3d(channels, affine=True, eps=1e-5)
    return torch.nn.Sequential(convolution, norm, torch.nn.LeakyReLU()).eval()


def kinds(model):
    return [node.get_type_name() for node in model.get_ops()]


@torch.inference_mode()
def error(network, model, window):
    """The largest, as of float64."""
    (found,) = model([window])
    return float((found - copy.deepcopy(network).double()(window.double())).abs().max())


def test_the_means_of_many_voxels_are_as_exact_as_torchs():
    """OpenVINO's own sums lose digits here: once they do not, nothing need be replaced."""
    network = normalized()
    window = torch.randn(1, 1, *PATCH, generator=torch.Generator().manual_seed(1))
    own = openvino_model.core().compile_model(openvino_model.converted(network, 1, PATCH), "CPU")
    exact = openvino_model.OpenVinoNetwork(openvino_model.converted(network, 1, PATCH), "float32", 1)
    with torch.inference_mode():
        of_torch = error(network, lambda windows: map(network, windows), window)
    of_own = error(network, lambda windows: [torch.from_numpy(own([windows[0].numpy()])[0])], window)
    of_exact = error(network, exact, window)
    assert of_exact < 5 * of_torch and of_exact < of_own / 10


def test_only_instance_normalisation_is_replaced():
    def of_layers(layer):
        return kinds(with_exact_means(openvino_model.converted(torch.nn.Sequential(layer).eval(), 4, (8, 8, 8))))

    assert MVN not in of_layers(torch.nn.InstanceNorm3d(4, affine=True))
    assert MVN in of_layers(torch.nn.Sequential(torch.nn.Conv3d(4, 4, 1), torch.nn.LayerNorm((4, 8, 8, 8))))
