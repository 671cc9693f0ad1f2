"""Scan after scan read, checked, labelled and written; what is wrong with one does not end the others."""

import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from noisy_student.cohort.image_checks import scan_remarks
from noisy_student.command import lacks_gpu_memory, lacks_memory
from noisy_student.errors import InputError, last_line
from noisy_student.geometry import Geometry, image_on, reorient
from noisy_student.label.jobs import Job
from noisy_student.label.labeller import Labeller, Vote
from noisy_student.label.mark import TEXT
from noisy_student.parallel import overlapped
from noisy_student.reading.dicom.slice import ONE_ACQUISITION
from noisy_student.reading.door import read_scan
from noisy_student.reading.volume import ACQUISITIONS, NOT_CT, Remark, Volume
from noisy_student.writing.door import write_segmentation
from noisy_student.writing.numbers import OWN, numbered, renumbered
from noisy_student.writing.segmentation import Segmentation

ACCEPT = "; if this one is to be labelled all the same, --accept"
REMEDIES = {
    NOT_CT: f"name the CT, in Hounsfield units, with --image{ACCEPT}",
    ACQUISITIONS: f"{ONE_ACQUISITION}{ACCEPT}",
}


@dataclass(frozen=True)
class Outcome:
    """A scan, at the end or on its way there, and what has to be said of it; an error among that ends its way.

    `written`: the label maps that there are of it now. `letters`: where its axes run as it is stored; empty if no
    network saw it.
    """

    job: Job
    remarks: tuple[Remark, ...]
    written: tuple[Path, ...] = field(default=(), kw_only=True)
    letters: str = field(default="", kw_only=True)

    @property
    def errors(self) -> list[Remark]:
        """Why there is no label map, or none in one of the formats; none if nothing is lacking."""
        return [remark for remark in self.remarks if remark.severity == "error"]


@dataclass(frozen=True)
class Loaded(Outcome):
    """A scan ready for the networks, and its canonical grid."""

    seen: Any
    grid: Geometry


@dataclass(frozen=True)
class Predicted(Outcome):
    """What the networks say of a scan."""

    said: Any
    grid: Geometry


def label_all(
    jobs: list[Job], labeller: Labeller | Vote, accept: bool = False, numbers: str = OWN, made_by: str = "nnU-Net"
) -> Iterator[Outcome]:
    """Label scan after scan; yield what came of each. Reading, the network and export overlap.

    `accept`: scans that are no CT, or not one acquisition, are labelled too. `numbers`: which numbers organs have in
    the label maps (`writing.numbers`). `made_by`: what the model is called in them. Raises InputError for organs
    without such numbers.
    """
    organs = numbered(labeller.table, numbers)

    def read(given: Outcome) -> Outcome:
        volume = read_scan(given.job.scan)
        outcome = Outcome(given.job, _remarks(volume, labeller, accept))
        if outcome.errors:
            return outcome
        seen = labeller.read(volume.image, volume.letters)
        return Loaded(given.job, outcome.remarks, seen, volume.geometry, letters=volume.letters)

    def work(loaded: Loaded) -> Outcome:
        said = labeller.predict(loaded.seen)
        return Predicted(loaded.job, loaded.remarks, said, loaded.grid, letters=loaded.letters)

    def finish(predicted: Predicted) -> Outcome:
        job, label_map = predicted.job, labeller.labelled(predicted.said).label_map_zyx
        label_map = renumbered(label_map, labeller.table, organs)
        image = reorient(image_on(label_map, predicted.grid), predicted.letters)
        written = _written(job, Segmentation(image, organs, made_by, TEXT))
        return replace(written, remarks=(*predicted.remarks, *written.remarks), letters=predicted.letters)

    steps = _unless_failed(read), _unless_failed(work), _unless_failed(finish, OSError)
    yield from overlapped([Outcome(job, ()) for job in jobs], *steps, labeller.warm)


def _unless_failed(step: Callable[[Any], Outcome], *ending: type[Exception]) -> Callable[[Any], Outcome]:
    """The step for scans without an error yet. Its own error becomes the scan's, unless it is of a kind that ends all.

    What cannot be written, on a full disk, ends all.
    """

    def attempt(given: Outcome) -> Outcome:
        if given.errors:
            return given
        try:
            return step(given)
        except ending:
            raise
        except Exception as error:
            return Outcome(given.job, (*given.remarks, _remark(error)))

    return attempt


def _written(job: Job, segmentation: Segmentation) -> Outcome:
    """What comes of a scan's label maps; one that cannot be written does not end the others, but on a full disk."""
    remarks, written = [], []
    for path in job.label_maps:
        try:
            remarks += write_segmentation(segmentation, job.scan, path)
        except OSError:
            raise
        except Exception as error:
            remarks.append(_remark(error))
        else:
            written += [path] if path.exists() else []
    return Outcome(job, tuple(remarks), written=tuple(written))


def _remark(error: Exception) -> Remark:
    """What ended a scan's way. Of an error that is no user's the traceback is shown."""
    if isinstance(error, InputError):
        return Remark("unusable", error.got, error.wanted, error.remedy, "error")
    if lacks_gpu_memory(error):
        remedy = "label it with `--device cpu`, or on a GPU with more memory"
        return Remark("memory", "more memory needed than the GPU has free", "room for this scan", remedy, "error")
    if lacks_memory(error):
        remedy = "label it where there is more memory, or take it out"
        return Remark("memory", "more memory needed than there is", "room for this scan", remedy, "error")
    traceback.print_exception(error)
    found = f"{type(error).__name__}: {last_line(error)}"
    return Remark("failed", found, "a label map", "report this with the lines above, or take the scan out", "error")


def _remarks(volume: Volume, labeller: Labeller | Vote, accept: bool) -> tuple[Remark, ...]:
    remarks = scan_remarks(volume, labeller.spacings(volume.letters))
    return tuple(_accepted(remark, accept) if remark.kind in REMEDIES else remark for remark in remarks)


def _accepted(remark: Remark, accept: bool) -> Remark:
    """The remark with a remedy among the command's own options; as a warning, if it is accepted."""
    if accept:
        return replace(remark, severity="warning", remedy="nothing: `--accept` was given")
    return replace(remark, remedy=REMEDIES[remark.kind])
