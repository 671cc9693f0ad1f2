"""The page that compares experiments, and the tables and figures beside it."""

from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from noisy_student import __version__
from noisy_student.evaluate.aggregate import MEASURES
from noisy_student.files import write_text
from noisy_student.report.experiments import costs, plots, tables, traces, words
from noisy_student.report.experiments.comparison import Comparison
from noisy_student.report.plots import Plot
from noisy_student.report.rendering import rendered, write_beside
from noisy_student.report.table import Table

NAME = "comparison.html"


@dataclass(frozen=True)
class RoleContent:
    """What the page shows of one role."""

    role: str
    plots: list[Plot]
    rounds: Table
    differences: Table
    organs: list[Table]


@dataclass(frozen=True)
class Content:
    """Everything that the page shows; `files` are tables for the folder alone."""

    roles: list[RoleContent]
    ranking: Table
    costs: Table
    configurations: Table
    experiments: Table
    files: list[Table]

    @property
    def tables(self) -> list[Table]:
        """All tables, for the files."""
        of_roles = [(role.rounds, role.differences, *role.organs) for role in self.roles]
        single = [self.ranking, self.costs, self.configurations, self.experiments]
        return [*chain(*of_roles), *single, *self.files]

    @property
    def plots(self) -> list[Plot]:
        """All plots, for the files."""
        return [plot for role in self.roles for plot in role.plots]


def content(comparison: Comparison) -> Content:
    """Make every table and figure."""
    return Content(
        roles=[_role(comparison, role) for role in comparison.roles],
        ranking=costs.ranking(comparison),
        costs=costs.costs(comparison),
        configurations=traces.configurations(comparison),
        experiments=traces.runs(comparison),
        files=traces.files(comparison),
    )


def _role(comparison: Comparison, role: str) -> RoleContent:
    return RoleContent(
        role=role,
        plots=[draw(comparison, role, measure) for draw in (plots.over_rounds,
               plots.last_differences) for measure in MEASURES],
        rounds=tables.rounds(comparison, role),
        differences=tables.differences(comparison, role),
        organs=[tables.organs(comparison, role, measure) for measure in MEASURES],
    )  # fmt: skip


def facts(comparison: Comparison) -> list[tuple[str, str]]:
    """(name, value) of what identifies the comparison, for the head of the page."""
    shared = ", ".join(f"{comparison.scans_of(role)} {role}" for role in comparison.roles)
    names = ", ".join(experiment.name for experiment in comparison.experiments)
    return [("experiments", names), ("baseline", comparison.baseline.name), ("shared scans", shared),
            ("made by", f"flare-noisy-student {__version__}")]  # fmt: skip


def write_comparison(comparison: Comparison, folder: Path, command: str) -> Path:
    """Write the page, `tables/` and `figures/` into `folder`; `command` is what the page says made it."""
    shown, page = content(comparison), folder / NAME
    write_beside(page, shown.tables, shown.plots)
    html = rendered(
        "comparison.html.j2",
        shown=shown,
        facts=facts(comparison),
        headline=words.headline(comparison),
        key_numbers=words.key_numbers(comparison),
        basis=words.basis(comparison),
        notes=words.notes(comparison),
        command=command,
    )
    write_text(page, html)
    return page
