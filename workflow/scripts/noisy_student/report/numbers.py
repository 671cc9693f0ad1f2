"""How numbers are written on the page; a missing one is a dash."""

from collections.abc import Iterable
from typing import Any

import pandas as pd

MISSING = "–"
MINUS = "−"
NO_BREAK = "\N{NO-BREAK SPACE}"
SIGNIFICANT = 0.05


def score(value: float) -> str:
    """A DSC, NSD or probability: three digits."""
    return MISSING if pd.isna(value) else f"{value:.3f}".replace("-", MINUS)


def signed(value: float) -> str:
    """A difference, with its sign; a true minus, and no sign on zero."""
    if pd.isna(value):
        return MISSING
    text = f"{value:+.3f}"
    return "0.000" if float(text) == 0 else text.replace("-", MINUS)


def interval(low: float, high: float) -> str:
    """A 95 % interval of a value; empty where there is none."""
    return "" if pd.isna(low) or pd.isna(high) else f"[{score(low)},{NO_BREAK}{score(high)}]"


def signed_interval(low: float, high: float) -> str:
    """A 95 % interval of a difference; empty where there is none."""
    return "" if pd.isna(low) or pd.isna(high) else f"[{signed(low)},{NO_BREAK}{signed(high)}]"


def p_value(value: float) -> str:
    """A p-value, after "p"."""
    if pd.isna(value):
        return ""
    return f"p{NO_BREAK}<{NO_BREAK}0.001" if value < 0.001 else f"p{NO_BREAK}={NO_BREAK}{value:.3f}"


def magnitude(value: float | None) -> str:
    """A large count with its unit prefix: 63.07 M, 1.25 T."""
    if value is None:
        return MISSING
    for limit, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:.2f} {prefix}"
    return f"{value:.0f}"


def duration(seconds: float) -> str:
    """Seconds in the unit that a person would use."""
    if pd.isna(seconds):
        return MISSING
    if seconds < 120:
        return f"{seconds:.0f}{NO_BREAK}s"
    return f"{seconds / 60:.0f}{NO_BREAK}min" if seconds < 7200 else f"{seconds / 3600:.1f}{NO_BREAK}h"


def count(number: int, noun: str) -> str:
    """ "1 case", "3 cases"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def and_(parts: Iterable[str]) -> str:
    """ "a", "a and b", "a, b and c"; empty of nothing."""
    *first, last = [*parts] or [""]
    return f"{', '.join(first)} and {last}" if first else last


def capitalised(text: str) -> str:
    """The text with a large first letter and all others as they are."""
    return text[:1].upper() + text[1:]


def product(values: list[Any]) -> str:
    """Sizes or spacings: 32 × 224 × 224."""
    return " × ".join(f"{value:g}" for value in values) if values else MISSING
