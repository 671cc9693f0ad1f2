"""Hooks of MkDocs (`mkdocs.yml`): the site has the repository's pages, each at its own place, so that links hold.

A page of the navigation is named as it lies in the repository: `README.md`, `docs/rounds.md`. What pages link to comes
along: a file as it is, a folder as a list of its files.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
STYLE = "docs/site/style.css"
LIST = "index.md"
LINK = re.compile(r"(?<=\]\()[^)#\s]+")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Put the navigation's pages, and what they link to, in the place of everything in `docs_dir`."""
    for file in list(files):
        if file.src_dir == config.docs_dir:
            files.remove(file)
    pages = {ROOT / name for name in _names(config.nav)}
    linked = {target for page in pages for target in _targets(page)}
    folders = {target for target in linked if target.is_dir()}
    for path in sorted({ROOT / STYLE, *pages, *(linked - folders), *(file for at in folders for file in _files(at))}):
        files.append(File.generated(config, _name(path), abs_src_path=str(path)))
    for folder in sorted(folders):
        listed = File.generated(config, f"{_name(folder)}/{LIST}", content=_list_of_files(folder))
        listed.inclusion = InclusionLevel.NOT_IN_NAV
        files.append(listed)
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead links to folders to their lists of files."""
    here = (ROOT / page.file.src_uri).parent
    return LINK.sub(lambda link: f"{link[0].rstrip('/')}/{LIST}" if (here / link[0]).is_dir() else link[0], markdown)


def _names(nav: object) -> Iterator[str]:
    """The pages of a navigation, at any depth."""
    if isinstance(nav, str):
        yield nav
    else:
        for entry in nav.values() if isinstance(nav, dict) else nav:
            yield from _names(entry)


def _targets(page: Path) -> Iterator[Path]:
    """The files and folders of the repository that a page links to."""
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        target = (page.parent / link).resolve()
        if target.is_relative_to(ROOT) and target.exists():
            yield target


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file())


def _list_of_files(folder: Path) -> str:
    return f"# {_name(folder)}\n\n" + "\n".join(f"- [{path.name}]({path.name})" for path in _files(folder)) + "\n"
