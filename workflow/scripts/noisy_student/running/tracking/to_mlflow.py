"""MLflow: an experiment for a run's folder, in it a run for each training and one for the scores."""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from math import isclose
from pathlib import Path
from typing import Any, TypeVar

from mlflow import MlflowClient
from mlflow.entities import Metric, Param

from noisy_student.running.tracking.tracked import Tracked, flat

IDENTITY = "noisy_student.identity"
# What a server takes at once, and of a value.
MOST_METRICS, MOST_PARAMETERS, LONGEST = 1000, 100, 500
FINISHED = "FINISHED"
ARTEFACTS = "artefacts.json"
# The checksum of those that it was given.
GIVEN = "noisy_student.artefacts"
RELATIVE = 1e-9
Item = TypeVar("Item")


def give(one: Tracked, place: str) -> None:
    """Bring the run of a training, or of the scores, up to date at `place`, a folder or the address of a store.

    Points and parameters are only ever added there. If one is another now, by a round that was judged again or a
    setting that was changed, or if points come to a run that had ended, the run is begun anew.
    """
    client = client_of(place)
    run = _run(client, one)
    there = {name: _there(client, run, name) for name in one.curves}
    parameters = {name: value[:LONGEST] for name, value in flat(one.settings).items()}
    if _is_another(one, parameters, run, there):
        client.delete_run(run.info.run_id)
        run, there = _run(client, one), {name: {} for name in one.curves}
    number = run.info.run_id
    for part in batched(parameters.items(), MOST_PARAMETERS):
        client.log_batch(number, params=[Param(*item) for item in part if item[0] not in run.data.params])
    points = [Metric(_key(name), point.value, int(point.at * 1000), point.step)
              for name, points in one.curves.items() for point in points if point.step not in there[name]]  # fmt: skip
    for part in batched(points, MOST_METRICS):
        client.log_batch(number, metrics=part)
    given = hashlib.sha256(repr(sorted(one.artefacts.items())).encode()).hexdigest()
    if one.is_finished and run.data.tags.get(GIVEN) != given:
        client.log_dict(number, dict(one.artefacts), ARTEFACTS)
        client.set_tag(number, GIVEN, given)
    if one.is_finished and run.info.status != FINISHED:
        client.set_terminated(number, FINISHED)


def _is_another(
    one: Tracked, parameters: Mapping[str, str], run: Any, there: Mapping[str, Mapping[int, float]]
) -> bool:
    """Whether what is there cannot become this one by adding to it."""
    points = [(there[name].get(point.step), point.value) for name, points in one.curves.items() for point in points]
    has_other_points = any(old is not None and not isclose(old, value, rel_tol=RELATIVE) for old, value in points)
    has_other_parameters = parameters and any(parameters.get(name) != old for name, old in run.data.params.items())
    goes_on = run.info.status == FINISHED and not one.is_finished and any(old is None for old, _ in points)
    return bool(has_other_points or has_other_parameters or goes_on)


def batched(items: Iterable[Item], most: int) -> Iterator[list[Item]]:
    """Items in parts of at most so many."""
    rest = iter(items)
    while part := list(islice(rest, most)):
        yield part


def client_of(place: str) -> MlflowClient:
    """A client of the store; a folder is one, though MLflow wants to be told that it is wanted."""
    if "://" in place:
        return MlflowClient(place)
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    return MlflowClient(Path(place).absolute().as_uri())


def _run(client: MlflowClient, one: Tracked) -> Any:
    """The run of this identity, made if there is none."""
    experiment = client.get_experiment_by_name(one.experiment)
    number = experiment.experiment_id if experiment else client.create_experiment(one.experiment)
    found = client.search_runs([number], f"tags.`{IDENTITY}` = '{one.identity}'")
    return found[0] if found else client.create_run(number, tags={IDENTITY: one.identity}, run_name=one.name)


def _there(client: MlflowClient, run: Any, name: str) -> dict[int, float]:
    return {metric.step: metric.value for metric in client.get_metric_history(run.info.run_id, _key(name))}


def _key(name: str) -> str:
    """A curve's name as MLflow takes it: some sets of scans and organs have other signs in theirs."""
    return re.sub(r"[^\w./ -]", "_", name)
