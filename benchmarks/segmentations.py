"""Label maps through the field's writers of segmentations onto odd CTs, and back through this project's reader.

Each label map is drawn on five CT series (gantry tilted by 12°, every third slice, slices at two distances, one of
which only a part is the scan, and one with no more than half a millilitre of each organ), written by each program, and
read. Prints the table, writes docs/segmentations.tsv, and exits with 1 if a segmentation or a .seg.nrrd is not the same
to the voxel, contours are below 0.99 in organs of 1 ml or more, or a file is refused. What rt-utils writes, if it is
installed, does not count: on tilted and uneven series it is wrong by itself. Then the time and memory that it takes to
read 13 organs of 512×512×200 voxels.

A tilted series is set upright by whole pixels. Slices whose shift is half a pixel, to a hundredth of one, are not
compared: two pixels are equally near there, and which of them is taken hangs on the last digit of a position.

    PYTHONPATH=workflow/scripts:tests python benchmarks/segmentations.py [--label-maps DIR] [--number 20]
    (`make bench-segmentations`)
"""

import argparse
import importlib.util
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import SimpleITK as sitk

from labelled_series import Series, array_of
from measured_run import ROOT, machine
from noisy_student.cohort.organ_names import OrganNames
from noisy_student.errors import InputError
from noisy_student.organs import FLARE22
from noisy_student.reading.door import read_label_map, read_scan
from noisy_student.reading.names import is_named_as_image
from noisy_student.reading.volume import Volume
from noisy_student.tables import write_table
from processes import largest_mb
from segmentation_files import as_nifti, by_dcmqi, by_highdicom, by_plastimatch, by_slicerio, write_ct
from synthetic_scans import ELLIPSOIDS

NAMES = {organ.label: organ.name for organ in FLARE22}
# Larger label maps are thinned to about this many voxels along x, y and z.
LARGEST_XYZ = (160, 160, 120)
TILT, LARGE_ML, SMALL_ML, CONTOURS = 12.0, 1.0, 0.5, 0.99
# Of a pixel, how near to half of one the shift of a slice is a tie: positions of contours are rounded to 0.01 mm.
TIE = 0.01
TIMED_ZYX, TIMED_MM_XYZ, TIMED_TURNS = (200, 512, 512), (0.8, 0.8, 2.5), 3
Writer = Callable[[Path, Series, np.ndarray], Path]


@dataclass(frozen=True)
class Kind:
    """A CT series with organs on its slices, and the scan that it is read as."""

    series: Series
    scan: Volume
    tied: Sequence[int] = ()

    @property
    def labels(self) -> np.ndarray:
        """The organs on the grid of the whole series (z, y, x)."""
        return self.series.expected()


def label_maps(folder: Path, number: int) -> list[Path]:
    """Some of the label maps of a folder, by name."""
    return [path for path in sorted(folder.iterdir()) if is_named_as_image(path)][:number]


def embedded(folder: Path, number: int) -> Path:
    """Where label maps of generated scans are, made anew."""
    counts = ("--labelled", number, "--unlabelled", 1, "--validation", 1, "--test", 1)
    command = [sys.executable, ROOT / "workflow/scripts/make_cohort.py", "--output", folder, "--seed", 3, *counts]
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL)
    return folder / "Training/FLARE22_LabeledCase50/labels"


def thinned(path: Path) -> tuple[np.ndarray, tuple[float, ...]]:
    """A label map (z, y, x) with every so many-th voxel, and its spacing (x, y, z) in mm."""
    volume = read_label_map(path)
    steps = [max(1, round(size / most)) for size, most in zip(volume.geometry.size_xyz, LARGEST_XYZ, strict=True)]
    spacing = tuple(mm * step for mm, step in zip(volume.geometry.spacing_mm_xyz, steps, strict=True))
    return array_of(volume)[:: steps[2], :: steps[1], :: steps[0]].astype(np.uint8), spacing


def kinds(work: Path, labels: np.ndarray, spacing: tuple[float, ...]) -> Iterator[tuple[str, Kind]]:
    """The five series of a label map, by name."""
    x_mm, y_mm, z_mm = spacing
    tilt_mm = z_mm * np.tan(np.radians(TILT))
    shifts = np.arange(len(labels)) * tilt_mm / y_mm
    tied = np.flatnonzero(np.abs(shifts % 1 - 0.5) < TIE).tolist()
    half = len(labels) // 2
    two = np.array([*range(0, half, 2), *range(half, len(labels))])
    places = {
        "tilted": (labels, {"tilt_mm": tilt_mm}),
        "sparse": (labels[::3], {"spacing_mm_xyz": (x_mm, y_mm, 3 * z_mm)}),
        "uneven": (labels[two], {"heights_mm": two * z_mm}),
        "cropped": (labels, {}),
        "small": (smallest(labels, spacing), {}),
    }
    for name, (drawn, options) in places.items():
        thickness = f"{2 * z_mm:g}" if name == "uneven" else f"{z_mm:g}"
        options = {"spacing_mm_xyz": spacing, "tag_0018_0050": thickness} | options
        folder = work / name
        series = Series(folder, write_ct(folder, np.where(drawn > 0, 60, -1000), **options), drawn)
        scan = _part(work, series) if name == "cropped" else series.scan
        yield name, Kind(series, scan, tied if name == "tilted" else ())


def smallest(labels: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    """The half millilitre of each organ (z, y, x) around its voxel that is the nearest to its centre; or all of it."""
    found = np.zeros_like(labels)
    voxels = int(1000 * SMALL_ML / np.prod(spacing))
    for label in np.unique(labels)[1:].tolist():
        places = np.argwhere(labels == label)
        inside = places[np.argmin(_away(places, places.mean(axis=0), spacing))]
        nearest = np.argsort(_away(places, inside, spacing), kind="stable")
        found[tuple(places[nearest[:voxels]].T)] = label
    return found


def _away(places: np.ndarray, point: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    """Distances in mm of voxels (z, y, x) from a point among them; the spacing is (x, y, z)."""
    return np.linalg.norm((places - point) * spacing[::-1], axis=1)


def _part(work: Path, series: Series) -> Volume:
    """The middle of a scan, stored as NIfTI."""
    low, high = ([int(share * size) for size in series.scan.image.GetSize()] for share in (0.15, 0.85))
    box = tuple(slice(first, last) for first, last in zip(low, high, strict=True))
    sitk.WriteImage(series.scan.image[box], str(work / "part.nii.gz"))
    return read_scan(work / "part.nii.gz")


def _masks(labels: np.ndarray) -> dict[str, np.ndarray]:
    return {NAMES[label]: labels == label for label in np.unique(labels).tolist() if label}


def _names(labels: np.ndarray) -> dict[int, str]:
    return {label: NAMES[label] for label in np.unique(labels).tolist() if label}


def highdicom(work: Path, series: Series, labels: np.ndarray) -> Path:
    """A binary segmentation on the slices as they were acquired."""
    return by_highdicom(work / "highdicom.dcm", series.files, series.labels, _names(series.labels))


def dcmqi(work: Path, series: Series, labels: np.ndarray) -> Path:
    """A binary segmentation of a label map on the scan's grid."""
    label_map = as_nifti(work / "dcmqi.nii.gz", labels, series.scan.image)
    return by_dcmqi(work / "dcmqi.dcm", series.folder, label_map, _names(labels))


def plastimatch(work: Path, series: Series, labels: np.ndarray) -> Path:
    """A structure set of masks on the scan's grid."""
    (work / "masks").mkdir(exist_ok=True)
    for path in (work / "masks").iterdir():
        path.unlink()
    for name, mask in _masks(labels).items():
        as_nifti(work / f"masks/{name}.nii.gz", mask.astype(np.uint8), series.scan.image)
    return by_plastimatch(work / "plastimatch.dcm", series.folder, work / "masks")


def slicerio(work: Path, series: Series, labels: np.ndarray) -> Path:
    """A .seg.nrrd on the scan's grid, cut to its organs, in layers."""
    box = tuple(slice(ends[0], ends[-1] + 1) for ends in map(np.flatnonzero, _along_axes(labels)))
    masks = {name: mask[box] for name, mask in _masks(labels).items()}
    everything = {"everything": labels[box] > 0}
    return by_slicerio(work / "a.seg.nrrd", masks | everything, series.scan.image, [part.start for part in box[::-1]])


def _along_axes(labels: np.ndarray) -> list[np.ndarray]:
    return [labels.any(axis=others) for others in ((1, 2), (0, 2), (0, 1))]


def rt_utils(work: Path, series: Series, labels: np.ndarray) -> Path:
    """A structure set of masks on the slices as they were acquired."""
    from rt_utils import RTStructBuilder

    structures = RTStructBuilder.create_new(dicom_series_path=str(series.folder))
    for name, mask in _masks(series.labels).items():
        structures.add_roi(mask=np.moveaxis(mask, 0, 2), name=name)
    structures.save(str(work / "rt_utils.dcm"))
    return work / "rt_utils.dcm"


WRITERS: dict[str, Writer] = {writer.__name__: writer for writer in (dcmqi, highdicom, slicerio, plastimatch)}
EXACT = ("dcmqi", "highdicom", "slicerio")
if importlib.util.find_spec("rt_utils"):
    WRITERS["rt_utils"] = rt_utils


def scores(writer: str, name: str, kind: Kind, work: Path) -> Iterator[dict[str, object]]:
    """DSC of each organ in the scan, read from one writer's file, with its volume; or a row for a refused file."""
    path = WRITERS[writer](work, kind.series, kind.labels)
    try:
        found = array_of(read_label_map(path, kind.scan, OrganNames(FLARE22).rank))
    except InputError:
        yield {"writer": writer, "series": name, "DSC": np.nan}
        return
    wanted = kind.series.expected(kind.scan)
    found[list(kind.tied)] = wanted[list(kind.tied)]
    voxel_ml = float(np.prod(kind.scan.geometry.spacing_mm_xyz)) / 1000
    for label in np.unique(wanted)[1:].tolist():
        here, there = wanted == label, found == label
        dsc = 2 * np.count_nonzero(here & there) / (np.count_nonzero(here) + np.count_nonzero(there))
        yield {"writer": writer, "series": name, "volume_ml": np.count_nonzero(here) * voxel_ml, "DSC": dsc}


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """For each writer and series the organs of 1 ml or more, and below, their lowest DSC, and the files refused."""
    size = np.where(rows.volume_ml >= LARGE_ML, "from_1_ml", "below_1_ml")
    groups = rows.groupby(["writer", "series", size], sort=False).DSC
    sizes = ["from_1_ml", "below_1_ml"]
    counts = groups.count().unstack(fill_value=0).reindex(columns=sizes, fill_value=0)
    lowest = groups.min().unstack().reindex(columns=sizes)
    both = pd.concat({"organs": counts, "lowest_DSC": lowest.round(4)}, axis=1)
    both.columns = [f"{what}_{which}" for what, which in both.columns]
    both["files_refused"] = rows.DSC.isna().groupby([rows.writer, rows.series], sort=False).sum()
    return both.reset_index()


def write_timed(work: Path) -> Path:
    """A segmentation of 13 ellipsoids, 512×512×200 voxels."""
    labels = np.zeros(TIMED_ZYX, np.uint8)
    z, y, x = np.ogrid[tuple(slice(0, 1, size * 1j) for size in TIMED_ZYX)]
    for label, (a, b, c, p, q, r) in ELLIPSOIDS.items():
        labels[((x - a) / p) ** 2 + ((y - b) / q) ** 2 + ((z - c) / r) ** 2 < 1] = label
    files = write_ct(work / "large", labels.astype(np.int16), spacing_mm_xyz=TIMED_MM_XYZ)
    return by_highdicom(work / "large.dcm", files, labels, NAMES)


def read_timed(path: Path) -> None:
    """Print the least seconds of some readings, and by how many MB the process grew."""
    scan = sitk.Image(TIMED_ZYX[::-1], sitk.sitkInt16)
    scan.SetSpacing(TIMED_MM_XYZ)
    # Linux forgets the largest memory so far (proc(5), clear_refs).
    Path("/proc/self/clear_refs").write_text("5")
    before_mb = largest_mb()
    seconds = []
    for _ in range(TIMED_TURNS):
        start = time.perf_counter()
        volume = read_label_map(path, Volume(scan, "LPS"), OrganNames(FLARE22).rank)
        seconds.append(time.perf_counter() - start)
    grown_mb = largest_mb() - before_mb
    organs = len(np.unique(array_of(volume))) - 1
    print(f"{organs} organs of 512×512×200 voxels as a segmentation: {min(seconds):.2f} s, {grown_mb:.0f} MB")


def main() -> None:
    """Write and read with each program; print the table and the time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--label-maps", type=Path, help="FLARE22's label maps (default: of generated scans)")
    parser.add_argument("--number", type=int, default=20, help="how many of them (default: 20; of generated ones 3)")
    parser.add_argument("--read", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.read:
        read_timed(arguments.read)
        return
    print(f"{machine()}\n", flush=True)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        given = arguments.label_maps or embedded(Path(folder, "embedded"), 3)
        for path in label_maps(given, arguments.number):
            work = Path(folder, path.name.split(".")[0])
            for name, kind in kinds(work, *thinned(path)):
                rows += [row for writer in WRITERS for row in scores(writer, name, kind, work)]
            print(f"{path.name}: lowest DSC so far {np.nanmin([row['DSC'] for row in rows]):.4f}", flush=True)
        result = table(pd.DataFrame(rows))
        write_table(result, ROOT / "docs/segmentations.tsv")
        print(f"\n{result.to_string(index=False)}\n", flush=True)
        subprocess.run([sys.executable, __file__, "--read", str(write_timed(Path(folder)))], check=True)
    least = result.writer.map(lambda writer: 1.0 if writer in EXACT else CONTOURS)
    is_short = (result.lowest_DSC_from_1_ml < least) | (result.files_refused > 0)
    sys.exit(int(is_short[result.writer != "rt_utils"].any()))


if __name__ == "__main__":
    main()
