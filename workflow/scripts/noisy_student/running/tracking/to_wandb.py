"""Weights & Biases, offline: as such a run cannot be gone on with, each is written once, whole, when it is finished.

https://docs.wandb.ai/ref/python/init: `mode="offline"` writes to `dir`; `wandb sync` uploads it later, if one wants to.
"""

import hashlib
import shutil
from pathlib import Path

import wandb

from noisy_student.running.tracking.tracked import Tracked

# Which runs were written to their end.
GIVEN = "given"


def give(one: Tracked, place: Path) -> None:
    """Write the run of a training, or of the scores, into the folder `place`, once it is finished."""
    content = hashlib.sha256(repr([sorted(one.curves.items()), sorted(one.artefacts.items())]).encode()).hexdigest()
    number = f"{one.identity}-{content[:8]}"
    if not one.is_finished or (place / GIVEN / number).exists():
        return
    # Of a writer that was killed.
    for half in place.glob(f"wandb/offline-run-*-{number}"):
        shutil.rmtree(half)
    (place / GIVEN).mkdir(parents=True, exist_ok=True)
    config = {**one.settings, "artefacts": dict(one.artefacts)}
    run = wandb.init(project=one.experiment, name=one.name, id=number, dir=str(place), mode="offline", config=config)
    steps: dict[int, dict[str, float]] = {}
    for name, points in one.curves.items():
        for point in points:
            steps.setdefault(point.step, {})[name] = point.value
    for step, values in sorted(steps.items()):
        run.log(values, step=step)
    run.finish()
    (place / GIVEN / number).touch()
