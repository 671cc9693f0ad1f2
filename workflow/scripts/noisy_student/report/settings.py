"""What a run's configuration says about one of its rounds; empty where it was not recorded."""

from typing import Any

from noisy_student.report.numbers import and_

AUGMENTATION = {
    "none": "no augmentation",
    "nnunet": "nnU-Net's augmentation",
    "strong": "nnU-Net's augmentation DA5 without exchanged axes",
}

OPTIMIZERS = {"sgd": "SGD, Nesterov momentum 0.99", "adamw": "AdamW"}
NO_FINE_TUNING = "none"
# nnU-Net's trainer fixes how.
RANDOM_WEIGHTS = "random (He)"


def _round(run: dict[str, Any], number: int) -> dict[str, Any]:
    configuration = run.get("configuration", {})
    rounds, deploy = configuration.get("rounds", []), configuration.get("deploy")
    chain = [*rounds, *([deploy] if deploy else [])] if isinstance(rounds, list) else []
    return chain[number] if number < len(chain) else {}


def _own_or_default(run: dict[str, Any], number: int, name: str) -> Any:
    """What the round says itself, or what the run says for all; None where it was not recorded."""
    own = _round(run, number).get(name)
    return run.get("configuration", {}).get(name) if own is None else own


def network_of(run: dict[str, Any], number: int) -> str:
    """The name of the round's network; empty of a model from elsewhere."""
    return str(_round(run, number).get("network", ""))


def training_settings(run: dict[str, Any], number: int) -> dict[str, Any]:
    """The settings of the round's training with its `noise`: the run's, with what the round changes."""
    changes = {key: value for key, value in (_round(run, number).get("training") or {}).items() if value is not None}
    noise = _own_or_default(run, number, "noise")
    return {**run.get("configuration", {}).get("training", {}), **changes, **({"noise": noise} if noise else {})}


def seed_of(run: dict[str, Any], number: int) -> int:
    """The seed of the round's training."""
    return run["configuration"]["seed"] + training_settings(run, number).get("seed_offset", number)


def noise_in_words(noise: dict[str, Any]) -> str:
    """A round's noise, with what of the network is left out by chance, and how often patches are mixed."""
    parts = [f"{name.replace('_', ' ')} {noise[name]:g}" for name in ("dropout", "stochastic_depth") if noise[name]]
    if noise.get("mixing"):
        parts.append(f"{100 * noise['mixing']:g} % of batches mixed (CutMix)")
    return ", ".join([AUGMENTATION[noise["augmentation"]], *parts])


def fine_tuning_in_words(run: dict[str, Any], number: int) -> str:
    """The last epochs, on hand-labelled scans alone, with what is their own; a teacher learns from no others."""
    last = training_settings(run, number).get("fine_tuning") or {"epochs": 0, "noise": None, "learning_rate": None}
    noise, rate = last["noise"], last["learning_rate"]
    own = [*([noise_in_words(noise)] if noise else []), *([f"learning rate from {rate:g}"] if rate else [])]
    if not last["epochs"] or not (number or own):
        return NO_FINE_TUNING
    return ", ".join([f"the last {last['epochs']}", *own])


def lacks_first_weights(run: dict[str, Any], number: int, were_taken: bool | None) -> bool:
    """Whether the round was to begin with its teacher's weights, and did not: after a collapse its network is another.

    `were_taken`: whether its trainings say that they took weights; None where they do not say.
    """
    return _round(run, number).get("start") == "teacher" and were_taken is False


def first_weights(run: dict[str, Any], number: int, were_taken: bool | None = None) -> str | None:
    """The weights that the round's training began with; None if it was not trained, or its start not recorded."""
    if lacks_first_weights(run, number, were_taken):
        return f"{RANDOM_WEIGHTS}, its teacher being another network"
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
    """Whether a student's targets are `hard`, `soft` or `online`; None of the teacher, or where it was not recorded."""
    return _own_or_default(run, number, "targets") if number else None


def voices(run: dict[str, Any], number: int) -> list[str]:
    """With which checkpoints of its folds the round's model labels."""
    return training_settings(run, number).get("voices") or []


def evaluation_mode(run: dict[str, Any]) -> str:
    """The name of the evaluation's rules."""
    return str(run.get("configuration", {}).get("evaluation", {}).get("mode", ""))


def rounds_in_words(said: dict[int, str], always: bool = False) -> str:
    """What holds in which rounds: "a in round 0; b in rounds 1 and 2"; "a" alone if all have it, unless `always`."""
    rounds_of: dict[str, list[int]] = {}
    for number, text in said.items():
        rounds_of.setdefault(text, []).append(number)
    if len(rounds_of) == 1 and not always:
        return next(iter(rounds_of))
    return "; ".join(
        f"{text} in round{'s' * (len(numbers) > 1)} {and_(map(str, numbers))}" for text, numbers in rounds_of.items()
    )
