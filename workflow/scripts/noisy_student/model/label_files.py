"""A scan's result on disk: its label map on the scan's own grid, beside it its scores and its voxels' confidence."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from noisy_student.configuration.prediction_options import TORCH
from noisy_student.damage import damaged
from noisy_student.files import link, read_json, sha256, write_text
from noisy_student.geometry import image_on, reorient
from noisy_student.images import read_geometry, write_image
from noisy_student.model.records import SHORT, model_of, record_beside
from noisy_student.model.soft_labels import write_soft_labels
from noisy_student.model.voxel_confidence import write_confidence

# Of the record beside a label map: each organ's voxels by their confidence.
COUNTS = "voxels_by_confidence"


def made_from(model: str, scan: str, made_by: str = TORCH) -> str:
    """What a label map depends on, by the checksums of the model and of the scan; and what it is made by."""
    return f"model {model}, scan {scan}" + (f", by {made_by}" if made_by != TORCH else "")


def write_label_map(label_map_zyx: np.ndarray, scan: Path, orientation: str, output: Path) -> None:
    """Write a label map of a converted `scan` on the scan's own grid, whose axes grow towards `orientation`."""
    image = image_on(label_map_zyx.astype(np.uint8, copy=False), read_geometry(scan))
    write_image(reorient(image, orientation), output)


@dataclass(frozen=True)
class Labelled:
    """A label map (z, y, x) in canonical orientation, and one row of scores per organ.

    `confidence_zyx` (`confidence_map`) and `soft_labels` are of the network's grid, if they were wanted. `undecided`:
    whether background of confidence 0 is what no label was found for, which a student must not learn as background.
    `confidence_counts` (`counts_by_confidence`) are of the same grid, given with the confidence.
    """

    label_map_zyx: np.ndarray
    scores: pd.DataFrame
    confidence_zyx: np.ndarray | None = None
    undecided: bool = False
    soft_labels: np.ndarray | None = None
    confidence_counts: np.ndarray | None = None


@dataclass(frozen=True)
class LabelFiles:
    """The files of one case. The scores are written last and hold the others' checksums.

    `voxels`: whether the confidence of each voxel is one of them; `soft`: whether its soft label is.
    """

    folder: Path
    case: str
    voxels: bool = False
    soft: bool = False

    @property
    def label_map(self) -> Path:
        """The label map, named as in the challenge."""
        return self.folder / f"{self.case}.nii.gz"

    @property
    def scores(self) -> Path:
        """Scores per organ, and the checksums of what they came from."""
        return record_beside(self.label_map)

    @property
    def confidence(self) -> Path:
        """The confidence of each voxel of the network's grid."""
        return self.folder / "confidence" / f"{self.case}.b2nd"

    @property
    def soft_labels(self) -> Path:
        """The soft label of each voxel of the network's grid."""
        return self.folder / "soft" / f"{self.case}.b2nd"

    def write(self, labelled: Labelled, scan: Path, orientation: str, made_from: str) -> None:
        """Write all files. An earlier record is taken away first, so that no label map lies beside another one's.

        `scan` is the converted scan, `orientation` the letters of the scan's own grid, `made_from` what the label
        map depends on.
        """
        self.scores.unlink(missing_ok=True)
        write_label_map(labelled.label_map_zyx, scan, orientation, self.label_map)
        if labelled.confidence_zyx is not None:
            write_confidence(labelled.confidence_zyx, self.confidence)
        if labelled.soft_labels is not None:
            write_soft_labels(labelled.soft_labels, self.soft_labels)
        record = {
            "made_from": made_from,
            "sha256": self._checksums(),
            "undecided": labelled.undecided,
            "scores": json.loads(labelled.scores.to_json(orient="records", double_precision=15)),
        }
        if labelled.confidence_counts is not None:
            organs = zip(labelled.scores.organ, labelled.scores.label, strict=True)
            record[COUNTS] = {organ: labelled.confidence_counts[label].tolist() for organ, label in organs}
        write_text(self.scores, json.dumps(record))

    def read(self, *made_from: str) -> pd.DataFrame | None:
        """The scores, if all files are whole and made from one of these; otherwise nothing."""
        try:
            record = json.loads(self.scores.read_text())
            whole = record["made_from"] in made_from and self._checksums().items() <= record["sha256"].items()
            whole &= COUNTS in record or not self.voxels
        except (OSError, ValueError, KeyError):
            return None
        return pd.DataFrame(record["scores"]) if whole else None

    def set_aside(self, place: Path, wanted: str) -> None:
        """Move the files to the folder of their model in `place`, unless that is `wanted` or they are half written.

        All that there are, whether they are asked for now or not.
        """
        if (model := model_of(self.label_map)) in ("", wanted):
            return
        every = replace(self, voxels=True, soft=True)
        other = replace(every, folder=place / model[:SHORT])
        for mine, others in zip(every._paths(), other._paths(), strict=True):
            if mine.is_symlink():
                if mine.exists() and not others.exists():
                    link(mine.resolve(), others)
                mine.unlink()
            elif mine.exists():
                others.parent.mkdir(parents=True, exist_ok=True)
                mine.replace(others)

    def volumes_ml(self) -> dict[str, float]:
        """The volume of each organ that the label map could show, in ml; 0 if it was not found.

        Of other organs its background says nothing.
        """
        return {row["organ"]: row["volume_ml"] for row in read_json(self.scores)["scores"]}

    def ml_by_confidence(self) -> dict[str, np.ndarray]:
        """How many ml of each organ that the label map could show have each confidence: (per cent from 0 to 100).

        The shares are those of the network's grid, all together are the organ's volume in the label map. Raises
        InputError for a record of an earlier version, which does not have them.
        """
        record = read_json(self.scores)
        if COUNTS not in record:
            raise damaged(self.scores, "voxels counted by their confidence", "a record without them")
        volumes = self.volumes_ml()
        return {
            organ: volumes[organ] * np.array(counts) / max(sum(counts), 1) for organ, counts in record[COUNTS].items()
        }

    def has_undecided(self) -> bool:
        """Whether background of confidence 0 is undecided (`Labelled`)."""
        return read_json(self.scores).get("undecided", False)

    def has_soft_labels(self) -> bool:
        """Whether the soft labels that lie there are those of the label map; without them others' may."""
        path = self.soft_labels
        name = str(path.relative_to(self.folder))
        return path.exists() and read_json(self.scores)["sha256"].get(name) == sha256(path)

    def take(self, other: "LabelFiles") -> None:
        """Link the same case's whole files from another folder, the scores last."""
        self.scores.unlink(missing_ok=True)
        for mine, others in zip(self._paths(), other._paths(), strict=True):
            link(others, mine)

    def by_name(self) -> dict[str, Path]:
        """The files under names that do not depend on the case, the scores last."""
        names = ["label_map.nii.gz", *["confidence.b2nd"] * self.voxels, *["soft.b2nd"] * self.soft, "scores.json"]
        return dict(zip(names, self._paths(), strict=True))

    def _paths(self) -> list[Path]:
        return [self.label_map, *[self.confidence] * self.voxels, *[self.soft_labels] * self.soft, self.scores]

    def _checksums(self) -> dict[str, str]:
        return {str(path.relative_to(self.folder)): sha256(path) for path in self._paths()[:-1]}
