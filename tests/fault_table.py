"""The undisturbed run that all others are compared with, and the table of faults."""

from pathlib import Path

import pytest

HEAD = "| stage | fault | what came of it | lost CPU s |\n"
ROWS = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--table", type=Path, help="put the table of faults into this page, in the old one's place")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[ROWS] = []


@pytest.fixture
def survived(request):
    """Write a row of the table: stage, fault, what came of it, and the CPU seconds that had to be spent again."""

    def write(stage: str, fault: str, outcome: str, lost_s: float = 0) -> None:
        rows = request.config.stash[ROWS]
        rows.append(f"| {stage} | {fault} | {outcome} | {max(0, lost_s):.1f} |\n")
        if table := request.config.getoption("--table"):
            before = table.read_text().partition(HEAD)[0] if table.exists() else ""
            table.write_text(before + HEAD + "|---|---|---|---|\n" + "".join(rows))

    return write


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory):
    """The whole graph, run to its end."""
    from faulty_project import EVERYTHING, TINY, FaultyProject

    project = FaultyProject(tmp_path_factory.mktemp("undisturbed") / "project", **TINY)
    run = project.try_run(*EVERYTHING)
    assert run.returncode == 0, run.stdout[-5000:]
    return project
