"""By which names organs were known in the label maps that were judged: said once for each set of names."""

from collections import defaultdict
from collections.abc import Sequence

from noisy_student.cohort.names_taken import named_in_some
from noisy_student.cohort.numbers_by_name import some
from noisy_student.errors import InputError
from noisy_student.evaluate.by_name import OTHER_NUMBERS, PREDICTION, SAY_WHICH, TRUTH
from noisy_student.evaluate.judged_pair import FileNames
from noisy_student.organs import Organ

SHOWN, FEW = 20, 3


def in_words(files: Sequence[FileNames], organs: Sequence[str]) -> list[str]:
    """A line for each set of names: which were taken, what was left over, and which of the organs no name means.

    Files that name only what is there have one set together.
    """
    sets = defaultdict(list)
    for file in files:
        sets[file.role, file.taken.where, file.taken.lists_all and frozenset(file.taken.organs.items())].append(file)
    return [_line(alike, organs) for alike in sets.values()]


def other_names(files: Sequence[FileNames], organs: Sequence[Organ]) -> list[str]:
    """A warning for each organ that some truths (or predictions) name, and others do not but have a name instead."""
    remedy = "if that is the organ, it counts as absent there: add the name to its `aliases` (--organs)"
    return [
        f"warning, {role}s: {line}; {remedy}"
        for role in (TRUTH, PREDICTION)
        for line in named_in_some({file.path.name: file.taken for file in files if file.role == role}, organs)
    ]


def nameless(truths: int, organs: Sequence[Organ]) -> list[str]:
    """What is said of so many truths whose organs have no names, where those of their predictions have."""
    numbers = some([f"{organ.label} {organ.name}" for organ in organs], FEW)
    said = f"{truths} truth(s) have no names of organs: their numbers are taken as the label table's ({numbers})"
    return [f"{said}; for truths in other numbers: {OTHER_NUMBERS}"] if truths else []


def require_named(truths: Sequence[FileNames], organs: Sequence[str]) -> None:
    """Raise InputError for organs, of those that are judged, that no truth names."""
    named = {organ for file in truths for organ in file.taken.organs.values()}
    if missing := [organ for organ in organs if organ not in named]:
        names = dict.fromkeys(name for file in truths for name in file.taken.organs)
        got = f"no name for {', '.join(missing)} in {len(truths)} truth(s), which name {_some(list(names))}"
        raise InputError("each organ named in some truth", got, SAY_WHICH)


def _line(files: Sequence[FileNames], organs: Sequence[str]) -> str:
    role, _, taken = files[0]
    names = {name: organ for file in files for name, organ in file.taken.organs.items()}
    said = [name if name == organ else f"{name} is {organ}" for name, organ in names.items() if organ]
    left_over = [name for name, organ in names.items() if not organ]
    never = [organ for organ in organs if organ not in names.values()]
    parts = (("taken", said), ("left over", left_over), ("never named", never))
    listed = "; ".join(f"{what}: {_some(of_these)}" for what, of_these in parts if of_these)
    return f"names in {len(files)} {role}(s), by {taken.said_by}: {listed}"


def _some(names: Sequence[str]) -> str:
    return some(names, SHOWN) or "none"
