"""Voxels of DICOM slices in Hounsfield units, each slice's own type and rescaling counting.

One slice a file is read by GDCM. Frames of an enhanced file are read by pydicom, since GDCM takes the first frame's
rescaling for all; so are slices whose grey is inverted (MONOCHROME1), since GDCM inverts the numbers with it.
"""

import filecmp
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk
from pydicom.pixels import get_decoder, iter_pixels
from pydicom.uid import UID

from noisy_student.errors import InputError, last_line
from noisy_student.reading.dicom.slice import Slice, refused

GDCM = "GDCMImageIO"
# High-Throughput JPEG 2000 (DICOM PS3.5, A.4.4), JPEG XL and deflated frames.
BEYOND_GDCM = {
    f"1.2.840.10008.1.2.{number}" for number in ("4.201", "4.202", "4.203", "4.110", "4.111", "4.112", "8.1")
}
TYPES = ((sitk.sitkInt16, np.int16), (sitk.sitkInt32, np.int32))


def read_pixels(folder: Path, slices: Sequence[Slice]) -> sitk.Image:
    """An image of the slices in their order, its grid not yet set: whole numbers unless rescaling makes fractions."""
    if all(slice_.frame is None and not slice_.is_inverted for slice_ in slices):
        return _by_gdcm(folder, slices)
    return sitk.GetImageFromArray(_by_pydicom(folder, slices))


def read_labels(folder: Path, slices: Sequence[Slice]) -> sitk.Image:
    """The same of labels: as they are stored where rescaling gives negative ones, as with an intercept of a CT."""
    image = read_pixels(folder, slices)
    if sitk.GetArrayViewFromImage(image).min() >= 0:
        return image
    labels_zyx = sitk.GetArrayFromImage(image)
    for slice_yx, slice_ in zip(labels_zyx, slices, strict=True):
        slope, intercept = slice_.scale
        slice_yx[:] = np.rint((slice_yx - intercept) / slope)
    return sitk.GetImageFromArray(labels_zyx)


def are_same_pixels(first: Slice, second: Slice) -> bool:
    """Whether two slices of one size hold the same values, however they are stored."""
    if first.frame is None and second.frame is None and filecmp.cmp(first.path, second.path, shallow=False):
        return True
    images = [sitk.GetArrayFromImage(read_pixels(slice_.path.parent, [slice_])) for slice_ in (first, second)]
    return np.array_equal(*images)


def as_short(image: sitk.Image) -> sitk.Image:
    """The image as 16-bit integers, if it has whole numbers that fit."""
    voxels, limits = sitk.GetArrayViewFromImage(image), np.iinfo(np.int16)
    if voxels.dtype != np.int32 or voxels.min() < limits.min or voxels.max() > limits.max:
        return image
    return sitk.Cast(image, sitk.sitkInt16)


def is_in_upper_bits(slice_: Slice) -> bool:
    """Whether a value's lowest bit is none of the lowest bits stored, by the header and by the values.

    Neither GDCM nor pydicom moves them down. The standard allows it no more, and most headers that say so are wrong.
    """
    if not slice_.bits_below:
        return False
    try:
        stored_yx = next(iter_pixels(slice_.path, indices=[slice_.frame or 0], raw=True))
    except Exception as error:  # pydicom and its decoders raise whatever damaged bytes lead to
        raise _undecodable(slice_.path.parent, slice_.path) from error
    return bool(stored_yx.any()) and not (stored_yx & ((1 << slice_.bits_below) - 1)).any()


def _type_of(slices: Sequence[Slice]) -> tuple[int, type]:
    """The type of SimpleITK and of numpy that holds whatever the slices may store."""
    ranges = np.array([slice_.range_hu for slice_ in slices])
    for in_itk, in_numpy in TYPES if all(slice_.is_whole for slice_ in slices) else ():
        if np.iinfo(in_numpy).min <= ranges.min() and ranges.max() <= np.iinfo(in_numpy).max:
            return in_itk, in_numpy
    return sitk.sitkFloat32, np.float32


def _by_gdcm(folder: Path, slices: Sequence[Slice]) -> sitk.Image:
    reader = sitk.ImageSeriesReader()
    # Named, since SimpleITK itself does not find that files without a mark are DICOM.
    reader.SetImageIO(GDCM)
    reader.SetFileNames([str(slice_.path) for slice_ in slices])
    reader.SetOutputPixelType(_type_of(slices)[0])
    try:
        with _quiet():
            return reader.Execute()
    except RuntimeError as error:
        raise _unreadable_of(folder, slices, error) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep ITK from warning of slices that are not evenly spaced: whoever calls this has looked at that."""
    before = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(before)


def _unreadable_of(folder: Path, slices: Sequence[Slice], error: RuntimeError) -> InputError:
    for slice_ in slices:
        try:
            sitk.ReadImage(str(slice_.path), imageIO=GDCM)
        except RuntimeError:
            if _syntax_of(slice_.path) in BEYOND_GDCM:
                return _compressed(folder, slice_.path)
            found = f"{slice_.name} cannot be read: damaged, cut off, or no image that GDCM knows"
            return refused(folder, found, "restore the file, or export the series again as CT images")
    return refused(folder, last_line(error), "restore the series")


def _by_pydicom(folder: Path, slices: Sequence[Slice]) -> np.ndarray:
    size_xy = slices[0].size_xy
    voxels_zyx = np.empty((len(slices), *size_xy[::-1]), _type_of(slices)[1])
    places = defaultdict(list)
    for place, slice_ in enumerate(slices):
        places[slice_.path].append(place)
    for path, inside in places.items():
        try:
            stored = iter_pixels(path, indices=[slices[place].frame or 0 for place in inside], raw=True)
            for place, frame_yx in zip(inside, stored, strict=True):
                slope, intercept = slices[place].scale
                voxels_zyx[place] = frame_yx * slope + intercept
        except Exception as error:  # pydicom and its decoders raise whatever damaged bytes lead to
            raise _undecodable(folder, path) from error
    return voxels_zyx


def _syntax_of(path: Path) -> UID:
    """How the header says that pixels are stored; of a damaged one nothing can be told."""
    with suppress(Exception):
        return pydicom.dcmread(path, stop_before_pixels=True, force=True).file_meta.TransferSyntaxUID
    return UID("")


def _compressed(folder: Path, path: Path) -> InputError:
    syntax = _syntax_of(path)
    remedy = f"decompress it: gdcmconv --raw {path.name} new.dcm (of GDCM's tools)"
    if syntax in BEYOND_GDCM:
        remedy = "export the series again, uncompressed or as JPEG 2000"
    return refused(folder, f"{path.name} is compressed in a way that is not read here ({syntax.name})", remedy)


def _undecodable(folder: Path, path: Path) -> InputError:
    with suppress(NotImplementedError):  # pydicom knows no decoder by that name
        if not get_decoder(_syntax_of(path)).is_available:
            return _compressed(folder, path)
    found = f"{path.name} holds pixels that cannot be read: damaged or cut off"
    return refused(folder, found, "restore the file, or export it again")
