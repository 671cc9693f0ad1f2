"""What the study compares: arms, each a training that differs from others in what it learns from, and how."""

from typing import Annotated, Any

from pydantic import Field, model_validator

from noisy_student.configuration.selection_rules import Selection
from noisy_student.configuration.settings import (
    BelowOne,
    Network,
    Noise,
    NoiseOrPreset,
    Training,
    TrainingChanges,
    VoxelConfidence,
    VoxelConfidenceOrNumber,
)
from noisy_student.strict import Fraction, Name, Positive, Strict

ROLES = ("labelled", "unlabelled", "validation", "test")
FEWEST_LABELLED = 5  # one for each of `training.splits`


class Arm(Strict):
    """One training. Without `teacher` and `truth` it learns from the labelled scans alone.

    `start` names the arm whose weights it begins with. With `of` nothing is trained: that arm's predictions are
    post-processed.
    """

    of: Name | None = None
    teacher: Name | None = None
    teacher_folds: list[int] = Field([0], min_length=1)
    truth: bool = False
    selection: Selection = Field("paper", validate_default=True)
    voxel_confidence: VoxelConfidenceOrNumber = VoxelConfidence()
    noise: NoiseOrPreset = Noise()
    start: Name | None = None
    labelled_fraction: BelowOne | None = None
    draw_by_confidence: bool = False
    training: TrainingChanges = TrainingChanges()


class Counts(Strict):
    """Scans of each role."""

    labelled: Positive
    unlabelled: Positive
    validation: Positive
    test: Positive


class Shares(Strict):
    """Shares of the label maps that scans of a role are painted around; the others are unlabelled."""

    labelled: Fraction
    validation: Fraction
    test: Fraction

    def counts(self, maps: int) -> Counts:
        """Scans of each role for so many label maps."""
        labelled = max(FEWEST_LABELLED, round(self.labelled * maps))
        validation, test = (max(1, round(share * maps)) for share in (self.validation, self.test))
        return Counts(
            labelled=labelled, validation=validation, test=test, unlabelled=maps - labelled - validation - test
        )


class Study(Strict):
    """The whole study."""

    seeds: list[int] = Field(min_length=1)
    variation: Annotated[float, Field(ge=0)]
    procedural: Counts
    painted: Shares
    network: Network
    training: Training
    arms: dict[Name, Arm]
    label_maps: str = ""

    @model_validator(mode="after")
    def teachers_exist(self) -> "Study":
        """A teacher is an arm above its student."""
        names = list(self.arms)
        for number, (name, arm) in enumerate(self.arms.items()):
            if missing := {arm.teacher, arm.start, arm.of} - {None, *names[:number]}:
                raise ValueError(f"{name}: {', '.join(missing)} is no arm above it")
        return self

    def settings(self, name: str, seed: int) -> dict[str, Any]:
        """Everything that an arm's training depends on, besides its data, as `Configuration.training_of` has it."""
        arm = self.arms[name]
        own: dict[str, Any] = {"draw_by_confidence": arm.draw_by_confidence}
        if arm.labelled_fraction:
            own["labelled_fraction"] = arm.labelled_fraction
        changes = arm.training.model_dump(exclude_none=True)
        return {**self.training.model_dump(), **own, **changes, "noise": arm.noise.model_dump(), "seed": seed}

    def teachers(self, name: str) -> list[str]:
        """The teachers of an arm, its own first, then its teacher's, back to the first."""
        teacher = self.arms[name].teacher
        return [teacher, *self.teachers(teacher)] if teacher else []
