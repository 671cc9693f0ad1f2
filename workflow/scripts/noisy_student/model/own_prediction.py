"""How a model labels, kept beside it: `prediction.json` in its folder, so that elsewhere it labels as in its run."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from noisy_student.configuration.prediction_options import Prediction
from noisy_student.errors import InputError
from noisy_student.files import read_json, write_text

FILE = "prediction.json"
# What changes label maps; all else is a matter of the machine.
KEPT = ("step_size", "mirroring", "windows")


def write_own_prediction(model: Path, options: Prediction) -> None:
    """Keep in a model's folder how it labels."""
    write_text(model / FILE, json.dumps(options.model_dump(include=set(KEPT)), indent=2))


def own_prediction(models: Sequence[Path]) -> dict[str, Any]:
    """How models label that label together; nothing of those that do not say it.

    Raises InputError where they differ, or where one says what no model of this workflow does.
    """
    said = {model: _read(model / FILE) for model in models}
    first, *others = said.values()
    if any(other != first for other in others):
        raise InputError(
            "models that label in the same way, where they label together",
            "; ".join(f"{model}: {_in_words(own)}" for model, own in said.items()),
            "say it for all of them: --step-size, --windows, --mirroring or --no-mirroring",
        )
    return first


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    said = read_json(path)
    try:
        return Prediction.model_validate(said).model_dump(include=set(KEPT))
    except ValidationError as error:
        remedy = "take the file away; then options of the command line say how the model labels"
        raise InputError(f"{', '.join(KEPT)} in {path}", error.errors()[0]["msg"], remedy) from None


def _in_words(own: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in own.items()) or "as the command line says"
