"""On which machine something was measured: figures of time and area compare only where it is of one kind."""

import platform
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

# Columns of an efficiency table. Tables of earlier versions lack the names, so their machine is unknown.
MACHINE = ("cpu", "cores", "gpu")
Machine = tuple[str, str, str]


def cpu_name() -> str:
    """The processor's model, as Linux names it; elsewhere what Python knows of it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())


def machines(tables: Iterable[pd.DataFrame]) -> list[Machine]:
    """The kinds of machines on which efficiency tables were measured, in their order; what is not known is empty."""
    of_tables = (table.reindex(columns=MACHINE).astype(object) for table in tables)
    rows = (row for table in of_tables for row in table.where(table.notna(), "").itertuples(index=False, name=None))
    return list(dict.fromkeys(tuple(map(str, row)) for row in rows))


def is_known(machine: Machine) -> bool:
    """Whether a table says what it was measured on."""
    return bool(machine[0] or machine[2])


def in_words(machine: Machine) -> str:
    """ "AMD EPYC 7763 (128 cores, NVIDIA A100)"; empty where it is not known."""
    cpu, cores, gpu = machine
    noun = "core" if cores == "1" else "cores"
    beside = ", ".join(filter(None, (cores and f"{cores} {noun}", gpu or "no GPU used")))
    return f"{cpu or 'an unnamed CPU'} ({beside})" if is_known(machine) else ""
