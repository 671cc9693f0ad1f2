"""Groups of scans of which a selection keeps its share each, so that no group is lost."""

import pandas as pd


def strata(table: pd.DataFrame, cases: pd.DataFrame, per: str | None) -> pd.Series:
    """The stratum of each case: its source, its slice spacing in whole mm, or which organs were found.

    `table` has one row of scores per case and organ, `cases` is the case table, indexed by case.
    """
    names = pd.Index(sorted(table.case.unique()), name="case")
    if per == "source":
        return cases.source.reindex(names).fillna("not given")
    if per == "spacing":
        return cases.spacing_z_mm.reindex(names).round().astype(int).map("{} mm".format)
    if per == "organs":
        absent = table[table.voxels == 0].groupby("case").organ.agg(", ".join).reindex(names)
        return ("without " + absent).fillna("all found")
    return pd.Series("all", index=names)


def small_ones_together(stratum: pd.Series, fewest: int) -> pd.Series:
    """The stratum of each case, those of fewer than `fewest` cases made one: of each alone all would be kept."""
    return stratum.where(stratum.map(stratum.value_counts()) >= fewest, "seldom found together")
