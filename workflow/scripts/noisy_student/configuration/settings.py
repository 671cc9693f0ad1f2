"""Networks, trainings and rounds as the configuration holds them."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator

from noisy_student.configuration.prediction_options import Where
from noisy_student.configuration.selection_rules import Selection
from noisy_student.strict import Fraction, Name, Positive, Strict

Millimetres = Annotated[float, Field(gt=0, allow_inf_nan=False)]
LearningRate = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Axis = Literal["z", "y"]
Augmentation = Literal["none", "nnunet", "strong"]
BelowOne = Annotated[float, Field(ge=0, lt=1)]


def _each_once(voices: list[str]) -> list[str]:
    if len(set(voices)) < len(voices):
        raise ValueError("each voice is named once")
    return voices


Voices = Annotated[
    list[Literal["final", "average", "thirds"]],
    Field(min_length=1, json_schema_extra={"uniqueItems": True}),
    AfterValidator(_each_once),
]


class Network(Strict):
    """A network and the grid it works on. What is null is nnU-Net's own choice for the labelled scans."""

    encoder: Literal["plain", "residual", "residual_m", "residual_l"] = "plain"
    spacing_mm_zyx: tuple[Millimetres, Millimetres, Millimetres] | None = None
    patch_size_zyx: tuple[Positive, Positive, Positive] | None = None
    batch_size: Positive | None = None
    stages: Annotated[int, Field(ge=2)] | None = None
    base_features: Positive = 32
    max_features: Positive = 320
    encoder_blocks: list[Positive] | None = None
    decoder_blocks: list[Positive] | None = None

    @property
    def is_residual(self) -> bool:
        """Whether the encoder is made of residual blocks."""
        return self.encoder != "plain"


class Noise(Strict):
    """What makes learning harder than labelling: augmented and mixed images, left-out parts of the network."""

    augmentation: Augmentation = "nnunet"
    dropout: BelowOne = 0.0
    stochastic_depth: BelowOne = 0.0
    # Not written where it is 0, so that trainings of versions without it stay what they are.
    mixing: Fraction = Field(0.0, strict=True, exclude_if=lambda value: not value)


def _noise_of_preset(value: Any) -> Any:
    return {"augmentation": value} if isinstance(value, str) else value


NoiseOrPreset = Annotated[Noise, BeforeValidator(_noise_of_preset, json_schema_input_type=Augmentation | Noise)]


def _whole_per_cent(bound: float) -> float:
    if abs(100 * bound - round(100 * bound)) > 1e-6:
        raise ValueError("bounds are whole per cent, as confidence is kept: 0.99, not 0.995")
    return bound


Bound = Annotated[BelowOne, AfterValidator(_whole_per_cent)]


class VoxelConfidence(Strict):
    """How sure a teacher must be of a voxel for its student to learn from it.

    `organ` balanced: each organ's bound is where it keeps the volume that the labelled scans let expect. `surface_mm`:
    background that may be an organ's is learned from all the same so near to where that organ was found.
    """

    organ: Bound | Literal["balanced"] = 0.0
    background: Bound = 0.0
    surface_mm: Millimetres | None = None

    @model_validator(mode="after")
    def background_has_a_bound(self) -> "VoxelConfidence":
        """Where no background is left out, none can be kept near a surface."""
        if self.surface_mm and not self.background:
            raise ValueError("`surface_mm` is about unsure background: give `background` a bound")
        return self

    def __bool__(self) -> bool:
        return bool(self.organ or self.background)

    @property
    def compares_volumes(self) -> bool:
        """Whether organs' volumes in the labelled scans say what is learned from."""
        return self.organ == "balanced" or self.surface_mm is not None

    @property
    def flag(self) -> str:
        """For `make_training_set.py`; nothing where all voxels are learned from."""
        surface = f" --surface-mm {self.surface_mm:g}" if self.surface_mm else ""
        return f" --voxel-confidence {self.organ} {self.background}{surface}" if self else ""


def _of_both(value: Any) -> Any:
    return {"organ": value, "background": value} if isinstance(value, int | float) else value


VoxelConfidenceOrNumber = Annotated[
    VoxelConfidence, BeforeValidator(_of_both, json_schema_input_type=BelowOne | VoxelConfidence)
]


class FineTuning(Strict):
    """The last `epochs` of a training, which draw hand-labelled scans alone.

    What is null is as before them. A learning rate of their own falls as (1 - e / epochs) ** 0.9 over them.
    """

    epochs: Annotated[int, Field(ge=0)] = 0
    noise: NoiseOrPreset | None = None
    learning_rate: LearningRate | None = None

    @model_validator(mode="after")
    def there_are_epochs(self) -> "FineTuning":
        """Noise and learning rate of no epoch say nothing."""
        if not self.epochs and (self.noise or self.learning_rate):
            raise ValueError("`noise` and `learning_rate` are those of its `epochs`, of which there are 0")
        return self


class TrainingChanges(Strict):
    """What a round may change in its training; what is null stays as in `training`.

    `seed_offset` is added to the configuration's seed; null: the round's number.
    """

    epochs: Positive | None = None
    iterations_per_epoch: Positive | None = None
    learning_rate: LearningRate | None = None
    fine_tuning: FineTuning | None = None
    voices: Voices | None = None
    seed_offset: Annotated[int, Field(ge=0)] | None = None


class Training(Strict):
    """How every network is trained."""

    splits: Annotated[int, Field(ge=2)] = 5
    folds: list[Annotated[int, Field(ge=0)]] = Field([0, 1, 2, 3, 4], min_length=1)
    epochs: Positive = 1000
    fine_tuning: FineTuning = FineTuning()
    iterations_per_epoch: Positive = 250
    validation_iterations_per_epoch: Positive = 50
    optimizer: Literal["sgd", "adamw"] = "sgd"
    learning_rate: LearningRate = 0.01
    weight_decay: Annotated[float, Field(ge=0)] = 3e-5
    foreground_fraction: Fraction = 0.33
    labelled_fraction: Annotated[float, Field(gt=0, lt=1)] | None = None
    draw_by_confidence: bool = False
    draw_rare_organs: bool = False
    mirror_axes: list[Axis] = Field(["z", "y"])
    checkpoint_every_epochs: Positive = 50
    voices: Voices = Field(["final"])

    @model_validator(mode="after")
    def folds_exist(self) -> "Training":
        """Every fold is one of the splits, once."""
        wrong = sorted({fold for fold in self.folds if fold >= self.splits or self.folds.count(fold) > 1})
        if wrong:
            raise ValueError(f"folds must be different numbers from 0 to {self.splits - 1}; wrong: {wrong}")
        return self


Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class FirstWeights(Strict):
    """A trained model (folder or zip) whose weights a training begins with, and the checksums that it is trusted by."""

    model: Path
    sha256: list[Sha256] = Field([])


class RoundStart(Strict):
    """An earlier round with the weights of whose own model a training begins, each fold with those of the same fold."""

    round: Annotated[int, Field(ge=0)]


def _kind_of_start(start: Any) -> str:
    if isinstance(start, RoundStart) or (isinstance(start, dict) and "round" in start):
        return "round"
    return "model" if isinstance(start, FirstWeights | dict) else "word"


Start = Annotated[
    Annotated[Literal["scratch", "teacher"], Tag("word")]
    | Annotated[FirstWeights, Tag("model")]
    | Annotated[RoundStart, Tag("round")],
    Discriminator(_kind_of_start),
]


class Teacher(Strict):
    """A round 0 that is not trained: one model from elsewhere, or several that label together."""

    model: Path | Annotated[list[Path], Field(min_length=1)]
    sha256: list[Sha256] = Field([])

    @property
    def models(self) -> list[Path]:
        """The folder or zip of each model."""
        return self.model if isinstance(self.model, list) else [self.model]


Targets = Literal["hard", "soft", "online"]


class Round(Strict):
    """One training of the chain. Round 0 is the teacher; what is null is the configuration's default."""

    network: Name
    start: Start = "scratch"
    noise: NoiseOrPreset | None = None
    training: TrainingChanges = TrainingChanges()
    selection: Selection | None = None
    voxel_confidence: VoxelConfidenceOrNumber | None = None
    targets: Targets | None = None


class DeployPrediction(Strict):
    """How the student that is made to be deployed labels; what else `prediction` says holds for it too."""

    step_size: Annotated[float, Field(gt=0, le=1)] = 0.75
    mirroring: bool = False
    windows: Where = "in_box_of_body"


class Deploy(Round):
    """The student after the last round: a small network that is made to be deployed, and never becomes a teacher."""

    prediction: DeployPrediction = DeployPrediction()

    @model_validator(mode="after")
    def has_no_voices(self) -> "Deploy":
        """It labels for no next round."""
        if self.training.voices is not None:
            raise ValueError("`voices` label for the next round, and there is none: take them out of its `training`")
        return self


def _kind_of_round(entry: Any) -> str:
    return "taken" if isinstance(entry, Teacher) or (isinstance(entry, dict) and "model" in entry) else "trained"


AnyRound = Annotated[Annotated[Round, Tag("trained")] | Annotated[Teacher, Tag("taken")], Discriminator(_kind_of_round)]
