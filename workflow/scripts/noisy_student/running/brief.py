"""Snakemake's words on a terminal without the JSON that commands are given; its own log has them whole."""

import logging
import re

# A shell's word in single quotes that holds JSON; an apostrophe within it is written '"'"'.
JSON_WORD = re.compile(r"""'[\[{](?:[^'\n]|'"'"')*'""")
LONGEST = 60


class Brief(logging.Formatter):
    """What another formatter writes, with long JSON in commands left out."""

    def __init__(self, whole: logging.Formatter) -> None:
        super().__init__()
        self.whole = whole

    def format(self, record: logging.LogRecord) -> str:
        """The record as text."""
        return shortened(self.whole.format(record))


def shortened(text: str) -> str:
    """The text with `'{…}'` for each JSON of more than a few characters."""
    return JSON_WORD.sub(_in_short, text)


def _in_short(found: re.Match[str]) -> str:
    word = found[0]
    return word if len(word) <= LONGEST else f"{word[:2]}…{word[-2:]}"


def on_terminal(logger: logging.Logger) -> None:
    """Let Snakemake's logger write briefly to the terminal."""
    for handler in logger.handlers:
        if handler.name == "DefaultStreamHandler" and handler.formatter:
            handler.setFormatter(Brief(handler.formatter))
