"""Models from elsewhere that a configuration names: looked at when a run starts, before hours are spent.

What was seen is remembered beside the results, so that gigabytes are hashed once and jobs need not look again.
"""

import hashlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from noisy_student.configuration.experiment import Configuration
from noisy_student.configuration.settings import FirstWeights
from noisy_student.errors import InputError
from noisy_student.files import read_json, sha256, write_text
from noisy_student.model.kind import CT, configuration_in, labels_as, unlike
from noisy_student.model.source import PLANS, Said, Source, read_source
from noisy_student.model.translation import Translation, translation
from noisy_student.model.trust import foreign_error, untrusted
from noisy_student.nnunet import CONFIGURATION

RESULTS = Path("results")
RECORD = RESULTS / "models.json"
TRUST_IT = "write it beside `model`, under `sha256`"
OWN_ROUND = re.compile(r"round_(\d+|deploy)")


@dataclass(frozen=True)
class Known:
    """What the workflow has to know of a model: its folds, its network's grid and classes, its files' checksums.

    `described` is that of its plans and its description.
    """

    folds: list[str]
    spacing_mm_zyx: list[float]
    classes: int
    sha256: dict[str, str]
    described: str

    @property
    def identity(self) -> list[str]:
        """What changes where the model does."""
        return [*self.sha256.values(), self.described]


def look_at(configuration: Configuration, record: Path = RECORD) -> None:
    """Remember every model that is named. Raises InputError for one that cannot be used, or is not trusted."""
    teacher = configuration.teacher
    starts = [entry.start for entry in configuration.trainings.values() if isinstance(entry.start, FirstWeights)]
    seen: dict[Path, Source] = {}
    for entry in ([teacher] if teacher else []) + starts:
        paths = [entry.model] if isinstance(entry, FirstWeights) else entry.models
        sources = [_looked_at(path, record) for path in paths]
        _require_trusted(sources, entry.sha256, record)
        seen |= dict(zip(paths, sources, strict=True))
    if teacher:
        _require_useful([seen[path] for path in teacher.models], configuration)
    for number, path in online_starts(configuration).items():
        _require_alike(seen[path], configuration, number)


def online_starts(configuration: Configuration) -> dict[int, Path]:
    """The rounds whose online targets are made by weights that begin as a model's from elsewhere, and that model."""
    teacher, found = configuration.teacher, {}
    for number, entry in configuration.trainings.items():
        if configuration.targets_of(number) != "online":
            continue
        if isinstance(entry.start, FirstWeights):
            found[number] = entry.start.model
        elif teacher and number == 1 and entry.start == "teacher":
            found[number] = teacher.models[0]
    return found


def known(path: Path, record: Path = RECORD) -> Known | None:
    """What was remembered of a model; nothing before a run has looked at it."""
    entry = _read(record).get(str(path))
    return Known(**entry["known"]) if entry else None


def _looked_at(path: Path, record: Path) -> Source:
    entries = _read(record)
    before = entries.get(str(path), {})
    # In a zip, a checkpoint has to be unpacked to be asked.
    is_same_zip = path.is_file() and before.get("state") == _state({path.name: path})
    source = read_source(path, _said(before) if is_same_zip else None)
    if any(
        folder.parent == RESULTS.resolve() and OWN_ROUND.fullmatch(folder.name) for folder in path.resolve().parents
    ):
        remedy = "take a copy that lies elsewhere: this run would replace the model by another one of the same name"
        raise InputError("a model that this run does not make itself", str(path), remedy)
    files = source.checked_files
    state = _state(files)
    is_same = before.get("state") == state
    sums = before["known"]["sha256"] if is_same else {name: sha256(file) for name, file in files.items()}
    described = hashlib.sha256(json.dumps([source.plans, source.dataset]).encode()).hexdigest()
    facts = Known(list(source.folds), list(source.spacing_mm_zyx), len(source.labels) + 1, sums, described)
    said = {"configuration": source.configuration, "mirror_axes": list(source.said.mirror_axes)}
    entry = {"state": state, **said, "known": asdict(facts)}
    if entry != before:
        write_text(record, json.dumps(entries | {str(path): entry}, indent=2))
    return source


def _said(entry: Mapping[str, Any]) -> Said | None:
    """What was remembered that a checkpoint says; earlier versions did not ask for all of it."""
    return Said(entry["configuration"], tuple(entry["mirror_axes"])) if "mirror_axes" in entry else None


def _state(files: Mapping[str, Path]) -> dict[str, list[int]]:
    """What tells that a file has changed, without reading it."""
    return {name: [file.stat().st_size, file.stat().st_mtime_ns] for name, file in files.items()}


def _read(record: Path) -> dict[str, Any]:
    return read_json(record) if record.exists() else {}


def _require_trusted(sources: Sequence[Source], trusted: Collection[str], record: Path) -> None:
    """Raise with all checksums to write, those that are there already too."""
    sums = {
        file: checksum
        for source in sources
        for file, checksum in zip(
            source.checked_files.values(), known(source.path, record).sha256.values(), strict=True
        )
    }
    if foreign := untrusted(sums, trusted):
        raise foreign_error(foreign, f"write beside `model`: sha256: [{', '.join(sums.values())}]", trusted)


def _require_useful(sources: Sequence[Source], configuration: Configuration) -> None:
    """Raise where the teacher's labels do not match, its scans are no CT for it, or the selection would drop all."""
    marked, student = translations(sources, configuration.organs), f"round {configuration.called(1)}"
    if together(sources) == "vote" and len(configuration.chain) > 1 and configuration.labels_softly(1):
        got = "models whose labels or grids differ, so that they vote"
        raise InputError(
            "teachers that label by their mean, which soft targets and `surface_mm` need",
            got,
            f"set `targets: hard` and `surface_mm: null` in {student}, or name models of one plan",
        )
    if configuration.prediction.windows != "everywhere":
        for source in sources:
            if source.normalization != [CT]:
                got = f"{source.path}: {', '.join(source.normalization)}"
                raise InputError(f"a model of CT scans ({CT}), to tell body from air", got, "set `windows: everywhere`")
    lacks = lacking(marked)
    there = len(configuration.organs) - len(lacks)
    rules = configuration.selection_of(1) if len(configuration.chain) > 1 else []
    for rule in rules:
        if getattr(rule, "score", "") == "organs" and (getattr(rule, "at_least", None) or 0) > there:
            got = f"at least {rule.at_least:g}; it marks {there} and lacks {', '.join(lacks)}"
            raise InputError(
                "a selection for as many organs as the teacher marks",
                got,
                f"lower it in {student}'s selection",
            )
        if getattr(rule, "score", "") == "fold_agreement" and not _agree(sources, marked):
            alone = f"{sources[0].path} is one alone" if len(sources) == 1 else "no two of these mark the same organ"
            raise InputError(
                "a selection by what the teacher's networks can say",
                f"fold_agreement, which is between networks; {alone}",
                f"take another score in {student}'s selection, or a model with several folds",
            )
        if getattr(rule, "score", "") == "mirror_agreement" and not _mirror(sources):
            raise InputError(
                "a selection by what the teacher's networks can say",
                "mirror_agreement, which is with the mirrored scan's labels; none may be mirrored but left-right",
                f"take another score in {student}'s selection, or another model",
            )
        if getattr(rule, "over", "") in lacks:
            got = f"{rule.over}, which it does not mark"
            raise InputError(
                "a selection by organs that the teacher marks",
                got,
                f"correct `over` in {student}'s selection",
            )


def _agree(sources: Sequence[Source], marked: Sequence[Translation]) -> bool:
    """Whether there are two networks whose labels of an organ can be compared."""
    labels = [label for meaning in marked for label in meaning.numbers.values()]
    several = any(len(source.folds) > 1 for source in sources)
    return several or together(sources) == "mean" or len(set(labels)) < len(labels)


def _mirror(sources: Sequence[Source]) -> bool:
    """Whether there are labels of a mirrored scan; those that label by their mean share its axes."""
    axes = [source.mirror_axes for source in sources]
    return bool(set.intersection(*axes)) if together(sources) == "mean" else any(axes)


def _require_alike(source: Source, configuration: Configuration, number: int) -> None:
    """Raise where a round's online targets would be made by weights that see scans or name labels otherwise."""
    network = configuration.networks[configuration.chain[number].network]
    own = {
        "labels": configuration.labels,
        "spacing": network.spacing_mm_zyx and list(map(float, network.spacing_mm_zyx)),
        "normalization": [CT],
    }
    theirs = {
        "labels": source.labels,
        "spacing": network.spacing_mm_zyx and list(map(float, source.spacing_mm_zyx)),
        "normalization": source.normalization,
    }
    if differing := unlike(theirs, own):
        raise unfit_for_online(f"round {configuration.called(number)}", source.path, differing)


def refuse_unlike_planned(configuration: Configuration, plans: Path, record: Path = RECORD) -> None:
    """Raise InputError for first weights of online targets that do not fit a network planned already, in `plans`.

    Of a network without plans `make_plans.py` tells.
    """
    for number, path in online_starts(configuration).items():
        planned = plans / configuration.chain[number].network / PLANS
        if not planned.exists():
            continue
        source = read_source(path, _said(_read(record)[str(path)]))
        theirs = labels_as(source.plans, source.dataset, configuration_in(source.plans, source.configuration))
        own = read_json(planned)
        own = labels_as(own, {"labels": configuration.labels}, configuration_in(own, CONFIGURATION))
        if differing := unlike(theirs, own):
            raise unfit_for_online(f"round {configuration.called(number)}", path, differing)


def unfit_for_online(of: str, model: Path, differing: Sequence[str]) -> InputError:
    """What is said of a model whose weights would see scans, or name labels, otherwise than the targets' student."""
    return InputError(
        f"for `targets: online` of {of} first weights of a network with its labels, layers, spacing, normalization and "
        "intensities, since they make its targets",
        f"{model} with other {' and '.join(differing)}",
        "give the round another `start`, or `targets: soft`",
    )


def translations(sources: Sequence[Source], organs: Sequence[Any]) -> list[Translation]:
    """What each model's labels mean in the label table."""
    return [translation(source.labels, organs, source.path) for source in sources]


def lacking(marked: Sequence[Translation]) -> list[str]:
    """The organs that none of the models marks, in the order of the table."""
    return [organ for organ in marked[0].lacks if all(organ in other.lacks for other in marked)]


def together(sources: Sequence[Source]) -> str:
    """How several models label: by their `mean` where they share labels and grid, else by `vote`; alone: empty."""
    if len(sources) == 1:
        return ""
    return "mean" if all(source.grid == sources[0].grid for source in sources) else "vote"
