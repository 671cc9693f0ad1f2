"""A key that stands twice in one mapping of a configuration file, of which Snakemake silently takes the last."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

from noisy_student.errors import InputError


def refuse_repeated_keys(files: Iterable[Path]) -> None:
    """Raise InputError with every key that stands twice, and its lines."""
    found = [f"  {file}: {repeated}" for file in dict.fromkeys(map(Path, files)) for repeated in repeated_keys(file)]
    if found:
        wanted, remedy = "each key once in a mapping", "take all but one of each out; the last alone would have counted"
        raise InputError(wanted, f"{len(found)} error(s)\n" + "\n".join(found), remedy)


def repeated_keys(file: Path) -> list[str]:
    """Each key that stands more than once in its mapping of a YAML or JSON file, with its path and lines."""
    try:
        # JSON may be indented with tabs, which YAML does not know.
        root = yaml.compose(file.read_text(encoding="utf-8").replace("\t", " "), Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return []
    return list(_repeated(root, "", set()))


def _repeated(node: yaml.Node | None, path: str, seen: set[int]) -> Iterator[str]:
    """Those of a node and of all below; what several places share is looked at once."""
    if node is None or id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            yield from _repeated(item, f"{path}[{number}]", seen)
    elif isinstance(node, yaml.MappingNode):
        lines = defaultdict(list)
        for key, value in node.value:
            name = f"{path}.{key.value}".lstrip(".")
            lines[key.tag, name].append(key.start_mark.line + 1)
            yield from _repeated(value, name, seen)
        for (_, name), numbers in lines.items():
            if len(numbers) > 1:
                yield f"`{name}` in lines {' and '.join(map(str, numbers))}"
