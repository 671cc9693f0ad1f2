"""A teacher that learns along: views, targets, and a training that is interrupted."""

import torch
from batchgeneratorsv2.transforms.base.basic_transform import ImageOnlyTransform
from batchgeneratorsv2.transforms.spatial.mirroring import MirrorTransform
from batchgeneratorsv2.transforms.utils.compose import ComposeTransforms

from noisy_student.train.moving_average import MovingAverage
from noisy_student.train.online_teacher import OnlineTeacher, with_both_views

CPU = torch.device("cpu")
SHAPE = (4, 6, 8)
IGNORE = 9


class Noise(ImageOnlyTransform):
    def _apply_to_image(self, img, **params):
        img += 100
        return img


def test_the_second_view_is_moved_as_the_first_and_has_no_noise():
    image = torch.rand(1, *SHAPE)
    mirrored = MirrorTransform((0,))
    mirrored.get_parameters = lambda **_: {"axes": [0]}
    composed = with_both_views(ComposeTransforms([mirrored, Noise(), mirrored, mirrored]))
    made = composed(image=image.clone(), segmentation=(image > 0.5).long())
    strong, weak = made["image"]
    assert torch.equal(weak, image[0].flip(0)) and torch.allclose(strong, weak + 100)
    assert torch.equal(made["segmentation"][0], (weak > 0.5).long()) and set(made) == {"image", "segmentation"}


class Network(torch.nn.Module):
    """Logits of three classes: the weights times the image; with noise while training."""

    def __init__(self):
        super().__init__()
        self.weights = torch.nn.Parameter(torch.tensor([0.0, 1.0, 3.0]))

    def forward(self, image):
        logits = self.weights.view(1, 3, 1, 1, 1) * image
        return [logits + 1000 * self.training, None]


def taught(ignore=None, first=0):
    network = Network()
    average = MovingAverage(network, 100)
    network.weights.data = torch.tensor([9.0, 0.0, 0.0])
    weak = torch.ones(2, 1, *SHAPE)
    targets = torch.full((2, 3, *SHAPE), first, dtype=torch.uint8)
    batch = {"data": torch.cat([-weak, weak], 1), "target": targets.clone(), "keys": ["by hand", "pseudo"]}
    return network, targets, OnlineTeacher(network, average, ["pseudo"], ignore).taught(batch, CPU)


def test_the_average_labels_what_is_not_by_hand():
    network, targets, batch = taught()
    assert (batch["data"] == -1).all() and batch["data"].shape == (2, 1, *SHAPE)
    assert torch.equal(batch["target"][0], targets[0])
    # Classes 2 and 1 with logits 3 and 1: e^3 / (e^3 + e^1) = .88.
    assert batch["target"].dtype == torch.uint8 and batch["target"][1].flatten(1).unique(dim=1).tolist() == [
        [2],
        [1],
        [88],
    ]
    assert network.training and network.weights.tolist() == [9.0, 0.0, 0.0]


def test_what_was_left_out_stays_so():
    assert (taught(IGNORE, IGNORE)[2]["target"][1] == IGNORE).all()
    assert (taught(IGNORE, 0)[2]["target"][1, 0] == 2).all()
