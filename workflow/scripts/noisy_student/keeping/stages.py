"""Finished stages of a run in a store, by what they depend on: an experiment in a new folder begins with them.

They are found before Snakemake plans its jobs, so that what another experiment has made is no job of this one. A stage
lies in the store as it lies in a run's folder; small files and models are linked one by one, folders with a file a scan
as a whole (`store.own` makes them the experiment's own before something is written there).
"""

import json
import os
import sys
from base64 import urlsafe_b64encode
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from noisy_student import __version__
from noisy_student.cohort.roles import ROLES
from noisy_student.cohort.scans import may_lack_organs
from noisy_student.configuration.experiment import Configuration
from noisy_student.damage import remedy
from noisy_student.files import read_json, sha256, whole_folder, write_text
from noisy_student.keeping.depends import Depends, key
from noisy_student.keeping.store import (
    COPIES,
    DAMAGED,
    MANIFEST,
    STAGES,
    Store,
    damaged_files,
    files_under,
    give,
    invalidate,
    link_tree,
    share,
)
from noisy_student.nnunet import CASES_FOLDER

USERS = "users"
# Snakemake's record of how each output was made, by which it sees what has changed since.
RECORDS = Path(".snakemake/metadata")
# By what Snakemake sees that something was made from other scans or with other settings.
COMPARED = ("MTIME", "PARAMS", "INPUT")
# Clocks of disks differ.
SLACK_SECONDS = 2
# Of a run's folder: links to the manifests of the stages that it uses.
HELD = Path("results/.store")
# Of a run's folder: where stages have their `folders`.
LINKED = ("results/cohort/*", "results/preprocessed/*", "results/round_*/*", "results/round_*/dataset/*")


@dataclass(frozen=True)
class Stage:
    """What one stage makes: `files`, without which it is not finished; `trees` of few files; `folders` of many.

    Paths are relative to a run's folder. `extras` may be there.
    """

    name: str
    key: str
    files: Sequence[str]
    trees: Sequence[str] = ()
    folders: Sequence[str] = ()
    extras: Sequence[str] = ()


def stages_of(configuration: Configuration, depends: Depends) -> Iterator[Stage]:
    """Every stage that experiments may share, in the order in which they are made."""
    cohort = key(_cohort(configuration, depends))
    yield from _cohort_stages(configuration, cohort)
    trainings = configuration.trainings
    first = {entry.network: number for number, entry in reversed(trainings.items())}
    for number in list(trainings)[:1]:
        shared = {name: value for name, value in depends.plan(number).items() if not name.startswith("networks.")}
        files = [f"results/plans/{name}.json" for name in ("dataset", "dataset_fingerprint")]
        yield Stage("fingerprint", key(shared), files)
    for name, number in first.items():
        yield from _network_stages(name, cohort, key(depends.plan(number)), configuration.shards)
    for number in range(len(configuration.chain)):
        yield from _round_stages(number, configuration, depends)


def _cohort_stages(configuration: Configuration, cohort: str) -> Iterator[Stage]:
    here = "results/cohort"
    tables = [f"{here}/{name}.tsv" for name in ("cases", "converted")]
    shards = _shards(f"{here}/shards/converted", configuration.shards)
    generated = [f"{here}/embedded.done"] if configuration.cohort.kind == "embedded" else []
    folders = [f"{here}/{name}" for name in ("embedded", "renumbered", "images", "label_maps", "records")]
    yield Stage("cohort", cohort, [*tables, *shards, *generated], folders=folders, extras=[f"{here}/findings.tsv"])
    # Of a run without students there are none.
    yield Stage("labelled_measures", cohort, [f"{here}/labelled_measures.tsv"])


def _network_stages(name: str, cohort: str, plans: str, shards: int) -> Iterator[Stage]:
    yield Stage("plans", plans, [f"results/plans/{name}/plans.json"])
    yield Stage("network_figures", plans, [f"results/plans/{name}/network.json"])
    here = "results/preprocessed"
    tables = [f"{here}/{name}.tsv", *_shards(f"{here}/shards/{name}", shards)]
    yield Stage("preprocessed", key({"cohort": cohort, "plans": plans}), tables, folders=[f"{here}/{name}"])


def _round_stages(number: int, configuration: Configuration, depends: Depends) -> Iterator[Stage]:
    here, shards = f"results/round_{configuration.called(number)}", configuration.shards
    if number:
        labels = {"labels": _labels(depends, number), "shards": shards, "organs": depends.configuration.labels}
        tables = [f"{here}/pseudo_label_scores.tsv", *_shards(f"{here}/shards/pseudo_label_scores", shards)]
        tables += _shards(f"{here}/shards/label_measures", shards)
        yield Stage("labels", key(labels), tables, folders=[f"{here}/pseudo_labels"])
    model = key(depends.model(number))
    if number in configuration.trainings:
        yield _training_stage(number, configuration, model)
    options = [configuration.prediction_of(number).results_depend_on, configuration.postprocessing.predictions, shards]
    scans = {role: depends.scans(role) for role in ("validation", "test")}
    tables = [f"{here}/prediction_scores.tsv", *_shards(f"{here}/shards/prediction_scores", shards)]
    predictions = key({"model": model, "scans": scans, "options": options})
    yield Stage("predictions", predictions, tables, folders=[f"{here}/predictions"])


def _training_stage(number: int, configuration: Configuration, model: str) -> Stage:
    name, folds = f"round_{configuration.called(number)}", configuration.folds_of(number)
    here, is_judged = f"results/{name}", number < len(configuration.rounds)
    files = [f"{here}/dataset/{table}.tsv" for table in ("training_set", "learned_from", "bounds")]
    files += [f"{here}/{decision}.json" for decision in ("postprocessing", "verdict") if is_judged]
    files += [f"{here}/model/fold_{fold}/{name}" for fold in folds for name in ("checkpoint_final.pth", "held_out.tsv")]
    are_filled = may_lack_organs(configuration.cohort, configuration.organs)
    selections = ("selection", "filling") if are_filled else ("selection",)
    files += [f"{here}/{table}.tsv" for table in selections] if number else []
    described = ("dataset", "dataset_fingerprint", "splits_final", "label_sets")
    extras = [f"{here}/dataset/{what}.json" for what in described]
    extras += [f"results/benchmarks/{name}_train_fold_{fold}.tsv" for fold in folds]
    extras += [] if is_judged else [f"{here}/postprocessing.json"]
    trees = [f"{here}/model", *([f"{here}/labeller"] if is_judged else [])]
    return Stage("training", model, files, trees, [f"{here}/dataset/{CASES_FOLDER}"], extras)


def _shards(table: str, shards: int) -> list[str]:
    return [f"{table}_{shard}.tsv" for shard in range(shards)]


def _cohort(configuration: Configuration, depends: Depends) -> dict[str, object]:
    """What the tables of all scans depend on. Paths count as they are written and as they are meant."""
    cohort = configuration.cohort
    paths = cohort.folders.paths() if cohort.folders else [*filter(None, [cohort.embedded.label_maps])]
    spacings = [configuration.networks[name].spacing_mm_zyx for name in configuration.used_networks]
    spacings += [teacher.spacing_mm_zyx for teacher in depends.teachers]
    return {
        "cohort": cohort.model_dump(mode="json"),
        "paths": [str(path.resolve()) for path in paths],
        "scans": {role: depends.scans(role) for role in ROLES},
        "seed": configuration.seed if cohort.kind == "embedded" else None,
        "organs": [[o.label, o.name, o.left_twin, o.volume_ml, o.aliases] for o in configuration.organs],
        "shards": configuration.shards,
        "spacings": sorted(map(str, spacings)),
    }


def _labels(depends: Depends, number: int) -> dict[str, object]:
    """What a round's pseudo-labels depend on, and how much they differ from those before, but not which are kept."""
    labels = depends.labels(number) | {"records": "voxels by confidence"}
    return {name: value for name, value in labels.items() if name not in ("selection", "voxel_confidence")}


def adopt(stages: Sequence[Stage], store: Store, folder: Path) -> list[str]:
    """Link the stages that the store has and of which nothing lies in the run's `folder`; their names."""
    return [stage.name for stage in stages if _is_new(stage, store, folder) and _take(stage, store, folder)]


def not_compared(triggers: Collection[str], is_touched: bool) -> str:
    """Why what lies in a run's folder may not be what is wanted now, so that it enters no store; empty if it is.

    `triggers`: what Snakemake looks at, its `RerunTrigger` by name. `is_touched`: files were touched, and none made.
    """
    if is_touched:
        return "--touch takes for made what lies here, whatever it was made from"
    if unseen := [name.lower() for name in COMPARED if name not in triggers]:
        return f"--rerun-triggers without {', '.join(unseen)} leaves what was made from something else"
    return ""


def publish(stages: Sequence[Stage], store: Store, folder: Path, made: Callable[[str], bool]) -> None:
    """Add the stages that are finished, all of whose files were `made` as they are wanted now, to the store.

    They stand in the order in which they are made: what was edited, and all that follows, stays out.
    """
    for stage in stages:
        if edited := _edited(stage, folder):
            said = "was edited, or copied without its date: neither it nor what is made after it enters the store"
            print(f"{edited} {said}", file=sys.stderr)
            return
        place = _place(stage, store)
        if (place / MANIFEST).exists() or not all(made(file) and (folder / file).exists() for file in stage.files):
            continue
        if place.exists():
            # It was damaged; other experiments may be linked to its folders.
            if damaged := _replace_damaged(stage, folder, place):
                said = "is damaged, as in the store, and enters it no more, nor does what is made after it; delete it"
                print(f"{folder / damaged} {said}: {remedy(folder / damaged)}", file=sys.stderr)
                return
            for path in stage.folders:
                # A removal that was cut short in an earlier version took some of its files.
                if not _leads_to(folder / path, place / path):
                    link_tree(folder / path, place / path, _if_absent, follow=True)
            _fill(stage, folder, place)
            (place / DAMAGED).unlink(missing_ok=True)
            continue
        with whole_folder(place) as temporary:
            for path in stage.folders:
                if (folder / path).exists():
                    link_tree(folder / path, temporary / path, follow=True)
            _fill(stage, folder, temporary)


def _replace_damaged(stage: Stage, folder: Path, place: Path) -> str:
    """Bring from a run what is damaged in a stage's folders; a file that is so in the run, too, if there is one."""
    names = read_json(place / DAMAGED) if (place / DAMAGED).exists() else []
    for name in names:
        if (folder / name).is_file() and (place / name).is_file() and sha256(folder / name) == sha256(place / name):
            return name
    for name in names:
        if name.startswith(tuple(f"{path}/" for path in stage.folders)) and (folder / name).is_file():
            share((folder / name).resolve(), place / name)
    return ""


def _if_absent(source: Path, target: Path) -> None:
    if not os.path.lexists(target):
        share(source, target)


def _edited(stage: Stage, folder: Path) -> str:
    """A file of a stage that was written after Snakemake's record of having made it; empty if there is none."""
    for file in stage.files:
        path, record = folder / file, folder / _record(file)
        if path.exists() and record.exists() and path.lstat().st_mtime > record.stat().st_mtime + SLACK_SECONDS:
            return file
    return ""


def _fill(stage: Stage, folder: Path, place: Path) -> None:
    """Bring the single files and trees of a stage to its place in the store, and say that it is whole."""
    for path in stage.trees:
        if (folder / path).exists():
            link_tree(folder / path, place / path, give)
    for file in _files(stage, folder):
        give(folder / file, place / file)
    checksums = {file: sha256(place / file) for file in _checked(stage, place)}
    copies = {file: sha256(place / file) for file in _copies(stage, place)}
    write_text(place / MANIFEST, json.dumps({"stage": stage.name, "sha256": checksums, COPIES: copies}, indent=2))


def register(stages: Sequence[Stage], store: Store, folder: Path) -> None:
    """Say in the store which of its stages the experiment in `folder` uses."""
    # Of settings that were changed since, and of rounds and networks that are none any more, folders may be linked.
    linked = [place for link in _links(folder) for place in link.readlink().parents]
    places = {_place(stage, store) for stage in stages} | {
        place for place in linked if place.parent.parent == store.root / STAGES
    }
    there = [str(place.relative_to(store.root)) for place in sorted(places) if place.exists()]
    record = {"experiment": str(folder.resolve()), "stages": there}
    name = key({"experiment": record["experiment"]})
    write_text(store.root / USERS / f"{name}.json", json.dumps(record, indent=2))
    _hold([store.root / stage for stage in there], folder)


def _links(folder: Path) -> list[Path]:
    """The links among the folders that stages have in a run's folder, of whatever configuration."""
    return [path for pattern in LINKED for path in sorted(folder.glob(pattern)) if path.is_symlink()]


def lost_links(folder: Path) -> list[str]:
    """A line for each folder of a run that leads to a folder which is not there, as in a copy on another machine."""
    lost = [path for path in _links(folder) if not path.exists()]
    remedy = (
        "bring that back, as the store at the same path; or take the link away, and what is told of it is made anew"
    )
    return [f"{path.relative_to(folder)} leads to {path.readlink()}, which is not there: {remedy}" for path in lost]


def _hold(places: Sequence[Path], folder: Path) -> None:
    """Keep a link to each stage's manifest: by it the stage is known to be in use, wherever the run is moved."""
    wanted = {f"{place.parent.name}-{place.name}.json": place / MANIFEST for place in places}
    for path in (folder / HELD).glob("*"):
        if path.name not in wanted:
            path.unlink()
    for name, manifest in wanted.items():
        # It may be removed meanwhile: then it is not adopted either.
        with suppress(FileNotFoundError):
            share(manifest, folder / HELD / name)


def _place(stage: Stage, store: Store) -> Path:
    return store.root / STAGES / stage.name / key({"version": __version__, "key": stage.key})


def _is_new(stage: Stage, store: Store, folder: Path) -> bool:
    """Whether nothing of a stage lies in a run's folder, but for links of an adoption that was cut short."""
    place = _place(stage, store)
    own = [path for path in stage.folders if not _leads_to(folder / path, place / path)]
    return not any(os.path.lexists(folder / path) for path in (*stage.files, *stage.trees, *own))


def _leads_to(path: Path, place: Path) -> bool:
    return path.is_symlink() and path.readlink() == place


def _take(stage: Stage, store: Store, folder: Path) -> bool:
    place = _place(stage, store)
    if not (place / MANIFEST).exists():
        return False
    if damaged := damaged_files(place):
        print(f"{place} is damaged ({', '.join(damaged[:5])}) and is made anew", file=sys.stderr)
        invalidate(place, damaged)
        return False
    for path in stage.folders:
        target = folder / path
        if (place / path).exists() and not os.path.lexists(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(place / path)
    for path in stage.trees:
        # In one step: half a model would be taken for one of another origin.
        with whole_folder(folder / path) as temporary:
            link_tree(place / path, temporary, give)
    # Those without which the stage is not finished come last.
    for file in reversed(_files(stage, place)):
        give(place / file, folder / file)
    return True


def _files(stage: Stage, folder: Path) -> list[str]:
    """The single files of a stage that are in a folder, with Snakemake's records of them; trees have theirs."""
    named = [*stage.files, *stage.extras]
    records = [str(_record(file)) for file in _outputs(stage, folder)]
    in_trees = tuple(f"{tree}/" for tree in stage.trees)
    return [file for file in (*named, *records) if not file.startswith(in_trees or " ") and (folder / file).is_file()]


def _record(file: str) -> Path:
    return RECORDS / urlsafe_b64encode(file.encode()).decode()


def _outputs(stage: Stage, folder: Path) -> list[str]:
    """What Snakemake may have a record of."""
    trees = [path for tree in stage.trees for path in sorted((folder / tree).rglob("*"))]
    return [*stage.files, *(str(path.relative_to(folder)) for path in trees)]


def _checked(stage: Stage, place: Path) -> list[str]:
    """The files whose checksums are compared before they are taken; those of folders are many, and large."""
    trees = [
        path for tree in stage.trees for path in (place / tree).rglob("*") if path.is_file() and not path.is_symlink()
    ]
    return [*_files(stage, place), *(str(path.relative_to(place)) for path in trees)]


def _copies(stage: Stage, place: Path) -> list[str]:
    """The files of a stage's folders that are no links, as in a store on another disk: no item has their checksums."""
    folders = [place / path for path in stage.folders if (place / path).is_dir()]
    files = [Path(entry.path) for path in folders for entry in files_under(path) if entry.stat().st_nlink == 1]
    return sorted(str(path.relative_to(place)) for path in files)
