"""What an experiment is: the configuration as a checked model.

`config/config.yaml` comments every key; `config/config.schema.json` is generated from here
(`make schema`).
Where and how jobs run is no part of it: that stands in `profiles/`.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)

from noisy_student.configuration.archive import PRIVATE, LabelledArchive, ScanArchive
from noisy_student.configuration.corrections import CorrectionsOrFolder
from noisy_student.configuration.layouts import LabelledCases, NnunetFolder, ScanCases
from noisy_student.configuration.numbering import numbering_errors, unknown_organs
from noisy_student.configuration.prediction_options import OPENVINO, Prediction
from noisy_student.configuration.selection_rules import OVER_ALL, Rule, Selection
from noisy_student.configuration.settings import (
    AnyRound,
    Deploy,
    FineTuning,
    Network,
    Noise,
    NoiseOrPreset,
    Round,
    RoundStart,
    Targets,
    Teacher,
    Training,
    VoxelConfidence,
    VoxelConfidenceOrNumber,
)
from noisy_student.errors import InputError
from noisy_student.organs import FLARE22, Organ, table_errors
from noisy_student.strict import Fraction, Name, OrganNames, OrganNumbers, Positive, SourceName, Strict


def _whole_table(organs: tuple[Organ, ...]) -> tuple[Organ, ...]:
    if errors := table_errors(organs):
        raise ValueError("; ".join(errors))
    return organs


def _rows_of_table(organs: Any) -> Any:
    if isinstance(organs, list) and any(isinstance(organ, str) for organ in organs):
        raise ValueError(
            "a row for each organ is wanted, `{label: 1, name: liver}`; null is FLARE22's table, and which of its "
            "organs are labelled in a folder of scans, `organs` beside that folder says"
        )
    return FLARE22 if organs is None else organs


Organs = Annotated[tuple[Organ, ...], Field(min_length=1)]
LabelTable = Annotated[
    Organs,
    BeforeValidator(_rows_of_table, json_schema_input_type=Organs | None),
    AfterValidator(_whole_table),
]


# A command has the names of all shards' tables, and Linux takes 128 KiB of it (MAX_ARG_STRLEN).
MOST_SHARDS = 2000
# What the student after the last round is called, where rounds have numbers.
DEPLOY = "deploy"


class EmbeddedCohort(Strict):
    """How many scans of each role to generate, or to paint around real label maps."""

    labelled: Positive = 6
    unlabelled: Positive = 32
    validation: Positive = 4
    test: Positive = 10
    variation: Annotated[float, Field(ge=0)] = 1.0
    label_maps: Path | None = None


class LabelledFolder(Strict):
    """A folder of scans and the folder of their label maps. `name` is what their source is called.

    `organs`: the only ones that are labelled there.
    """

    name: SourceName | None = None
    images: Path
    label_maps: Path
    labels: OrganNumbers | None = None
    organs: OrganNames | None = None


class ScanFolder(Strict):
    """A folder of scans, with the folder of their true label maps if these are known and kept aside.

    `organs`: the only ones that are labelled in these.
    """

    name: SourceName | None = None
    images: Path
    truth: Path | None = None
    labels: OrganNumbers | None = None
    organs: OrganNames | None = None


class ScanTable(Strict):
    """A tab-separated table of scans: case, image and label_map (or truth), paths relative to the table.

    Its columns `source` and `organs`, where it has them, go before `name` and `organs`.
    """

    name: SourceName | None = None
    table: Path
    labels: OrganNumbers | None = None
    organs: OrganNames | None = None


def _kind(entry: Any) -> str:
    given = entry if isinstance(entry, dict) else getattr(type(entry), "model_fields", ())
    return next((kind for kind in ("table", "cases", "nnunet", "archive") if kind in given), "folder")


_Either = Annotated[ScanTable, Tag("table")] | Annotated[NnunetFolder, Tag("nnunet")]
Labelled = Annotated[
    Annotated[LabelledFolder, Tag("folder")]
    | Annotated[LabelledCases, Tag("cases")]
    | Annotated[LabelledArchive, Tag("archive")]
    | _Either,
    Discriminator(_kind),
]
Unlabelled = Annotated[
    Annotated[ScanFolder, Tag("folder")]
    | Annotated[ScanCases, Tag("cases")]
    | Annotated[ScanArchive, Tag("archive")]
    | _Either,
    Discriminator(_kind),
]


def _no_scans(entries: Any) -> Any:
    return [] if entries is None else entries


AnyLabelled = Annotated[list[Labelled], BeforeValidator(_no_scans, json_schema_input_type=list[Labelled] | None)]
AnyUnlabelled = Annotated[list[Unlabelled], BeforeValidator(_no_scans, json_schema_input_type=list[Unlabelled] | None)]


class Folders(Strict):
    """Where the scans of each role lie; a role may be spread over several folders and tables, or have none (null)."""

    labelled: list[Labelled] = Field(min_length=1)
    unlabelled: AnyUnlabelled = Field([])
    validation: AnyLabelled = Field([])
    test: AnyLabelled = Field([])

    def paths(self) -> list[Path]:
        """Every folder and table that is named for scans or label maps."""
        dumped = [entry.model_dump(exclude=PRIVATE) for entry in self.entries()]
        return [path for values in dumped for path in values.values() if isinstance(path, Path)]

    def entries(self) -> list[Labelled | Unlabelled]:
        """Every folder, table and archive of scans."""
        return [entry for _, entry in self.by_role()]

    def by_role(self) -> list[tuple[str, Labelled | Unlabelled]]:
        """The same with the role of each."""
        return [(role, entry) for role in type(self).model_fields for entry in getattr(self, role)]


class Cohort(Strict):
    """Which scans the experiment works on."""

    kind: Literal["embedded", "folders"]
    embedded: EmbeddedCohort = EmbeddedCohort()
    folders: Folders | None = None
    accept: list[str] = Field([])

    @model_validator(mode="after")
    def folders_are_named(self) -> "Cohort":
        """`kind: folders` needs folders, and nothing else has them."""
        if self.kind == "folders" and self.folders is None:
            raise ValueError("kind is `folders`, so the section `folders` must name where the scans lie")
        if self.kind == "embedded" and self.folders is not None:
            raise ValueError(
                "`folders` names scans, but kind is `embedded`: write `kind: folders`, or take `folders` out"
            )
        return self


class Evaluation(Strict):
    """Which of the published evaluation rules apply, and whether a role's sets are judged together too."""

    mode: Literal["flare22", "flare23plus", "strict"] = "flare22"
    pool_sets: bool = False


class Efficiency(Strict):
    """How the efficiency of each round's model is measured: on the first test scans, each in a fresh process."""

    scans: Positive = 5
    time_limit_s: Positive = 3600


class Postprocessing(Strict):
    """What is kept to the largest piece of the organs for which that helped on the held-out labelled scans."""

    predictions: bool = False
    pseudo_labels: bool = False


class Collapse(Strict):
    """What follows when a student is worse than its teacher on the labelled scans that it held out."""

    policy: Literal["keep", "stop", "retrain"] = "keep"
    noise_band: Fraction = 0.05


class Stop(Strict):
    """When the rounds end early: those after repeat the last model at no cost."""

    without_gain: bool = False
    disagreement_below: Annotated[float, Field(gt=0, le=1)] | None = None


class Report(Strict):
    """What the report shows besides what it chooses by rule, and how much disk its viewer's volumes may take."""

    cases: list[str] = Field([])
    volumes_mb: Annotated[int, Field(ge=0)] = 1000


class Review(Strict):
    """How many scans of a round's list of those that a person should correct are handed out."""

    scans: Annotated[int, Field(ge=0)] = 8


class Tracking(Strict):
    """Trackers that are given curves and scores: where each keeps them, or none."""

    tensorboard: Path | None = None
    mlflow: str | None = None
    wandb: Path | None = None

    @property
    def places(self) -> dict[str, str]:
        """The place of each tracker that is chosen."""
        return {name: str(place) for name, place in self if place is not None}


class Configuration(Strict):
    """The whole experiment."""

    seed: Annotated[int, Field(ge=0)] = 1
    device: Literal["auto", "cpu", "cuda"] = "auto"
    shards: Annotated[int, Field(gt=0, le=MOST_SHARDS)] = 1
    organs: LabelTable = FLARE22
    cohort: Cohort
    networks: dict[Name, Network] = Field(min_length=1)
    training: Training = Training()
    noise: NoiseOrPreset = Noise()
    prediction: Prediction = Prediction()
    selection: Selection = Field("paper", validate_default=True)
    voxel_confidence: VoxelConfidenceOrNumber = VoxelConfidence()
    targets: Targets = "hard"
    rounds: list[AnyRound] = Field(min_length=1)
    deploy: Deploy | None = None
    corrections: CorrectionsOrFolder = None
    postprocessing: Postprocessing = Postprocessing()
    collapse: Collapse = Collapse()
    stop: Stop = Stop()
    evaluation: Evaluation = Evaluation()
    efficiency: Efficiency = Efficiency()
    report: Report = Report()
    # What a person is handed: of a start, not of the experiment.
    review: Review = Field(Review(), exclude=True)
    # Who is told of it, of which nothing depends.
    tracking: Tracking = Field(Tracking(), exclude=True)
    # Where experiments share what is equal.
    store: Path | None = Field(None, exclude=True)
    # Whether results of another experiment may be replaced: of a start, not of the experiment.
    replace: bool = Field(False, exclude=True)

    @model_validator(mode="after")
    def embedded_organs_are_flare22s(self) -> "Configuration":
        """The generated scans have these organs and no others."""
        if self.cohort.kind == "embedded" and [organ.name for organ in self.organs] != [o.name for o in FLARE22]:
            raise ValueError("organs: the embedded cohort has FLARE22's; other organs need `cohort.kind: folders`")
        return self

    @model_validator(mode="after")
    def openvino_has_a_cpu(self) -> "Configuration":
        """OpenVINO computes on a CPU alone."""
        if self.device == "cuda" and self.prediction.backend == OPENVINO:
            raise ValueError(
                "prediction: `backend: openvino` computes on a CPU, and `device` is cuda: set `device: cpu`, or "
                "`backend: auto`, which is torch on a GPU"
            )
        return self

    @model_validator(mode="after")
    def numberings_fit_the_organs(self) -> "Configuration":
        """Where a folder has its own numbers, each organ that is labelled there has one."""
        errors = []
        for entry in self.cohort.folders.entries() if self.cohort.folders else []:
            labelled = getattr(entry, "organs", None)
            errors += unknown_organs(labelled or [], self.organs)
            if entry.labels is not None:
                errors += numbering_errors(entry.labels, self.organs, labelled)
        if errors:
            raise ValueError("cohort.folders: " + "; ".join(dict.fromkeys(errors)))
        return self

    @model_validator(mode="after")
    def corrected_organs_exist(self) -> "Configuration":
        """Organs that were corrected are organs of the table."""
        if self.corrections and (errors := unknown_organs(self.corrections.organs or [], self.organs)):
            raise ValueError("corrections: " + "; ".join(errors))
        return self

    @model_validator(mode="after")
    def selections_can_be_made(self) -> "Configuration":
        """A rule names a score and an organ that there will be, and no more organs than the table has."""
        organs = [organ.name for organ in self.organs]
        for number in range(1, len(self.chain)):
            for rule in self.selection_of(number):
                if rule.rule == "plausible":
                    continue
                where = f"selection, {rule.score}"
                if rule.over not in (*OVER_ALL, *organs):
                    raise ValueError(
                        f"{where}: `over` is {', '.join(OVER_ALL)} or one of {', '.join(organs)}, not {rule.over}"
                    )
                if rule.score == "organs" and rule.rule == "threshold" and (rule.at_least or 0) > len(organs):
                    raise ValueError(
                        f"selection: at least {rule.at_least:g} organs are wanted, `organs` has {len(organs)}"
                    )
                if rule.score == "mirror_agreement" and not self._labels_mirrored(number - 1):
                    raise ValueError(
                        f"{where} is with the mirrored scan's labels: it needs `prediction.mirroring: true`, and axes "
                        f"to mirror in `training.mirror_axes` of round {self.called(number - 1)}"
                    )
                if rule.score == "fold_agreement" and self._labels_alone(number - 1):
                    raise ValueError(
                        f"{where} is between networks, and one alone labels for round {self.called(number)}: it needs "
                        "several `training.folds` or `training.voices`"
                    )
        return self

    def _labels_mirrored(self, number: int) -> bool:
        """Whether a round labels mirrored scans too; a model from elsewhere has axes of its own."""
        axes = self.training_of(number)["mirror_axes"] if number in self.trainings else ["its own"]
        return self.prediction.mirroring and bool(axes)

    def _labels_alone(self, number: int) -> bool:
        """Whether a round that is trained is one network; of a model from elsewhere its folder says it."""
        if number not in self.trainings or len(self.folds_of(number)) > 1:
            return False
        return self.training_of(number)["voices"] in (["final"], ["average"])

    @field_validator("rounds")
    @classmethod
    def teacher_selects_nothing(cls, rounds: list[AnyRound]) -> list[AnyRound]:
        """There are no pseudo-labels before round 1, and no teacher; models from elsewhere are teachers alone."""
        if any(isinstance(entry, Teacher) for entry in rounds[1:]):
            raise ValueError("`model` is round 0's alone; a student begins with a model by `start: {model: PATH}`")
        if not rounds or isinstance(rounds[0], Teacher):
            return rounds
        for name in ("selection", "voxel_confidence", "targets"):
            if getattr(rounds[0], name) is not None:
                raise ValueError(f"round 0 learns from hand-labelled scans alone: take `{name}` out of it")
        if rounds[0].start == "teacher":
            raise ValueError("round 0 has no teacher to start from: take `start` out of it")
        return rounds

    @model_validator(mode="after")
    def networks_exist(self) -> "Configuration":
        """Each round's network is described."""
        unknown = sorted(set(self.used_networks) - set(self.networks))
        if unknown:
            raise ValueError(f"rounds name networks that are not under `networks`: {', '.join(unknown)}")
        return self

    @model_validator(mode="after")
    def one_teacher_is_started_from(self) -> "Configuration":
        """There are no weights of several models together."""
        several = self.teacher is not None and len(self.teacher.models) > 1
        if several and len(self.chain) > 1 and self.chain[1].start == "teacher":
            raise ValueError(
                f"round {self.called(1)} has several teachers: name the one to start from, `start: {{model: PATH}}`"
            )
        return self

    @model_validator(mode="after")
    def rounds_fit_their_networks(self) -> "Configuration":
        """Weights are taken over by the same network, stochastic depth leaves out residual blocks."""
        for number, entry in self.trainings.items():
            teacher, name = self.trainings.get(number - 1), f"round {self.called(number)}"
            if entry.start == "teacher" and teacher and entry.network != teacher.network:
                raise ValueError(f"{name} can start from its teacher's weights only in its teacher's network")
            if self.targets_of(number) == "online" and entry.start == "scratch":
                raise ValueError(
                    f"{name}: targets: online are made by the student's own weights, which cannot be random ones: give "
                    "it a `start`, or `targets: soft`"
                )
            settings = self.training_of(number)
            fine_tuning = settings["fine_tuning"]
            noises = [noise for noise in (settings["noise"], fine_tuning["noise"]) if noise]
            network = self.networks[entry.network]
            if any(noise["stochastic_depth"] for noise in noises) and not network.is_residual:
                raise ValueError(f"{name}: stochastic_depth needs a network with a residual encoder")
            if any(noise.get("mixing") for noise in noises) and network.batch_size == 1:
                raise ValueError(
                    f"{name}: mixing is of the patches of a batch, and network {entry.network} has batch_size 1: "
                    "give it 2 or more, or the round `noise: strong`, which mixes nothing"
                )
            if fine_tuning["epochs"] >= settings["epochs"]:
                raise ValueError(f"{name}: fine_tuning.epochs are the last ones of all epochs, so fewer")
            if "thirds" in settings["voices"] and settings["epochs"] < 3:
                raise ValueError(f"{name}: voices: thirds of a training need at least 3 epochs")
        return self

    @model_validator(mode="after")
    def starts_are_earlier_trainings(self) -> "Configuration":
        """A round that another one starts from is trained before it, in the same network."""
        for number, entry in self.trainings.items():
            if not isinstance(entry.start, RoundStart):
                continue
            named, name = entry.start.round, f"round {self.called(number)}"
            if named >= number:
                raise ValueError(f"{name} can start from an earlier round alone, and round {named} is none")
            if named not in self.trainings:
                raise ValueError(
                    f"{name} can start from a round that is trained here, and round {named} is a model from "
                    "elsewhere: write `start: {model: PATH}`"
                )
            if entry.network != self.trainings[named].network:
                raise ValueError(f"{name} can start from round {named}'s weights only in its network")
        return self

    @property
    def teacher(self) -> Teacher | None:
        """Round 0, if it is a model from elsewhere."""
        return self.rounds[0] if isinstance(self.rounds[0], Teacher) else None

    @property
    def labels(self) -> dict[str, int]:
        """The label table: organ → number."""
        return {organ.name: organ.label for organ in self.organs}

    @property
    def chain(self) -> list[AnyRound]:
        """The rounds, and after them the student that is made to be deployed, if there is one."""
        return [*self.rounds, *([self.deploy] if self.deploy else [])]

    def called(self, number: int) -> str:
        """What files and messages call a round of the chain: `2`, or `deploy`."""
        return DEPLOY if number == len(self.rounds) else str(number)

    def numbered(self, name: str) -> int:
        """The place in the chain of a round that is so called."""
        return len(self.rounds) if name == DEPLOY else int(name)

    @property
    def trainings(self) -> dict[int, Round]:
        """The rounds of the chain that are trained, by number."""
        return {number: entry for number, entry in enumerate(self.chain) if isinstance(entry, Round)}

    @property
    def used_networks(self) -> list[str]:
        """The networks of all rounds, by name."""
        return sorted({entry.network for entry in self.trainings.values()})

    def training_of(self, number: int) -> dict[str, Any]:
        """Everything that the training of a fold of a round depends on, besides its data: not how often it is saved.

        What tells pseudo-labelled scans from others says nothing to round 0, which has none; nor voices to what is made
        to be deployed, which labels for no other round.
        """
        entry = self.chain[number]
        changes = {name: value for name, value in entry.training.model_dump().items() if value is not None}
        own = {"noise": self.noise_of(number).model_dump(), "seed": self.seed + changes.pop("seed_offset", number)}
        own["targets"] = self.targets_of(number)
        settings = {**self.training.model_dump(exclude={"folds", "checkpoint_every_epochs"}), **changes, **own}
        if number == 0:
            settings |= {"labelled_fraction": None, "draw_by_confidence": False, "draw_rare_organs": False}
            if settings["fine_tuning"] == FineTuning(epochs=settings["fine_tuning"]["epochs"]).model_dump():
                settings["fine_tuning"] = FineTuning().model_dump()
        if number == len(self.rounds):
            settings["voices"] = Training().voices
        return settings

    def folds_of(self, number: int) -> list[int]:
        """The folds that a round trains; what is made to be deployed is one network."""
        return self.training.folds[: 1 if number == len(self.rounds) else None]

    def prediction_of(self, number: int) -> Prediction:
        """How a round's own model labels."""
        own = self.deploy.prediction.model_dump() if number == len(self.rounds) else {}
        return self.prediction.model_copy(update=own)

    def corrections_in(self, number: int) -> range:
        """The rounds whose pseudo-labels, where they were corrected, are hand labels in a round."""
        if self.corrections is None:
            return range(0)
        return range(1, len(self.rounds) if self.corrections.validates else number)

    def noise_of(self, number: int) -> Noise:
        """The noise of a round's training."""
        own = self.chain[number].noise
        return self.noise if own is None else own

    def targets_of(self, number: int) -> Targets:
        """What a round learns from of its pseudo-labels; hand labels are hard."""
        own = self.chain[number].targets
        return "hard" if number == 0 else self.targets if own is None else own

    def labels_softly(self, number: int) -> bool:
        """Whether a round needs its teacher's two most probable classes of each voxel."""
        return self.targets_of(number) != "hard" or self.voxel_confidence_of(number).surface_mm is not None

    def selection_of(self, number: int) -> list[Rule]:
        """The selection rules of a round."""
        own = self.chain[number].selection
        return self.selection if own is None else own

    def voxel_confidence_of(self, number: int) -> VoxelConfidence:
        """How sure the teacher must be of a voxel for the round to learn from it."""
        own = self.chain[number].voxel_confidence
        return self.voxel_confidence if own is None else own


def read_configuration(values: dict[str, Any], files: Iterable[object] = ()) -> Configuration:
    """Check a configuration and return the model, or raise with every error at once.

    `files` are those that it was read from, for the message.
    """
    try:
        return Configuration.model_validate(values)
    except ValidationError as error:
        findings = _findings(error)
        raise InputError(
            "a configuration that follows config/config.schema.json",
            f"{len(findings)} error(s)\n" + "\n".join(findings),
            correct_in(files),
        ) from None


def correct_in(files: Iterable[object]) -> str:
    """What to do about keys of a configuration that was read from these files."""
    return f"correct these keys in {', '.join(dict.fromkeys(map(str, files))) or 'the configuration'}"


def _findings(error: ValidationError) -> list[str]:
    """A line for each key: of one that may be of several kinds, what is wrong with it as each of them."""
    items = [(_keys(item["loc"]), item) for item in error.errors()]
    lines: dict[str, list[str]] = {}
    for keys, item in items:
        # Without its wrong entries a list may be too short.
        if item["type"] != "too_short" or not any(keys == other[: len(keys)] != other for other, _ in items):
            lines.setdefault(".".join(map(str, keys)) or "(top level)", []).append(_said(item))
    return [f"  {key}: {'; or: '.join(dict.fromkeys(said))}" for key, said in lines.items()]


def _said(item: Any) -> str:
    if item["type"] == "extra_forbidden" and item["loc"][-1] == "fine_tuning_epochs":
        return f"is a section now, write `fine_tuning: {{epochs: {item['input']}}}`"
    if item["type"] == "extra_forbidden":
        return "no such key"
    if item["type"] == "missing":
        return "missing"
    if item["type"] == "list_type" and isinstance(item["input"], dict):
        return "a list is wanted, each of its entries behind a `-`"
    value = "" if isinstance(item["input"], dict | BaseModel) else f" (value: {item['input']!r})"
    return f"{item['msg'].removeprefix('Value error, ')}{value}"


# What pydantic calls the kinds that a value, or the key of a mapping, may be of.
_KIND = re.compile(r"\[key\]|constrained-\w+|(list|literal|lax-or-strict|function-\w+)\[.*", re.DOTALL)


def _keys(place: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """The keys that lead to a place, without what pydantic says between them: of which kind an entry is."""
    return tuple(key for level, key in enumerate(place) if not (_KIND.fullmatch(str(key)) or _is_kind(place[:level])))


def _is_kind(before: tuple[int | str, ...]) -> bool:
    """Whether the kind of an entry comes next: of a folder of scans, a round, its `start`, or a rule."""
    if before[:2] == ("cohort", "folders"):
        return len(before) == 4
    if before[:1] in (("rounds",), ("deploy",)) and before[-1] == "start":
        return True
    return before[-2:-1] == ("selection",) or (len(before) == 2 and before[0] == "rounds")


def schema() -> str:
    """The JSON schema as it stands in `config/config.schema.json`."""
    return json.dumps(Configuration.model_json_schema(), indent=2) + "\n"


if __name__ == "__main__":
    print(schema(), end="")
