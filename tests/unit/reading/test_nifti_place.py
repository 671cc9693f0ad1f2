"""Where a NIfTI header places its voxels, beside what nibabel makes of it."""

import gzip
import re

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from nibabel import processing

from noisy_student.errors import InputError
from noisy_student.reading import nifti
from noisy_student.reading.door import read_label_map, read_scan

SIZE = (40, 30, 20)
AFFINE = np.array([[-2.0, 0, 0, 40], [0, -2.0, 0, 30], [0, 0, 5.0, -900], [0, 0, 0, 1]])
VOXELS = np.random.default_rng(0).integers(-1000, 1000, SIZE).astype(np.int16)


def write(path, voxels=VOXELS, qform=AFFINE, sform=AFFINE, codes=(1, 1), kind=nibabel.Nifti1Image, **fields):
    """A file of the given forms and codes (qform, sform), header fields replaced where they lie."""
    image = kind(voxels, sform)
    image.set_qform(qform, codes[0], strip_shears=True)
    image.set_sform(sform, codes[1])
    plain = path.with_suffix("") if path.suffix == ".gz" else path
    nibabel.save(image, plain)
    header, content = nibabel.load(plain).header.structarr.copy(), bytearray(plain.read_bytes())
    for name, value in fields.items():
        header[name] = value
        at = header.dtype.fields[name][1]
        content[at : at + header[name].nbytes] = header[name].tobytes()
    plain.unlink()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def moved(x=0.0, y=0.0, z=0.0, degrees=0.0):
    affine = AFFINE.copy()
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    affine[:3, :3] = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]]) @ affine[:3, :3]
    affine[:3, 3] += x, y, z
    return affine


def sheared(degrees):
    affine = AFFINE.copy()
    affine[0, 1] = np.tan(np.radians(degrees)) * 2
    return affine


def require_same_places(path, affine, scale=1.0):
    """Every voxel that is asked lies where the affine puts it (NIfTI: x to the right, y to the front)."""
    volume = read_scan(path)
    for index in ((0, 0, 0), (39, 29, 19), (7, 3, 11)):
        place = (affine @ (*index, 1))[:3] * (-scale, -scale, scale)
        found = np.array(volume.image.TransformPhysicalPointToContinuousIndex(place.tolist()))
        assert np.abs(found - np.rint(found)).max() < 0.3
        assert volume.image[np.rint(found).astype(int).tolist()] == VOXELS[index]
    return volume


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize("codes", [(1, 0), (0, 1), (1, 1), (0, 2), (1, 2), (2, 4), (1, 3)])
def test_forms_that_agree_place_it_whatever_their_codes(tmp_path, kind, codes):
    volume = require_same_places(write(tmp_path / "a.nii.gz", codes=codes, kind=kind), AFFINE)
    assert volume.letters == "LPS" and volume.remarks == ()
    assert volume.is_plain == (kind is nibabel.Nifti1Image)


@pytest.mark.parametrize("codes", [(1, 1), (1, 2), (2, 3), (1, 4)])
@pytest.mark.parametrize("other", [moved(z=40), moved(x=0.3), moved(degrees=1), np.diag((-1, 1, 1, 1)) @ AFFINE])
def test_two_places_are_an_error_that_names_both(tmp_path, codes, other):
    with pytest.raises(InputError) as error:
        read_scan(write(tmp_path / "a.nii.gz", sform=other, codes=codes))
    assert "qform" in error.value.got and "sform" in error.value.got and "a.nii.gz" in error.value.wanted
    assert "set_qform" in error.value.remedy


def test_the_remedy_for_two_places_works(tmp_path):
    path = write(tmp_path / "a.nii.gz", sform=moved(z=40), codes=(1, 2))
    image = nibabel.load(path)
    image.set_qform(image.get_sform(), 1)
    nibabel.save(image, tmp_path / "mended.nii.gz")
    require_same_places(tmp_path / "mended.nii.gz", moved(z=40))


@pytest.mark.parametrize("other", [moved(x=0.15), moved(z=0.1), moved(degrees=0.05)])
def test_what_rounding_leaves_between_two_forms_is_no_second_place(tmp_path, other):
    require_same_places(write(tmp_path / "a.nii", sform=other, codes=(1, 2)), other)


@pytest.mark.parametrize("codes", [(0, 1), (1, 1), (0, 2)])
def test_sheared_axes_are_read_to_half_a_degree_with_a_warning(tmp_path, codes):
    for degrees, kinds in ((0.003, []), (0.01, ["shear"]), (0.05, ["shear"]), (0.49, ["shear"])):
        path = write(tmp_path / "a.nii.gz", qform=sheared(degrees), sform=sheared(degrees), codes=codes)
        volume = require_same_places(path, sheared(degrees))
        assert [remark.kind for remark in volume.remarks] == kinds
        assert np.allclose(volume.geometry.axes.T @ volume.geometry.axes, np.eye(3), atol=1e-4)
    with pytest.raises(InputError, match="not perpendicular") as error:
        read_scan(write(tmp_path / "a.nii.gz", qform=sheared(0.6), sform=sheared(0.6), codes=codes))
    assert "processing.resample_to_output" in error.value.remedy


def test_the_remedy_for_sheared_axes_works(tmp_path):
    """A ball stays a ball, where it was; the label map follows, and there is air where no slice was."""
    affine = sheared(10)
    with pytest.raises(InputError, match="not perpendicular") as error:
        read_scan(write(tmp_path / "a.nii.gz", qform=affine, sform=affine))
    scan_line, label_map_line = re.search(
        r"scan = (processing.*\)), .*: (processing.*\))\)", error.value.remedy
    ).groups()
    places = np.stack(np.meshgrid(*(np.arange(size) for size in SIZE), indexing="ij"), -1) @ affine[:3, :3].T
    centre = (affine @ (20, 15, 10, 1))[:3]
    ball = np.linalg.norm(places + affine[:3, 3] - centre, axis=-1) < 15
    image, label_map = (nibabel.Nifti1Image(array, affine) for array in ((ball * 1000.0 - 900), ball.astype(np.uint8)))
    scan = eval(scan_line, {"processing": processing, "image": image})
    nibabel.save(scan, tmp_path / "scan.nii.gz")
    resampled = eval(label_map_line, {"processing": processing, "label_map": label_map, "scan": scan})
    nibabel.save(resampled, tmp_path / "label_map.nii.gz")
    volume, labels = read_scan(tmp_path / "scan.nii.gz"), read_label_map(tmp_path / "label_map.nii.gz")
    assert volume.geometry.differences(labels.geometry) == []
    inside = np.argwhere(sitk.GetArrayFromImage(labels.image).T)
    found = volume.geometry.places_mm(inside) * (-1, -1, 1)
    assert np.abs(found.mean(axis=0) - centre).max() < 1, "half a voxel"
    assert 13 < np.linalg.norm(found - centre, axis=1).max() < 17
    voxels = sitk.GetArrayFromImage(volume.image)
    assert voxels[sitk.GetArrayFromImage(labels.image) > 0].mean() > 0
    assert np.mean(voxels > -900) < 2 * np.mean(ball), "else there is water around the slices"


@pytest.mark.parametrize("digits", [3, 4])
def test_cosines_of_few_digits_are_read(tmp_path, digits):
    """As about thirty scans of AbdomenCT-1K have them."""
    turned = moved(degrees=7.3)
    rounded = turned.copy()
    rounded[:3, :3] = np.round(turned[:3, :3] / (2, 2, 5), digits) * (2, 2, 5)
    for codes in ((0, 1), (1, 1)):
        require_same_places(write(tmp_path / "a.nii.gz", qform=turned, sform=rounded, codes=codes), turned)


@pytest.mark.parametrize(("code", "scale"), [(0, 1.0), (1, 1e3), (2, 1.0), (3, 1e-3)])
def test_units_are_kept(tmp_path, code, scale):
    affine = AFFINE.copy()
    affine[:3] /= scale
    volume = require_same_places(write(tmp_path / "a.nii", qform=affine, sform=affine, xyzt_units=code), affine, scale)
    assert np.allclose(volume.geometry.spacing_mm_xyz, (2, 2, 5))


@pytest.mark.parametrize("codes", [(1, 0), (1, 1), (0, 1)])
@pytest.mark.parametrize("pixdim", [[1, -2, 2, 5, 0, 0, 0, 0], [0, 2, 2, 5, 0, 0, 0, 0], [1, -2, -2, -5, 0, 0, 0, 0]])
def test_signs_in_pixdim_do_not_mirror(tmp_path, codes, pixdim):
    require_same_places(write(tmp_path / "a.nii.gz", codes=codes, pixdim=pixdim), AFFINE)


def test_without_forms_it_lies_as_simpleitk_has_it_and_that_is_said(tmp_path):
    path = write(tmp_path / "a.nii", codes=(0, 0))
    volume = read_scan(path)
    assert [remark.kind for remark in volume.remarks] == ["orientation"]
    assert volume.geometry.differences(nifti.Geometry.of(sitk.ReadImage(str(path)))) == []


@pytest.mark.parametrize(
    ("fields", "values"),
    [
        ({"scl_slope": 0, "scl_inter": -1024}, VOXELS),
        ({"scl_slope": np.nan, "scl_inter": -1024}, VOXELS),
        ({"scl_slope": 1, "scl_inter": -1024}, VOXELS - 1024.0),
        ({"scl_slope": 0.5, "scl_inter": 3}, VOXELS * 0.5 + 3),
        ({"scl_slope": -2, "scl_inter": np.float32(0.25)}, VOXELS * -2.0 + 0.25),
    ],
)
def test_scaling_is_the_standards(tmp_path, fields, values):
    path = write(tmp_path / "a.nii.gz", **fields)
    volume = read_scan(path)
    assert np.array_equal(sitk.GetArrayFromImage(volume.image).T, values)
    assert volume.is_plain == np.array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(path))).T, values)
    assert bool(volume.scaling) == (not np.array_equal(values, VOXELS))


@pytest.mark.parametrize("offset", [0, 352])
def test_voxels_begin_behind_the_header_where_it_does_not_say_where(tmp_path, offset):
    path = write(tmp_path / "a.nii.gz", vox_offset=offset)
    volume = require_same_places(path, AFFINE)
    assert np.array_equal(sitk.GetArrayFromImage(volume.image).T, VOXELS)
    theirs = sitk.GetArrayFromImage(sitk.ReadImage(str(path))).T
    assert volume.is_plain == np.array_equal(theirs, VOXELS) == (nifti.plain_orientation(path) == "LPS")


def test_a_file_is_read_by_its_content_and_a_misleading_name_is_said(tmp_path):
    plain, packed = write(tmp_path / "a.nii"), write(tmp_path / "b.nii.gz")
    for path, name in ((plain, "plain.nii.gz"), (packed, "packed.nii"), (packed, "B.NII.GZ")):
        renamed = (
            path.rename(tmp_path / name) if path.exists() else write(tmp_path / "c.nii.gz").rename(tmp_path / name)
        )
        volume = require_same_places(renamed, AFFINE)
        kinds = [remark.kind for remark in volume.remarks]
        assert kinds == ([] if name == "B.NII.GZ" else ["content"]) and volume.is_plain == (not kinds)


def test_several_members_and_dimensions_of_one_are_one_volume(tmp_path):
    path = write(tmp_path / "a.nii")
    content = path.read_bytes()
    packed = tmp_path / "b.nii.gz"
    packed.write_bytes(b"".join(gzip.compress(content[at : at + 9999]) for at in range(0, len(content), 9999)))
    require_same_places(packed, AFFINE)
    trailing = write(tmp_path / "c.nii.gz", voxels=VOXELS[..., None, None])
    require_same_places(trailing, AFFINE)
    with pytest.raises(InputError, match=r"size \(40, 30, 20, 2\)"):
        read_scan(write(tmp_path / "d.nii.gz", voxels=np.stack([VOXELS, VOXELS], axis=-1)))


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int32, np.uint32, np.int64, np.float32, np.float64])
@pytest.mark.parametrize("order", "<>")
def test_every_type_is_read_as_simpleitk_reads_it(tmp_path, dtype, order):
    voxels = np.abs(VOXELS[:5, :6, :7]).clip(0, 120).astype(np.dtype(dtype).newbyteorder(order))
    header = nibabel.Nifti1Header(endianness=order)
    header.set_data_dtype(voxels.dtype)
    image = nibabel.Nifti1Image(voxels, AFFINE, header)
    nibabel.save(image, tmp_path / "a.nii.gz")
    mine, theirs = read_scan(tmp_path / "a.nii.gz").image, sitk.ReadImage(str(tmp_path / "a.nii.gz"))
    assert mine.GetPixelID() == theirs.GetPixelID()
    assert np.array_equal(sitk.GetArrayFromImage(mine), sitk.GetArrayFromImage(theirs))


def test_a_spacing_in_pixdim_that_is_a_little_off_gives_way_to_the_sform(tmp_path):
    path = write(tmp_path / "a.nii", codes=(0, 1), pixdim=[1, 2.01, 2, 5, 0, 0, 0, 0])
    volume = read_scan(path)
    assert np.allclose(volume.geometry.spacing_mm_xyz, (2, 2, 5), atol=1e-6)
    assert [remark.found for remark in volume.remarks] == [
        "two spacings, 2.01 × 2 × 5 mm (pixdim) and 2 × 2 × 5 mm (sform)"
    ]
    assert not volume.is_plain
    with pytest.raises(InputError, match="two places"):
        read_scan(write(tmp_path / "b.nii", pixdim=[1, 2.02, 2, 5, 0, 0, 0, 0]))


@pytest.mark.parametrize("degrees", [1, 17, 44])
def test_cosines_of_three_digits_have_the_spacing_of_pixdim(tmp_path, degrees):
    sform = moved(degrees=degrees)
    sform[:3, :3] = np.round(sform[:3, :3] / (2, 2, 5), 3) * (2, 2, 5)
    spacing = [1, 2, 2, 5, 0, 0, 0, 0]
    volume = read_scan(write(tmp_path / "a.nii", qform=moved(degrees=degrees), sform=sform, pixdim=spacing))
    assert np.allclose(volume.geometry.spacing_mm_xyz, (2, 2, 5), atol=1e-6)
    assert "two spacings" not in str(volume.remarks)
