"""What a run's configuration says about one of its rounds; empty where it was not recorded."""

from typing import Any


def _round(run: dict[str, Any], number: int) -> dict[str, Any]:
    rounds = run.get("configuration", {}).get("rounds", [])
    return rounds[number] if isinstance(rounds, list) and number < len(rounds) else {}


def network_of(run: dict[str, Any], number: int) -> str:
    """The name of the round's network."""
    return str(_round(run, number).get("network", ""))


def training_settings(run: dict[str, Any], number: int) -> dict[str, Any]:
    """The settings of the round's training: the run's, with what the round changes."""
    entry = _round(run, number)
    changes = {key: value for key, value in (entry.get("training") or {}).items() if value is not None}
    noise = {"noise": _in_words(entry["noise"])} if "noise" in entry else {}
    return {**run.get("configuration", {}).get("training", {}), **changes, **noise}


def _in_words(noise: dict[str, Any]) -> str:
    """A round's noise, with what of the network is left out by chance."""
    parts = [f"{name.replace('_', ' ')} {noise[name]:g}" for name in ("dropout", "stochastic_depth") if noise[name]]
    return ", ".join([noise["augmentation"], *parts])


def selection_rules(run: dict[str, Any], number: int) -> list[dict[str, Any]]:
    """The rules by which the round selected its pseudo-labels."""
    own = _round(run, number).get("selection")
    return run.get("configuration", {}).get("selection", []) if own is None else own


def voxel_confidence(run: dict[str, Any], number: int) -> dict[str, float]:
    """How sure the teacher had to be of a voxel of an `organ`, and of `background`, for the round to learn from it."""
    own = _round(run, number).get("voxel_confidence")
    return run.get("configuration", {}).get("voxel_confidence", {}) if own is None else own


def evaluation_mode(run: dict[str, Any]) -> str:
    """The name of the evaluation's rules."""
    return str(run.get("configuration", {}).get("evaluation", {}).get("mode", ""))
