import numpy as np
import pytest
import SimpleITK as sitk

from noisy_student.cohort.converted import converted_image, converted_label_map
from noisy_student.images import read_image
from noisy_student.model.body import body_of, box_of_body
from noisy_student.plan.preprocessing import labels_on_grid, preprocessed_image

CASE = "FLARE22_Tr_0001"


@pytest.fixture(scope="module")
def image(converted, plan):
    return preprocessed_image(read_image(converted_image(converted, CASE)), plan)


def test_the_bodys_box_holds_every_organ_and_leaves_air_out(image, converted, plan):
    array, properties = image
    body = body_of(array, plan)
    label_map = sitk.GetArrayFromImage(read_image(converted_label_map(converted, CASE)))
    labels = labels_on_grid(label_map, np.zeros(array.shape, np.int16), properties, plan)[0]
    assert body[labels > 0].mean() > 0.95
    outside = np.ones_like(body)
    outside[box_of_body(body)] = False
    assert not (labels[outside] > 0).any()
    assert 0.2 < body.mean() < 0.9 and not body[:, 0, 0].any()


def test_what_lies_apart_from_the_body_is_not_of_it(image, plan):
    array, _ = image
    air = array.min()
    table = np.full((1, 6, 40, 40), air, np.float32)
    table[:, :, 5:25, 5:35] = 1
    table[:, :, 30:31, 2:38] = 1
    assert box_of_body(body_of(table, plan)) == (slice(0, 6), slice(5, 25), slice(5, 35))


def test_a_body_in_two_pieces_is_whole(image, plan):
    """Legs below the thighs: one of 60 per cent of the voxels, the other of 40."""
    y, x = np.mgrid[:40, :60]
    legs = np.full((1, 6, 40, 60), image[0].min(), np.float32)
    legs[:, :, (y - 20) ** 2 + (x - 15) ** 2 <= 12**2] = 1
    legs[:, :, (y - 20) ** 2 + (x - 45) ** 2 <= 10**2] = 1
    assert box_of_body(body_of(legs, plan)) == (slice(0, 6), slice(8, 33), slice(3, 56))


def test_a_scan_of_air_is_taken_whole(plan, image):
    air = np.full((1, 4, 5, 6), image[0].min(), np.float32)
    assert box_of_body(body_of(air, plan)) == (slice(0, 4), slice(0, 5), slice(0, 6))
