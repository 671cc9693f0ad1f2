"""Rounds by their names in files, `0`, `1`, … and, after all others, `deploy`."""

import sys


def place(name: str) -> int:
    """Where a round comes in their order."""
    return int(name) if name.isdigit() else sys.maxsize


def in_words(name: str) -> str:
    """What a page calls it."""
    return f"Round {name}" if name.isdigit() else "Student made to be deployed"


def with_role(name: str) -> str:
    """The same with what its model is in the chain."""
    return in_words(name) + (f", {'student' if int(name) else 'teacher'}" if name.isdigit() else "")
