"""The images that contours say they were drawn on, and how far from these they lie.

Format: DICOM PS3.3, C.8.8.6 (Contour Image Sequence) and table 10-3 (frames count from 1).
"""

from collections import Counter
from collections.abc import Collection

import numpy as np
from pydicom.dataset import Dataset

from noisy_student.reading.dicom.values import numbers, text
from noisy_student.reading.slices import Acquired

INSTANCE, FRAME = 0x00081155, 0x00081160
# Of an image that is named without one of its frames.
ANY_FRAME = 0
# From which share of the slices' distance on a contour lies elsewhere: halfway, and what rounding adds.
ELSEWHERE = 0.55

# The SOP instance UID of a file, and one of its frames.
Image = tuple[str, int]


def named_images(contour: Dataset) -> frozenset[Image]:
    """The images that a contour names."""
    return frozenset(
        (text(image, INSTANCE), int(frame))
        for image in contour.get("ContourImageSequence") or ()
        for frame in numbers(image, FRAME) or [ANY_FRAME]
    )


def slices_by_image(acquired: Acquired | None) -> dict[Image, int]:
    """The slice that an image is; a file of many frames is none without one of them, nor are files of one UID."""
    images = list(acquired.images) if acquired else []
    files = [(instance, ANY_FRAME) for instance, _ in images]
    counts = Counter([*images, *files])
    numbered = [*enumerate(images), *enumerate(files)]
    return {image: number for number, image in numbered if image[0] and counts[image] == 1}


def distance_mm(points_mm: np.ndarray, acquired: Acquired, named: Collection[int]) -> float:
    """How far a contour (n, 3) is from the nearest of the slices that it names; 0 if it lies there, or names none."""
    if not named:
        return 0.0
    slices, named = acquired.slices, np.array([*named])
    if _beyond(slices.numbers_at(points_mm), named) <= ELSEWHERE:
        return 0.0
    return _beyond(points_mm @ slices.axes[2], slices.heights_mm[named])


def _beyond(places: np.ndarray, targets: np.ndarray) -> float:
    """How far the nearest of the targets is from where the places begin and end; negative between these."""
    return float(np.maximum(places.min() - targets, targets - places.max()).min())
