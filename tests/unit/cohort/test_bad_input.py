"""Whatever a file holds, it is either used as it is or refused with its name: no traceback, no silent change.

Files are generated in all formats, data types, shapes, spacings and orientations, and damaged in several ways.
"""

import gzip
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dicom_series import write_series
from noisy_student.cohort.case_checks import Standard, examine
from noisy_student.cohort.conversion import convert, convert_label_map
from noisy_student.cohort.scans import Scan
from noisy_student.errors import InputError
from noisy_student.evaluate.case_scores import score_case
from noisy_student.evaluate.evaluation_modes import MODES
from noisy_student.geometry import Geometry, orientation
from noisy_student.images import read_image
from noisy_student.organs import FLARE22
from noisy_student.reading.door import read_scan
from noisy_student.reading.names import EXTENSIONS

DTYPES = (np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32, np.int64, np.float32, np.float64)
FORMATS = (*EXTENSIONS, "compressed.mha", "compressed.nrrd")
FLIPS = [np.diag(signs) for signs in np.array(np.meshgrid(*[(-1.0, 1.0)] * 3)).T.reshape(-1, 3)]
TURNS = [np.eye(3)[list(order)] for order in ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))]
ODD = ("nothing", "2-D", "4-D", "vector", "complex", "not a number", "huge")

shapes = st.tuples(*[st.integers(1, 7)] * 3)
spacings_mm = st.tuples(*[st.sampled_from((0.3, 0.703125, 1.0, 2.5, 40.0))] * 3)
origins_mm = st.tuples(*[st.sampled_from((0.0, -249.51171875, 1234.5))] * 3)
directions = st.builds(
    lambda flip, turn: (flip @ turn).ravel().tolist(), st.sampled_from(FLIPS), st.sampled_from(TURNS)
)


def bounded(examples):
    checks = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
    return settings(max_examples=examples, deadline=None, derandomize=True, database=None, suppress_health_check=checks)


@dataclass
class Stored:
    """An image as it was before it was written, and its file."""

    image: sitk.Image
    path: Path


VOLUMES = st.just("nothing")
VOLUMES_AND_ODD_ONES = st.sampled_from((*["nothing"] * 6, *ODD))


@st.composite
def images(draw, largest, odd=VOLUMES):
    """An image of whole numbers up to `largest` (for scans also below 0), or one that is no volume at all."""
    kind, dtype, shape = draw(odd), draw(st.sampled_from(DTYPES)), draw(shapes)
    random = np.random.default_rng(draw(st.integers(0, 99)))
    low = -1000 if largest > 255 else 0
    limits = np.iinfo(dtype) if np.issubdtype(dtype, np.integer) else np.finfo(np.float32)
    array = random.integers(max(low, limits.min), min(largest, limits.max), shape, endpoint=True).astype(dtype)
    if kind in ("not a number", "huge"):
        array = array.astype(np.float64)
        array[-1, -1, -1] = np.nan if kind == "not a number" else 1e300
    if kind == "complex":
        array = array.astype(np.complex64)
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(draw(spacings_mm))
    image.SetOrigin(draw(origins_mm))
    image.SetDirection(draw(directions))
    if kind == "2-D":
        return image[:, :, 0]
    if kind == "4-D":
        return sitk.JoinSeries([image, image])
    return sitk.Compose(image, image) if kind == "vector" else image


def write(image, folder, name, extension):
    """Write an image in a format; formats that cannot hold it leave no file."""
    path = Path(folder) / f"{name}{extension.removeprefix('compressed')}"
    try:
        sitk.WriteImage(image, str(path), useCompression=extension.startswith("compressed"))
    except RuntimeError:
        path.unlink(missing_ok=True)
    return path


def damage(path, how, place):
    """Cut a file off, empty it, fill its end with noise, or turn one byte, at a share of its length."""
    content = bytearray(path.read_bytes())
    at = min(int(place * len(content)), len(content) - 1)
    if how == "cut":
        content = content[:at]
    elif how == "noise":
        content[at:] = np.random.default_rng(at).bytes(len(content) - at)
    else:
        content[at] ^= 0x55
    path.write_bytes(content)


def same(image, other):
    if Geometry.of(image).differences(Geometry.of(other)):
        return False
    return np.array_equal(sitk.GetArrayFromImage(image), sitk.GetArrayFromImage(other))


def value_at(image, place_mm):
    return image[image.TransformPhysicalPointToIndex(place_mm)]


@bounded(150)
@given(images(largest=3000, odd=VOLUMES_AND_ODD_ONES), st.sampled_from(FORMATS))
def test_a_scan_is_converted_voxel_by_voxel_or_refused_by_name(image, extension):
    with tempfile.TemporaryDirectory() as folder:
        scan = Scan("a", "unlabelled", write(image, folder, "a_0000", extension))
        row, findings = examine(scan, Standard(FLARE22, Path(folder)))
        assert all(finding.file == scan.image for finding in findings)
        if not row:
            assert any(finding.severity == "error" for finding in findings)
            return
        convert(scan.image, Path(folder) / "out/a_0000.nii.gz")
        out = read_image(Path(folder) / "out/a_0000.nii.gz")
        assert orientation(out.GetDirection()) == "LPS" and row["orientation"] == orientation(image.GetDirection())
        places = np.random.default_rng(0).integers(0, image.GetSize(), (20, 3)).tolist()
        for index in (*places, [0, 0, 0], [size - 1 for size in image.GetSize()]):
            assert value_at(out, image.TransformIndexToPhysicalPoint(index)) == image[index]


@bounded(150)
@given(images(largest=14, odd=VOLUMES_AND_ODD_ONES), st.sampled_from(FORMATS), st.booleans())
def test_a_label_map_comes_out_as_it_went_in_or_is_refused_by_name(label_map, extension, halves):
    if halves and label_map.GetDimension() == 3 and label_map.GetPixelID() in (sitk.sitkFloat32, sitk.sitkFloat64):
        label_map = label_map / 2
    with tempfile.TemporaryDirectory() as folder:
        scan_image = sitk.Image(label_map.GetSize(), sitk.sitkInt16)
        scan_image.CopyInformation(label_map)
        if scan_image.GetDimension() == 3:
            scan_image[0, 0, 0] = -1000
        path = write(label_map, folder, "a", extension)
        scan = Scan("a", "labelled", write(scan_image, folder, "a_0000", ".mha"), path)
        row, findings = examine(scan, Standard(FLARE22, Path(folder)))
        if not row or any(finding.severity == "error" for finding in findings):
            assert {finding.file for finding in findings if finding.severity == "error"} <= {path, scan.image}
            return
        out = Path(folder) / "out/a.nii.gz"
        convert(scan.image, Path(folder) / "scan.nii.gz")
        convert_label_map(row["label_map"], out, Path(folder) / "scan.nii.gz")
        back = sitk.DICOMOrient(read_image(out), orientation(label_map.GetDirection()))
        assert same(sitk.Cast(label_map, sitk.sitkUInt8), back)
        assert np.array_equal(sitk.GetArrayFromImage(label_map), sitk.GetArrayFromImage(back))


@bounded(200)
@given(
    images(largest=3000),
    st.sampled_from(FORMATS),
    st.sampled_from(("cut", "noise", "turned byte")),
    st.floats(0, 1, exclude_max=True),
)
def test_a_damaged_file_is_refused_by_name(image, extension, how, place):
    """A byte that is turned in an uncompressed file is another voxel, which nothing can tell: that may be read."""
    with tempfile.TemporaryDirectory() as folder:
        path = write(image, folder, "a_0000", extension)
        damage(path, how, place)
        try:
            read = read_image(path)
        except InputError as error:
            assert str(path) in str(error)
            return
        if how == "cut" or extension == ".nii.gz":
            assert same(read, image)


@bounded(60)
@given(st.integers(0, 5), st.sampled_from(("cut", "noise", "turned byte")), st.floats(0, 1, exclude_max=True))
def test_a_damaged_dicom_slice_is_refused_by_name_or_does_no_harm(number, how, place):
    voxels = np.random.default_rng(0).integers(-1000, 1000, (6, 5, 4)).astype(np.int16)
    with tempfile.TemporaryDirectory() as folder:
        files = write_series(Path(folder), voxels)
        damage(files[number], how, place)
        try:
            read = sitk.GetArrayFromImage(read_scan(Path(folder)).image)
        except InputError as error:
            assert folder in str(error)
            return
        if how == "cut":
            assert np.array_equal(read, voxels)


@bounded(80)
@given(
    images(largest=14, odd=VOLUMES_AND_ODD_ONES),
    images(largest=14, odd=VOLUMES_AND_ODD_ONES),
    st.booleans(),
    st.sampled_from(("whole", "cut", "noise", "turned byte")),
    st.floats(0, 1, exclude_max=True),
)
def test_the_evaluator_judges_what_lies_on_one_grid_and_refuses_the_rest_by_name(truth, other, alike, how, place):
    if alike and other.GetSize() == truth.GetSize():
        other.CopyInformation(truth)
    prediction = truth if alike else other
    with tempfile.TemporaryDirectory() as folder:
        paths = [
            write(image, folder, name, ".nii.gz") for image, name in ((truth, "truth"), (prediction, "prediction"))
        ]
        if how != "whole" and paths[1].exists():
            damage(paths[1], how, place)
        try:
            rows = score_case("a", *paths, MODES["strict"]).rows
        except InputError as error:
            assert folder in str(error)
            return
        if not paths[1].exists():
            return
        pair = [sitk.GetArrayFromImage(image) for image in (truth, prediction)]
        for row in rows:
            truth_mask, prediction_mask = (array == row.label for array in pair)
            total = truth_mask.sum() + prediction_mask.sum()
            expected = 2 * (truth_mask & prediction_mask).sum() / total if total else 1.0
            if not any(organ.z_limited and organ.label == row.label for organ in FLARE22):
                assert pytest.approx(expected) == row.DSC


def test_headers_that_lie_about_their_size_are_refused(tmp_path):
    """A size that the bytes cannot fill, in each format."""
    image = sitk.GetImageFromArray(np.arange(60, dtype=np.int16).reshape(3, 4, 5))
    for extension, old, new in (
        (".mha", b"DimSize = 5 4 3", b"DimSize = 5 4 9"),
        (".nrrd", b"sizes: 5 4 3", b"sizes: 5 4 9"),
    ):
        path = write(image, tmp_path, "a", extension)
        assert old in path.read_bytes()
        path.write_bytes(path.read_bytes().replace(old, new))
        with pytest.raises(InputError, match=str(path)):
            read_image(path)
    path = write(image, tmp_path, "a", ".nii.gz")
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[46] = 9
    path.write_bytes(gzip.compress(content))
    with pytest.raises(InputError, match="missing at the end"):
        read_image(path)
