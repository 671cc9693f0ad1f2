"""Label maps as segmentation files of other programs: highdicom, dcmqi, plastimatch, slicerio, and by hand."""

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import highdicom
import numpy as np
import pydicom
import SimpleITK as sitk
import slicerio
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sr.coding import Code
from pydicom.uid import ExplicitVRLittleEndian, RTStructureSetStorage, generate_uid

from dicom_series import write_series

FRAME_OF_REFERENCE = "2.25.77"
# What writers copy from a CT.
OF_A_PATIENT = {
    "tag_0020_0052": FRAME_OF_REFERENCE, "tag_0008_0050": "1", "tag_0010_0040": "O", "tag_0020_0010": "1",
    "tag_0008_0020": "20240102", "tag_0008_0030": "101112", "tag_0008_0090": "Dr^No", "tag_0018_0050": "5",
    "tag_0020_0011": "3",
}  # fmt: skip
STRUCTURE, ORGAN = Code("123037004", "SCT", "Anatomical Structure"), Code("113343008", "SCT", "Organ")
MADE_BY = {
    "manufacturer": "m", "manufacturer_model_name": "m", "software_versions": "1", "device_serial_number": "1",
}  # fmt: skip


def write_ct(folder: Path, voxels_zyx: np.ndarray, **places: object) -> list[Path]:
    """A CT series of these Hounsfield units, its slices from first to last; `places` as of `write_series`."""
    return write_series(folder, voxels_zyx.astype(np.int16), **OF_A_PATIENT | places)


def as_nifti(path: Path, labels_zyx: np.ndarray, scan: sitk.Image) -> Path:
    """A label map on a scan's grid."""
    image = sitk.GetImageFromArray(labels_zyx)
    image.CopyInformation(scan)
    sitk.WriteImage(image, str(path))
    return path


def by_highdicom(
    path: Path, slices: Sequence[Path], pixels: np.ndarray, names: Mapping[int, str], kind: str = "BINARY",
    organs: Mapping[int, Code] = MappingProxyType({}), **options: object,
) -> Path:  # fmt: skip
    """A DICOM segmentation of labels (z, y, x) on the slices of a CT, or of masks (z, y, x, segment)."""
    numbers = {label: number for number, label in enumerate(names, 1)}
    if pixels.ndim == 3:
        table = np.zeros(max([*names, int(pixels.max())]) + 1, np.uint8)
        table[list(numbers)] = list(numbers.values())
        pixels = table[pixels]
    described = [
        highdicom.seg.SegmentDescription(number, names[label], STRUCTURE, organs.get(label, ORGAN), "MANUAL")
        for label, number in numbers.items()
    ]
    sources = [pydicom.dcmread(file) for file in slices]
    made = (generate_uid(), 2, generate_uid(), 1)
    written = highdicom.seg.Segmentation(sources, pixels, kind, described, *made, **MADE_BY, **options)
    written.save_as(path)
    return path


def by_dcmqi(
    path: Path, ct: Path, label_map: Path, names: Mapping[int, str], *options: str,
    kinds: Mapping[int, dict] = MappingProxyType({}),
) -> Path:  # fmt: skip
    """A DICOM segmentation of a label map that lies on a CT's grid; `kinds` are codes of property types."""
    code = {"CodeValue": "113343008", "CodingSchemeDesignator": "SCT", "CodeMeaning": "Organ"}
    category = {"CodeValue": "123037004", "CodingSchemeDesignator": "SCT", "CodeMeaning": "Anatomical Structure"}
    segments = [
        {"labelID": label, "SegmentLabel": name, "SegmentDescription": name, "SegmentAlgorithmType": "MANUAL"}
        | {"SegmentedPropertyCategoryCodeSequence": category}
        | {"SegmentedPropertyTypeCodeSequence": code} | kinds.get(label, {})
        for label, name in names.items()
    ]  # fmt: skip
    described = path.with_suffix(".json")
    described.write_text(json.dumps({"SeriesDescription": "made up", "segmentAttributes": [segments]}))
    files = ("--inputImageList", label_map, "--inputMetadata", described, "--inputDICOMDirectory", ct)
    _run("itkimage2segimage", *files, "--outputDICOM", path, *options)
    return path


def by_plastimatch(path: Path, ct: Path, masks: Path) -> Path:
    """A structure set of a folder of masks, for a CT."""
    work = path.with_suffix(".work")
    _run("plastimatch", "convert", "--input-prefix", masks, "--referenced-ct", ct, "--output-dicom", work)
    structures = next(file for file in work.iterdir() if "rtss" in file.name)
    shutil.move(structures, path)
    shutil.rmtree(work)
    return path


def by_slicerio(
    path: Path, masks: Mapping[str, np.ndarray], scan: sitk.Image, start_xyz: Sequence[int] = (0, 0, 0)
) -> Path:
    """A segmentation of masks (z, y, x) that begin at a voxel of the scan's grid; in layers where they overlap."""
    first = next(iter(masks.values()))
    matrix = np.eye(4)
    matrix[:3, :3] = np.reshape(scan.GetDirection(), (3, 3)) * scan.GetSpacing()
    matrix[:3, 3] = matrix[:3, :3] @ start_xyz + scan.GetOrigin()
    segmentation = {"voxels": np.zeros(first.T.shape, np.uint8), "ijkToLPS": matrix, "segments": []}
    for name, mask in masks.items():
        slicerio.add_segment(segmentation, mask.T, {"id": name.replace(" ", "_"), "name": name})
    slicerio.write_segmentation(str(path), segmentation)
    return path


def write_structures(
    path: Path,
    regions: Mapping[str, Sequence[np.ndarray]],
    kind: str = "CLOSED_PLANAR",
    frame: str = FRAME_OF_REFERENCE,
    images: Mapping[str, Sequence[Mapping[str, object]]] = MappingProxyType({}),
) -> Path:
    """A structure set of closed contours (points in mm, n × 3) by hand.

    `images`: what each contour of a region says of the image that it was drawn on.
    """
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = RTStructureSetStorage
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = generate_uid()
    data.Modality, data.StructureSetROISequence, data.ROIContourSequence = "RTSTRUCT", [], []
    # Numbers are none of the order, and contours do not stand in that of the names.
    for number, (name, contours) in enumerate(regions.items(), 7):
        region = _dataset(ROINumber=number, ReferencedFrameOfReferenceUID=frame, ROIName=name)
        data.StructureSetROISequence.append(region)
        listed = [_contour(points_mm, kind) for points_mm in contours]
        for contour, image in zip(listed, images.get(name, ()), strict=name in images):
            contour.ContourImageSequence = [_dataset(**image)]
        data.ROIContourSequence.insert(0, _dataset(ReferencedROINumber=number, ContourSequence=listed))
    data.save_as(path, enforce_file_format=True)
    return path


def _contour(points_mm: np.ndarray, kind: str) -> Dataset:
    points = [f"{value:.10g}" for value in np.ravel(points_mm)]
    return _dataset(ContourGeometricType=kind, NumberOfContourPoints=len(points) // 3, ContourData=points)


def _dataset(**values: object) -> Dataset:
    data = Dataset()
    for keyword, value in values.items():
        setattr(data, keyword, value)
    return data


def _run(*command: object) -> None:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
