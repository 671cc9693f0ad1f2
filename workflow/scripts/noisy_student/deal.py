"""Which labelled scans each fold holds out: dealt once, the same in every round."""

from collections.abc import Collection

import numpy as np


def held_out(cases: Collection[str], splits: int, seed: int) -> list[list[str]]:
    """The cases that each fold holds out, every case by one of them, in an order that the seed draws."""
    dealt = np.random.default_rng(seed).permutation(sorted(cases)).tolist()
    return [dealt[fold::splits] for fold in range(splits)]
