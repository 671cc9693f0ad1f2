"""DICOM series as a scanner writes them: one file per slice, a patient in every header."""

from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk

from noisy_student.reading.dicom.series import kept_locale

PATIENT = "DOE^JOHN"
UPRIGHT = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
CT_STORAGE = "1.2.840.10008.5.1.4.1.1.2"


@kept_locale()
def write_series(
    folder: Path,
    voxels_zyx: np.ndarray,
    spacing_mm_xyz: tuple[float, ...] = (2.0, 2.0, 3.0),
    axes: tuple[tuple[float, ...], tuple[float, ...]] = UPRIGHT,
    series: str = "1.2.3.4",
    tilt_mm: float = 0.0,
    heights_mm: np.ndarray | None = None,
    **tags: str,
) -> list[Path]:
    """Write the stored values of a volume (z, y, x), int16; slope 1 and intercept -1024 unless `tags` say other.

    Slices are named so that their alphabetical order is not their order in the patient. `tilt_mm`: how far each slice
    is shifted along y against the one before. `heights_mm`: where slices lie along their normal, if not evenly. Keys of
    `tags` are written as `tag_0018_0050`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    normal = np.cross(*axes)
    heights_mm = np.arange(len(voxels_zyx)) * spacing_mm_xyz[2] if heights_mm is None else heights_mm
    files = []
    for number, slice_yx in enumerate(voxels_zyx):
        image = sitk.GetImageFromArray(slice_yx[None])
        image.SetSpacing(spacing_mm_xyz)
        position = normal * heights_mm[number] + np.array(axes[1]) * number * tilt_mm
        values = {
            "0008|0060": "CT", "0008|0016": CT_STORAGE, "0008|0018": f"{series}.{number}", "0020|000d": "1.2.3",
            "0020|000e": series, "0010|0010": PATIENT, "0010|0020": "ID4711", "0010|0030": "19500101",
            "0020|0013": str(number), "0020|0032": _text(position), "0020|0037": _text(np.ravel(axes)),
            "0020|0052": "1.2.5", "0028|1052": "-1024", "0028|1053": "1",
        } | {key.removeprefix("tag_").replace("_", "|"): value for key, value in tags.items()}  # fmt: skip
        for key, value in values.items():
            image.SetMetaData(key, value)
        path = folder / f"IM{(number * 7) % 11:03}_{number}.dcm"
        writer.SetFileName(str(path))
        writer.Execute(image)
        files.append(path)
    return files


def change(path: Path, **values: object) -> None:
    """Change a file's header by keywords, `RescaleIntercept=-1000`; None takes an element out."""
    data = pydicom.dcmread(path)
    for keyword, value in values.items():
        if value is None:
            data.pop(keyword, None)
        else:
            setattr(data, keyword, value)
    data.save_as(path)


def store(path: Path, stored_yx: np.ndarray, **values: object) -> None:
    """Change the voxels of a slice as they are stored, in the array's own type of two bytes, and its header."""
    change(
        path, PixelRepresentation=int(stored_yx.dtype.kind == "i"), BitsStored=16, HighBit=15,
        PixelData=stored_yx.tobytes(), **values,
    )  # fmt: skip


def without_mark(path: Path) -> None:
    """Take out the preamble and the `DICM` behind it, as old archives do."""
    path.write_bytes(path.read_bytes()[132:])


def _text(numbers: np.ndarray) -> str:
    return "\\".join(f"{number:.6g}" for number in numbers)
