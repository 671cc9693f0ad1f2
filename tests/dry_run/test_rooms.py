"""The rooms of the house: a package for each stage of the Snakefile, which imports only what stands before it."""

import ast
import re

from conftest import ROOT
from rule_files import SCRIPTS

HOUSE = SCRIPTS / "noisy_student"
# What all stages share, first to last, and how a run starts and ends. `model` is what trainings make and label with,
# `writing` how label maps leave.
SHARED = ["reading", "configuration", "running", "embedded"]
STAGES = re.findall(r'include: "workflow/rules/(\w+)\.smk"', (ROOT / "Snakefile").read_text())
APART = {"place", "common", "handlers"}


def stages() -> list[str]:
    """The stages as the Snakefile tells them; a model is known once planned, its label maps written, both kept."""
    story = [stage for stage in STAGES if stage not in APART]
    after_plans = story.index("plan") + 1
    return [*story[:after_plans], "model", "writing", "keeping", *story[after_plans:]]


def imported_rooms(room: str) -> set[str]:
    """The other rooms that a room's files import from."""
    rooms = set()
    for path in (HOUSE / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("noisy_student."):
                rooms.add(node.module.split(".")[1])
    return {name for name in rooms if (HOUSE / name).is_dir()} - {room}


def test_every_stage_has_a_room_and_every_room_is_a_stage_or_shared():
    rooms = {path.parent.name for path in HOUSE.glob("*/__init__.py")}
    assert rooms == {*SHARED, *stages()}


def test_a_room_imports_only_rooms_before_it_in_the_story():
    order = [*SHARED, *stages()]
    wrong = {
        room: late for position, room in enumerate(order) if (late := imported_rooms(room) - set(order[:position]))
    }
    assert not wrong
