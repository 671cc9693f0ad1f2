"""Lists as messages have them."""

from collections.abc import Sequence


def first_of(names: Sequence[object], shown: int) -> str:
    """The first names, with `…` behind them where there are more."""
    return ", ".join(map(str, names[:shown])) + (", …" if len(names) > shown else "")
