"""What dcm2niix leaves beside a scan: corrected copies of it, and other images of the same series.

https://github.com/rordenlab/dcm2niix/blob/master/FILENAMING.md
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from noisy_student.files import visible
from noisy_student.reading.names import case_name, extension_of

# Slices brought to one distance, a tilted gantry set upright. The plain file beside them has the slices as they were
# taken, at a distance that is right for the first two alone.
_CORRECTED = re.compile(r"(?P<plain>.+?)(?P<corrections>(?:_(?:Eq|Tilt)(?:_\d+)?)+)")
_CORRECTION = re.compile("_(?:Eq|Tilt)")
# An overlay, a part of a complex image, an echo, a phase, motion corrected, cropped; a letter where the name was taken.
_FURTHER = re.compile(
    r"(?P<plain>.+?)(?:_ROI\d+|_real|_imaginary|_ph|_phMag|_MoCo|_ADC|_Raw|_e\d+|_i\d+|_t\d+|_c\d+|_Crop(?:_\d+)?|[a-z])"
)


def uncorrected_name(case: str) -> str:
    """The name without what says that a scan was corrected."""
    found = _CORRECTED.fullmatch(case)
    return found["plain"] if found else case


def superseded(images: Sequence[Path]) -> dict[Path, Path]:
    """Scans of which a better corrected one lies beside, and that one."""
    best: dict[str, Path] = {}
    for image in images:
        plain = uncorrected_name(case_name(image))
        best[plain] = max(best.get(plain, image), image, key=_corrections)
    beside = {image: best[uncorrected_name(case_name(image))] for image in images}
    return {image: other for image, other in beside.items() if _corrections(other) > _corrections(image)}


def corrected_beside(images: Iterable[Path]) -> dict[Path, Path]:
    """The better corrected scans that lie beside scans which were named one by one."""
    images = set(images)
    folders = {image.parent for image in images if image.parent.is_dir()}
    found = [superseded([path for path in visible(folder) if extension_of(path)]) for folder in folders]
    return {image: other for pairs in found for image, other in pairs.items() if image in images}


def further_images(images: Iterable[Path]) -> dict[Path, Path]:
    """Scans whose names say that they may be another image of the series of a scan beside them, and that scan."""
    by_name = {case_name(image): image for image in images}
    found = {name: match["plain"] for name in by_name if (match := _FURTHER.fullmatch(name))}
    return {by_name[name]: by_name[plain] for name, plain in found.items() if plain in by_name}


def _corrections(image: Path) -> int:
    return len(_CORRECTION.findall(case_name(image).removeprefix(uncorrected_name(case_name(image)))))
