"""Which experiment a folder holds: another cohort, seed or network stops a run before it replaces anything.

`results/experiment.json` is written when a run starts. What is added to an experiment (scans, rounds, networks) is the
same experiment grown.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from noisy_student.cohort.roles import ROLES
from noisy_student.cohort.sources import place_of
from noisy_student.configuration.experiment import Configuration
from noisy_student.errors import InputError
from noisy_student.files import read_json, write_text
from noisy_student.keeping.depends import differences
from noisy_student.recorded import EXPERIMENT

SCANS = "scans"
# Entries of a role whose scans lie in one place.
TOLD_APART_BY = ("scan", "label_maps")


def of_configuration(configuration: Configuration) -> dict[str, Any]:
    """What makes it this experiment: seed, organs, cohort, and each network."""
    cohort = configuration.cohort
    document = {
        "seed": configuration.seed,
        "organs": configuration.labels,
        "cohort": {"kind": cohort.kind},
        "networks": {name: network.model_dump(mode="json") for name, network in configuration.networks.items()},
    }
    if cohort.folders is None:
        document["cohort"]["embedded"] = cohort.embedded.model_dump(mode="json")
    for role, entry in cohort.folders.by_role() if cohort.folders else ():
        given = entry.model_dump(mode="json", exclude_none=True)
        key = f"{role} {place_of(entry)}"
        if key in document["cohort"]:
            key = " ".join([key, *(given[name] for name in TOLD_APART_BY if name in given)])
        document["cohort"][key] = given
    return document


def refuse_another(configuration: Configuration, results: Path) -> None:
    """Raise InputError if the results are of an experiment that this configuration would replace, unless it shall."""
    path = results / EXPERIMENT
    if configuration.replace or not path.exists():
        return
    before, now = read_json(path), of_configuration(configuration)
    before.pop(SCANS, None)
    if lost := differences(_grown(before, now), now, added=False):
        raise InputError(
            f"the experiment whose results lie in {results.resolve()}",
            "another one; these keys differ:\n" + "\n".join(f"  {line}" for line in lost),
            "give that experiment's own configuration, --configfile FILE, or another folder, --directory DIR; or let "
            "this one replace its results: --config replace=true",
        )


def _grown(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """What was before, with as many generated scans as now where these are more, without entries that are there now."""
    there = [(key.split()[0], entry) for key, entry in now["cohort"].items()]
    cohort = {
        key: entry for key, entry in before["cohort"].items() if key == "kind" or (key.split()[0], entry) not in there
    }
    counts = before["cohort"].get("embedded", {})
    wanted = now["cohort"].get("embedded", {})
    more = {role: wanted[role] for role in ROLES if counts.get(role, 0) < wanted.get(role, 0)} if counts else {}
    return before | {"cohort": cohort | ({"embedded": counts | more} if counts else {})}


def write(configuration: Configuration, results: Path, scans: Mapping[str, str]) -> None:
    """Say which experiment these results are of; `scans`: role → state of the scans with which all was finished."""
    write_text(results / EXPERIMENT, json.dumps(of_configuration(configuration) | {SCANS: dict(scans)}, indent=2))


def finished_scans(results: Path) -> dict[str, str]:
    """Role → state of the scans with which a run was last finished; empty if none was."""
    path = results / EXPERIMENT
    return read_json(path).get(SCANS, {}) if path.exists() else {}
