"""What a run's configuration says about one of its rounds; empty where it was not recorded."""

from typing import Any

AUGMENTATION = {
    "none": "no augmentation",
    "nnunet": "nnU-Net's augmentation",
    "strong": "nnU-Net's augmentation DA5 without exchanged axes",
}


def _round(run: dict[str, Any], number: int) -> dict[str, Any]:
    rounds = run.get("configuration", {}).get("rounds", [])
    return rounds[number] if isinstance(rounds, list) and number < len(rounds) else {}


def _own_or_default(run: dict[str, Any], number: int, name: str) -> Any:
    """What the round says itself, or what the run says for all; None where it was not recorded."""
    own = _round(run, number).get(name)
    return run.get("configuration", {}).get(name) if own is None else own


def network_of(run: dict[str, Any], number: int) -> str:
    """The name of the round's network."""
    return str(_round(run, number).get("network", ""))


def training_settings(run: dict[str, Any], number: int) -> dict[str, Any]:
    """The settings of the round's training: the run's, with what the round changes."""
    changes = {key: value for key, value in (_round(run, number).get("training") or {}).items() if value is not None}
    noise = _own_or_default(run, number, "noise")
    own = {"noise": _in_words(noise)} if noise else {}
    return {**run.get("configuration", {}).get("training", {}), **changes, **own}


def _in_words(noise: dict[str, Any]) -> str:
    """A round's noise, with what of the network is left out by chance."""
    parts = [f"{name.replace('_', ' ')} {noise[name]:g}" for name in ("dropout", "stochastic_depth") if noise[name]]
    return ", ".join([AUGMENTATION[noise["augmentation"]], *parts])


def selection_rules(run: dict[str, Any], number: int) -> list[dict[str, Any]]:
    """The rules by which the round selected its pseudo-labels."""
    return _own_or_default(run, number, "selection") or []


def voxel_confidence(run: dict[str, Any], number: int) -> dict[str, float]:
    """How sure the teacher had to be of a voxel of an `organ`, and of `background`, for the round to learn from it."""
    return _own_or_default(run, number, "voxel_confidence") or {}


def evaluation_mode(run: dict[str, Any]) -> str:
    """The name of the evaluation's rules."""
    return str(run.get("configuration", {}).get("evaluation", {}).get("mode", ""))
