"""Label a CT scan with exported networks, by openvino, SimpleITK, numpy and scipy alone.

    python label_with_openvino.py scan.nii.gz label_map.nii.gz

It lies beside the networks and model.json, which says all that is done here. docs/exporting.md explains its steps.
"""

import json
import sys
from itertools import product
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

# As soon as it is imported, openvino tells its makers so, unless the module that does this is not found.
sys.modules["openvino_telemetry"] = None
import openvino  # noqa: E402

FOLDER = Path(__file__).parent


def axis_apart(spacing: list, new_spacing: list, ratio: float) -> int | None:
    """The axis along which slices are not interpolated, if one of the two grids is as anisotropic as that."""
    for mm in (spacing, new_spacing):
        if max(mm) / min(mm) > ratio:
            return mm.index(max(mm)) if mm.count(max(mm)) == 1 else None
    return None


def resampled(volume: np.ndarray, shape: tuple, apart: int | None, order: int) -> np.ndarray:
    """The volume on another grid, by B-splines of an order; along the axis `apart` by the nearest slice."""
    if apart is not None:
        centres = (np.arange(shape[apart]) + 0.5) * (volume.shape[apart] / shape[apart]) - 0.5
        volume = volume.take(np.floor(centres.clip(0, volume.shape[apart] - 1) + 0.5).astype(int), apart)
    axes = tuple(axis for axis in range(3) if axis != apart)
    low, high = volume.min(axes, keepdims=True), volume.max(axes, keepdims=True)
    for axis in axes:
        if volume.shape[axis] != shape[axis]:
            old = np.eye(volume.shape[axis])
            spline = ndimage.zoom(old, (shape[axis] / len(old), 1), order=order, mode="nearest", grid_mode=True)
            volume = np.moveaxis(np.tensordot(spline, volume, (1, axis)), 0, axis)
    return volume.clip(low, high)


def logits_of(image: np.ndarray, model: dict) -> np.ndarray:
    """The mean logits (class, z, y, x) of all networks and mirrored passes, blended window by window."""
    patch, blending = model["patch_size"], model["blending"]
    short = [max(wanted - size, 0) for wanted, size in zip(patch, image.shape, strict=True)]
    padded = np.pad(image, [(missing // 2, missing - missing // 2) for missing in short])
    steps = []
    for size, wanted in zip(padded.shape, patch, strict=True):
        count = int(np.ceil((size - wanted) / (wanted * model["step_size"]))) + 1
        steps.append([int(np.round((size - wanted) / max(count - 1, 1) * number)) for number in range(count)])
    places = [tuple(slice(at, at + size) for at, size in zip(start, patch, strict=True)) for start in product(*steps)]
    weights = np.zeros(patch)
    weights[tuple(size // 2 for size in patch)] = 1
    weights = ndimage.gaussian_filter(weights, [size * blending["sigma"] for size in patch], mode="constant")
    weights = (weights / weights.max() * blending["peak"]).astype(np.float16)
    weights[weights == 0] = weights[weights > 0].min()
    total, sums = 0, np.zeros(padded.shape, np.float16)
    for place in places:
        sums[place] += weights
    for name in model["networks"]:
        network = openvino.Core().compile_model(FOLDER / name, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        for axes in model["passes"]:
            blended = np.zeros((len(model["labels"]), *padded.shape), np.float16)
            for place in places:
                logits = network(np.flip(padded[place], axes).copy()[None, None])[0][0]
                blended[(slice(None), *place)] += np.flip(logits, [axis + 1 for axis in axes]) * weights
            total = total + blended / sums
    inside = (slice(missing // 2, missing // 2 + size) for missing, size in zip(short, image.shape, strict=True))
    return total[(slice(None), *inside)] / np.float16(len(model["networks"]) * len(model["passes"]))


def label(scan: sitk.Image, model: dict) -> sitk.Image:
    """The label map of a scan, on its grid."""
    stored = sitk.DICOMOrientImageFilter.GetOrientationFromDirectionCosines(scan.GetDirection())
    turned = sitk.DICOMOrient(scan, model["orientation"])
    forward, normalization, resampling = model["transpose_forward"], model["normalization"][0], model["resampling"]
    image = sitk.GetArrayFromImage(turned).astype(np.float32).transpose(forward)
    box = ndimage.find_objects((image != 0).astype(np.int8))[0]
    clipped = image[box].clip(normalization["lowest"], normalization["highest"])
    clipped = (clipped - normalization["mean"]) / normalization["standard_deviation"]
    spacing, wanted = [turned.GetSpacing()[2 - axis] for axis in forward], model["spacing_mm"]
    shape = tuple(round(mm / new * size) for mm, new, size in zip(spacing, wanted, clipped.shape, strict=True))
    apart = axis_apart(spacing, wanted, resampling["apart_above"])
    logits = logits_of(resampled(clipped, shape, apart, resampling["image_order"]).astype(np.float32), model)
    best, apart = np.full(clipped.shape, -np.inf, np.float16), axis_apart(wanted, spacing, resampling["apart_above"])
    labels, found = np.zeros(clipped.shape, np.uint8), np.zeros(image.shape, np.uint8)
    for number, of_class in enumerate(logits):
        here = resampled(of_class.astype(float), clipped.shape, apart, resampling["logits_order"]).astype(np.float16)
        labels[here > best] = number
        np.maximum(best, here, out=best)
    found[box] = labels
    found = found.transpose(np.argsort(forward))
    for together in model["largest_piece_of"]:
        pieces, _ = ndimage.label(np.isin(found, together), np.ones((3, 3, 3)))
        voxels = np.bincount(pieces.ravel())
        found[(pieces > 0) & (voxels[pieces] < voxels[1:].max(initial=0))] = 0
    label_map = sitk.GetImageFromArray(found)
    label_map.CopyInformation(turned)
    return sitk.DICOMOrient(label_map, stored)


def read(path: str) -> sitk.Image:
    """The scan. Ends where a NIfTI header is one that SimpleITK reads otherwise than the standard has it."""
    scan = sitk.ReadImage(path)
    of = {key: scan.GetMetaData(key) for key in scan.GetMetaDataKeys()}
    is_odd = any(float(of.get(f"pixdim[{axis}]", 1)) < 0 for axis in (1, 2, 3))
    is_odd |= float(of.get("scl_slope", 1)) == 0 != float(of.get("scl_inter", 0))
    is_odd |= of.get("nifti_type") == "1" and float(of["vox_offset"]) < 352
    if int(of.get("sform_code", 0)) > 0:
        sform = np.array([of[f"srow_{axis}"].split() for axis in "xyz"], float) * [[-1], [-1], [1]]
        taken = np.column_stack([np.reshape(scan.GetDirection(), (3, 3)) * scan.GetSpacing(), scan.GetOrigin()])
        is_odd |= (np.abs(sform - taken) @ [*scan.GetSize(), 1]).max() > min(scan.GetSpacing()) / 2
    if is_odd:
        sys.exit(
            f"{path}: programs differ in how they read its header; look at it and save it again, e.g. with nibabel"
        )
    return scan


if __name__ == "__main__":
    sitk.WriteImage(label(read(sys.argv[1]), json.loads((FOLDER / "model.json").read_text())), sys.argv[2])
