"""The lock file, and what is said of the Python that it needs, against what the README promises."""

import re
import sys
import tomllib
from importlib.metadata import metadata
from types import SimpleNamespace

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from conftest import ROOT

# Of the README; Debian 12 has 3.11.2.
OLDEST = "3.11.0"


def test_every_locked_package_runs_on_the_oldest_python():
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pins = [Requirement(line) for line in lines if line.strip() and not line.startswith(("#", "-"))]
    wanted = {pin.name: metadata(pin.name).get("Requires-Python", "") for pin in pins}
    assert len(wanted) > 100
    assert {name for name, python in wanted.items() if not SpecifierSet(python).contains(OLDEST)} == set()


@pytest.fixture
def pythons():
    """The Pythons that the project says it needs. 3.14 starts processes in a way that batches cannot be handed to."""
    return SpecifierSet(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"])


@pytest.mark.parametrize("version", [(3, 10, 14), (3, 11, 0), (3, 11, 2), (3, 13, 7), (3, 14, 0), (4, 0, 0)])
def test_make_refuses_the_pythons_that_the_project_does_not_run_on(pythons, version):
    check = re.search(r"-c 'import sys; (.*?)'", (ROOT / "Makefile").read_text())[1]
    with pytest.raises(SystemExit) as end:
        exec(check, {"sys": SimpleNamespace(version_info=version, exit=sys.exit)})
    assert end.value.code == (not pythons.contains(".".join(map(str, version))))


@pytest.mark.parametrize("place", ["README.md", "docs/tutorial.md", "Makefile"])
def test_documents_name_these_pythons(pythons, place):
    minors = [minor for minor in range(100) if pythons.contains(f"3.{minor}.0")]
    assert f"Python 3.{minors[0]} to 3.{minors[-1]}" in (ROOT / place).read_text()
