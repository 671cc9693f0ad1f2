"""The rules of a selection as the configuration names them, and ready-made lists of them.

A selection is an ordered list. Every rule looks at all scans, so that every reason is on record; `top` looks at those
that the rules before it left. With `action: mask` a rule judges each organ singly: what fails is left out of the loss
(nnU-Net's ignore label) instead of dropping the whole scan.
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, TypeAdapter, model_validator

from noisy_student.strict import Fraction, Positive, Strict

Action = Literal["drop", "mask"]

# What a scan's score tables have (docs/selection.md), organ by organ; the last three are of the scan.
Score = Literal[
    "mean_max_probability",
    "mean_entropy",
    "fold_agreement",
    "mirror_agreement",
    "voxels",
    "volume_ml",
    "components",
    "stray_share",
    "touches_edge",
    "wrong_side",
    "organ_disagreement",
    "disagreement",
    "organs",
    "masked",
]
# From 0 to 1, of an organ and over several.
SHARES = (
    *("mean_max_probability", "mean_entropy", "fold_agreement", "mirror_agreement"),
    *("stray_share", "touches_edge", "wrong_side"),
)
OF_THE_SCAN = ("disagreement", "organs", "masked")
OVER_ALL = ("mean", "minimum", "maximum")


class Threshold(Strict):
    """Drops scans, or masks organs, whose score is out of bounds."""

    rule: Literal["threshold"]
    score: Score
    over: str = "mean"
    at_least: float | None = None
    at_most: float | None = None
    action: Action = "drop"

    @model_validator(mode="after")
    def has_a_bound(self) -> "Threshold":
        """A threshold without a bound drops nothing."""
        if self.at_least is None and self.at_most is None:
            raise ValueError("a threshold needs `at_least` or `at_most`")
        return self

    @model_validator(mode="after")
    def bounds_of_shares_are_shares(self) -> "Threshold":
        """What was meant in per cent would keep everything, or nothing."""
        wrong = [bound for bound in (self.at_least, self.at_most) if bound is not None and not 0 <= bound <= 1]
        if wrong and self.score in SHARES:
            raise ValueError(f"{self.score} is a share, from 0 to 1, not {wrong[0]:g}: of 85 per cent write 0.85")
        return self

    @model_validator(mode="after")
    def masks_by_each_organs_own_score(self) -> "Threshold":
        """An organ is masked by its own score, not by that of the scan's best or worst one."""
        if self.action == "mask" and self.over in ("minimum", "maximum"):
            raise ValueError(
                f"`action: mask` judges each organ singly, not `over: {self.over}`: leave `over` out, or name one organ"
            )
        if self.action == "mask" and self.score in OF_THE_SCAN:
            raise ValueError(
                f"`action: mask` judges each organ singly, and {self.score} is the scan's: leave `action` out, or take "
                "an organ's score, as `organ_disagreement`"
            )
        return self


class Top(Strict):
    """Keeps the best scans by a score: a share of all, or a number; of each stratum where `per` names one."""

    rule: Literal["top"]
    score: Score
    over: str = "mean"
    share: Annotated[float, Field(gt=0, le=1)] | None = None
    scans: Positive | None = None
    per: Literal["source", "spacing", "organs"] | None = None

    @model_validator(mode="after")
    def says_how_many(self) -> "Top":
        """Either a share or a number."""
        if (self.share is None) == (self.scans is None):
            raise ValueError("`top` needs either `share` or `scans`")
        return self


class Plausible(Strict):
    """Finds organs that are unlike those of the labelled scans in volume, coherence or side."""

    rule: Literal["plausible"]
    volume_factor: Annotated[float, Field(ge=1)] = 2.0
    stray_share: Fraction = 0.2
    sides: bool = True
    action: Action = "mask"


Rule = Annotated[Threshold | Top | Plausible, Field(discriminator="rule")]

# `paper`: Tong et al. keep everything. `blackbean`: FLARE22's winner dropped the 77 of 2000 scans on whose labels
# consecutive teachers disagreed most. `brananas`: the threshold that this team computed.
PRESETS: dict[str, list[dict[str, Any]]] = {
    "paper": [],
    "blackbean": [{"rule": "top", "score": "disagreement", "share": 0.9615}],
    "brananas": [{"rule": "threshold", "score": "fold_agreement", "at_least": 0.85}],
    "confident": [
        {"rule": "threshold", "score": "organs", "at_least": 10},
        {"rule": "top", "score": "mean_max_probability", "share": 0.65},
    ],
}


def _rules_of_preset(value: Any) -> Any:
    if isinstance(value, str):
        if value not in PRESETS:
            raise ValueError(f"no such preset; there are {', '.join(PRESETS)}, or give a list of rules")
        return PRESETS[value]
    return value


Selection = Annotated[list[Rule], BeforeValidator(_rules_of_preset, json_schema_input_type=str | list[Rule])]
SELECTION: TypeAdapter[list[Rule]] = TypeAdapter(Selection)
