"""One organ, many names: what public data sets and programs call the same thing.

Names are those of FLARE22, AMOS22 (with its `arota`), BTCV (in its short forms too), TotalSegmentator, AbdomenAtlas and
3D Slicer.
"""

import re
from collections.abc import Callable, Sequence

from noisy_student.organs import Organ

SIDES = {"left": "left", "l": "left", "lt": "left", "right": "right", "r": "right", "rt": "right"}
BOTH = re.compile(r"(.+)\((.+)\)\s*")
UNSAID = ("or", "and", "the")
ALIASES = {
    "liver": ("liv",),
    "spleen": ("spl",),
    "right kidney": ("rkid", "rk"),
    "left kidney": ("lkid", "lk"),
    "pancreas": ("pan",),
    "aorta": ("aor", "arota", "abdominal aorta"),
    "inferior vena cava": ("ivc", "postcava", "vena cava", "vena cava inferior"),
    "right adrenal gland": ("rad", "rag", "right adrenal", "right suprarenal gland"),
    "left adrenal gland": ("lad", "lag", "left adrenal", "left suprarenal gland"),
    "gallbladder": ("gall", "gb"),
    "esophagus": ("oesophagus", "eso", "esoph"),
    "stomach": ("sto",),
    "duodenum": ("duo", "duod"),
    # Not FLARE22's: known, so that one of them in an organ's place is seen.
    "bladder": ("urinary bladder",),
    "prostate": (),
    "prostate or uterus": (),
    "portal vein and splenic vein": ("veins", "portal vein"),
    "celiac trunk": (),
    "hepatic vessel": ("hepatic vessels",),
    "small bowel": ("small intestine",),
    "colon": (),
    "rectum": (),
    "left lung": (),
    "right lung": (),
    "heart": (),
    "left femur": (),
    "right femur": (),
}


def plain(name: str) -> str:
    """The name without case, separators and order of sides: `Kidney_Right` and `right kidney` are one."""
    words = re.findall(r"[^\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower())
    sides = [SIDES[word] for word in words if word in SIDES]
    return "".join(sides + [word for word in words if word not in SIDES and word not in UNSAID])


_KNOWN = {plain(alias): plain(name) for name, aliases in ALIASES.items() for alias in (name, *aliases)}


def organ_of(name: str) -> str:
    """The same text for all names of one organ; of an unknown organ its own plain name."""
    return _known(name) or plain(name)


def rank_of(organs: Sequence[Organ]) -> Callable[[str], int | None]:
    """What gives the label of the organ that a name means; None for a name that is none of the table's."""
    labels = {organ_of(organ.name): organ.label for organ in organs}
    return lambda name: labels.get(organ_of(name))


def is_known(name: str) -> bool:
    """Whether the name is one of a known organ."""
    return bool(_known(name))


def _known(name: str) -> str:
    """The organ of a known name, or of two of one organ such as `inferior vena cava (IVC)`; else empty."""
    if plain(name) in _KNOWN or not (both := BOTH.fullmatch(name)):
        return _KNOWN.get(plain(name), "")
    first, second = (_KNOWN.get(plain(part), "") for part in both.groups())
    return first if first == second else ""
