"""Where the files of each case lie, by a path in which `{case}` is the name of the case and `*` any text.

A path without `{case}` lies in a folder called after the case. Both stand for text within one part of the path.
"""

import glob
import re
from collections import defaultdict
from itertools import takewhile
from pathlib import Path, PurePosixPath

from noisy_student.configuration.layouts import CASE

_STANDING_FOR_TEXT = re.compile(r"(\{case\}|\*+)")


def whole(within: str) -> str:
    """The path from the folder of all cases on."""
    return str(PurePosixPath(within if CASE in within else f"{CASE}/{within}"))


def within(path: str) -> str:
    """The reverse: a path from the folder of all cases on, as short as it may be written."""
    short = path.removeprefix(f"{CASE}/")
    return path if CASE in short else short


def home(root: Path, path: str) -> Path:
    """The folder that has an entry for each case."""
    parts = PurePosixPath(whole(path)).parts
    return root.joinpath(*takewhile(lambda part: not _STANDING_FOR_TEXT.search(part), parts))


def place(root: Path, path: str, case: str) -> Path:
    """Where a case's file is looked for."""
    return root / whole(path).replace(CASE, case)


def found(root: Path, path: str) -> dict[str, list[Path]]:
    """What is there of each case, by the case's name, apart from hidden files."""
    path = whole(path)
    named, parts = pattern_of(path), PurePosixPath(path).parts
    of_case = defaultdict(list)
    for file in sorted(root.glob(_glob(path))):
        own = file.relative_to(root)
        is_hidden = any(name[0] == "." != part[0] for name, part in zip(own.parts, parts, strict=True))
        if not is_hidden and (match := named.fullmatch(own.as_posix())):
            of_case[match["case"]].append(file)
    return dict(of_case)


def pattern_of(path: str) -> re.Pattern[str]:
    """The expression whose group `case` is the name of the case."""
    before, *after = ("[^/]*".join(map(re.escape, re.split(r"\*+", piece))) for piece in whole(path).split(CASE))
    return re.compile(f"{before}(?P<case>[^/]+){'(?P=case)'.join(after)}")


def _glob(path: str) -> str:
    pieces = _STANDING_FOR_TEXT.split(path)
    stars = "".join("*" if number % 2 else glob.escape(piece) for number, piece in enumerate(pieces))
    return re.sub(r"\*+", "*", stars)
