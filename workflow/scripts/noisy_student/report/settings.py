"""What a run's configuration says about one of its rounds; empty where it was not recorded."""

from typing import Any

AUGMENTATION = {
    "none": "no augmentation",
    "nnunet": "nnU-Net's augmentation",
    "strong": "nnU-Net's augmentation DA5 without exchanged axes",
}

NO_FINE_TUNING = "none"
# nnU-Net's trainer fixes how.
RANDOM_WEIGHTS = "He"


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
    """The settings of the round's training: the run's, with what the round changes. Noise and last epochs in words."""
    changes = {key: value for key, value in (_round(run, number).get("training") or {}).items() if value is not None}
    noise = _own_or_default(run, number, "noise")
    settings = {**run.get("configuration", {}).get("training", {}), **changes}
    words = {"noise": _noise_in_words(noise)} if noise else {}
    if fine_tuning := settings.get("fine_tuning"):
        words["fine_tuning"] = _fine_tuning_in_words(fine_tuning)
    return settings | words


def _noise_in_words(noise: dict[str, Any]) -> str:
    """A round's noise, with what of the network is left out by chance."""
    parts = [f"{name.replace('_', ' ')} {noise[name]:g}" for name in ("dropout", "stochastic_depth") if noise[name]]
    return ", ".join([AUGMENTATION[noise["augmentation"]], *parts])


def _fine_tuning_in_words(fine_tuning: dict[str, Any]) -> str:
    """The last epochs, on hand-labelled scans alone, with what is their own."""
    noise, rate = fine_tuning["noise"], fine_tuning["learning_rate"]
    own = [*([_noise_in_words(noise)] if noise else []), *([f"learning rate from {rate:g}"] if rate else [])]
    return ", ".join([f"the last {fine_tuning['epochs']}", *own]) if fine_tuning["epochs"] else NO_FINE_TUNING


def first_weights(run: dict[str, Any], number: int) -> str | None:
    """The weights that the round's training began with; None if it was not trained, or its start not recorded."""
    start = _round(run, number).get("start")
    if isinstance(start, dict):
        return f"weights of {start['model']}" if "model" in start else f"weights of round {start['round']}"
    return {"scratch": RANDOM_WEIGHTS, "teacher": "its teacher's weights"}.get(start)


def selection_rules(run: dict[str, Any], number: int) -> list[dict[str, Any]]:
    """The rules by which the round selected its pseudo-labels."""
    return _own_or_default(run, number, "selection") or []


def voxel_confidence(run: dict[str, Any], number: int) -> dict[str, Any]:
    """How sure the teacher had to be of a voxel of an `organ`, and of `background`, for the round to learn from it.

    `surface_mm`, if there is one: unsure background so near to an organ was learned from all the same.
    """
    recorded = _own_or_default(run, number, "voxel_confidence") or {}
    return {name: value for name, value in recorded.items() if value is not None}


def bounds_in_words(least: dict[str, Any]) -> str:
    """Of which voxels a teacher was not sure; empty where all were learned from."""
    bounds = [
        "each organ's least sure voxels beyond the volume that the labelled scans let expect"
        if least[what] == "balanced"
        else f"less than {least[what]:.0%} of {what}"
        for what in ("organ", "background")
        if least.get(what)
    ]
    near = f" but for {least['surface_mm']:g} mm around organs" if bounds and "surface_mm" in least else ""
    return ", ".join(bounds) + near


def targets(run: dict[str, Any], number: int) -> str | None:
    """Whether a student's targets are `hard` or `soft`; None of the teacher, or where it was not recorded."""
    return _own_or_default(run, number, "targets") if number else None


def voices(run: dict[str, Any], number: int) -> list[str]:
    """With which checkpoints of its folds the round's model labels."""
    return training_settings(run, number).get("voices") or []


def evaluation_mode(run: dict[str, Any]) -> str:
    """The name of the evaluation's rules."""
    return str(run.get("configuration", {}).get("evaluation", {}).get("mode", ""))
