"""What the repository's documents hold: links, the anchors of their headings, and code."""

import re
from dataclasses import dataclass
from pathlib import Path

from conftest import ROOT

FOLDERS = (".", "config", "docs", "findings", "results")
DOCUMENTS = sorted(path for folder in FOLDERS for path in (ROOT / folder).glob("*.md"))
FENCED = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
INDENTED = re.compile(r"(?:^    .+\n)+", re.MULTILINE)
SPAN = re.compile(r"`([^`]+)`")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """Lines of code, and the language that they are said to be in."""

    language: str
    text: str

    def commands(self) -> list[str]:
        """What is typed in a shell, where no language is named; lines that go on are one."""
        return [] if self.language else self.text.replace("\\\n", " ").splitlines()


def blocks(document: Path) -> list[Block]:
    """Its blocks of code between fences."""
    return [
        Block(language, re.sub(f"^{indent}", "", text, flags=re.MULTILINE))
        for indent, language, text in FENCED.findall(document.read_text())
    ]


def commands(document: Path) -> list[str]:
    """All that may be typed: in blocks, and in code within a line."""
    prose = FENCED.sub("", document.read_text())
    indented = "".join(INDENTED.findall(prose))
    typed = [command for block in blocks(document) for command in block.commands()]
    return [*typed, *indented.splitlines(), *(" ".join(span.split()) for span in SPAN.findall(prose))]


def links(document: Path) -> list[str]:
    """The targets of its links to other files of the repository, or to its own headings."""
    prose = SPAN.sub("", FENCED.sub("", document.read_text()))
    return [target for target in LINK.findall(prose) if "://" not in target]


def anchors(document: Path) -> set[str]:
    """What its headings are linked by on GitHub: https://docs.github.com/get-started/writing-on-github."""
    headings = HEADING.findall(FENCED.sub("", document.read_text()))
    plain = (re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", heading).lower() for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain}
