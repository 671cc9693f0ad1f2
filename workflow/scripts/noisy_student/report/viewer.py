"""What the page's viewer needs: niivue itself, the volumes of the examples, each organ's colour, how to make others."""

import base64
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from noisy_student.organs import Organ
from noisy_student.report.example import Example

SCRIPTS = Path(__file__).parents[2]
NIIVUE = SCRIPTS.parent / "report/niivue/niivue-0.69.0.umd.js.gz"


def viewer(examples: list[Example], organs: Sequence[Organ], results: Path) -> dict[str, Any]:
    """`volumes`: case → box and label maps; `colours`: label → name and colour; `niivue`: the library, gzipped.

    All binary data are base64. `command` makes the volumes of a case beside the page; its name comes after it.
    """
    command = ["python", str(SCRIPTS / "draw_volumes.py"), "--results", str(results.resolve()), "--cases"]
    return {
        "volumes": {example.case: example.volumes.for_page() for example in examples if example.volumes},
        "colours": {organ.label: {"name": organ.name, "colour": organ.colour} for organ in organs},
        "niivue": base64.b64encode(NIIVUE.read_bytes()).decode(),
        "command": shlex.join(command),
    }
