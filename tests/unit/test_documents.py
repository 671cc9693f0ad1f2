"""What the documents say is so: their links, their code, and the site that is built of them."""

import contextlib
import io
import os
import re
import runpy
import subprocess
import sys

import pytest
import yaml
from snakemake.cli import get_argument_parser

import documents
from conftest import ROOT
from documents import DOCUMENTS
from project import BIN

OPTION = re.compile(r"(?<![\w-])--[a-z][\w-]*")
PROGRAM = re.compile(r"\bsnakemake\b(?= )|(?:python \S*?)?(?P<script>(?:(?:workflow/scripts|benchmarks)/)?\w+\.py)\b")
COMMAND_ENDS = re.compile(r"&&|\||;")


def test_links_lead_to_files_and_headings():
    assert not [f"{document.name}: {link}" for document in DOCUMENTS for link in lost_links(document)]


def lost_links(document):
    for link in documents.links(document):
        name, _, anchor = link.partition("#")
        target = (document.parent / name) if name else document
        if not target.exists() or (anchor and anchor not in documents.anchors(target)):
            yield link


def test_what_is_said_to_be_yaml_is():
    for document in DOCUMENTS:
        for block in documents.blocks(document):
            if block.language == "yaml":
                yaml.safe_load(block.text)


def test_commands_have_the_options_that_they_are_shown_with():
    known, unknown = {"snakemake": options_of_snakemake()}, []
    for program, shown in [found for document in DOCUMENTS for found in options_shown(document)]:
        if program not in known:
            known[program] = options_of_script(program)
        unknown += [f"{program} {option}" for option in shown if option not in known[program]]
    assert not unknown


def options_shown(document):
    """The options that the document shows of Snakemake, or of a script of the project, command by command."""
    for command in documents.commands(document):
        for part in COMMAND_ENDS.split(command):
            found = PROGRAM.search(part)
            if found and (options := OPTION.findall(part, found.end())):
                yield found["script"] or "snakemake", options


def test_make_has_the_targets_that_are_shown():
    makefile = (ROOT / "Makefile").read_text()
    targets = {name for line in re.findall(r"^([a-z][\w -]*):(?!=)", makefile, re.MULTILINE) for name in line.split()}
    typed = [command for document in DOCUMENTS for command in documents.commands(document)]
    assert {found[1] for command in typed if (found := re.search(r"\bmake ([a-z][\w-]*)$", command))} <= targets


def options_of_snakemake():
    return {word for action in get_argument_parser()._actions for word in action.option_strings}


def options_of_script(name):
    """None of a script without a command line of its own, which is not called to find out, or that is not there."""
    scripts = [path for path in (ROOT / name, ROOT / "workflow/scripts" / name) if path.is_file()]
    return {
        option for path in scripts if "ArgumentParser" in path.read_text() for option in OPTION.findall(help_of(path))
    }


def help_of(script):
    """What it says when asked for help, without a process of its own."""
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(said), pytest.raises(SystemExit):
        patch.setattr(sys, "argv", [str(script), "--help"])
        runpy.run_path(str(script), run_name="__main__")
    return said.getvalue()


def test_the_site_is_built_of_them_and_loads_nothing_from_elsewhere(tmp_path):
    command = [f"{BIN}/mkdocs", "build", "--strict", "--config-file", ROOT / "mkdocs.yml", "--site-dir", tmp_path]
    run = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    )
    assert run.returncode == 0, run.stderr
    pages = list(tmp_path.rglob("*.html"))
    assert len(pages) > len(DOCUMENTS)
    loaded = re.compile(r'(?:<script[^>]* src|<link[^>]* href|<img[^>]* src)="?(?:https?:)?//[^">]*')
    assert not [found for page in pages for found in loaded.findall(page.read_text())]
