"""Slices are read alike however they are packed, and whatever stands in bits that hold no value."""

from io import BytesIO

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from dicom_series import change, write_series
from noisy_student.reading.dicom.series import kept_locale
from noisy_student.reading.door import read_scan

# As far as 12 bits go, with both ends.
VOXELS = np.random.default_rng(0).integers(-1024, 1024, (4, 16, 12)).astype(np.int16)
VOXELS[:, 0, :2] = -1024, 1023


@pytest.fixture
def files(tmp_path):
    """The files of a plain series."""
    return write_series(tmp_path / "case", VOXELS)


def hounsfield(files):
    volume = read_scan(files[0].parent)
    assert volume.remarks == ()
    return sitk.GetArrayFromImage(volume.image)


@kept_locale()
def by_gdcm(path):
    """JPEG Lossless of unsigned values, which pydicom does not write."""
    signed, writer = sitk.ReadImage(str(path)), sitk.ImageFileWriter()
    image = sitk.Cast(signed + 1024, sitk.sitkUInt16)
    for key in signed.GetMetaDataKeys():
        image.SetMetaData(key, signed.GetMetaData(key))
    image.SetMetaData("0028|1052", "0")
    writer.SetFileName(str(path))
    writer.SetImageIO("GDCMImageIO")
    writer.KeepOriginalImageUIDOn()
    writer.SetUseCompression(True)
    writer.SetCompressor("JPEG")
    writer.Execute(image)
    change(path, RescaleIntercept=-1024)


def by_pillow(path):
    """JPEG 2000 of unsigned values, which pydicom does not write without further packages."""
    data, stream = pydicom.dcmread(path), BytesIO()
    stored = (data.pixel_array + int(data.RescaleIntercept) + 1024).astype(np.uint16)
    Image.fromarray(stored).save(stream, "JPEG2000", irreversible=False, no_jp2=True)
    data.PixelRepresentation, data.RescaleIntercept = 0, -1024
    data.PixelData = encapsulate([stream.getvalue()])
    data["PixelData"].is_undefined_length = True
    data.file_meta.TransferSyntaxUID = JPEG2000Lossless
    data.save_as(path)


def by_pydicom(path, syntax):
    data = pydicom.dcmread(path)
    if syntax.is_compressed and not syntax.is_deflated:
        data.compress(syntax)
    data.file_meta.TransferSyntaxUID = syntax
    data.save_as(path, implicit_vr=syntax.is_implicit_VR, little_endian=True)


@pytest.mark.parametrize(
    "syntax",
    [
        JPEGLosslessSV1, JPEG2000Lossless, JPEGLSLossless, RLELossless,
        DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian,
    ],
    ids=lambda syntax: syntax.keyword,
)  # fmt: skip
def test_packed_slices_are_read(files, syntax):
    write = {JPEGLosslessSV1: by_gdcm, JPEG2000Lossless: by_pillow}.get(syntax, lambda path: by_pydicom(path, syntax))
    for path in files:
        write(path)
        assert pydicom.dcmread(path, stop_before_pixels=True).file_meta.TransferSyntaxUID == syntax
    assert (hounsfield(files) == VOXELS).all()


@pytest.mark.parametrize("above", [0, 1, 0b1010, 0b1111])
@pytest.mark.parametrize(("is_signed", "intercept"), [(True, 0), (False, -1024)])
def test_bits_above_twelve_do_not_matter(files, is_signed, intercept, above):
    """Zeros, an overlay's bit, or ones whatever the sign."""
    for path, slice_yx in zip(files, VOXELS.astype(int), strict=True):
        stored = (slice_yx - intercept) & 0xFFF | above << 12
        change(
            path, BitsStored=12, HighBit=11, PixelRepresentation=int(is_signed), RescaleIntercept=intercept,
            PixelData=stored.astype("<u2").tobytes(),
        )  # fmt: skip
    assert (hounsfield(files) == VOXELS).all()
