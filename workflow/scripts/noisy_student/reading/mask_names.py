"""What the masks of a case are called besides the words that all of them begin or end with.

`mask_Liver` and `mask_Kidney_L` of dcmrtstruct2nii, from its version 5 on `mask_3-Liver` and `mask_12-Kidney_L`;
`Struct_Liver` of platipy; `liver_seg`, `p0_liver`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile

from noisy_student.organs import WORD, makes_another, words_of
from noisy_student.reading.names import LABEL_WORDS

MASK_WORDS = LABEL_WORDS | {"struct", "rtstruct", "structure", "structures", "roi", "organ", "organs"}


@dataclass(frozen=True)
class Called:
    """The names in their order, and the words that were cut off all of them; numbers are not among these."""

    names: list[str]
    cut: tuple[str, ...] = ()


def called(names: Sequence[str], is_organ: Callable[[str], bool]) -> Called:
    """The names as they are, if one of them is an organ's; else without what all have in common, if one then is.

    Cut are as few words as that takes: words that all names begin or end with, or a number there in each of them. Never
    one that makes another thing of an organ, nor the last of a name. A name alone has nothing in common with others: of
    that only words for masks are cut.
    """
    words = list(map(words_of, names))
    for front, back in _cuts(words):
        shorter = [_without(name, front, back) for name in names]
        if any(map(is_organ, shorter)):
            return Called(shorter, _said(words[0], front, back))
    return Called(list(names))


def _cuts(words: Sequence[list[str]]) -> list[tuple[int, int]]:
    """How many words may be cut at both ends, the fewest first."""
    front = _in_common(zip(*words, strict=False))
    back = _in_common(zip(*map(reversed, words), strict=False))
    shortest = max(1, min(map(len, words), default=1))
    cuts = [(first, last) for first in range(front + 1) for last in range(back + 1) if first + last < shortest]
    return sorted(cuts, key=lambda cut: (sum(cut), cut[1]))


def _in_common(places: Iterable[tuple[str, ...]]) -> int:
    return sum(1 for _ in takewhile(_is_common, places))


def _is_common(words: tuple[str, ...]) -> bool:
    """Whether the words that names have at one place say nothing of an organ."""
    if all(word.isdecimal() for word in words):
        return True
    first, *others = words
    return set(others) == {first} and not makes_another(first) if others else first in MASK_WORDS


def _without(name: str, front: int, back: int) -> str:
    """The name without its first and last words; brackets that the others stand in stay."""
    spans = [word.span() for word in WORD.finditer(name)]
    end = spans[-back - 1][1] if back else len(name)
    return name[spans[front][0] if front else 0 : end]


def _said(words: list[str], front: int, back: int) -> tuple[str, ...]:
    cut = words[:front] + words[len(words) - back :]
    return tuple(word for word in cut if not word.isdecimal())
