"""Enhanced CT is read right whatever the order of its frames and however each is rescaled; missing frames are named."""

from io import BytesIO
from itertools import permutations

import highdicom
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import HTJ2KLossless, JPEG2000Lossless, JPEGLossless, JPEGLSLossless, RLELossless

from dicom_series import change, without_mark, write_series
from enhanced_dicom import write_enhanced
from noisy_student.errors import InputError
from noisy_student.geometry import Geometry
from noisy_student.reading.door import read_scan

SHAPE_ZYX = (6, 12, 10)
VOXELS = np.random.default_rng(0).integers(-1000, 1500, SHAPE_ZYX).astype(np.int16)
POSITIONS_MM = [(-20.0, -30.0, 100.0 + 3 * number) for number in range(6)]
GRID = Geometry(SHAPE_ZYX[::-1], (2, 2, 3), (-20, -30, 100), (1, 0, 0, 0, 1, 0, 0, 0, 1))


def write(path, order=range(6), voxels=VOXELS, kind=np.uint16, **how):
    stored = (voxels[list(order)].astype(int) + (1024 if kind is np.uint16 else 0)).astype(kind)
    scales = how.pop("scales", [(1, -1024 if kind is np.uint16 else 0)])
    positions = how.pop("positions", POSITIONS_MM)
    return write_enhanced(path, stored, [positions[number] for number in order], scales, **how)


def voxels_of(path):
    volume = read_scan(path)
    assert volume.geometry.differences(GRID) == []
    return sitk.GetArrayFromImage(volume.image)


def refusal(path):
    with pytest.raises(InputError) as error:
        read_scan(path)
    assert str(path) in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("kind", [np.uint16, np.int16])
@pytest.mark.parametrize("order", [*list(permutations(range(6)))[::179]])
def test_frames_are_stacked_by_their_place(tmp_path, order, kind):
    path = write(tmp_path / "case/image", order, kind=kind)
    for named in (path, path.parent):
        assert voxels_of(named).dtype == np.int16 and (voxels_of(named) == VOXELS).all()
    assert read_scan(path).remarks == ()


def test_each_frame_has_its_own_rescaling(tmp_path):
    scales = [(1, -1024), (2, -1100), (1, -1000), (2, -1024), (1, -1044), (4, -2000)]
    stored = [(VOXELS[number].astype(int) - intercept) // slope for number, (slope, intercept) in enumerate(scales)]
    path = write_enhanced(tmp_path / "case.dcm", np.array(stored, np.uint16), POSITIONS_MM, scales)
    assert np.abs(voxels_of(path) - VOXELS).max() <= 3
    expected = highdicom.imread(path).get_volume().array[::-1]
    assert (voxels_of(path) == expected).all()


def test_fractions_are_kept(tmp_path):
    path = write(tmp_path / "case.dcm", scales=[(0.5, -1024.25)])
    assert (voxels_of(path) == (VOXELS.astype(float) + 1024) * 0.5 - 1024.25).all()


def test_bits_that_are_not_used_do_not_matter(tmp_path):
    voxels = VOXELS.clip(-2000, 2000)
    path = write(tmp_path / "case.dcm", voxels=voxels, kind=np.int16, bits=12)
    assert (voxels_of(path) == voxels).all()


def test_a_missing_frame_is_an_error_that_names_the_gap(tmp_path):
    path = write(tmp_path / "case.dcm", [5, 0, 4, 1, 2])
    said = refusal(path)
    assert "3 to 6 mm apart" in said and "frame 5 of case.dcm and frame 3 of case.dcm" in said


def test_frames_of_two_phases_are_refused(tmp_path):
    path = write(tmp_path / "case.dcm", positions=[*POSITIONS_MM[:3], *POSITIONS_MM[:3]])
    assert "3 slice(s) at the place of another" in refusal(path)


def test_files_of_one_series_are_one_scan(tmp_path):
    write(tmp_path / "case/a.dcm", [3, 1, 5])
    write(tmp_path / "case/b.dcm", [0, 4, 2])
    assert (voxels_of(tmp_path / "case") == VOXELS).all()
    write(tmp_path / "case/c.dcm", series="9.9")
    assert "2 series" in refusal(tmp_path / "case")


def test_a_tilted_gantry_is_corrected_too(tmp_path):
    positions = [(x, y + 0.4 * number, z) for number, (x, y, z) in enumerate(POSITIONS_MM)]
    volume = read_scan(write(tmp_path / "case.dcm", positions=positions))
    assert volume.corrected == "gantry tilt of 7.6° corrected, resampled"
    assert (sitk.GetArrayFromImage(volume.image)[:, :12][0] == VOXELS[0]).all()
    assert (sitk.GetArrayFromImage(volume.image)[:, 1:][5] == VOXELS[5]).all()


def test_without_preamble_and_mark(tmp_path):
    path = write(tmp_path / "image")
    without_mark(path)
    assert (voxels_of(path) == VOXELS).all()


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless])
def test_compressed_frames(tmp_path, syntax):
    path = write(tmp_path / "case.dcm", [3, 1, 5, 0, 4, 2])
    data = pydicom.dcmread(path)
    data.compress(syntax)
    data.save_as(path)
    assert (voxels_of(path) == VOXELS).all()


def test_frames_compressed_as_jpeg_2000(tmp_path):
    path = write(tmp_path / "case.dcm")
    data, frames = pydicom.dcmread(path), []
    for frame_yx in data.pixel_array:
        stream = BytesIO()
        Image.fromarray(frame_yx).save(stream, "JPEG2000", irreversible=False, no_jp2=True)
        frames.append(stream.getvalue())
    data.PixelData = encapsulate(frames)
    data.file_meta.TransferSyntaxUID = JPEG2000Lossless
    data["PixelData"].is_undefined_length = True
    data.save_as(path)
    assert (voxels_of(path) == VOXELS).all()


def test_a_compression_that_is_not_read_is_named_with_a_remedy(tmp_path):
    path = write(tmp_path / "case.dcm")
    data = pydicom.dcmread(path)
    data.compress(RLELossless)
    for syntax, words, remedy in (
        (JPEGLossless, "JPEG Lossless", "gdcmconv --raw"),
        (HTJ2KLossless, "High-Throughput JPEG 2000", "export the series again, uncompressed"),
    ):
        data.file_meta.TransferSyntaxUID = syntax
        data.save_as(path)
        assert words in refusal(path) and remedy in refusal(path)


def test_a_file_that_is_cut_off_is_refused(tmp_path):
    path = write(tmp_path / "case.dcm")
    path.write_bytes(path.read_bytes()[:-300])
    assert "cut off" in refusal(path)


def test_counts_that_disagree_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"case\.dcm describes 6 frames and holds 7"):
        read_scan(write(tmp_path / "case.dcm", NumberOfFrames=7))


def test_frames_without_places_are_refused(tmp_path):
    path = write(tmp_path / "case.dcm")
    change(path, PerFrameFunctionalGroupsSequence=None)
    with pytest.raises(InputError, match="6 frames and does not say where they lie"):
        read_scan(path)


def test_a_segmentation_is_no_scan(tmp_path):
    path = write(tmp_path / "seg.dcm", Modality="SEG")
    with pytest.raises(InputError, match=r"seg\.dcm is a segmentation\n.*read as a label map"):
        read_scan(path)


def test_a_slice_of_a_series_that_is_named_alone_says_so(tmp_path):
    files = write_series(tmp_path / "case", VOXELS)
    without_mark(files[1])
    for path in files[:2]:
        with pytest.raises(InputError, match=f"name its folder: {path.parent}"):
            read_scan(path)
