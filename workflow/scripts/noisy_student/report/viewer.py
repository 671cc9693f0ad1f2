"""What the page's viewer needs: niivue itself, the volumes of the examples, and each organ's colour."""

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from noisy_student.organs import Organ
from noisy_student.report.example import Example

NIIVUE = Path(__file__).parents[3] / "report/niivue/niivue-0.69.0.umd.js.gz"


def viewer(examples: list[Example], organs: Sequence[Organ]) -> dict[str, Any]:
    """`volumes`: case → pairs of title and NIfTI; `colours`: label → name and colour; `niivue`: the library, gzipped.

    All binary data are base64. The scan is the first pair of its case. Without a volume there is no library either.
    """
    volumes = {example.case: list(example.volumes.items()) for example in examples if example.volumes}
    return {
        "volumes": volumes,
        "colours": {organ.label: {"name": organ.name, "colour": organ.colour} for organ in organs},
        "niivue": base64.b64encode(NIIVUE.read_bytes()).decode() if volumes else "",
    }
