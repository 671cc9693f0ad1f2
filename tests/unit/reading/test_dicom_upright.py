"""A tilted gantry and several slice thicknesses are corrected: all lies in the scan where it lies in the patient."""

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st

from dicom_series import change, store, write_series
from noisy_student.errors import InputError
from noisy_student.reading.dicom.upright import even_heights_mm, margins, upright_slices
from noisy_student.reading.door import read_scan

SIZE_XY, PIXEL_MM = (26, 30), (2.0, 1.5)
CENTRE_MM, RADIUS_MM = np.array([24.0, 20.0, 30.0]), 9.0


def lump(places_mm):
    """Hounsfield units of air with something smooth and soft around a centre, at places (…, 3)."""
    distance = np.linalg.norm(places_mm - CENTRE_MM, axis=-1) / RADIUS_MM
    return -1000 + 1200 * np.exp(-(distance**2))


def places_of(image):
    """Where each voxel (z, y, x) of an image lies, in mm."""
    index = np.stack(np.meshgrid(*(np.arange(size) for size in image.GetSize()), indexing="ij"), axis=-1)
    axes = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    return np.moveaxis(np.array(image.GetOrigin()) + index @ axes.T, [0, 1, 2], [2, 1, 0])


def write_lump(folder, degrees, heights_mm, is_unsigned=False):
    """A series on whose slices, tilted about x, the lump lies; the table moves along z. Its files and true values."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    axes = ((1.0, 0.0, 0.0), (0.0, cosine, -sine))
    x, y = np.meshgrid(np.arange(SIZE_XY[0]) * PIXEL_MM[0], np.arange(SIZE_XY[1]) * PIXEL_MM[1])
    positions = [(0, 0, height) for height in heights_mm]
    slices = [lump(position + x[..., None] * axes[0] + y[..., None] * np.array(axes[1])) for position in positions]
    voxels = np.rint(slices).astype(np.int16)
    files = write_series(folder, voxels, (*PIXEL_MM, 3.0), axes=axes)
    for path, position, slice_yx in zip(files, positions, voxels, strict=True):
        change(path, ImagePositionPatient=list(position))
        if is_unsigned:
            store(path, (slice_yx + 8192).astype(np.uint16), RescaleIntercept=-8192)
    return files, voxels


def require_lump(volume, within_mm, within_hu=60):
    """Everything where it is in the patient; `within_hu` is what linear interpolation takes off the lump's top."""
    voxels, places_mm = sitk.GetArrayFromImage(volume.image), places_of(volume.image)
    weights = voxels + 1000.0
    weights[weights < 60] = 0
    centre_mm = (weights[..., None] * places_mm).sum(axis=(0, 1, 2)) / weights.sum()
    assert np.linalg.norm(centre_mm - CENTRE_MM) < within_mm
    inside = voxels > -990
    assert np.abs(voxels - lump(places_mm))[inside].max() < within_hu


@pytest.mark.parametrize("is_unsigned", [False, True])
@pytest.mark.parametrize("degrees", [-20, -5, -0.5, 0.4, 0.8, 5, 20])
def test_a_tilted_gantry_is_corrected(tmp_path, degrees, is_unsigned):
    write_lump(tmp_path, degrees, np.arange(0, 66, 3.0), is_unsigned)
    volume = read_scan(tmp_path)
    require_lump(volume, within_mm=0.15)
    words = f"gantry tilt of {abs(degrees):.{1 if abs(degrees) >= 1 else 2}f}° corrected, resampled"
    assert volume.corrected == words
    [remark] = volume.remarks
    assert remark.kind == "resampled" and remark.severity == "warning" and words in remark.found
    axes = np.reshape(volume.image.GetDirection(), (3, 3))
    assert np.allclose(axes.T @ axes, np.eye(3), atol=1e-9)
    assert volume.geometry.spacing_mm_xyz == pytest.approx((*PIXEL_MM, 3 * np.cos(np.radians(degrees))))


def test_nothing_is_cut_off_and_outside_is_air(tmp_path):
    _, voxels = write_lump(tmp_path, 20, np.arange(0, 66, 3.0))
    image = read_scan(tmp_path).image
    assert image.GetSize()[1] == SIZE_XY[1] + int(np.ceil(63 * np.sin(np.radians(20)) / PIXEL_MM[1]))
    corrected = sitk.GetArrayFromImage(image)
    assert corrected.min() == voxels.min() and abs(corrected.max() - voxels.max()) < 60
    assert corrected.sum(dtype=float) + 1000.0 * corrected.size == pytest.approx(
        voxels.sum(dtype=float) + 1000.0 * voxels.size, rel=0.01
    )


def test_a_shift_of_less_than_a_quarter_of_a_pixel_in_all_is_left_alone(tmp_path):
    _, voxels = write_lump(tmp_path, 0.3, np.arange(0, 66, 3.0))
    volume = read_scan(tmp_path)
    assert (sitk.GetArrayFromImage(volume.image) == voxels).all()
    assert volume.corrected == "" and volume.remarks == ()


def test_a_part_that_was_made_around_another_centre_is_shifted_back(tmp_path):
    voxels = np.full((12, 20, 20), -1000, np.int16)
    voxels[:6, 8:12, 8:12], voxels[6:, 5:9, 10:14] = 40, 40
    files = write_series(tmp_path, voxels)
    for number, path in enumerate(files[6:], 6):
        change(path, ImagePositionPatient=[-4, 6, 3 * number])
    volume = read_scan(tmp_path)
    assert volume.geometry.size_xyz == (22, 23, 12) and volume.geometry.origin_mm_xyz == (-4, 0, 0)
    body = sitk.GetArrayFromImage(volume.image) == 40
    assert (body == body[0]).all() and body[0].sum() == 16
    assert "shifted by up to 7.21 mm" in volume.corrected


TWO_THICKNESSES = np.array([*np.arange(0, 30, 5.0), *np.arange(30, 66, 2.5)])


@pytest.mark.parametrize("say_thickness", [True, False])
@pytest.mark.parametrize("heights_mm", [TWO_THICKNESSES, 65 - TWO_THICKNESSES])
def test_two_thicknesses_are_resampled_to_the_finer_one(tmp_path, heights_mm, say_thickness):
    files, voxels = write_lump(tmp_path, 0, heights_mm)
    for path, height in zip(files, TWO_THICKNESSES, strict=True):
        change(path, SliceThickness=("5" if height < 30 else "2.5") if say_thickness else None)
    volume = read_scan(tmp_path)
    assert volume.corrected == "slices 5 and 2.5 mm apart resampled to 2.5 mm"
    assert volume.geometry.spacing_mm_xyz == (*PIXEL_MM, 2.5) and volume.geometry.size_xyz[2] == 27
    assert [remark.kind for remark in volume.remarks] == ["resampled"]
    require_lump(volume, within_mm=0.2, within_hu=100)
    corrected = sitk.GetArrayFromImage(volume.image)
    for height, slice_yx in zip(heights_mm, voxels, strict=True):
        assert (corrected[round(height / 2.5)] == slice_yx).all()


def test_tilt_and_two_thicknesses_at_once(tmp_path):
    write_lump(tmp_path, -10, TWO_THICKNESSES)
    volume = read_scan(tmp_path)
    require_lump(volume, within_mm=0.3, within_hu=100)
    assert volume.corrected.startswith("gantry tilt of 10.0° corrected, resampled; slices 4.924 and 2.462 mm apart")


def test_slices_that_do_not_lie_over_each_other_are_refused(tmp_path):
    files, _ = write_lump(tmp_path, 0, np.arange(0, 30, 3.0))
    change(files[7], ImagePositionPatient=[500, 0, 21])
    with pytest.raises(InputError, match="by more than they are wide"):
        read_scan(tmp_path)


@given(
    st.lists(st.floats(-30, 30), min_size=2, max_size=6),
    st.integers(0, 1),
    st.sampled_from([np.int16, np.int32, np.float32]),
)
@settings(deadline=None)
def test_whatever_the_shifts_a_plane_stays_a_plane(shifts, axis, kind):
    heights_mm = np.arange(len(shifts)) * 2.0
    shifts_xy = np.zeros((len(shifts), 2))
    shifts_xy[:, axis] = shifts
    along = np.broadcast_to(np.arange(12) * 10.0, (12, 12))
    ramp = np.array([100 + 10 * shift + (along if axis == 0 else along.T) for shift in shifts])
    result = np.array(list(upright_slices(ramp.astype(kind), heights_mm, shifts_xy, heights_mm)))
    before = margins(shifts_xy)[0][axis]
    places = np.arange(result.shape[2 - axis]) - before
    for number, shift in enumerate(shifts):
        line = result[number].take(6 + (margins(shifts_xy)[0][1 - axis]), axis=axis)
        inside = (places >= np.ceil(shift + 0.02)) & (places <= np.floor(shift + 11 - 0.02))
        assert np.abs(line[inside] - (100 + 10 * places[inside])).max(initial=0) <= 1.2
        assert inside.sum() >= 10


@given(st.floats(0.7, 3), st.floats(1.2, 10), st.integers(3, 30), st.integers(3, 30), st.booleans())
def test_the_finest_slices_lie_on_the_grid_and_the_ends_are_reached(fine_mm, factor, fine, coarse, is_reversed):
    gaps_mm = np.array([fine_mm] * fine + [fine_mm * factor] * coarse)
    heights_mm = np.cumsum([0, *(gaps_mm[::-1] if is_reversed else gaps_mm)])
    grid_mm = even_heights_mm(heights_mm)
    assert np.allclose(np.diff(grid_mm), fine_mm, rtol=1e-6)
    of_fine = heights_mm[coarse:] if is_reversed else heights_mm[: fine + 1]
    assert all(np.abs(grid_mm - height).min() < 1e-6 for height in of_fine)
    assert np.abs(grid_mm[[0, -1]] - heights_mm[[0, -1]]).max() <= fine_mm / 2 + 1e-6
