"""One example case as it is kept between the step that reads scans and the page that shows them."""

import base64
import io
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from noisy_student.files import write_text
from noisy_student.report.montage import sheet
from noisy_student.report.volumes import Volumes


@dataclass(frozen=True)
class Panel:
    """One picture (WebP as base64) with its column title and what it shows for those who cannot see it."""

    title: str
    description: str
    webp: str
    width: int
    height: int

    @classmethod
    def of(cls, title: str, description: str, image: Image.Image) -> "Panel":
        """A picture, compressed with little loss: a quarter of a PNG."""
        stream = io.BytesIO()
        image.save(stream, format="WEBP", quality=90, method=6)
        return cls(title, description, base64.b64encode(stream.getvalue()).decode(), image.width, image.height)

    @property
    def image(self) -> Image.Image:
        """The picture again."""
        return Image.open(io.BytesIO(base64.b64decode(self.webp))).convert("RGB")


@dataclass(frozen=True)
class Example:
    """A case, why it is shown, its panels per view, and its volumes, if it has any.

    `kind` is that of its choice; `problem` says why there are no pictures.
    """

    case: str
    kind: str
    name: str
    title: str
    caption: str
    panels: list[list[Panel]]
    volumes: Volumes | None = None
    problem: str = ""

    def sheet(self) -> Image.Image:
        """All panels as one picture."""
        return sheet([[panel.image for panel in row] for row in self.panels], [panel.title for panel in self.panels[0]])


def write_examples(examples: list[Example], path: Path) -> None:
    """Write all examples as one JSON file."""
    write_text(path, json.dumps([asdict(example) for example in examples]))


def read_examples(path: Path) -> list[Example]:
    """Read them back; none where the file is not there yet."""
    entries = json.loads(path.read_text()) if path.exists() else []
    return [_example(entry) for entry in entries]


def _example(entry: dict[str, Any]) -> Example:
    panels = [[Panel(**panel) for panel in row] for row in entry["panels"]]
    volumes = Volumes(**entry["volumes"]) if entry["volumes"] else None
    return Example(**entry | {"panels": panels, "volumes": volumes})
