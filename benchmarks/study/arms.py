"""What the study compares: arms, each an experiment of the workflow, all of a seed on one cohort."""

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field
from snakemake.utils import update_config

from noisy_student.strict import Fraction, Name, Positive, Strict

# Its students learn from the true labels of unlabelled scans.
TRUE_LABELS = "all_true_labels"
FEWEST_LABELLED = 5  # one for each of `training.splits`


class Counts(Strict):
    """Scans of each role."""

    labelled: Positive
    unlabelled: Positive
    validation: Positive
    test: Positive


class Shares(Strict):
    """Shares of the label maps that scans of a role are painted around; around each other one `repeats` unlabelled."""

    labelled: Fraction
    validation: Fraction
    test: Fraction
    repeats: Positive = 1

    def counts(self, maps: int) -> Counts:
        """Scans of each role for so many label maps."""
        labelled = max(FEWEST_LABELLED, round(self.labelled * maps))
        validation, test = (max(1, round(share * maps)) for share in (self.validation, self.test))
        unlabelled = self.repeats * (maps - labelled - validation - test)
        return Counts(labelled=labelled, validation=validation, test=test, unlabelled=unlabelled)


class Correction(Strict):
    """How many scans are corrected, and by what they are chosen: the list of the round, chance, lowest confidence."""

    by: Literal["list", "random", "confidence"]
    scans: Positive


class Study(Strict):
    """The whole study. An arm is what its experiment's configuration has over that of all, and its last round.

    Between the arms `lowest` and `highest` lies what a method can recover, between `noise` and `highest` what it can
    beyond stronger augmentation. Arms are compared with those of `against`. `partly`: the sets of organs that are dealt
    over the labelled scans as the only ones labelled there; where there are any, arms name their cohorts themselves.
    `corrected`: arms with corrections of labels that the arm `handed_out` has in its round 1.
    """

    lowest: Name
    highest: Name
    noise: Name = ""
    against: list[Name]
    partly: list[list[str]] = Field([])
    handed_out: Name | None = None
    corrected: dict[Name, Correction] = Field({})
    seeds: list[int] = Field(min_length=1)
    variation: Annotated[float, Field(ge=0)]
    procedural: Counts
    painted: Shares
    configuration: dict[str, Any]
    arms: dict[Name, dict[str, Any]]
    label_maps: str = ""

    @classmethod
    def read(cls, path: Path, overlay: Mapping[str, Any]) -> "Study":
        """The study of a file with what an overlay changes; of the configuration, key by key."""
        settings = yaml.safe_load(path.read_text())
        configuration = deepcopy(settings["configuration"])
        update_config(configuration, overlay.get("configuration", {}))
        return cls.model_validate({**settings, **overlay, "configuration": configuration})

    def rounds(self, arm: str) -> list[dict[str, Any]]:
        """The rounds of an arm's experiment."""
        return self.arms[arm]["rounds"]

    def cohort(self, arm: str) -> dict[str, Any] | None:
        """The cohort that an arm names; None for the seed's."""
        return self.arms[arm].get("cohort")

    def before(self, arm: str) -> str | None:
        """The arm above with which this one's experiment begins.

        Its rounds are this one's first ones, most of them, on the same cohort.
        """
        names = list(self.arms)
        above = [name for name in names[: names.index(arm)] if self.cohort(name) == self.cohort(arm)]
        begun = [name for name in above if self.rounds(arm)[: len(self.rounds(name))] == self.rounds(name)]
        return max(begun, key=lambda name: len(self.rounds(name)), default=None)

    def needed(self, arm: str) -> list[str]:
        """The arms that must be finished before: the one with which it begins, and those whose models it names."""
        starts = [entry.get("start") for entry in self.rounds(arm)]
        named = {Path(start["model"]).parts[1] for start in starts if isinstance(start, dict) and "model" in start}
        return sorted(named | {self.before(arm)} - {None})

    def teacher(self, arm: str) -> str | None:
        """The arm whose network labels for this one's last round; none where that learns from no teacher's labels."""
        before = self.before(arm)
        is_student = before and arm != TRUE_LABELS and len(self.rounds(before)) < len(self.rounds(arm))
        return before if is_student else None

    @property
    def students(self) -> list[str]:
        """The arms that learn from a teacher's labels."""
        return [arm for arm in self.arms if self.teacher(arm)]

    @property
    def first_students(self) -> dict[str, str]:
        """Of each teacher its first student, whose experiment has the teacher's labels."""
        found: dict[str, str] = {}
        for arm in self.students:
            found.setdefault(self.teacher(arm), arm)
        return found

    def folder(self, arm: str, seed: int | str) -> str:
        """Where the last round of an arm lies, below the study's results."""
        return f"seed_{seed}/{arm}/{self.last_round(arm)}"

    def last_round(self, arm: str) -> str:
        """The same below its experiment's folder."""
        return f"results/round_{len(self.rounds(arm)) - 1}"
