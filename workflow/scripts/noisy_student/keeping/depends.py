"""What each training of a run depends on, known before anything is computed: the configuration and the scans' state.

The same is written beside each training, so that a later start can say in words what would be trained anew, and why.
A training's own identity (`training.json`) has the checksums of its data besides.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from noisy_student.cohort.scans import may_lack_organs
from noisy_student.configuration.experiment import Configuration
from noisy_student.configuration.settings import FirstWeights, RoundStart, Start
from noisy_student.model.elsewhere import Known, known
from noisy_student.organs import own_aliases

DEPENDS = "depends.json"
SHORT = 16


class Depends:
    """Documents of what trainings and label maps are made from; `scans` gives the state of a role's scans.

    `teachers`: what is known of the models from elsewhere that are round 0, if it is not trained. `corrected` gives the
    state of the corrections of a round's pseudo-labels, empty where there are none.
    """

    def __init__(
        self,
        configuration: Configuration,
        scans: Callable[[str], str],
        teachers: Sequence[Known] = (),
        corrected: Callable[[int], str] = lambda _: "",
    ) -> None:
        self.configuration, self.scans, self.teachers = configuration, scans, teachers
        self.corrected = corrected

    def plan(self, number: int) -> dict[str, Any]:
        """Of the plans of a round's network."""
        network = self.configuration.chain[number].network
        return {
            "labelled scans": self.scans("labelled"),
            "organs": self.configuration.labels,
            f"networks.{network}": self.configuration.networks[network].model_dump(mode="json"),
        }

    def training(self, number: int) -> dict[str, Any]:
        """Of a round's training, besides its settings."""
        start = self.configuration.chain[number].start
        given = {"start": _given(start)} if number or not isinstance(start, str) else {}
        return self.plan(number) | given | (self.labels(number) if number else {}) | self.corrections(number)

    def corrections(self, number: int) -> dict[str, Any]:
        """Of the corrected label maps that are hand labels in a round; nothing where there are none."""
        rounds = self.configuration.corrections_in(number)
        states = {before: state for before in rounds if (state := self.corrected(before))}
        if not states:
            return {}
        rules = self.configuration.corrections.model_dump(mode="json", exclude={"folder"})
        return {"corrected scans": key({"states": states, **rules})}

    def labels(self, number: int) -> dict[str, Any]:
        """Of the pseudo-labels that a round learns from, and which of them.

        Labelled scans, in which only some organs are labelled, have pseudo-labels too.
        """
        configuration = self.configuration
        are_filled = may_lack_organs(configuration.cohort, configuration.organs)
        return {
            "its teacher": key(self.model(number - 1)),
            "unlabelled scans": self.scans("unlabelled"),
            "prediction": configuration.prediction.results_depend_on,
            "postprocessing.pseudo_labels": configuration.postprocessing.pseudo_labels,
            "selection": [rule.model_dump(mode="json") for rule in configuration.selection_of(number)],
            "voxel_confidence": configuration.voxel_confidence_of(number).model_dump(),
            **({"soft labels": True} if configuration.labels_softly(number) else {}),
            **({"labelled scans": self.scans("labelled")} if are_filled else {}),
        }

    def model(self, number: int) -> dict[str, Any]:
        """Of the model that labels after a round."""
        configuration = self.configuration
        if number not in configuration.trainings:
            aliases = own_aliases(configuration.organs)
            taken = {"taken": [teacher.identity for teacher in self.teachers], "organs": self.configuration.labels}
            return taken | ({"aliases": aliases} if aliases else {})
        # Neither round 0 nor what is made to be deployed is ever judged by them.
        names = ("collapse", "stop") if 0 < number < len(configuration.rounds) else ()
        rules: dict[str, Any] = {name: getattr(configuration, name).model_dump() for name in names}
        rules |= {"training.folds": configuration.folds_of(number)}
        return self.training(number) | settings_in_words(configuration.training_of(number)) | rules


def _given(start: Start) -> Any:
    """Of first weights; what an earlier round's depend on is in the teacher's key, as that of all rounds before."""
    if isinstance(start, RoundStart):
        return f"round {start.round}"
    return {"model": identity_of(start)} if isinstance(start, FirstWeights) else start


def identity_of(start: FirstWeights) -> list[str]:
    """Of the model that a training begins with; one that was never looked at is what the configuration says."""
    seen = known(start.model)
    return seen.identity if seen else start.sha256


def key(document: Mapping[str, Any]) -> str:
    """A document in short; equal documents have equal keys."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:SHORT]


def settings_in_words(settings: Mapping[str, Any]) -> dict[str, Any]:
    """A training's settings under the configuration's keys."""
    apart = ("seed", "noise", "targets")
    return {
        name if name in apart else f"training.{name}": value for name, value in json.loads(json.dumps(settings)).items()
    }


def differences(before: Mapping[str, Any], now: Mapping[str, Any], added: bool = True) -> list[str]:
    """What differs between two documents, in words: `training.epochs 1000 → 1200`; `added`: also what is new."""
    flat_before, flat_now = dict(_flat(before)), dict(_flat(now))
    names = dict.fromkeys([*(flat_now if added else ()), *flat_before])
    return [
        _in_words(name, flat_before.get(name), flat_now.get(name))
        for name in names
        if flat_before.get(name) != flat_now.get(name)
    ]


def _flat(document: Mapping[str, Any], above: str = "") -> list[tuple[str, Any]]:
    return [
        pair
        for name, value in document.items()
        for pair in (
            _flat(value, f"{above}{name}.") if isinstance(value, Mapping) and value else [(f"{above}{name}", value)]
        )
    ]


def _in_words(name: str, before: Any, now: Any) -> str:
    if name.endswith("scans"):
        return f"other {name}"
    if name == "its teacher":
        return "another teacher"
    if name == "selection":
        return "another selection"
    return f"{name} {_value(before)} → {_value(now)}"


def _value(value: Any) -> str:
    return "nothing" if value is None else value if isinstance(value, str) else json.dumps(value)
