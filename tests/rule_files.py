"""What the rule files say: for each rule its environment and its scripts."""

import re
from pathlib import Path

from conftest import ROOT

SCRIPTS = ROOT / "workflow/scripts"
RULE = re.compile(r"^rule (\w+):\n(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)


def rules() -> dict[str, tuple[str, list[Path]]]:
    """Each rule that runs scripts: its environment, its scripts."""
    texts = "\n".join(path.read_text() for path in sorted((ROOT / "workflow/rules").glob("*.smk")))
    found = {}
    for name, body in RULE.findall(texts):
        scripts = re.findall(r"NOISY_STUDENT/(\w+\.py)", body)
        environment = re.search(r"envs/(\w+)\.yaml", body)
        if scripts:
            assert environment, f"rule {name} has no environment"
            found[name] = (environment[1], [SCRIPTS / script for script in scripts])
    return found
