"""Take models from elsewhere into the results, if their checksums say that they are trusted.

As teachers, with --verdict: all folds of each. For the first weights of a training, with --fold: that fold, or the
first one of a model that does not have it. Where the models lie nothing is written.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from noisy_student.command import run
from noisy_student.files import sha256, write_text
from noisy_student.model.checkpoint_names import FINAL_CHECKPOINT
from noisy_student.model.elsewhere import TRUST_IT, lacking, together, translations
from noisy_student.model.source import DESCRIPTIONS, Source, copy_from, read_source
from noisy_student.model.translation import Translation
from noisy_student.model.trust import foreign_error, record, untrusted
from noisy_student.organs import FLARE22, from_json


def take(source: Source, folds: Mapping[str, str], trusted: Collection[str], folder: Path) -> dict[str, str]:
    """Copy a model's descriptions and some folds (name there → name here); the checksums that it is trusted by.

    Raises InputError, and leaves no checkpoint, if they are not trusted.
    """
    sums = _trusted({source.path: sha256(source.path)}, trusted) if source.path.is_file() else {}
    for name in DESCRIPTIONS:
        copy_from(source, name, folder / name)
    for there, here in folds.items():
        copy = folder / here / FINAL_CHECKPOINT
        copy_from(source, f"{there}/{FINAL_CHECKPOINT}", copy)
        if source.path.is_dir():
            try:
                sums |= _trusted({source.checked_files[there]: sha256(copy)}, trusted)
            except Exception:
                copy.unlink()
                raise
        record(copy)
    return {str(path.relative_to(source.path.parent)): checksum for path, checksum in sums.items()}


def _trusted(sums: dict[Path, str], trusted: Collection[str]) -> dict[Path, str]:
    if foreign := untrusted(sums, trusted):
        raise foreign_error(foreign, TRUST_IT, trusted)
    return sums


def take_teachers(sources: list[Source], arguments: argparse.Namespace) -> dict[str, Any]:
    """Take all folds of each model to a folder of its own; what is known of the round that they are."""
    marked = translations(sources, arguments.organs)
    shutil.rmtree(arguments.folder, ignore_errors=True)
    taken = []
    for number, (source, meaning) in enumerate(zip(sources, marked, strict=True), 1):
        sums = take(source, {fold: fold for fold in source.folds}, arguments.sha256, arguments.folder / str(number))
        print(f"{source.path}: {in_words(meaning)}", file=sys.stderr)
        taken.append({
            "model": str(source.path), "sha256": sums, "labels": source.labels, "lacks": meaning.lacks,
            "unknown": list(meaning.unknown),
        })  # fmt: skip
    known = {"taken": taken, "together": together(sources), "lacks": lacking(marked)}
    return {"round": 0, "labeller": 0, "reasons": [], "gain": None, "stopped": ""} | known


def in_words(meaning: Translation) -> str:
    """What of a teacher's labels its students do not learn as they are."""
    lacks = ", ".join(meaning.lacks)
    said = [f"does not mark {lacks}: background of its labels is left out of the students' loss"] if lacks else []
    unknown = ", ".join(meaning.unknown)
    said += [f"{unknown}: no organ's names, maybe parts of one, left out of the loss"] if unknown else []
    return "; ".join(said) or "marks every organ of the label table"


def main() -> None:
    """Read the arguments and take."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", type=Path, nargs="+", help="folders of nnU-Net v2, or zips of one")
    parser.add_argument("--sha256", nargs="*", default=[], help="checksums of checkpoints, or zips, that are trusted")
    parser.add_argument("--folder", type=Path, required=True, help="where they are taken to")
    parser.add_argument("--fold", help="take one fold alone, under this number")
    parser.add_argument("--organs", type=from_json, default=FLARE22, help="label table as JSON (default: FLARE22's)")
    parser.add_argument("--verdict", type=Path, help="write down what is known of the round that these teachers are")
    arguments = parser.parse_args()
    sources = [read_source(path) for path in arguments.models]
    if arguments.verdict:
        write_text(arguments.verdict, json.dumps(take_teachers(sources, arguments), indent=2))
    else:
        (source,), here = sources, f"fold_{arguments.fold}"
        there = here if here in source.folds else source.folds[0]
        take(source, {there: here}, arguments.sha256, arguments.folder)
        print(f"{there} of {source.path}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
