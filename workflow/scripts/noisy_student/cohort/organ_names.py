"""One organ, many names: what public data sets and programs call the same thing.

Names are those of FLARE22, AMOS22, BTCV, TotalSegmentator, AbdomenAtlas, 3D-IRCADb, 3D Slicer and radiotherapy. Case,
separators and the place of the side do not matter.
"""

import re
from collections.abc import Collection, Sequence
from typing import TypeVar

from noisy_student.organs import FLARE22, Organ, plain

Meaning = TypeVar("Meaning")
BOTH = re.compile(r"(.+)\((.+)\)\s*")
IRCADB = {f"{side} adrenal gland": (f"{side} surrenal gland",) for side in ("right", "left")}
ALIASES = {organ.name: (*organ.aliases, *IRCADB.get(organ.name, ())) for organ in FLARE22} | {
    # Not FLARE22's: known, so that one of them in an organ's place is seen.
    "bladder": ("urinary bladder",),
    "prostate": (),
    "prostate or uterus": (),
    "portal vein and splenic vein": ("veins", "portal vein"),
    "celiac trunk": (),
    "hepatic vessel": ("hepatic vessels",),
    "small bowel": ("small intestine", "Bowel_Small"),
    "colon": (),
    "rectum": (),
    "left lung": (),
    "right lung": (),
    "heart": (),
    "left femur": (),
    "right femur": (),
}
_KNOWN = {plain(alias): plain(name) for name, aliases in ALIASES.items() for alias in (name, *aliases)}


class OrganNames:
    """Which organ of a label table a name means: by the table's names and aliases, then by all that is known here.

    `asked_for`: the labels of the only organs that are asked for; None for all.
    """

    def __init__(self, organs: Sequence[Organ], asked_for: Collection[int] | None = None) -> None:
        known = {organ_of(organ.name): organ.label for organ in organs}
        self._labels = {alias: known[organ] for alias, organ in _KNOWN.items() if organ in known}
        self._labels |= {plain(name): organ.label for organ in organs for name in (organ.name, *organ.aliases)}
        self._asked_for = frozenset(organ.label for organ in organs) if asked_for is None else frozenset(asked_for)

    def rank(self, name: str) -> int | None:
        """The label of the organ that a name means; None for a name that is no organ of those asked for."""
        label = _looked_up(name, self._labels)
        return label if label in self._asked_for else None

    def is_known(self, name: str) -> bool:
        """Whether the name is one of an organ, of the table or another one."""
        return _looked_up(name, self._labels) is not None or is_known(name)


def organ_of(name: str) -> str:
    """The same text for all names of one organ; of an unknown organ its own plain name."""
    return _looked_up(name, _KNOWN) or plain(name)


def is_known(name: str) -> bool:
    """Whether the name is one of a known organ."""
    return bool(_looked_up(name, _KNOWN))


def _looked_up(name: str, meanings: dict[str, Meaning]) -> Meaning | None:
    """What a name means, or two names of one thing such as `inferior vena cava (IVC)`; else None."""
    if plain(name) in meanings or not (both := BOTH.fullmatch(name)):
        return meanings.get(plain(name))
    first, second = (meanings.get(plain(part)) for part in both.groups())
    return first if first == second else None
