"""Keys that are set and do nothing, or less than they seem to: said when a run starts."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from noisy_student.configuration.experiment import Configuration
from noisy_student.configuration.settings import TrainingChanges

# A round has a seed of its own anyhow.
OF_TRAINING = [("training", name) for name in TrainingChanges.model_fields if name != "seed_offset"]
OF_STUDENTS = [("selection",), ("voxel_confidence",), ("targets",)]
KEYS = [*OF_TRAINING, ("noise",), *OF_STUDENTS]


def in_words(given: Sequence[Mapping[str, Any]], configuration: Configuration, defaults: object) -> list[str]:
    """A line for each key that does less than it seems to; `given` is what stands over the file `defaults`."""
    return [*_of_rounds_own(given, configuration, defaults), *_mirrors_nothing(configuration)]


def _mirrors_nothing(configuration: Configuration) -> list[str]:
    """Of models that are trained here: those from elsewhere have axes of their own."""
    if configuration.training.mirror_axes or not configuration.trainings:
        return []
    sections = {"prediction": configuration.prediction}
    if configuration.deploy:
        sections["deploy.prediction"] = configuration.deploy.prediction
    return [
        f"{name}.mirroring mirrors nothing of what is trained here: `training.mirror_axes` has no axis"
        for name, section in sections.items()
        if section.mirroring
    ]


def _of_rounds_own(given: Sequence[Mapping[str, Any]], configuration: Configuration, defaults: object) -> list[str]:
    """A line for each key that was given and does not hold for all rounds.

    Whoever gives `rounds` knows what they have of their own.
    """
    if any("rounds" in one for one in given):
        return []
    of_all = configuration.model_dump(mode="json", exclude_none=True)
    chain = [*of_all["rounds"], of_all.get("deploy")]

    def has(number: int, key: Sequence[str]) -> bool:
        return at(chain[number], key) in (None, at(of_all, key))

    said = []
    for key in KEYS:
        own = {n: at(entry, key) for n, entry in enumerate(of_all["rounds"]) if at(entry, key) is not None}
        others = {number: value for number, value in own.items() if value != at(of_all, key)}
        if not others or all(at(one, key) is None for one in given):
            continue
        follow = [n for n in configuration.trainings if has(n, key) and (n or key not in OF_STUDENTS)]
        values = "; ".join(dict.fromkeys(map(in_yaml, others.values())))
        said.append(
            f"{'.'.join(key)} {in_yaml(at(of_all, key))} holds for {rounds(follow, configuration)}: "
            f"{rounds(others, configuration)} of {defaults} go by their own, {values}. Write `rounds` anew to change it"
        )
    return said


def at(values: Any, key: Sequence[str]) -> Any:
    """What stands at a key of nested mappings; None if nothing does."""
    for part in key:
        values = values.get(part) if isinstance(values, Mapping) else None
    return values


def in_yaml(value: Any) -> str:
    """A value in one line, as a configuration has it."""
    return yaml.safe_dump(value, default_flow_style=True, width=float("inf"), sort_keys=False).split("\n")[0]


def rounds(numbers: Sequence[int] | Mapping[int, Any], configuration: Configuration) -> str:
    """Rounds by what they are called."""
    return f"round{'s' * (len(numbers) > 1)} {', '.join(map(configuration.called, numbers))}" if numbers else "no round"
