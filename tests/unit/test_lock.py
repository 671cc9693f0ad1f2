"""The lock file against what the README promises."""

from importlib.metadata import metadata

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
