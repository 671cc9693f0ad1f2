"""Each scan's preprocessed image, made once for all rounds, and label maps brought onto its grid.

With frozen plans a preprocessed image does not depend on labels. Arrays are (channel, z, y, x).
"""

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import blosc2
import numpy as np
import SimpleITK as sitk
from acvl_utils.cropping_and_padding.bounding_boxes import get_bbox_from_mask
from nnunetv2.preprocessing.preprocessors.default_preprocessor import DefaultPreprocessor
from nnunetv2.preprocessing.resampling.default_resampling import compute_new_shape, determine_do_sep_z_and_axis
from nnunetv2.training.dataloading.nnunet_dataset import comp_blosc2_params, nnUNetDatasetBlosc2
from nnunetv2.utilities.plans_handling.plans_handler import ConfigurationManager, PlansManager

from noisy_student import nnunet
from noisy_student.damage import damaged
from noisy_student.errors import InputError
from noisy_student.files import whole_file
from noisy_student.images import read_geometry
from noisy_student.plan.image_resampling import LeanConfiguration, lean_if_default
from noisy_student.plan.label_resampling import keep_labelled, resample_labels
from noisy_student.reading.nifti import require_whole_nifti
from noisy_student.reading.thin import thin_remarks

ARRAY = ".b2nd"
LABELS = "_seg.b2nd"
PROPERTIES = ".pkl"
OUTSIDE = -1
MADE_FROM = "made_from"


@dataclass(frozen=True)
class Plan:
    """Frozen plans, the dataset that they were made for, and which of their configurations is meant."""

    plans: dict[str, Any]
    dataset: dict[str, Any]
    configuration_name: str = nnunet.CONFIGURATION

    @property
    def manager(self) -> PlansManager:
        """nnU-Net's view of the plans."""
        return PlansManager(self.plans)

    @property
    def configuration(self) -> ConfigurationManager:
        """nnU-Net's view of the configuration."""
        return self.manager.get_configuration(self.configuration_name)

    @property
    def classes(self) -> int:
        """How many classes the network tells apart, background included."""
        return self.manager.get_label_manager(self.dataset).num_segmentation_heads

    @property
    def spacing_mm_zyx(self) -> tuple[float, ...]:
        """The spacing of the network's grid, along the axes of the scan as it is given."""
        return tuple(self.configuration.spacing[axis] for axis in self.manager.transpose_backward)

    @property
    def organs(self) -> dict[str, int]:
        """Name → label of each organ, in the order of the labels."""
        foreground = self.manager.get_label_manager(self.dataset).foreground_labels
        names = {label: name for name, label in self.dataset["labels"].items()}
        return {names[label]: label for label in foreground}


def preprocess_image(image: Path, target: Path, plan: Plan, made_from: str = "") -> None:
    """Crop, normalise and resample a scan; write image, mask of the crop and properties beside `target`.

    The properties come last: a case without them is not whole. `made_from` says in them what the case depends on.
    """
    with_suffix(target, PROPERTIES).unlink(missing_ok=True)
    require_whole_nifti(image)
    for remark in thin_remarks(read_geometry(image), [plan.spacing_mm_zyx]):
        raise InputError(f"{remark.wanted}, in {image}", remark.found, remark.remedy)
    preprocessor = DefaultPreprocessor(verbose=False)
    configuration = LeanConfiguration(plan.configuration.configuration)
    data, mask, properties = preprocessor.run_case([str(image)], None, plan.manager, configuration, plan.dataset)
    write_array(data.astype(np.float32, copy=False), with_suffix(target, ARRAY), configuration.patch_size)
    write_array(mask.astype(np.int16), with_suffix(target, LABELS), configuration.patch_size)
    write_properties(properties | {MADE_FROM: made_from}, target)


def preprocessed_image(image: sitk.Image, plan: Plan) -> tuple[np.ndarray, dict[str, Any]]:
    """The same of an image in memory: (channel, z, y, x) in float32, and the properties."""
    array = sitk.GetArrayViewFromImage(image)[None]
    properties = {"spacing": list(np.abs(image.GetSpacing()[::-1]))}
    configuration = lean_if_default(plan.configuration)
    if any(configuration.use_mask_for_norm):
        preprocessor = DefaultPreprocessor(verbose=False)
        data, *_ = preprocessor.run_case_npy(array, None, properties, plan.manager, configuration, plan.dataset)
    else:
        data = _without_mask(array, properties, plan.manager, configuration)
    return data.astype(np.float32, copy=False), properties


def _without_mask(
    array: np.ndarray, properties: dict[str, Any], manager: PlansManager, configuration: ConfigurationManager
) -> np.ndarray:
    """What nnU-Net's `run_case_npy` does with an image (channel, z, y, x) and its properties, but for the crop's mask.

    The mask, which no intensity depends on here, takes it as long as the rest.
    """
    data = array.astype(np.float32).transpose([0, *(axis + 1 for axis in manager.transpose_forward)])
    spacing = [properties["spacing"][axis] for axis in manager.transpose_forward]
    properties["shape_before_cropping"] = data.shape[1:]
    # Filled holes, as in nnU-Net's mask, leave the box.
    properties["bbox_used_for_cropping"] = box = get_bbox_from_mask((data != 0).any(axis=0))
    data = data[(slice(None), *(slice(*part) for part in box))]
    properties["shape_after_cropping_and_before_resampling"] = data.shape[1:]
    inside = np.broadcast_to(np.int8(0), data.shape)
    intensities = manager.foreground_intensity_properties_per_channel
    data = DefaultPreprocessor(verbose=False)._normalize(data, inside, configuration, intensities)
    new_shape = compute_new_shape(data.shape[1:], spacing, configuration.spacing)
    return configuration.resampling_fn_data(data, new_shape, spacing, configuration.spacing)


def with_suffix(case: Path, suffix: str) -> Path:
    """The path of one of a case's three files."""
    return case.with_name(case.name + suffix)


def write_array(array: np.ndarray, path: Path, patch_size_zyx: list[int]) -> None:
    """Write a (channel, z, y, x) array in nnU-Net's own compressed format, in one step.

    Images with nnU-Net's settings. Of labels, a light compression of another kind makes smaller files in a third of the
    time.
    """
    blocks, chunks = comp_blosc2_params(array.shape, tuple(patch_size_zyx), array.itemsize)
    if np.issubdtype(array.dtype, np.integer):
        settings = {"codec": blosc2.Codec.ZSTD, "clevel": 1, "filters": [blosc2.Filter.SHUFFLE]}
    else:
        codec, level = blosc2.Codec.LZ4HC, 5
        filters = [nnUNetDatasetBlosc2._select_filter(array, blocks, chunks, codec, level)]
        settings = {"codec": codec, "clevel": level, "filters": filters}
    with whole_file(path) as temporary:
        blosc2.asarray(
            np.ascontiguousarray(array),
            urlpath=str(temporary),
            chunks=chunks,
            blocks=blocks,
            cparams={**settings, "nthreads": 1},
        )


def write_properties(properties: dict[str, Any], case: Path) -> None:
    """Write a case's properties in one step."""
    with whole_file(with_suffix(case, PROPERTIES)) as temporary:
        temporary.write_bytes(pickle.dumps(properties))


def read_properties(case: Path) -> dict[str, Any]:
    """A case's properties, as nnU-Net's preprocessing made them."""
    path = with_suffix(case, PROPERTIES)
    try:
        return pickle.loads(path.read_bytes())
    except Exception as error:
        raise damaged(path, "a preprocessed scan's properties", error) from error


def read_array(path: Path) -> np.ndarray:
    """A whole preprocessed array (channel, z, y, x)."""
    try:
        return blosc2.open(urlpath=str(path), mode="r")[:]
    except Exception as error:
        raise damaged(path, "a preprocessed array", error) from error


def require_whole(path: Path) -> None:
    """Raise InputError if an array's beginning or end is missing; its voxels are not read."""
    try:
        blosc2.open(urlpath=str(path), mode="r")
    except Exception as error:
        raise damaged(path, "a preprocessed array", error) from error


def is_whole(case: Path, made_from: str = "") -> bool:
    """Whether all three files of a case are there, readable, of one shape, and made from this."""
    try:
        if read_properties(case)[MADE_FROM] != made_from:
            return False
        image, mask = (read_array(with_suffix(case, suffix)) for suffix in (ARRAY, LABELS))
        return image.shape[1:] == mask.shape[1:]
    except Exception:
        return False


def labels_on_grid(
    label_map_zyx: np.ndarray, mask: np.ndarray, properties: dict[str, Any], plan: Plan, unlabelled: int | None = None
) -> np.ndarray:
    """A label map brought from the scan's own grid onto the preprocessed image's: int16 (1, z, y, x).

    The steps and the resampling are those of nnU-Net's preprocessing. `mask` (1, z, y, x) is -1 outside of
    the non-zero crop and 0 in it, and so is the result where it has no organ. Among voxels that nobody labelled, whose
    number is `unlabelled`, no labelled one is lost on a coarser grid.
    """
    box = tuple(slice(low, high) for low, high in properties["bbox_used_for_cropping"])
    cropped = label_map_zyx[box]
    _, apart = determine_do_sep_z_and_axis(None, properties["spacing"], plan.configuration.spacing)
    labels = resample_labels(cropped, mask.shape[1:], apart)
    if unlabelled is not None and (cropped == unlabelled).any():
        labels = keep_labelled(cropped, labels, unlabelled)
    return np.where(labels, labels, mask)
