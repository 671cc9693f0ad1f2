"""The label table: which organ has which label, and how strictly its surface is judged."""

import json
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

LARGEST_LABEL = 255
# With the ignore label, whose number is one more, targets still are bytes.
MOST_ORGANS = LARGEST_LABEL - 1
# FLARE22's colours, of which the palette is the first ten, were searched so that with normal vision and each kind of
# colour blindness any two differ by at least 20 (CIE 1976); tests/unit/test_organs.py computes it.
PALETTE = ("#ba4300", "#ffdc6a", "#6784fe", "#b0c779", "#e5004e", "#683fef", "#18f3fa", "#adff02", "#00b892", "#f6ffe0")
# SNOMED CT: each organ's code and, behind it, that of its side, as segmentations in DICOM have them (PS3.16, CID 7151).
RIGHT, LEFT = "24028007", "7771000"
SNOMED = {
    "liver": "10200004",
    "right kidney": f"64033007 {RIGHT}",
    "spleen": "78961009",
    "pancreas": "15776009",
    "aorta": "15825003",
    "inferior vena cava": "64131007",
    "right adrenal gland": f"23451007 {RIGHT}",
    "left adrenal gland": f"23451007 {LEFT}",
    "gallbladder": "28231008",
    "esophagus": "32849002",
    "stomach": "69695003",
    "duodenum": "38848004",
    "left kidney": f"64033007 {LEFT}",
}


@dataclass(frozen=True)
class Organ:
    """One row of the label table.

    `z_limited` organs run on beyond the labelled slices, so the official evaluation cuts both label
    maps to the truth's slices first. `left_twin` is, of a right organ, the name of its left counterpart.
    `aliases` are other names of it, in label maps and the files beside them. `snomed` is the organ's code in SNOMED CT,
    behind it that of its side; organs of FLARE22's names have theirs.
    """

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 (not a field)

    label: int
    name: str
    short: str = ""
    tolerance_mm: float = 3.0
    colour: str = ""
    z_limited: bool = False
    left_twin: str | None = None
    volume_ml: tuple[float, float] | None = None
    aliases: tuple[str, ...] = ()
    snomed: str = ""

    def __post_init__(self) -> None:
        """Fill in short name, colour and code; refuse a tolerance, a range, a colour or a code that is none."""
        if self.tolerance_mm <= 0:
            raise ValueError(f"tolerance_mm of {self.name} must be positive")
        if self.volume_ml is not None:
            low, high = self.volume_ml
            if not 0 <= low < high:
                raise ValueError(f"volume_ml of {self.name} must be two numbers, the smaller one first")
            object.__setattr__(self, "volume_ml", (float(low), float(high)))
        object.__setattr__(self, "aliases", tuple(self.aliases))
        object.__setattr__(self, "short", self.short or self.name)
        object.__setattr__(self, "colour", self.colour or PALETTE[(self.label - 1) % len(PALETTE)])
        if not re.fullmatch("#[0-9a-fA-F]{6}", self.colour):
            raise ValueError(f"colour of {self.name} must be written as #rrggbb")
        object.__setattr__(self, "snomed", self.snomed or SNOMED.get(self.name.lower(), ""))
        if not re.fullmatch(rf"(\d{{6,18}}( ({RIGHT}|{LEFT}))?)?", self.snomed):
            raise ValueError(f"snomed of {self.name} must be a code, or a code and that of a side: {RIGHT} or {LEFT}")


# What no organ is called: tables separate names by commas, and reasons by semicolons; viewers' label descriptions put
# names in quotation marks; nnU-Net's ignored label, and the mean over organs, have these names.
SEPARATORS = re.compile(r'[,;"\x00-\x1f]')
TAKEN_NAMES = ("ignore", "mean")

SIDES = {"left": "left", "l": "left", "lt": "left", "right": "right", "r": "right", "rt": "right"}
UNSAID = ("or", "and", "the")
LESIONS = ("tumor", "tumour", "cancer", "lesion", "cyst", "metasta", "carcinoma", "neoplasm")
# A whole word: the masseter is none.
MASS = re.compile(r"mass(es)?\d*")
# What else words begin with that make another thing of an organ: radiotherapy's targets and margins, and parts.
OTHERS = (
    *("gtv", "ctv", "ptv", "itv", "prv", "mets", "nodul", "node", "artery", "arteries", "vein", "vessel", "duct"),
    *("wall", "lumen", "lobe", "cortex", "medulla", "fat"),
)
# Apart at separators and where a capital follows a small letter.
WORD = re.compile(r"[^\W_]+?(?:(?<=[a-z])(?=[A-Z])|(?![^\W_]))")


def words_of(name: str) -> list[str]:
    """The words of a name in lower case, apart at separators and where a capital follows a small letter."""
    return [word.lower() for word in WORD.findall(name)]


def makes_another(word: str) -> bool:
    """Whether a name means another thing with the word than without it: a side, a lesion, a margin or a part."""
    return word in SIDES or bool(MASS.fullmatch(word)) or word.startswith((*LESIONS, *OTHERS))


def is_of_lesion(name: str) -> bool:
    """Whether a name is that of a tumour, cyst or the like."""
    return any(part in name.lower() for part in LESIONS) or any(map(MASS.fullmatch, words_of(name)))


def plain(name: str) -> str:
    """The name without case, separators and order of sides: `Kidney_Right`, `kidney (R)` and `right kidney` are one."""
    words = words_of(name)
    sides = [SIDES[word] for word in words if word in SIDES]
    return "".join(sides + [word for word in words if word not in SIDES and word not in UNSAID])


# Labels and tolerances: the FLARE22 challenge's evaluation code, in the order of the paper's tables. Volumes: from a
# newborn's organ (kidney 10 ml, adrenal gland shrunken) to cirrhosis, polycystic kidneys, a spleen of leukaemia.
# Aliases: AMOS22 (with its `arota`), BTCV's short forms, AbdomenAtlas, and radiotherapy's AAPM TG-263. Not BTCV's `lad`
# and `rad` nor `pan`: to radiotherapy a coronary artery, a radius or a dose, and para-aortic nodes.
FLARE22: tuple[Organ, ...] = (
    Organ(1, "liver", "Liver", 5, "#ba4300", volume_ml=(150, 6000), aliases=("liv",)),
    Organ(
        2, "right kidney", "RK", 3, "#ffdc6a", left_twin="left kidney", volume_ml=(10, 3000), aliases=("rkid", "rk")
    ),
    Organ(3, "spleen", "Spleen", 3, "#6784fe", volume_ml=(8, 5000), aliases=("spl",)),
    Organ(4, "pancreas", "Pancreas", 5, "#b0c779", volume_ml=(5, 500)),
    Organ(
        5, "aorta", "Aorta", 2, "#e5004e", z_limited=True, volume_ml=(3, 1000),
        aliases=("aor", "arota", "abdominal aorta", "A_Aorta"),
    ),
    Organ(
        6, "inferior vena cava", "IVC", 2, "#683fef", z_limited=True, volume_ml=(2, 600),
        aliases=("ivc", "postcava", "vena cava", "vena cava inferior", "V_Venacava_I"),
    ),
    Organ(
        7, "right adrenal gland", "RAG", 2, "#18f3fa", left_twin="left adrenal gland", volume_ml=(0.3, 60),
        aliases=("rag", "right adrenal", "right suprarenal gland", "Glnd_Adrenal_R"),
    ),
    Organ(
        8, "left adrenal gland", "LAG", 2, "#adff02", volume_ml=(0.3, 60),
        aliases=("lag", "left adrenal", "left suprarenal gland", "Glnd_Adrenal_L"),
    ),
    Organ(9, "gallbladder", "GB", 2, "#00b892", volume_ml=(0.5, 500), aliases=("gall", "gb")),
    Organ(
        10, "esophagus", "Esoph.", 3, "#f6ffe0", z_limited=True, volume_ml=(0.5, 300),
        aliases=("oesophagus", "eso", "esoph"),
    ),
    Organ(11, "stomach", "Stomach", 5, "#c376cb", volume_ml=(5, 4000), aliases=("sto",)),
    Organ(12, "duodenum", "Duod.", 7, "#67607e", volume_ml=(3, 600), aliases=("duo", "duod")),
    Organ(13, "left kidney", "LK", 3, "#dd9200", volume_ml=(10, 3000), aliases=("lkid", "lk")),
)  # fmt: skip


def usual_aliases(name: str) -> tuple[str, ...]:
    """Those of FLARE22's organ of this name; none of another one."""
    return next((organ.aliases for organ in FLARE22 if organ.name == name), ())


def own_aliases(organs: Sequence[Organ]) -> dict[str, tuple[str, ...]]:
    """By the organs' names, those that are not FLARE22's."""
    return {organ.name: organ.aliases for organ in organs if organ.aliases not in ((), usual_aliases(organ.name))}


def organ_called(name: str, label: int) -> Organ:
    """The organ of that name and label; one of FLARE22's names is that one, in its colour."""
    known = next((organ for organ in FLARE22 if organ.name == name), None)
    return replace(known, label=label) if known else Organ(label, name)


def table_errors(organs: Sequence[Organ]) -> list[str]:
    """What is wrong with a label table as a whole; empty if nothing is."""
    names = [organ.name for organ in organs]
    errors = []
    if [organ.label for organ in organs] != list(range(1, len(organs) + 1)) or len(organs) > MOST_ORGANS:
        errors.append(f"labels must be 1, 2, 3, … in this order, at most {MOST_ORGANS}")
    if len(set(names)) < len(names) or "background" in names:
        errors.append("names must differ, and `background` is label 0")
    errors += [
        f"{name!r} is no name for an organ: it needs a letter or digit, and no comma, semicolon, quotation mark or "
        f"line break, which separate names in tables; {' and '.join(f'`{name}`' for name in TAKEN_NAMES)} are taken"
        for name in names
        if not words_of(name) or SEPARATORS.search(name) or name in TAKEN_NAMES
    ]
    errors += [
        f"{organ.name} has the left twin {organ.left_twin!r}, which is no other organ of the table"
        for organ in organs
        if organ.left_twin is not None and (organ.left_twin not in names or organ.left_twin == organ.name)
    ]
    return errors + _shared_names(organs)


def _shared_names(organs: Sequence[Organ]) -> list[str]:
    """An error for each name or alias that several organs have."""
    having = defaultdict(list)
    for organ in organs:
        for name in dict.fromkeys(map(plain, (organ.name, *organ.aliases))):
            having[name].append(organ.name)
    return [
        f"{' and '.join(names)} share a name or alias, {name!r} in plain: each means one organ"
        for name, names in having.items()
        if len(set(names)) > 1
    ]


def sided_pairs(organs: Sequence[Organ]) -> list[tuple[Organ, Organ]]:
    """(right, left) organs that a left-right swap exchanges."""
    by_name = {organ.name: organ for organ in organs}
    return [(organ, by_name[organ.left_twin]) for organ in organs if organ.left_twin]


def to_json(organs: Sequence[Organ], *columns: str) -> str:
    """The named columns as rules hand them to scripts: what a job does not depend on shall not run it again."""
    return json.dumps([{column: asdict(organ)[column] for column in columns} for organ in organs])


def from_json(text: str) -> tuple[Organ, ...]:
    """The table that `to_json` wrote; columns that it left out have their defaults."""
    return tuple(Organ(**organ) for organ in json.loads(text))
