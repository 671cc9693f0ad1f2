"""Sets of judged scans: where the scans of a role come from several sources, each source is judged on its own."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pandas as pd

# What the sets of a role are called together.
POOLED = "pooled"
NOT_GIVEN = "not given"


@dataclass(frozen=True)
class JudgedSet:
    """Scans that are judged together: all of a role; those of one source, its `name`; or `pooled` from so many sets.

    `file` stands for it in the names of files.
    """

    role: str
    name: str = ""
    file: str = ""
    pooled: int = 0

    @property
    def words(self) -> str:
        """What stands before "scan": `test`, `“external” test`, `pooled test`."""
        name = self.name if self.pooled or not self.name else f"“{self.name}”"
        return f"{name} {self.role}".strip()

    @property
    def origin(self) -> str:
        """What stands after "scans": of how many sets they are."""
        return f" of {self.pooled} sets" if self.pooled else ""

    @property
    def scans(self) -> str:
        """`test scans`, `“external” test scans`, `pooled test scans of 2 sets`."""
        return f"{self.words} scans{self.origin}"

    @property
    def keys(self) -> dict[str, str]:
        """The set as columns of a table; without `set` where it is all of its role."""
        return {"role": self.role} | ({"set": self.name} if self.name else {})


def in_sets(results: pd.DataFrame) -> pd.DataFrame:
    """A table of results with the column `set`, which is empty in a role that has but one."""
    if "set" not in results:
        return results.assign(set="")
    several = results.groupby("role")["set"].transform("nunique") > 1
    return results.assign(set=results["set"].where(several, ""))


def sets_of(role: str, *tables: pd.DataFrame) -> list[JudgedSet]:
    """What of a role is judged in tables of `in_sets`: all of it, or its sets, and these pooled if that is there."""
    names = list(dict.fromkeys(name for table in tables for name in table.loc[table["role"] == role, "set"]))
    apart = sum(name != POOLED for name in names)
    return [
        JudgedSet(role, name, f"{role}_{file}" if name else role, apart if name == POOLED else 0)
        for name, file in zip(names, _file_names(names), strict=True)
    ]


def rows_of(judged: JudgedSet, results: pd.DataFrame) -> pd.DataFrame:
    """The rows of a set in a table of `in_sets`."""
    return results[(results["role"] == judged.role) & (results["set"] == judged.name)]


def _file_names(names: Iterable[str]) -> Iterator[str]:
    """Each name in letters, digits, `-` and `_`; no two alike, even where upper and lower case are."""
    taken = set()
    for name in names:
        file = re.sub(r"[^\w-]+", "_", name).strip("_")
        while file.lower() in taken:
            file += "_"
        taken.add(file.lower())
        yield file


def of_cases(cases: pd.DataFrame) -> pd.Series:
    """The set of each row of a case table, which is its source; empty throughout where no role has several."""
    sources = cases.get("source", pd.Series(NOT_GIVEN, cases.index)).fillna(NOT_GIVEN)
    several = (sources.groupby(cases["role"]).nunique() > 1).any()
    return sources if several else pd.Series("", cases.index)


def sizes(cases: pd.DataFrame) -> dict[str, dict[str, int]]:
    """How many validation and test scans each source has: role → source → number."""
    sources = cases["source"].fillna(NOT_GIVEN)
    found = sources.groupby([cases["role"], sources], sort=False).size()
    return {role: found[role].to_dict() for role in ("validation", "test") if role in found.index.levels[0]}
