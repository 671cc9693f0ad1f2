"""How a page is written: from its template to one file, with its tables and figures as files beside it."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from noisy_student.files import write_text
from noisy_student.report.plots import Plot
from noisy_student.report.table import Table
from noisy_student.tables import write_table

TEMPLATES = Path(__file__).parents[3] / "report"


def rendered(template: str, **values: Any) -> str:
    """The page as HTML text."""
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined,
                              trim_blocks=True, lstrip_blocks=True)  # fmt: skip
    environment.filters["breakable"] = breakable
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
    return environment.get_template(template).render(**values)


def breakable(text: object) -> Markup:
    """A text that may go on in a new line after `/`, `_`, `,` and `.`: paths and keys need not break in a word."""
    return Markup(re.sub(r"([/_,](?=\w)|\.(?=[^\W\d]|\d+\.\D))", r"\1<wbr>", str(escape(text))))


def write_beside(page: Path, tables: Iterable[Table], plots: Iterable[Plot]) -> None:
    """Write `tables/` and `figures/` into the page's folder."""
    for table in tables:
        write_table(table.data, page.parent / "tables" / f"{table.name}.tsv")
    for plot in plots:
        write_text(page.parent / "figures" / f"{plot.name}.svg", plot.svg)
