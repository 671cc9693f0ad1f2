"""Command lines that Snakemake would misread: said in one sentence, with the command that was meant.

Every profile runs this file before Snakemake reads anything else (`__definitions__`, which profiles may have:
https://yte-template-engine.github.io), since a target behind `--configfile` fails before the Snakefile is read.
"""

import re
import shlex
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

import yaml

CONFIGFILE = ("--configfile", "--configfiles")
USUAL = "config/config.yaml"
ROOT = Path(__file__).resolve().parents[4]
ENDINGS = (".yaml", ".yml", ".json")
# Where one of these stands on the command line, the profile's whole list of that name does not count.
LISTS = {
    "default-resources": ("--default-resources", "--default-res"),
    "set-resources": ("--set-resources",),
    "set-threads": ("--set-threads",),
}


def misread(words: Sequence[str], program: str = "snakemake", profile: str = "default") -> str:
    """What is wrong with the words after `program`, and what to type instead; empty if nothing is.

    `profile`: the one that counts where the words name none.
    """
    problems = (
        _misread_files(words, program),
        several_configfiles(words, program),
        _lost_lists(words, program, profile),
    )
    return next(filter(None, problems), "")


def several_configfiles(words: Sequence[str], program: str = "snakemake") -> str:
    """The same of `--configfile` that stands there more than once."""
    groups, others = taken(words, CONFIGFILE)
    command = _command(program, others, ["--configfile", *(word for group in groups for word in group)])
    return f"Of several `--configfile` the last alone counts, so give all files to one: {command}" * (len(groups) > 1)


def missing_profile(words: Sequence[str], called_from: Path, beside: Path, program: str = "snakemake") -> str:
    """That `--workflow-profile` names none, which Snakemake passes over; empty if it does or is not given.

    `called_from` is the folder of the call, to which its name is relative; `beside` that of the Snakefile.
    """
    groups, others = taken(words, ("--workflow-profile",))
    names = [group[0] for group in groups if group and group[0] != "none"]
    if not names or any((called_from / place).exists() for place in _places(names[-1], beside)):
        return ""
    here = Path() if ROOT.samefile(called_from) else ROOT
    there = ", ".join(sorted(str(here / "profiles" / path.name) for path in (ROOT / "profiles").glob("*/")))
    command = _command(program, others, ["--workflow-profile", str(here / "profiles/venv")])
    return f"There is no profile {names[-1]}; there are {there}. For example: {command}"


def taken(words: Sequence[str], options: Collection[str]) -> tuple[list[list[str]], list[str]]:
    """What each of the options that stand there takes: all words up to the next option; and the words that are left."""
    groups: list[list[str]] = []
    others: list[str] = []
    takes = False
    for word in words:
        name, equals, value = word.partition("=")
        if name in options:
            groups.append([value] if equals else [])
            takes = not equals
        elif takes and not word.startswith("-"):
            groups[-1].append(word)
        else:
            takes = False
            others.append(word)
    return groups, others


def _misread_files(words: Sequence[str], program: str) -> str:
    groups, others = taken(words, CONFIGFILE)
    files = [word for group in groups for word in group if not _is_target(word)]
    targets = [word for group in groups for word in group if _is_target(word)]
    missing = ", ".join(file for file in files if not Path(file).is_file())
    if missing:
        return f"There is no configuration file {missing} (looked for in {Path.cwd()})."
    if targets:
        names = ", ".join(f"`{name}`" for name in targets)
        command = _command(program, [*targets, *others], ["--configfile", *files] if files else [])
        return f"`--configfile` takes {names} for a file, so targets have to stand first: {command}"
    return next(filter(None, map(_malformed, [*files, *_usual_files(words)])), "")


def _usual_files(words: Sequence[str]) -> list[str]:
    """The configurations that need no option: the run's folder's, and the workflow's."""
    folder = next((group[0] for group in taken(words, ("--directory", "-d"))[0] if group), "")
    places = (Path(folder, USUAL), ROOT / USUAL)
    return [str(place) for place in places if place.is_file()]


def _malformed(file: str) -> str:
    """Why Snakemake cannot read a configuration file: it shows a traceback, or names no file."""
    try:
        text = Path(file).read_text(encoding="utf-8-sig")
        # JSON may be indented with tabs, which YAML does not know.
        text = text.replace("\t", " ") if text.lstrip().startswith("{") else text
        if not isinstance(yaml.compose(text, Loader=yaml.SafeLoader), yaml.MappingNode):
            return f"The configuration file {file} has no keys: write some, such as `seed: 1`, or take the file away."
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        return f"The configuration file {file} is not UTF-8 text (line {line}): save it again as UTF-8."
    except yaml.MarkedYAMLError as error:
        where = f" (line {error.problem_mark.line + 1})" if error.problem_mark else ""
        return f"The configuration file {file} is no valid YAML{where}: {error.problem}."
    except yaml.YAMLError as error:
        return f"The configuration file {file} is no valid YAML: {' '.join(str(error).split())}"
    return ""


def _is_target(word: str) -> bool:
    """A rule's name, or a path of results; any other path is a file's that is there or was meant."""
    path = Path(word)
    is_name = len(path.parts) == 1 and not (path.is_file() or path.name.endswith(ENDINGS))
    return is_name or path.parts[:1] == ("results",)


def _lost_lists(words: Sequence[str], program: str, usual: str) -> str:
    profile = _profile(words, usual)
    entries = yaml.safe_load(profile.read_text()) if profile else {}
    for name, options in LISTS.items():
        groups, others = taken(words, options)
        given = [word for group in groups for word in group]
        lost = [entry for entry in _flat(entries.get(name)) if _resource(entry) not in map(_resource, given)]
        if groups and lost:
            also = ", …" if len(lost) > 4 else ""
            wanted = " and ".join(f"`{word.replace('=', ': ', 1)}`" for word in given) or "what is wanted"
            return (
                f"`--{name}` would take away the whole list of that name in {profile} ({', '.join(lost[:4])}{also}), "
                f"so write {wanted} there: {_command(program, others)}"
            )
    return ""


def _profile(words: Sequence[str], usual: str) -> Path | None:
    """The file of the profile that Snakemake uses."""
    name = next((group[0] for group in reversed(taken(words, ("--workflow-profile",))[0]) if group), usual)
    place = next(filter(Path.exists, _places(name, ROOT)), Path(name))
    return next(filter(Path.is_file, (place, place / "config.yaml")), None)


def _places(name: str, beside: Path) -> tuple[Path, ...]:
    """Where Snakemake looks for a profile: as a path, below `profiles`, and there beside the Snakefile."""
    return Path(name), Path("profiles", name), beside / "profiles" / name


def _flat(entries: object) -> list[str]:
    """The resources of a profile's list as the command line names them: `mem_mb`, or of a rule `train:mem_mb`."""
    if not isinstance(entries, dict):
        return [str(entry).partition("=")[0] for entry in entries or []]
    of_rules = [f"{rule}:{name}" for rule, own in entries.items() if isinstance(own, dict) for name in own]
    return of_rules or list(entries)


def _resource(entry: str) -> str:
    """What a resource is the amount of, whatever its unit."""
    return re.sub(r"_mi?b$", "", entry.partition("=")[0])


def _command(program: str, words: Sequence[str], last: Sequence[str] = ()) -> str:
    """A command with what stands behind `--` before all options, where targets are safe."""
    if "--" in words:
        place = list(words).index("--")
        words = [*words[place + 1 :], *words[:place]]
    return f"{program} {shlex.join([*words, *last])}".rstrip()


if __name__ == "__main__" and (problem := misread(sys.argv[1:])):
    sys.exit(problem)
