"""DICOM segmentations lie on their scan where their frames say, whoever wrote them."""

from functools import cache

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.sr.coding import Code
from pydicom.uid import JPEGLSLossless, RLELossless

from dicom_series import change
from labelled_series import KINDS, NAMES, SIZE_ZYX, array_of, make_series, rank
from noisy_student.errors import InputError
from noisy_student.reading.dicom.segment_names import names_of
from noisy_student.reading.door import checksum, read_label_map, read_scan
from segmentation_files import as_nifti, by_dcmqi, by_highdicom, write_ct


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    """Each kind of series, made when it is asked for."""
    return cache(lambda kind: make_series(tmp_path_factory.mktemp(kind), kind))


def masks_of(labels):
    return np.stack([labels == label for label in NAMES], axis=-1)


@pytest.mark.parametrize("kind", KINDS)
def test_highdicom_on_the_slices_as_acquired(tmp_path, series, kind):
    ct = series(kind)
    assert bool(ct.scan.corrected) == (kind in ("tilted", "uneven"))
    volume = read_label_map(by_highdicom(tmp_path / "a.dcm", ct.files, ct.labels, NAMES), ct.scan, rank)
    assert np.array_equal(array_of(volume), ct.expected()) and volume.names == dict(sorted(NAMES.items()))
    assert volume.geometry == ct.scan.geometry and volume.remarks == () and volume.is_by_name and not volume.is_plain


@pytest.mark.parametrize("kind", ["straight", "tilted", "uneven"])
@pytest.mark.parametrize("options", [(), ("--segmentationType", "labelmap"), ("--compress", "deflate")])
def test_dcmqi_on_the_scan_s_grid(tmp_path, series, kind, options):
    ct = series(kind)
    label_map = as_nifti(tmp_path / "a.nii.gz", ct.expected(), ct.scan.image)
    path = by_dcmqi(tmp_path / "a.dcm", ct.folder, label_map, NAMES, *options)
    assert np.array_equal(array_of(read_label_map(path, ct.scan, rank)), ct.expected())


def test_dcmqi_with_axes_turned_round(tmp_path, series):
    ct = series("straight")
    turned = sitk.DICOMOrient(sitk.ReadImage(as_nifti(tmp_path / "a.nii.gz", ct.labels, ct.scan.image)), "PRI")
    sitk.WriteImage(turned, str(tmp_path / "b.nii.gz"))
    path = by_dcmqi(tmp_path / "a.dcm", ct.folder, tmp_path / "b.nii.gz", NAMES, "--referencesGeometryCheck", "0")
    assert np.array_equal(array_of(read_label_map(path, ct.scan, rank)), ct.labels)


@pytest.mark.parametrize("syntax", [None, RLELossless, JPEGLSLossless])
def test_label_maps_and_fractional_ones_however_they_are_packed(tmp_path, series, syntax):
    ct = series("tilted")
    packed = {"transfer_syntax_uid": syntax} if syntax else {}
    shares = masks_of(ct.labels) * np.float32(0.6) + ~masks_of(ct.labels) * np.float32(0.4)
    for kind, pixels in (("LABELMAP", ct.labels), ("FRACTIONAL", shares)):
        path = by_highdicom(tmp_path / f"{kind}.dcm", ct.files, pixels, NAMES, kind, **packed)
        assert np.array_equal(array_of(read_label_map(path, ct.scan, rank)), ct.expected()), kind


def test_a_share_of_a_half_is_inside(tmp_path, series):
    ct = series("straight")
    shares = masks_of(ct.labels) * np.float32(0.5)
    options = {"max_fractional_value": 200, "fractional_type": "OCCUPANCY"}
    path = by_highdicom(tmp_path / "a.dcm", ct.files, shares, NAMES, "FRACTIONAL", **options)
    assert np.array_equal(array_of(read_label_map(path, ct.scan, rank)), ct.labels)


def test_a_nifti_scan_s_grid_counts_by_its_place(tmp_path, series):
    for kind in ("coronal", "oblique"):
        ct = series(kind)
        path = by_highdicom(tmp_path / f"{kind}.dcm", ct.files, ct.labels, NAMES)
        sitk.WriteImage(ct.scan.image, str(tmp_path / f"{kind}.nii.gz"))
        scan = read_scan(tmp_path / f"{kind}.nii.gz")
        assert np.array_equal(array_of(read_label_map(path, scan, rank)), ct.expected())


def test_a_scan_that_is_a_part_of_the_labelled_one(tmp_path, series):
    ct = series("straight")
    path = by_highdicom(tmp_path / "a.dcm", ct.files, ct.labels, NAMES)
    sitk.WriteImage(ct.scan.image[4:20, 3:25, 6:10], str(tmp_path / "part.nii.gz"))
    volume = read_label_map(path, read_scan(tmp_path / "part.nii.gz"), rank)
    assert np.array_equal(array_of(volume), ct.labels[6:10, 3:25, 4:20])
    assert [remark.kind for remark in volume.remarks] == ["beyond"]
    sitk.WriteImage(ct.scan.image[12:], str(tmp_path / "side.nii.gz"))
    volume = read_label_map(path, read_scan(tmp_path / "side.nii.gz"), rank)
    frames = sum((slice_yx[:, :12] == label).any() for slice_yx in ct.labels for label in NAMES)
    assert np.array_equal(array_of(volume), ct.labels[..., 12:]) and f"{frames} of 20 frames" in volume.remarks[0].found


def test_slices_without_frames_and_organs_that_are_not_there(tmp_path, series):
    ct = series("straight")
    few = np.where(np.isin(np.arange(SIZE_ZYX[0]), (5, 9))[:, None, None] & (ct.labels == 1), 1, 0).astype(np.uint8)
    assert few[[5, 9]].any(axis=(1, 2)).all()
    volume = read_label_map(by_highdicom(tmp_path / "a.dcm", ct.files, few, NAMES), ct.scan, rank)
    assert np.array_equal(array_of(volume), few) and volume.names == dict(sorted(NAMES.items()))


def test_the_later_organ_wins_and_voxels_in_two_are_counted(tmp_path, series):
    ct = series("straight")
    masks = masks_of(ct.labels)
    # Of spleen (3), liver (1) and pancreas (4) in this order, the spleen reaches into the liver.
    masks[6, 10:14, 8:12, 0] = True
    shared = np.count_nonzero(masks[..., 0] & masks[..., 1])
    volume = read_label_map(by_highdicom(tmp_path / "a.dcm", ct.files, masks, NAMES), ct.scan, rank)
    wanted = ct.labels.copy()
    wanted[6, 10:14, 8:12] = 3
    assert shared and np.array_equal(array_of(volume), wanted)
    assert [remark.found for remark in volume.remarks] == [f"{shared} voxel(s) in two segments"]


def test_what_is_no_organ_is_not_read_but_named(tmp_path, series):
    ct = series("straight")
    path = by_highdicom(tmp_path / "a.dcm", ct.files, ct.labels, NAMES)
    volume = read_label_map(path, ct.scan, {"liver": 1}.get)
    assert np.array_equal(array_of(volume), ct.labels == 1)
    assert volume.names == {1: "liver", 256: "spleen", 257: "pancreas"}
    every = read_label_map(path, ct.scan)
    assert every.names == {1: "spleen", 2: "liver", 3: "pancreas"}
    assert np.array_equal(array_of(every), np.select([ct.labels == 3, ct.labels == 1, ct.labels == 4], [1, 2, 3]))
    assert not array_of(read_label_map(path, ct.scan, {}.get)).any()


def test_two_segments_of_one_name_are_refused_unless_nobody_wants_them(tmp_path, series):
    ct = series("straight")
    path = by_highdicom(tmp_path / "a.dcm", ct.files, ct.labels, NAMES | {4: "liver"})
    with pytest.raises(InputError, match="segment 2 and segment 3 are both 'liver'"):
        read_label_map(path, ct.scan, rank)
    assert np.array_equal(array_of(read_label_map(path, ct.scan, {"spleen": 3}.get)) == 3, ct.labels == 3)


def test_names_from_the_property_type_and_the_side_that_a_modifier_adds(tmp_path, series):
    ct = series("straight")
    kidney = {"CodeValue": "64033007", "CodingSchemeDesignator": "SCT", "CodeMeaning": "Kidney"}
    sides = {3: ("7771000", "Left"), 1: ("24028007", "Right")}
    kinds = {
        label: {
            "SegmentedPropertyTypeCodeSequence": kidney,
            "SegmentedPropertyTypeModifierCodeSequence": kidney | {"CodeValue": value, "CodeMeaning": meaning},
        }
        for label, (value, meaning) in sides.items()
    }
    label_map = as_nifti(tmp_path / "a.nii.gz", ct.labels, ct.scan.image)
    path = by_dcmqi(tmp_path / "a.dcm", ct.folder, label_map, {1: "organ A", 3: "Kidney", 4: "x"}, kinds=kinds)
    volume = read_label_map(path, ct.scan, {"right Kidney": 2, "left Kidney": 13}.get)
    assert np.array_equal(array_of(volume), np.select([ct.labels == 1, ct.labels == 3], [2, 13]))
    assert volume.names == {2: "right Kidney", 13: "left Kidney", 256: "x"}


@pytest.mark.parametrize(
    ("label", "meaning", "code", "names"),
    [
        ("Kidney left", "Kidney", ("7771000", "Left"), ("Kidney left", "left Kidney", "Kidney")),
        ("Renal", "Kidney", ("X", "Right "), ("right Renal", "Renal")),
        ("Liver", "Liver", ("1", "Bilateral"), ("Liver",)),
        ("", "", ("1", "Left"), ("segment 1",)),
        ("", "Kidney", ("1", "Left"), ("left Kidney", "Kidney")),
        ("Left", "Kidney", ("1", ""), ("Left", "left Kidney", "Kidney")),
        ("Adrenal (R)", "Adrenal gland", ("1", ""), ("Adrenal (R)", "right Adrenal gland", "Adrenal gland")),
        *[(name, "Liver", ("1", ""), (name, "Liver"))
          for name in ("Segment 2", "segment_3", "Label 2", "ROI1", "ROI-12", "organ A", "Segmentation", "7", "x")],
        *[(name, "Liver", ("1", ""), (name,))
          for name in ("Metastasis", "Liver metastasis", "Liver-GTV", "liver segment 2", "Liver 2", "Leber", "肝脏")],
        ("Tumour", "Kidney", ("7771000", "Left"), ("left Tumour", "Tumour")),
    ],
)  # fmt: skip
def test_names_best_first(label, meaning, code, names):
    kind, modifier, segment = pydicom.Dataset(), pydicom.Dataset(), pydicom.Dataset()
    modifier.CodeValue, modifier.CodeMeaning = code
    kind.CodeMeaning, kind.SegmentedPropertyTypeModifierCodeSequence = meaning, [modifier]
    segment.SegmentLabel, segment.SegmentedPropertyTypeCodeSequence, segment.SegmentNumber = label, [kind], 1
    assert names_of(segment) == names


def sided(path, number, value, meaning):
    """Give a segment's property type a modifier."""
    data, modifier = pydicom.dcmread(path), pydicom.Dataset()
    modifier.CodeValue, modifier.CodingSchemeDesignator, modifier.CodeMeaning = value, "SCT", meaning
    kind = data.SegmentSequence[number - 1].SegmentedPropertyTypeCodeSequence[0]
    kind.SegmentedPropertyTypeModifierCodeSequence = [modifier]
    data.save_as(path)


def test_a_lesion_in_an_organ_is_not_the_organ(tmp_path, series):
    ct, organs = series("straight"), dict.fromkeys(NAMES, Code("10200004", "SCT", "Liver"))
    path = by_highdicom(tmp_path / "a.dcm", ct.files, ct.labels, NAMES | {3: "Metastasis"}, organs=organs)
    volume = read_label_map(path, ct.scan, {"liver": 1, "Liver": 1}.get)
    assert np.array_equal(array_of(volume), ct.labels == 1) and volume.remarks == ()
    assert volume.names == {1: "liver", 256: "Metastasis", 257: "pancreas"}


def test_an_organ_by_its_kind_is_told_with_its_label(tmp_path, series):
    ct, organs = series("straight"), {1: Code("10200004", "SCT", "Liver")}
    path = by_highdicom(tmp_path / "a.dcm", ct.files, ct.labels, {1: "Segment_7", 3: "liver"}, organs=organs)
    volume = read_label_map(path, ct.scan, {"liver": 1, "Liver": 1}.get)
    assert [remark.found for remark in volume.remarks] == [
        "segments known by their property type: Liver (segment 1, 'Segment_7')",
        "one organ under several names: Liver (segment 1, 'Segment_7'), liver",
    ]


@pytest.mark.parametrize(("label", "said"), [("Kidney L", "right Kidney"), ("kidney left and right", "right Kidney")])
def test_two_sides_of_one_segment_are_refused_if_it_is_read(tmp_path, series, label, said):
    ct, organs = series("straight"), {1: Code("64033007", "SCT", "Kidney")}
    path = by_highdicom(tmp_path / "a.dcm", ct.files, ct.labels, NAMES | {1: label}, organs=organs)
    sided(path, 2, "24028007", "Right")
    with pytest.raises(InputError, match=f"segment 2, '{label}', is '{said}' by its property type"):
        read_label_map(path, ct.scan, {label: 13}.get)
    assert np.array_equal(array_of(read_label_map(path, ct.scan, {"spleen": 3}.get)), 3 * (ct.labels == 3))


def thinned(ct, folder, step):
    """The same slices but a few, as a series of its own."""
    places = {"spacing_mm_xyz": (2.0, 1.5, 3.0 * step), "series": "1.2.3.9"}
    return write_ct(folder, np.where(ct.labels[::step] > 0, 60, -1000), **places)


@pytest.mark.parametrize("kind", ["BINARY", "LABELMAP"])
@pytest.mark.parametrize("step", [2, 3])
def test_a_segmentation_of_a_thicker_series_is_refused(tmp_path, series, kind, step):
    ct = series("straight")
    files = thinned(ct, tmp_path / "thick", step)
    path = by_highdicom(tmp_path / "a.dcm", files, ct.labels[::step], NAMES, kind)
    said = f"drawn on slices {3 * step} mm apart, where the scan's are 3 mm apart"
    with pytest.raises(InputError, match=said) as error:
        read_label_map(path, ct.scan, rank)
    assert "give the scan that it was drawn on" in error.value.remedy
    own = read_label_map(path, read_scan(tmp_path / "thick"), rank)
    assert np.array_equal(array_of(own), ct.labels[::step]) and own.remarks == ()


@pytest.mark.parametrize(
    ("there", "is_refused"),
    [((3, 5, 7), True), ((3, 5, 7, 11), True), ((3, 7, 9), False), ((3, 5, 6, 8), False), ((3, 4, 5, 9, 10), False)],
)
def test_slices_left_out_at_one_step_are_no_empty_ones(tmp_path, series, there, is_refused):
    ct = series("straight")
    few = np.zeros_like(ct.labels)
    few[list(there), 5:9, 5:9] = 1
    path = by_highdicom(tmp_path / "a.dcm", ct.files, few, NAMES)
    if is_refused:
        with pytest.raises(InputError, match="drawn on slices 6 mm apart"):
            read_label_map(path, ct.scan, rank)
    else:
        assert np.array_equal(array_of(read_label_map(path, ct.scan, rank)), few)


def test_another_series_of_the_study_is_worth_a_word_without_its_uid(tmp_path, series):
    ct = series("straight")
    other = thinned(ct, tmp_path / "other", 1)
    path = by_highdicom(tmp_path / "a.dcm", other, ct.labels, NAMES)
    volume = read_label_map(path, ct.scan, rank)
    assert np.array_equal(array_of(volume), ct.labels) and [remark.kind for remark in volume.remarks] == ["series"]
    assert "1.2.3" not in str(volume.remarks)
    assert read_label_map(path, read_scan(tmp_path / "other"), rank).remarks == ()
    sitk.WriteImage(ct.scan.image, str(tmp_path / "a.nii.gz"))
    assert read_label_map(path, read_scan(tmp_path / "a.nii.gz"), rank).remarks == ()


def change_frames(path, per_frame=None, **shared):
    """Change each frame's position by a function, and shared measures by keyword."""
    data = pydicom.dcmread(path)
    for number, frame in enumerate(data.PerFrameFunctionalGroupsSequence):
        position = frame.PlanePositionSequence[0]
        position.ImagePositionPatient = per_frame(number, np.array(position.ImagePositionPatient, float)).tolist()
    for keyword, value in shared.items():
        setattr(data.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0], keyword, value)
    data.save_as(path)


@pytest.mark.parametrize(
    ("move", "shared", "said"),
    [
        (
            lambda number, mm: mm + np.array([0, 0, 1.2 * (number == 3)]),
            {},
            "1 of 20 frames between slices, by up to 0.4",
        ),
        (lambda number, mm: mm + np.array([0, 0.6, 0]), {}, "pixels up to 0.4 of a pixel off"),
        (lambda number, mm: mm, {"PixelSpacing": [1.5, 2.1]}, "pixels up to 1.7 of a pixel off"),
        (lambda number, mm: mm + np.array([0, 0, 500]), {}, "none of its 20 frames within the scan"),
    ],
)
def test_frames_off_the_scan_are_refused(tmp_path, series, move, shared, said):
    ct = series("straight")
    path = by_highdicom(tmp_path / "a.dcm", ct.files, ct.labels, NAMES)
    change_frames(path, move, **shared)
    with pytest.raises(InputError, match=said) as error:
        read_label_map(path, ct.scan, rank)
    assert "best its DICOM series" in error.value.remedy


def test_frames_a_little_off_are_laid_on_their_slice(tmp_path, series):
    ct = series("straight")
    path = by_highdicom(tmp_path / "a.dcm", ct.files, ct.labels, NAMES)
    change_frames(path, lambda number, mm: mm + np.array([0.3, -0.3, 0.6]))
    assert np.array_equal(array_of(read_label_map(path, ct.scan, rank)), ct.labels)


def test_another_frame_of_reference_counts_only_beside_a_dicom_scan(tmp_path, series):
    ct = series("straight")
    path = by_highdicom(tmp_path / "a.dcm", ct.files, ct.labels, NAMES)
    change(path, FrameOfReferenceUID="2.25.1")
    with pytest.raises(InputError, match="another one: the FrameOfReferenceUIDs differ") as error:
        read_label_map(path, ct.scan, rank)
    assert "2.25" not in str(error.value)
    sitk.WriteImage(ct.scan.image, str(tmp_path / "a.nii.gz"))
    assert np.array_equal(array_of(read_label_map(path, read_scan(tmp_path / "a.nii.gz"), rank)), ct.labels)


def test_a_folder_with_one_segmentation_is_that_and_no_scan_is_an_error(tmp_path, series):
    ct = series("straight")
    (tmp_path / "case").mkdir()
    path = by_highdicom(tmp_path / "case/a.dcm", ct.files, ct.labels, NAMES)
    assert np.array_equal(array_of(read_label_map(path.parent, ct.scan, rank)), ct.labels)
    assert checksum(path.parent) != checksum(path) and len(checksum(path)) == 64
    with pytest.raises(InputError, match="a segmentation, which lies on a scan"):
        read_label_map(path)
    (path.parent / "b.dcm").write_bytes(path.read_bytes())
    with pytest.raises(InputError, match=r"2 of these: a\.dcm, b\.dcm"):
        read_label_map(path.parent, ct.scan)
    with pytest.raises(InputError, match=r"DICOM image\(s\) such as IM"):
        read_label_map(ct.folder, ct.scan)


def test_a_damaged_segmentation_is_an_error(tmp_path, series):
    ct = series("straight")
    path = by_highdicom(tmp_path / "a.dcm", ct.files, ct.labels, NAMES)
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(InputError, match=r"frames that cannot be decoded|not whole as a segmentation"):
        read_label_map(path, ct.scan, rank)


def test_a_code_of_a_known_organ_may_be_its_name(tmp_path, series):
    ct = series("straight")
    organs = {1: Code("10200004", "SCT", "Liver")}
    path = by_highdicom(tmp_path / "a.dcm", ct.files, ct.labels, NAMES | {1: "Segment_1"}, organs=organs)
    assert np.array_equal(array_of(read_label_map(path, ct.scan, {"Liver": 1}.get)), ct.labels == 1)


def test_sides_that_a_writer_exchanges_for_prone_patients_are_said(tmp_path):
    ct = make_series(tmp_path / "ct", "straight")
    for row_x, manufacturer, kinds in ((1, "TotalSegmentator", []), (-1, "m", []), (-1, "TotalSegmentator", ["sides"])):
        for file in ct.files:
            change(file, ImageOrientationPatient=[row_x, 0, 0, 0, row_x, 0])
        path = by_highdicom(tmp_path / "a.dcm", ct.files, ct.labels, NAMES)
        change(path, Manufacturer=manufacturer)
        volume = read_label_map(path, read_scan(ct.folder), rank)
        assert [remark.kind for remark in volume.remarks] == kinds
