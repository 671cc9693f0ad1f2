"""DICOM segmentations (DICOM-SEG): a binary segment for each organ found, on the slices of the scan as they are stored.

The file belongs to the scan's patient and study, as a series of its own, and refers to the slices it was made from.
"""

import re
import warnings
from collections.abc import Sequence
from pathlib import Path

import highdicom
import numpy as np
import pydicom
from highdicom.color import CIELabColor
from highdicom.seg import Segmentation as SegmentationObject
from highdicom.seg import SegmentDescription
from highdicom.sr import CodedConcept
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.valuerep import DS

from noisy_student import __version__
from noisy_student.errors import InputError
from noisy_student.files import whole_file
from noisy_student.organs import Organ
from noisy_student.reading.dicom.gaps import is_even
from noisy_student.reading.dicom.slice import Slice
from noisy_student.reading.dicom.stack import Stack
from noisy_student.reading.volume import Remark
from noisy_student.writing.checksum import of_segments
from noisy_student.writing.segmentation import Segmentation, codes_of, rgb_of, with_checksum
from noisy_student.writing.slices import on_slices, stored_slices

PRODUCT = "flare-noisy-student"
SERIES_NUMBER = 300
LONGEST = 64
# Of organs without a code in SNOMED CT: a coding scheme of one's own has a name that begins with 99.
OWN_SCHEME = "99FLARENS"
UTF8 = "ISO_IR 192"
# Elements that must be there and may be empty (type 2); anonymised scans lack them.
MAY_BE_EMPTY = (
    "PatientID", "PatientName", "PatientBirthDate", "PatientSex",
    "StudyID", "StudyDate", "StudyTime", "AccessionNumber",
)  # fmt: skip
NO_ORGAN = "no organ found"
QUOTED = re.compile(r"""(?<!\w)(["'])((?:\\.|(?!\1).)*)\1""")


def write(segmentation: Segmentation, scan: Path, path: Path) -> tuple[Remark, ...]:
    """Write the segments of a DICOM scan; where no organ was found nothing, since the format has no empty file.

    What an earlier run has written there is then removed. Raises InputError for a scan that cannot be referred to.
    """
    slices = stored_slices(scan)
    labels = on_slices(segmentation.label_map, slices)
    present = np.unique(labels)
    organs = [organ for organ in segmentation.organs if organ.label in present]
    if not organs:
        path.unlink(missing_ok=True)
        return (Remark("empty", NO_ORGAN, "an organ, for DICOM-SEG", "nothing: no such file is written"),)
    sources = _sources(scan, slices)
    segments = _segment_of_each_label(organs)[labels]
    if slices.slices[0].frame is not None:
        segments = _in_frames(segments, slices.slices, int(sources[0].NumberOfFrames))
    data = _object(scan, sources, segments, organs, segmentation)
    if segmentation.note:
        data.ContentDescription = with_checksum(segmentation.note, of_segments(data))
    with whole_file(path) as temporary:
        data.save_as(temporary)
    return ()


def _segment_of_each_label(organs: Sequence[Organ]) -> np.ndarray:
    """Segments are numbered 1, 2, 3, … without a gap."""
    segments = np.zeros(np.iinfo(np.uint8).max + 1, np.uint8)
    segments[[organ.label for organ in organs]] = range(1, len(organs) + 1)
    return segments


def _in_frames(segments: np.ndarray, slices: Sequence[Slice], frames: int) -> np.ndarray:
    """The same in the order in which one file has its frames; copies of a frame stay empty."""
    stored = np.zeros((frames, *segments.shape[1:]), segments.dtype)
    stored[[slice_.frame for slice_ in slices]] = segments
    return stored


def _sources(scan: Path, slices: Stack) -> list[Dataset]:
    """The headers of a scan's files, with what may be empty, and one orientation and distance, whatever their rounding.

    Raises InputError for frames in several files: a segmentation refers to single slices, or to one file of frames.
    """
    files = list(dict.fromkeys(slice_.path for slice_ in slices.slices))
    of_frames = any(slice_.frame is not None for slice_ in slices.slices)
    if of_frames and len(files) > 1:
        raise _not_referred_to(scan, f"frames in {len(files)} files, of which one may be referred to")
    sources = [pydicom.dcmread(path, stop_before_pixels=True, force=True) for path in files]
    for source in sources:
        for keyword in MAY_BE_EMPTY:
            if keyword not in source:
                setattr(source, keyword, "")
        if not of_frames:
            source.ImageOrientationPatient = sources[0].ImageOrientationPatient
            source.SliceThickness = source.get("SliceThickness") or float(slices.gaps_mm.min())
        if is_even(slices.gaps_mm):
            # Programs that lay all slices on one grid would else take their thickness, which may be another.
            for measures in _measures(source) if of_frames else [source]:
                measures.SpacingBetweenSlices = DS(float(slices.gaps_mm.mean()), auto_format=True)
    return sources


def _measures(source: Dataset) -> list[Dataset]:
    """Where a file of frames says how far all of them are apart."""
    shared = source.get("SharedFunctionalGroupsSequence") or []
    return [item for groups in shared for item in groups.get("PixelMeasuresSequence") or []]


def _not_referred_to(scan: Path, got: str) -> InputError:
    remedy = "export the series again, or take another format, which has names and colours too: nii.gz, seg.nrrd"
    return InputError(f"a DICOM scan that a segmentation can refer to, {scan}", got, remedy)


def _object(
    scan: Path, sources: list[Dataset], segments: np.ndarray, organs: Sequence[Organ], segmentation: Segmentation
) -> SegmentationObject:
    algorithm = highdicom.AlgorithmIdentificationSequence(
        name=segmentation.made_by[:LONGEST], family=codes.cid7162.ArtificialIntelligence, version=__version__
    )
    try:
        # Some quote the patient's name.
        with warnings.catch_warnings(action="ignore"):
            return SegmentationObject(
                source_images=sources,
                pixel_array=segments,
                segmentation_type="BINARY",
                segment_descriptions=[_described(number, organ, algorithm) for number, organ in enumerate(organs, 1)],
                series_instance_uid=highdicom.UID(),
                series_number=SERIES_NUMBER,
                sop_instance_uid=highdicom.UID(),
                instance_number=1,
                manufacturer=PRODUCT,
                manufacturer_model_name=PRODUCT,
                software_versions=__version__,
                device_serial_number="none",
                series_description=f"Organs by {segmentation.made_by}"[:LONGEST],
                specific_character_set=UTF8,
            )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _not_referred_to(scan, _without_values(str(error))) from error


def _without_values(message: str) -> str:
    """A library's message without what it quotes of a header, which may tell who the patient is; keywords stay."""
    return QUOTED.sub(lambda quoted: quoted[0] if _names_an_element(quoted[2]) else "…", message)


def _names_an_element(quoted: str) -> bool:
    return tag_for_keyword(quoted) is not None or quoted in ("DA", "TM")


def _described(number: int, organ: Organ, algorithm: highdicom.AlgorithmIdentificationSequence) -> SegmentDescription:
    (code, *side), scheme = codes_of(organ) or [(organ.name, organ.name)], "SCT" if organ.snomed else OWN_SCHEME
    description = SegmentDescription(
        segment_number=number,
        segment_label=organ.name[:LONGEST],
        segmented_property_category=codes.SCT.AnatomicalStructure,
        segmented_property_type=_concept(code, scheme),
        algorithm_type="AUTOMATIC",
        algorithm_identification=algorithm,
        display_color=CIELabColor.from_rgb(*(255 * part for part in rgb_of(organ))),
    )
    if side:
        modifier = [_concept(side[0], scheme)]
        description.SegmentedPropertyTypeCodeSequence[0].SegmentedPropertyTypeModifierCodeSequence = modifier
    return description


def _concept(code: tuple[str, str], scheme: str) -> CodedConcept:
    value, meaning = code
    return CodedConcept(value, scheme, meaning[:LONGEST])
