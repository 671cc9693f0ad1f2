"""Structure sets are drawn on the slices that their contours lie in, holes and all."""

import subprocess
from functools import cache

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from dicom_series import change
from enhanced_dicom import write_enhanced
from labelled_series import KINDS, NAMES, SIZE_ZYX, array_of, dsc, make_series, rank
from noisy_student.errors import InputError
from noisy_student.reading.door import read_label_map, read_scan
from segmentation_files import as_nifti, by_plastimatch, write_structures


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    """Each kind of series, made when it is asked for."""
    return cache(lambda kind: make_series(tmp_path_factory.mktemp(kind), kind))


@pytest.fixture
def ct(series):
    return series("straight")


def write_masks(folder, labels, scan):
    folder.mkdir()
    for label, name in NAMES.items():
        as_nifti(folder / f"{name}.nii.gz", (labels == label).astype(np.uint8), scan.image)
    return folder


def square(low, high, z, x=0.0):
    """In pixels of 2.0 × 1.5 mm, on a height in mm."""
    corners = np.array([(low, low), (high, low), (high, high), (low, high)])
    return np.column_stack([(corners[:, 0] + x) * 2.0, corners[:, 1] * 1.5, np.full(4, z)])


def drawn(*boxes):
    """Label 1 in boxes of pixels, exclusive or."""
    wanted = np.zeros(SIZE_ZYX, bool)
    for z, low, high in boxes:
        wanted[z, low : high + 1, low : high + 1] ^= True
    return wanted


@pytest.mark.parametrize("kind", ["straight", "tilted", "sparse", "uneven"])
def test_plastimatch_s_contours_of_a_label_map_on_the_scan_s_grid(tmp_path, series, kind):
    ct = series(kind)
    masks = write_masks(tmp_path / "masks", ct.expected(), ct.scan)
    volume = read_label_map(by_plastimatch(tmp_path / "a.dcm", ct.folder, masks), ct.scan, rank)
    assert dsc(array_of(volume), ct.expected()) >= 0.99 and volume.remarks == ()
    assert volume.names == dict(sorted(NAMES.items()))


@pytest.mark.parametrize("kind", KINDS)
def test_contours_on_the_slices_as_acquired(tmp_path, series, kind):
    ct = series(kind)
    regions = {name: [] for name in NAMES.values()}
    for file, slice_yx in zip(ct.files, ct.labels, strict=True):
        header = pydicom.dcmread(file, stop_before_pixels=True)
        axes = np.reshape(np.array(header.ImageOrientationPatient, float), (2, 3))
        rows_mm, columns_mm = header.PixelSpacing
        for label, name in NAMES.items():
            # Around the pixels of each row.
            rows = np.flatnonzero((slice_yx == label).any(axis=1))
            if len(rows):
                ends = [np.flatnonzero(slice_yx[row] == label)[[0, -1]] for row in rows]
                sides = [[(end[side], row + half) for row, end in zip(rows, ends, strict=True) for half in (-0.4, 0.4)]
                         for side in (0, 1)]  # fmt: skip
                pixels = np.array([(x - 0.4, y) for x, y in sides[0]] + [(x + 0.4, y) for x, y in sides[1][::-1]])
                points = (pixels * [columns_mm, rows_mm]).astype(float) @ axes
                regions[name].append(points + np.array(header.ImagePositionPatient, float))
    volume = read_label_map(write_structures(tmp_path / "a.dcm", regions), ct.scan, rank)
    assert np.array_equal(array_of(volume), ct.expected()) and volume.remarks == ()


def test_plastimatch_as_a_peer_reader(tmp_path, ct):
    angles = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    balls = [
        np.column_stack([33.3 + r * np.cos(angles), 24.7 + r * np.sin(angles), np.full(90, z)])
        for z in range(3, 34, 3)
        if (r := np.sqrt(max(0, 17.1**2 - (z - 18) ** 2))) > 0
    ]
    path = write_structures(tmp_path / "a.dcm", {"liver": balls})
    sitk.WriteImage(ct.scan.image, str(tmp_path / "ct.nii.gz"))
    command = ["plastimatch", "convert", "--input", path, "--fixed", tmp_path / "ct.nii.gz", "--xor-contours",
               "--output-prefix", tmp_path / "peer", "--prefix-format", "nrrd"]  # fmt: skip
    subprocess.run([str(word) for word in command], check=True, capture_output=True)
    peer = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "peer/liver.nrrd"))) > 0
    assert dsc(array_of(read_label_map(path, ct.scan, rank)), peer.astype(int)) > 0.985


@pytest.mark.parametrize("kind", ["CLOSED_PLANAR", "CLOSEDPLANAR_XOR"])
def test_holes_and_islands_in_them(tmp_path, ct, kind):
    nested = [square(3.5, 20.5, 6), square(6.5, 15.5, 6), square(8.5, 10.5, 6)]
    volume = read_label_map(write_structures(tmp_path / "a.dcm", {"liver": nested}, kind), ct.scan, rank)
    assert np.array_equal(array_of(volume) == 1, drawn((2, 4, 20), (2, 7, 15), (2, 9, 10)))


def test_a_contour_that_is_stored_twice_counts_once(tmp_path, ct):
    twice = [square(3.5, 20.5, 6), square(6.5, 15.5, 6), square(3.5, 20.5, 6)]
    volume = read_label_map(write_structures(tmp_path / "a.dcm", {"liver": twice}), ct.scan, rank)
    assert np.array_equal(array_of(volume) == 1, drawn((2, 4, 20), (2, 7, 15)))


@pytest.mark.parametrize("kind", ["POINT", "OPEN_PLANAR", "OPEN_NONPLANAR"])
def test_what_is_not_closed_encloses_nothing(tmp_path, ct, kind):
    volume = read_label_map(write_structures(tmp_path / "a.dcm", {"liver": [square(3, 9, 6)]}, kind), ct.scan, rank)
    assert not array_of(volume).any() and volume.names == {1: "liver"}
    assert [remark.kind for remark in volume.remarks] == ["empty" if kind == "POINT" else "not closed"]


def test_organs_that_are_not_drawn_or_in_part_are_named(tmp_path, ct):
    """The liver's contours are closed, the spleen's open, the pancreas's in part, the heart's without a type."""
    planes = [square(4, 8, z) for z in (6, 9, 12)]
    organs = ("liver", "spleen", "pancreas", "heart", "left kidney", "couch")
    regions = {name: planes for name in organs[:4]} | {"left kidney": [], "couch": []}
    path = write_structures(tmp_path / "a.dcm", regions)
    data = pydicom.dcmread(path)
    listed = {region.ReferencedROINumber: region.ContourSequence for region in data.ROIContourSequence}
    of_organ = {region.ROIName: listed[region.ROINumber] for region in data.StructureSetROISequence}
    for contour in (*of_organ["spleen"], *of_organ["pancreas"][1:]):
        contour.ContourGeometricType = "OPEN_PLANAR"
    for contour in of_organ["heart"]:
        del contour.ContourGeometricType
    data.ROIContourSequence = [region for region in data.ROIContourSequence if region.ContourSequence]
    data.save_as(path)
    labels = {name: number for number, name in enumerate(organs[:5], 1)}
    volume = read_label_map(path, ct.scan, labels.get)
    found = [remark.found for remark in volume.remarks if remark.kind in ("not closed", "empty")]
    assert found[0].endswith("are not drawn: spleen 3 of 3, pancreas 2 of 3, heart 3 of 3")
    assert found[1:] == ["named, without a contour that encloses anything: left kidney"]


def test_contours_beyond_the_scan_are_counted_and_not_drawn(tmp_path, ct):
    heights = [-9.0, -1.6, -1.4, 39.0, 40.4, 40.6, 300.0]
    path = write_structures(tmp_path / "a.dcm", {"liver": [square(4, 8, z) for z in heights]})
    volume = read_label_map(path, ct.scan, rank)
    assert np.array_equal(np.flatnonzero(array_of(volume).any(axis=(1, 2))), [0, 13])
    assert "4 of 7 contours on none of the scan's slices" in volume.remarks[0].found


def test_contours_that_run_over_the_edge_are_counted_and_cut_off(tmp_path, ct):
    inside, outside = square(-0.5, 8, 6), square(4, 8, 9, x=29)
    volume = read_label_map(write_structures(tmp_path / "a.dcm", {"liver": [inside, outside]}), ct.scan, rank)
    assert "1 of 2 contours" in volume.remarks[0].found and array_of(volume)[3].sum() == 5 * 2


def test_of_several_planes_at_one_slice_the_nearest_counts(tmp_path, ct):
    planes = [square(2, 20, 5.0), square(4, 8, 6.1), square(4, 8, 6.1, x=10), square(2, 20, 7.2)]
    volume = read_label_map(write_structures(tmp_path / "a.dcm", {"liver": planes}), ct.scan, rank)
    wanted = drawn((2, 4, 8))
    wanted[2, 4:9, 14:19] = True
    assert np.array_equal(array_of(volume) == 1, wanted)


def test_a_region_on_every_second_slice_is_worth_a_word(tmp_path, ct):
    planes = [square(4, 8, z) for z in range(0, 37, 6)]
    volume = read_label_map(write_structures(tmp_path / "a.dcm", {"liver": planes}), ct.scan, rank)
    assert [remark.kind for remark in volume.remarks] == ["gaps"]
    assert volume.remarks[0].found.endswith("liver 46% (contours 6 mm apart on slices 3 mm apart)")


@pytest.mark.parametrize(
    ("apart_mm", "said"),
    [
        (3.6, {"gaps": "liver 15% (contours 3.6 mm apart on slices 3 mm apart)", "off": "liver up to 0.4"}),
        (3.1, {"off": "liver up to 0.4"}),
        (2.4, {"off": "liver up to 0.4"}),
        (1.5, {}),
        (3.0, {}),
    ],
)
def test_contours_of_other_slice_distances_are_worth_a_word(tmp_path, ct, apart_mm, said):
    planes = [square(4, 8, z) for z in np.arange(0, 39.1, apart_mm)]
    volume = read_label_map(write_structures(tmp_path / "a.dcm", {"liver": planes}), ct.scan, rank)
    found = {remark.kind: remark.found for remark in volume.remarks}
    assert found.keys() == said.keys() and all(found[kind].endswith(words) for kind, words in said.items())


@pytest.mark.parametrize(("off_mm", "said"), [(0.7, []), (0.75, ["off"]), (-1.44, ["off"])])
def test_contours_a_quarter_of_a_slice_off_are_drawn_with_a_word(tmp_path, ct, off_mm, said):
    path = write_structures(tmp_path / "a.dcm", {"liver": [square(4, 8, z + off_mm) for z in (6, 9, 12)]})
    volume = read_label_map(path, ct.scan, rank)
    assert np.array_equal(array_of(volume) == 1, drawn((2, 4, 8), (3, 4, 8), (4, 4, 8)))
    assert [remark.kind for remark in volume.remarks] == said


def test_an_organ_in_two_parts_has_no_regular_gap(tmp_path, ct):
    planes = [square(4, 8, z) for z in (0, 3, 6, 9, 12, 15, 21, 24, 27)]
    volume = read_label_map(write_structures(tmp_path / "a.dcm", {"liver": planes}), ct.scan, rank)
    assert volume.remarks == ()


def test_contours_of_another_series_are_worth_a_word_without_its_uid(tmp_path, ct):
    path = write_structures(tmp_path / "a.dcm", {"liver": [square(4, 8, 6)]})
    for series, said in (("1.2.3.4", []), ("1.2.3.9", ["series"])):
        items = [pydicom.Dataset() for _ in range(3)]
        items[0].SeriesInstanceUID = series
        items[1].RTReferencedSeriesSequence = [items[0]]
        items[2].RTReferencedStudySequence = [items[1]]
        change(path, ReferencedFrameOfReferenceSequence=[items[2]])
        remarks = read_label_map(path, ct.scan, rank).remarks
        assert [remark.kind for remark in remarks] == said and "1.2.3" not in str(remarks)


def naming(path, heights_mm, numbers, series="1.2.3.4"):
    """A liver at these heights that says it was drawn on these slices of a series."""
    images = [{"ReferencedSOPInstanceUID": f"{series}.{number}"} for number in numbers]
    return write_structures(path, {"liver": [square(4, 8, z) for z in heights_mm]}, images={"liver": images})


def test_contours_off_the_slices_that_they_name_are_refused_without_uids(tmp_path, series):
    """As rt-utils writes them: at the slice's number times the mean distance."""
    ct, numbers = series("uneven"), range(1, 13)
    path = naming(tmp_path / "a.dcm", [number * 47.5 / 13 for number in numbers], numbers)
    with pytest.raises(InputError) as error:
        read_label_map(path, ct.scan, rank)
    assert error.value.got.endswith("up to liver 6.92 mm in 8 contour(s)") and "1.2.3" not in str(error.value)
    assert not array_of(read_label_map(path, ct.scan, {}.get)).any()
    sitk.WriteImage(ct.scan.image, str(tmp_path / "a.nii.gz"))
    assert array_of(read_label_map(path, read_scan(tmp_path / "a.nii.gz"), rank)).any()


@pytest.mark.parametrize(("z", "off_mm"), [(6, 0), (6.6, 0), (7.5, 0), (4.5, 0), (7.7, 1.7), (3, 3), (300, 294)])
def test_a_contour_halfway_to_the_next_slice_may_name_either(tmp_path, ct, z, off_mm):
    path = naming(tmp_path / "a.dcm", [z], [2])
    if not off_mm:
        assert array_of(read_label_map(path, ct.scan, rank)).any()
        return
    with pytest.raises(InputError, match=f"up to liver {off_mm} mm in 1 contour"):
        read_label_map(path, ct.scan, rank)


def test_images_that_are_none_or_several_of_the_slices_say_nothing(tmp_path):
    ct = make_series(tmp_path / "ct", "straight")
    for number in (2, 3):
        change(ct.files[number], SOPInstanceUID="1.2.3.4.99")
    for number in (2, 77, 99):
        assert array_of(read_label_map(naming(tmp_path / "a.dcm", [21.0], [number]), ct.scan, rank)).any()


@pytest.mark.parametrize(("frame", "is_refused"), [({}, False), ({"ReferencedFrameNumber": 6}, False),
                                                   ({"ReferencedFrameNumber": 5}, True)])  # fmt: skip
def test_of_a_file_of_many_frames_the_frame_counts(tmp_path, frame, is_refused):
    positions = [(0.0, 0.0, 3.0 * number) for number in reversed(range(8))]
    voxels = np.zeros((8, 33, 35), np.uint16)
    scan = read_scan(write_enhanced(tmp_path / "ct.dcm", voxels, positions, SOPInstanceUID="1.2.9"))
    image = {"ReferencedSOPInstanceUID": "1.2.9", **frame}
    # The sixth frame from above is the third slice from below.
    contours, images = {"liver": [square(4, 8, 6)]}, {"liver": [image]}
    path = write_structures(tmp_path / "a.dcm", contours, frame="1.2.5", images=images)
    if is_refused:
        with pytest.raises(InputError, match="up to liver 3 mm in 1 contour"):
            read_label_map(path, scan, rank)
    else:
        assert array_of(read_label_map(path, scan, rank))[2].any()


def test_the_later_organ_wins_whatever_the_order_of_the_file(tmp_path, ct):
    for regions in (("liver", "pancreas"), ("pancreas", "liver")):
        path = write_structures(tmp_path / "a.dcm", {name: [square(4, 8, 6)] for name in regions})
        volume = read_label_map(path, ct.scan, rank)
        assert np.array_equal(array_of(volume), 4 * drawn((2, 4, 8)))
        assert [remark.found for remark in volume.remarks] == ["25 voxel(s) in two segments"]


def test_numbers_link_names_and_contours_and_other_regions_are_not_read(tmp_path, ct):
    regions = {"BODY": [square(0, 30, 6)], "spleen": [square(4, 8, 6)], "couch": [np.array([(1, 2, 3)])], "": []}
    volume = read_label_map(write_structures(tmp_path / "a.dcm", regions), ct.scan, rank)
    assert np.array_equal(array_of(volume), 3 * drawn((2, 4, 8)))
    assert volume.names == {3: "spleen", 256: "BODY", 257: "couch", 258: "ROI 10"}


def test_two_regions_of_one_name_are_refused(tmp_path, ct):
    path = write_structures(tmp_path / "a.dcm", {"liver": [square(4, 8, 6)], "x": []})
    data = pydicom.dcmread(path)
    data.StructureSetROISequence[1].ROIName = "liver"
    data.save_as(path)
    with pytest.raises(InputError, match="ROI 7 and ROI 8 are both 'liver'"):
        read_label_map(path, ct.scan, rank)


def test_contours_across_another_axis_of_a_nifti_scan(tmp_path, series):
    ct = series("coronal")
    sitk.WriteImage(ct.scan.image, str(tmp_path / "a.nii.gz"))
    scan = read_scan(tmp_path / "a.nii.gz")
    points = ct.scan.geometry.places_mm(np.array([(4.0, 5, 6), (9, 5, 6), (9, 5, 11), (4, 5, 11)]))
    volume = read_label_map(write_structures(tmp_path / "a.dcm", {"liver": [points]}), scan, rank)
    wanted = np.zeros(array_of(volume).shape, bool)
    wanted[6:12, 5, 4:10] = True
    assert np.array_equal(array_of(volume) == 1, wanted)


def test_another_frame_of_reference_is_refused_for_a_region_that_is_read(tmp_path, ct):
    path = write_structures(tmp_path / "a.dcm", {"liver": [square(4, 8, 6)]}, frame="2.25.5")
    with pytest.raises(InputError, match="another one: the FrameOfReferenceUIDs differ") as error:
        read_label_map(path, ct.scan, rank)
    assert "2.25" not in str(error.value)
    assert not array_of(read_label_map(path, ct.scan, {}.get)).any()


def test_a_damaged_file_and_a_missing_scan(tmp_path, ct):
    path = write_structures(tmp_path / "a.dcm", {"liver": [square(4, 8, 6)]})
    with pytest.raises(InputError, match="a structure set, which lies on a scan"):
        read_label_map(path)
    change(path, ROIContourSequence=[pydicom.Dataset()])
    data = pydicom.dcmread(path)
    contour = pydicom.Dataset()
    contour.ContourGeometricType, contour.ContourData = "CLOSED_PLANAR", ["1", "2"]
    data.ROIContourSequence[0].ReferencedROINumber = 7
    data.ROIContourSequence[0].ContourSequence = [contour]
    data.save_as(path)
    with pytest.raises(InputError, match="not whole as a structure set"):
        read_label_map(path, ct.scan, rank)
