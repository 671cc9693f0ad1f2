"""Scan after scan read, checked, labelled and written; what is wrong with one does not end the others."""

import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch

from noisy_student.cohort.image_checks import scan_remarks
from noisy_student.command import MEMORY_WORDS
from noisy_student.errors import InputError, last_line
from noisy_student.geometry import Geometry, image_on, reorient
from noisy_student.images import write_image
from noisy_student.label.jobs import Job
from noisy_student.label.mark import marked
from noisy_student.model.predictor import Logits, Predictor
from noisy_student.parallel import overlapped
from noisy_student.plan.preprocessing import Plan, preprocessed_image
from noisy_student.reading.door import read_scan
from noisy_student.reading.volume import NOT_CT, Remark, Volume

# Of axes (x, y, z) that run along the patient.
PATIENT_AXES = {"L": 0, "R": 0, "P": 1, "A": 1, "S": 2, "I": 2}


@dataclass(frozen=True)
class Outcome:
    """A scan, at the end or on its way there, and what has to be said of it; an error among that ends its way."""

    job: Job
    remarks: tuple[Remark, ...]

    @property
    def errors(self) -> list[Remark]:
        """Why there is no label map; none if there is one."""
        return [remark for remark in self.remarks if remark.severity == "error"]


@dataclass(frozen=True)
class Grids:
    """Where the label map lies: on `seen`, turned back to `letters`, by nnU-Net's `properties`."""

    seen: Geometry
    letters: str
    properties: dict[str, Any]


@dataclass(frozen=True)
class Loaded(Outcome):
    """A scan ready for the network."""

    image: torch.Tensor
    grids: Grids


@dataclass(frozen=True)
class Predicted(Outcome):
    """What the network says of a scan."""

    logits: Logits
    grids: Grids


def label_all(jobs: list[Job], predictor: Predictor, accept: bool = False) -> Iterator[Outcome]:
    """Label scan after scan; yield what came of each. Reading, the network and export overlap.

    `accept`: scans that are no CT are labelled too.
    """

    def read(given: Outcome) -> Outcome:
        volume = read_scan(given.job.scan)
        outcome = Outcome(given.job, _remarks(volume, predictor, accept))
        if outcome.errors:
            return outcome
        seen = reorient(volume.image, _letters(volume, predictor))
        image, properties = preprocessed_image(seen, predictor.plan)
        grids = Grids(Geometry.of(seen), volume.letters, properties)
        return Loaded(given.job, outcome.remarks, predictor.on_host(image), grids)

    def work(loaded: Loaded) -> Outcome:
        return Predicted(loaded.job, loaded.remarks, predictor.predict(loaded.image), loaded.grids)

    def finish(predicted: Predicted) -> Outcome:
        grids = predicted.grids
        label_map = predictor.labelled(predicted.logits, grids.properties).label_map_zyx
        image = reorient(image_on(label_map, grids.seen), grids.letters)
        write_image(marked(image), predicted.job.label_map)
        return Outcome(predicted.job, predicted.remarks)

    steps = _unless_failed(read), _unless_failed(work), _unless_failed(finish, OSError)
    yield from overlapped([Outcome(job, ()) for job in jobs], *steps)


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


def _remark(error: Exception) -> Remark:
    """What ended a scan's way. Of an error that is no user's the traceback is shown."""
    if isinstance(error, InputError):
        return Remark("unusable", error.got, error.wanted, error.remedy, "error")
    if isinstance(error, MemoryError) or any(words in str(error) for words in MEMORY_WORDS):
        remedy = "label it where there is more memory, or take it out"
        return Remark("memory", "more memory needed than there is", "room for this scan", remedy, "error")
    traceback.print_exception(error)
    found = f"{type(error).__name__}: {last_line(error)}"
    return Remark("failed", found, "a label map", "report this with the lines above, or take the scan out", "error")


def _letters(volume: Volume, predictor: Predictor) -> str:
    """Where the axes run that the network sees."""
    return predictor.orientation or volume.letters


def _remarks(volume: Volume, predictor: Predictor, accept: bool) -> tuple[Remark, ...]:
    spacing = spacing_along_patient(predictor.plan, _letters(volume, predictor))
    return tuple(
        replace(remark, severity="warning", remedy="nothing: `--accept` was given")
        if accept and remark.kind == NOT_CT
        else remark
        for remark in scan_remarks(volume, [spacing])
    )


def spacing_along_patient(plan: Plan, letters: str) -> tuple[float, float, float]:
    """The network's spacing in mm along the patient's (z, y, x), for a scan whose x, y and z run towards `letters`."""
    stored_zyx = dict(zip(plan.manager.transpose_forward, plan.configuration.spacing, strict=True))
    along = {PATIENT_AXES[letter]: stored_zyx[2 - axis] for axis, letter in enumerate(letters)}
    return along[2], along[1], along[0]
