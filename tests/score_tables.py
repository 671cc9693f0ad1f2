"""Score tables with chosen values, for tests of what is made from them."""

import numpy as np
import pandas as pd

from noisy_student.organs import FLARE22


def in_sets(**dsc):
    """A score table of test scans: the name of each set → its cases' DSC, one value a case."""
    tables = [
        scores(values, cases=[f"{name}_{number}" for number in range(len(values))]).assign(set=name)
        for name, values in dsc.items()
    ]
    return pd.concat(tables, ignore_index=True)


def scores(dsc, nsd=None, role="test", cases=None):
    """A score table from (cases, 13) arrays of DSC and NSD; one value a case fills all its organs."""
    dsc = np.asarray(dsc, float)
    dsc = np.repeat(dsc[:, None], len(FLARE22), axis=1) if dsc.ndim == 1 else dsc
    nsd = dsc if nsd is None else np.asarray(nsd, float)
    names = cases or [f"case_{number}" for number in range(len(dsc))]
    rows = [
        (case, role, organ.label, organ.name, dsc[i, j], nsd[i, j])
        for i, case in enumerate(names)
        for j, organ in enumerate(FLARE22)
    ]
    return pd.DataFrame(rows, columns=["case", "role", "label", "organ", "DSC", "NSD"])
