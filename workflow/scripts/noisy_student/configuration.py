"""What an experiment is: the configuration as a checked model.

`config/config.yaml` comments every key; `config/config.schema.json` is generated from here
(`make schema`).
Where and how jobs run is no part of it: that stands in `profiles/`.
"""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from noisy_student.errors import InputError
from noisy_student.organs import FLARE22, Organ, table_errors
from noisy_student.selection.rules import Rule, Selection
from noisy_student.strict import Fraction, Name, Positive, Strict

Millimetres = Annotated[float, Field(gt=0)]
Axis = Literal["z", "y"]


def _whole_table(organs: tuple[Organ, ...]) -> tuple[Organ, ...]:
    if errors := table_errors(organs):
        raise ValueError("; ".join(errors))
    return organs


Organs = Annotated[tuple[Organ, ...], Field(min_length=1)]
LabelTable = Annotated[
    Organs,
    BeforeValidator(lambda organs: FLARE22 if organs is None else organs, json_schema_input_type=Organs | None),
    AfterValidator(_whole_table),
]


class EmbeddedCohort(Strict):
    """How many scans of each role to generate, or to paint around real label maps."""

    labelled: Positive = 6
    unlabelled: Positive = 32
    validation: Positive = 4
    test: Positive = 10
    variation: Annotated[float, Field(ge=0)] = 1.0
    label_maps: Path | None = None


class LabelledFolder(Strict):
    """A folder of scans and the folder of their label maps."""

    images: Path
    label_maps: Path


class ScanFolder(Strict):
    """A folder of scans, with the folder of their true label maps if these are known and kept aside."""

    images: Path
    truth: Path | None = None


class Folders(Strict):
    """Where the scans of each role lie; a role may be spread over several folders."""

    labelled: list[LabelledFolder] = Field(min_length=1)
    unlabelled: list[ScanFolder] = Field([])
    validation: list[LabelledFolder] = Field([])
    test: list[LabelledFolder] = Field([])

    def paths(self) -> list[Path]:
        """Every folder that is named."""
        entries = [*self.labelled, *self.unlabelled, *self.validation, *self.test]
        return [path for entry in entries for path in entry.model_dump().values() if path]


class Cohort(Strict):
    """Which scans the experiment works on."""

    kind: Literal["embedded", "folders"]
    embedded: EmbeddedCohort = EmbeddedCohort()
    folders: Folders | None = None

    @model_validator(mode="after")
    def folders_are_named(self) -> "Cohort":
        """`kind: folders` needs folders."""
        if self.kind == "folders" and self.folders is None:
            raise ValueError("kind is `folders`, so the section `folders` must name where the scans lie")
        return self


class Network(Strict):
    """A network and the grid it works on. What is null is nnU-Net's own choice for the labelled scans."""

    encoder: Literal["plain", "residual"] = "plain"
    spacing_mm_zyx: tuple[Millimetres, Millimetres, Millimetres] | None = None
    patch_size_zyx: tuple[Positive, Positive, Positive] | None = None
    batch_size: Positive | None = None
    stages: Annotated[int, Field(ge=2)] | None = None
    base_features: Positive = 32
    max_features: Positive = 320
    encoder_blocks: list[Positive] | None = None
    decoder_blocks: list[Positive] | None = None


class TrainingChanges(Strict):
    """What a round may change in its training; what is null stays as in `training`."""

    epochs: Positive | None = None
    iterations_per_epoch: Positive | None = None
    learning_rate: Annotated[float, Field(gt=0)] | None = None


class Training(Strict):
    """How every network is trained."""

    splits: Annotated[int, Field(ge=2)] = 5
    folds: list[Annotated[int, Field(ge=0)]] = Field([0, 1, 2, 3, 4], min_length=1)
    epochs: Positive = 1000
    iterations_per_epoch: Positive = 250
    validation_iterations_per_epoch: Positive = 50
    optimizer: Literal["sgd", "adamw"] = "sgd"
    learning_rate: Annotated[float, Field(gt=0)] = 0.01
    weight_decay: Annotated[float, Field(ge=0)] = 3e-5
    foreground_fraction: Fraction = 0.33
    labelled_fraction: Annotated[float, Field(gt=0, lt=1)] | None = None
    mirror_axes: list[Axis] = Field(["z", "y"])
    checkpoint_every_epochs: Positive = 50

    @model_validator(mode="after")
    def folds_exist(self) -> "Training":
        """Every fold is one of the splits, once."""
        wrong = sorted({fold for fold in self.folds if fold >= self.splits or self.folds.count(fold) > 1})
        if wrong:
            raise ValueError(f"folds must be different numbers from 0 to {self.splits - 1}; wrong: {wrong}")
        return self


class Prediction(Strict):
    """How a trained network labels a scan: sliding window and test-time mirroring."""

    step_size: Annotated[float, Field(gt=0, le=1)] = 0.5
    mirroring: bool = False


class Round(Strict):
    """One training of the chain. Round 0 is the teacher; what is null is the configuration's default."""

    network: Name
    noise: Literal["none", "nnunet"] = "nnunet"
    training: TrainingChanges = TrainingChanges()
    selection: Selection | None = None


class Evaluation(Strict):
    """Which of the published evaluation rules apply."""

    mode: Literal["flare22", "flare23plus", "strict"] = "flare22"


class Efficiency(Strict):
    """How the efficiency of each round's model is measured: on the first test scans, each in a fresh process."""

    scans: Positive = 5
    time_limit_s: Positive = 3600


class Report(Strict):
    """What the report shows besides what it chooses by rule."""

    cases: list[str] = Field([])


class Configuration(Strict):
    """The whole experiment."""

    seed: Annotated[int, Field(ge=0)] = 1
    device: Literal["auto", "cpu", "cuda"] = "auto"
    shards: Positive = 1
    organs: LabelTable = FLARE22
    cohort: Cohort
    networks: dict[Name, Network] = Field(min_length=1)
    training: Training = Training()
    prediction: Prediction = Prediction()
    selection: Selection = Field("default", validate_default=True)
    rounds: list[Round] = Field(min_length=1)
    evaluation: Evaluation = Evaluation()
    efficiency: Efficiency = Efficiency()
    report: Report = Report()

    @model_validator(mode="after")
    def embedded_organs_are_flare22s(self) -> "Configuration":
        """The generated scans have these organs and no others."""
        if self.cohort.kind == "embedded" and [organ.name for organ in self.organs] != [o.name for o in FLARE22]:
            raise ValueError("organs: the embedded cohort has FLARE22's; other organs need `cohort.kind: folders`")
        return self

    @model_validator(mode="after")
    def selections_ask_for_organs_that_exist(self) -> "Configuration":
        """A rule that wants more organs than the table has would drop every scan."""
        for selection in (self.selection_of(number) for number in range(1, len(self.rounds))):
            for rule in selection:
                if rule.rule == "threshold" and rule.score == "organs" and (rule.at_least or 0) > len(self.organs):
                    raise ValueError(
                        f"selection: at least {rule.at_least:g} organs are wanted, `organs` has {len(self.organs)}"
                    )
        return self

    @field_validator("rounds")
    @classmethod
    def teacher_selects_nothing(cls, rounds: list[Round]) -> list[Round]:
        """There are no pseudo-labels before round 1."""
        if rounds and rounds[0].selection is not None:
            raise ValueError("round 0 learns from hand-labelled scans alone: take `selection` out of it")
        return rounds

    @model_validator(mode="after")
    def networks_exist(self) -> "Configuration":
        """Each round's network is described."""
        unknown = sorted({entry.network for entry in self.rounds} - set(self.networks))
        if unknown:
            raise ValueError(f"rounds name networks that are not under `networks`: {', '.join(unknown)}")
        return self

    def training_of(self, number: int) -> dict[str, Any]:
        """Everything that the training of a round depends on, besides its data."""
        entry = self.rounds[number]
        changes = entry.training.model_dump(exclude_none=True)
        return {**self.training.model_dump(), **changes, "noise": entry.noise, "seed": self.seed + number}

    def selection_of(self, number: int) -> list[Rule]:
        """The selection rules of a round."""
        own = self.rounds[number].selection
        return self.selection if own is None else own


def read_configuration(values: dict[str, Any]) -> Configuration:
    """Check a configuration and return the model, or raise with every error at once."""
    try:
        return Configuration.model_validate(values)
    except ValidationError as error:
        findings = [_finding(item) for item in error.errors()]
        raise InputError(
            "a configuration that follows config/config.schema.json",
            f"{len(findings)} error(s)\n" + "\n".join(findings),
            "correct these keys in the file given to --configfile (default: config/config.yaml)",
        ) from None


def _finding(item: Any) -> str:
    path = ".".join(str(part) for part in item["loc"]) or "(top level)"
    if item["type"] == "extra_forbidden":
        return f"  {path}: no such key"
    if item["type"] == "missing":
        return f"  {path}: missing"
    value = "" if isinstance(item["input"], dict | BaseModel) else f" (value: {item['input']!r})"
    return f"  {path}: {item['msg'].removeprefix('Value error, ')}{value}"


def schema() -> str:
    """The JSON schema as it stands in `config/config.schema.json`."""
    return json.dumps(Configuration.model_json_schema(), indent=2) + "\n"


if __name__ == "__main__":
    print(schema(), end="")
