"""What a script imports, its rule's environment names: under `python` of another environment nothing else is there."""

import ast
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import environments
from conftest import ROOT
from rule_files import SCRIPTS, rules


def module_files(name: str) -> list[Path]:
    """The files of the project that `import name` runs: the module, and the packages above it."""
    parts = name.split(".")
    places = [SCRIPTS.joinpath(*parts[:length]) for length in range(1, len(parts) + 1)]
    candidates = [path for place in places for path in (place.with_suffix(".py"), place / "__init__.py")]
    return [path for path in candidates if path.exists()]


def imported_names(path: Path) -> set[str]:
    """Every name that a file imports, wherever in the file; `from a import b` may mean the module a.b."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def external_modules(scripts: list[Path]) -> dict[str, Path]:
    """Modules from outside the project and the standard library that scripts reach, each with a file naming it."""
    seen, todo, found = set(), list(scripts), {}
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        for name in imported_names(path):
            files = module_files(name)
            todo += files
            top = name.split(".")[0]
            if not files and top not in sys.stdlib_module_names:
                found[top] = path
    return found


PACKAGES = packages_distributions()


def distributions(module: str) -> set[str]:
    """The packages that bring a module, by normalised name."""
    return {environments.canonicalize_name(name) for name in PACKAGES.get(module, [])}


RULES = rules()


@pytest.mark.parametrize("rule", RULES)
def test_no_script_imports_what_its_environment_does_not_name(rule):
    environment, scripts = RULES[rule]
    lines = (ROOT / "envs" / f"{environment}.yaml").read_text().splitlines()
    pins = {line.strip(" -").split("==")[0] for line in lines if "==" in line}
    modules = external_modules(scripts)
    missing = {f"{module} ({path.name})" for module, path in modules.items() if not distributions(module) & pins}
    assert not missing, f"rule {rule} runs in envs/{environment}.yaml, which does not name {sorted(missing)}"


@pytest.mark.parametrize("environment", environments.ENVIRONMENTS)
def test_an_environment_asks_for_nothing_that_its_scripts_do_not_import(environment):
    scripts = [script for name, some in RULES.values() if name == environment for script in some]
    imported = set().union(*map(distributions, external_modules(scripts)))
    asked = set(map(environments.canonicalize_name, environments.ENVIRONMENTS[environment]))
    asked -= set(environments.DECODERS)
    assert asked <= imported, f"not imported: {sorted(asked - imported)}"


def test_the_walk_follows_modules_packages_and_imports_inside_functions(tmp_path):
    assert {"torch", "nnunetv2", "pandas"} <= set(external_modules([SCRIPTS / "train.py"]))
    script = tmp_path / "script.py"
    script.write_text("import os\n\ndef late():\n    import torch.nn\n    from noisy_student import tables\n")
    modules = external_modules([script])
    assert "torch" in modules and modules["pandas"].name == "tables.py" and "os" not in modules
