"""DICOM segmentations: each organ on the stored slices, at their own positions, whatever grid its label map has."""

import json
import subprocess

import highdicom
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from dicom_series import change, write_series
from enhanced_dicom import write_enhanced
from noisy_student.errors import InputError
from noisy_student.geometry import image_like
from noisy_student.organs import FLARE22, Organ
from noisy_student.reading.door import read_scan
from noisy_student.writing.dicom_seg import write
from noisy_student.writing.segmentation import Segmentation
from noisy_student.writing.slices import on_slices, stored_slices

RANDOM = np.random.default_rng(4)
# Organs of at least one voxel in every second slice, number 4 nowhere.
LABELS = RANDOM.choice([0, 0, 0, 1, 2, 3, 5], (6, 9, 8)).astype(np.uint8)
OBLIQUE = ((0.96, 0.28, 0.0), (-0.28, 0.96, 0.0))
SAGITTAL = ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0))


def voxels_of(labels):
    """A scan in which each label has a value of its own."""
    return labels.astype(np.int16) * 100


def labels_of_scan(scan):
    """A label map on the grid on which a scan is read: of each voxel the label that its value comes from."""
    image = read_scan(scan).image
    values = sitk.GetArrayFromImage(image).astype(float)
    return image_like(np.rint(values / 100).clip(0, 5).astype(np.uint8), image)


def written(scan, path, organs=FLARE22, **more):
    image = labels_of_scan(scan)
    assert write(Segmentation(image, organs, "round_2/model", **more), scan, path) == ()
    return pydicom.dcmread(path)


def frames_of(data):
    """{(name of the segment, position of its frame): voxels}."""
    names = {segment.SegmentNumber: segment.SegmentLabel for segment in data.SegmentSequence}
    found = {}
    for groups, frame in zip(data.PerFrameFunctionalGroupsSequence, np.atleast_3d(data.pixel_array), strict=True):
        shared = data.SharedFunctionalGroupsSequence[0]
        number = (groups if "SegmentIdentificationSequence" in groups else shared).SegmentIdentificationSequence[0]
        position = tuple(map(float, groups.PlanePositionSequence[0].ImagePositionPatient))
        found[names[number.ReferencedSegmentNumber], position] = frame
    return found


def expected_frames(files, labels_of_files):
    positions = [tuple(map(float, pydicom.dcmread(path).ImagePositionPatient)) for path in files]
    return {
        (organ.name, position): (labels == organ.label).astype(np.uint8)
        for position, labels in zip(positions, labels_of_files, strict=True)
        for organ in FLARE22
        if (labels == organ.label).any()
    }


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for key, frame in expected.items():
        np.testing.assert_array_equal(found[key], frame, str(key))


@pytest.mark.parametrize("axes", [((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)), OBLIQUE, SAGITTAL])
def test_a_straight_series_has_every_label_on_its_own_slice(tmp_path, axes):
    files = write_series(tmp_path / "case", voxels_of(LABELS), (0.7, 0.8, 2.5), axes)
    data = written(tmp_path / "case", tmp_path / "x.dcm")
    assert_same(frames_of(data), expected_frames(files, LABELS))


def test_a_tilted_series_has_its_labels_where_its_slices_lie(tmp_path):
    """Shifted by whole pixels, each slice is on the upright grid as it is, and comes back in every voxel."""
    files = write_series(tmp_path / "case", voxels_of(LABELS), (1.0, 1.0, 3.0), tilt_mm=1.0)
    assert read_scan(tmp_path / "case").corrected
    data = written(tmp_path / "case", tmp_path / "x.dcm")
    assert_same(frames_of(data), expected_frames(files, LABELS))


def place_of(path, row, column):
    """Where a slice has a pixel (mm)."""
    header = pydicom.dcmread(path, stop_before_pixels=True)
    columns, rows = np.reshape(header.ImageOrientationPatient, (2, 3)).astype(float)
    between_rows, between_columns = header.PixelSpacing
    return header.ImagePositionPatient + column * between_columns * columns + row * between_rows * rows


@pytest.mark.parametrize(
    "lies",
    [
        {"tilt_mm": 0.7},
        {"tilt_mm": -0.31, "axes": OBLIQUE},
        {"heights_mm": np.array([0, 2, 4, 6, 10, 14, 18])},
        {"heights_mm": np.array([0, 3.4, 6.8, 10.2, 11.2, 12.2, 13.2]), "axes": SAGITTAL},
        {"heights_mm": np.array([0, 5, 10, 15, 17, 19, 21]), "tilt_mm": 1.3},
    ],
    ids=["tilted", "tilted, oblique", "uneven", "uneven, sagittal", "uneven and tilted"],
)
def test_each_pixel_of_a_stored_slice_has_the_label_nearest_to_its_own_place(tmp_path, lies):
    files = write_series(tmp_path / "case", np.zeros((7, 9, 8), np.int16), (0.8, 0.9, 2.0), **lies)
    scan = read_scan(tmp_path / "case")
    assert scan.corrected
    image = image_like(RANDOM.integers(0, 4, scan.geometry.size_xyz[::-1]).astype(np.uint8), scan.image)
    labels = on_slices(image, stored_slices(tmp_path / "case"))
    for labels_yx, path in zip(labels, files, strict=True):
        for (row, column), label in np.ndenumerate(labels_yx):
            index = image.TransformPhysicalPointToContinuousIndex(place_of(path, row, column))
            nearest = np.clip(np.rint(index).astype(int), 0, np.array(image.GetSize()) - 1)
            halfway = np.abs(np.abs(index - np.floor(index)) - 0.5).min() < 1e-3
            assert label == image[nearest.tolist()] or halfway


def test_an_uneven_series_has_each_slice_s_labels_at_its_own_height(tmp_path):
    heights = np.array([0, 2, 4, 6, 10, 14, 18.0])
    labels = LABELS[[0, 1, 2, 3, 4, 5, 0]]
    files = write_series(tmp_path / "case", voxels_of(labels), (1.0, 1.0, 2.0), heights_mm=heights)
    assert "resampled to 2 mm" in read_scan(tmp_path / "case").corrected
    data = written(tmp_path / "case", tmp_path / "x.dcm")
    assert_same(frames_of(data), expected_frames(files, labels))


def test_an_enhanced_scan_s_frames_are_those_of_its_file(tmp_path):
    order = [3, 0, 5, 1, 4, 2]
    positions = [(0.0, 0.0, 3.0 * number) for number in order]
    path = write_enhanced(tmp_path / "case.dcm", voxels_of(LABELS)[order] + 1024, positions)
    data = written(path, tmp_path / "x.dcm")
    found = frames_of(data)
    assert len(found) > 6
    for (name, position), frame in found.items():
        label = next(organ.label for organ in FLARE22 if organ.name == name)
        np.testing.assert_array_equal(frame, LABELS[round(position[2] / 3)] == label)
    references = [
        groups.DerivationImageSequence[0].SourceImageSequence[0].ReferencedFrameNumber
        for groups in data.PerFrameFunctionalGroupsSequence
    ]
    heights = [round(position[2] / 3) for _, position in found]
    assert [order[number - 1] for number in references] == heights


def read_by_dcmqi(path):
    """The segments as dcmqi describes them, each with its mask on a grid of dcmqi's own."""
    folder = path.parent
    command = ["segimage2itkimage", "--inputDICOM", path, "--outputDirectory", folder, "-t", "nrrd", "--prefix", "x"]
    subprocess.run([*map(str, command)], check=True, capture_output=True)
    described = json.loads((folder / "x-meta.json").read_text())["segmentAttributes"]
    segments = [item for group in described for item in group]
    return [(segment, sitk.ReadImage(str(folder / f"x-{segment['labelID']}.nrrd"))) for segment in segments]


def assert_on_grid(mask, image, label):
    on_grid = sitk.Resample(mask, image, sitk.Transform(), sitk.sitkNearestNeighbor)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(on_grid) > 0, sitk.GetArrayFromImage(image) == label)


def test_dcmqi_reads_the_same_voxels_names_codes_and_colours(tmp_path):
    write_series(tmp_path / "case", voxels_of(LABELS), (0.7, 0.8, 2.5))
    written(tmp_path / "case", tmp_path / "x.dcm")
    segments, masks = zip(*read_by_dcmqi(tmp_path / "x.dcm"), strict=True)
    assert [segment["SegmentLabel"] for segment in segments] == [FLARE22[label - 1].name for label in (1, 2, 3, 5)]
    image = labels_of_scan(tmp_path / "case")
    for segment, mask, label in zip(segments, masks, (1, 2, 3, 5), strict=True):
        assert_on_grid(mask, image, label)
        wanted = [int(FLARE22[label - 1].colour[place : place + 2], 16) for place in (1, 3, 5)]
        assert np.abs(np.subtract(segment["recommendedDisplayRGBValue"], wanted)).max() <= 2
    assert segments[1]["SegmentedPropertyTypeCodeSequence"]["CodeValue"] == "64033007"
    assert segments[1]["SegmentedPropertyTypeModifierCodeSequence"]["CodeMeaning"] == "Right"


@pytest.mark.parametrize("said", [None, 2.5, "frames"])
def test_dcmqi_reads_the_same_voxels_where_slices_are_thicker_than_apart_and_positions_rounded(tmp_path, said):
    """1.25 mm apart, to 0.1 mm: 1.2 or 1.3. Thickness and a wrong distance in the header are none to go by."""
    labels = np.concatenate([LABELS, LABELS[::-1]])
    heights_mm = np.round(np.arange(len(labels)) * 1.25, 1)
    scan = tmp_path / "case"
    if said == "frames":
        write_enhanced(scan / "ct.dcm", voxels_of(labels) + 1024, [(0.0, 0.0, height) for height in heights_mm])
    else:
        for path in write_series(scan, voxels_of(labels), (1.0, 1.0, 1.25), heights_mm=heights_mm):
            change(path, SliceThickness=5, SpacingBetweenSlices=said)
    written(scan, tmp_path / "x.dcm")
    image = labels_of_scan(scan)
    for (_, mask), label in zip(read_by_dcmqi(tmp_path / "x.dcm"), (1, 2, 3, 5), strict=True):
        assert mask.GetSpacing()[2] == pytest.approx(image.GetSpacing()[2], abs=1e-3)
        assert_on_grid(mask, image, label)


@pytest.mark.parametrize("parts", [(range(3), range(3, 6)), (range(2), range(2, 6))])
def test_frames_in_several_files_are_refused_since_a_segmentation_refers_to_one(tmp_path, parts):
    for number, part in enumerate(parts):
        positions = [(0.0, 0.0, 3.0 * place) for place in part]
        write_enhanced(tmp_path / f"case/{number}.dcm", voxels_of(LABELS)[list(part)] + 1024, positions)
    with pytest.raises(InputError, match="frames in 2 files"):
        written(tmp_path / "case", tmp_path / "x.dcm")


def test_it_belongs_to_the_patient_and_study_and_refers_to_the_slices(tmp_path):
    files = write_series(tmp_path / "case", voxels_of(LABELS))
    for path in files:
        change(path, SpecificCharacterSet="ISO_IR 100", PatientName="Müller^Jörg", StudyDate=None, PatientSex=None)
    data = written(tmp_path / "case", tmp_path / "x.dcm", [*FLARE22[:4], Organ(5, "Überbleibsel")], note="made here")
    source = pydicom.dcmread(files[0])
    assert str(data.PatientName) == "Müller^Jörg" and data.PatientID == source.PatientID and data.StudyDate == ""
    assert data.StudyInstanceUID == source.StudyInstanceUID and data.SeriesInstanceUID != source.SeriesInstanceUID
    assert data.FrameOfReferenceUID == source.FrameOfReferenceUID and data.ContentDescription[:10] == "made here "
    referred = data.ReferencedSeriesSequence[0]
    assert referred.SeriesInstanceUID == source.SeriesInstanceUID
    uids = {pydicom.dcmread(path).SOPInstanceUID for path in files}
    assert {item.ReferencedSOPInstanceUID for item in referred.ReferencedInstanceSequence} == uids
    last = data.SegmentSequence[-1]
    assert last.SegmentLabel == "Überbleibsel" and last.SegmentAlgorithmType == "AUTOMATIC"
    assert last.SegmentedPropertyTypeCodeSequence[0].CodingSchemeDesignator == "99FLARENS"
    assert highdicom.seg.segread(tmp_path / "x.dcm").number_of_segments == 4


def test_a_scan_without_any_organ_has_no_file_and_says_so(tmp_path):
    write_series(tmp_path / "case", voxels_of(np.zeros_like(LABELS)))
    (tmp_path / "x.dcm").touch()
    segmentation = Segmentation(labels_of_scan(tmp_path / "case"), FLARE22, "a model")
    (remark,) = write(segmentation, tmp_path / "case", tmp_path / "x.dcm")
    assert remark.found == "no organ found" and remark.severity == "warning" and not (tmp_path / "x.dcm").exists()


def test_a_series_that_cannot_be_referred_to_is_refused_with_the_reason(tmp_path):
    for path in write_series(tmp_path / "case", voxels_of(LABELS)):
        change(path, StudyInstanceUID=None)
    with pytest.raises(InputError, match="StudyInstanceUID"):
        written(tmp_path / "case", tmp_path / "x.dcm")
    assert not (tmp_path / "x.dcm").exists()


def test_a_label_map_of_another_scan_is_refused(tmp_path):
    write_series(tmp_path / "case", voxels_of(LABELS))
    image = labels_of_scan(tmp_path / "case")
    image.SetOrigin((100.0, 0.0, 0.0))
    with pytest.raises(InputError, match="outside of it"):
        on_slices(image, stored_slices(tmp_path / "case"))
