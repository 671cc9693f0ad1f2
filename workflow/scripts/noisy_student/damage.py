"""What to say of a file that cannot be read: whether the workflow made it, and how it is made again.

The rules that make a folder's files check each of them when they are run again, and make only the damaged ones anew.
Images of a round's dataset are links to the preprocessed ones. Within a round targets are named, since rules come once
in every round, and `--until` would end with the first.
"""

import os
import re
from pathlib import Path

from noisy_student.errors import InputError, last_line

PREPROCESS = "snakemake --forcerun preprocess --until preprocess"
MADE_BY = {
    r"results/cohort/(images|label_maps)/": "snakemake --forcerun convert --until convert",
    r"results/cohort/renumbered/": "snakemake --forcerun case_table --until case_table",
    r"results/preprocessed/": PREPROCESS,
    r"results/plans/": "snakemake --forcerun plans --until plans",
    r"(results/round_\d+)/corrected/": r"snakemake --force \1/corrected.tsv",
    r"(results/round_\d+)/pseudo_labels/": r"snakemake --force \1/shards/pseudo_label_scores_*.tsv",
    r"(results/round_\d+)/predictions/": r"snakemake --force \1/shards/prediction_scores_*.tsv",
    r"(results/round_\d+)/dataset/": rf"{PREPROCESS} && snakemake --force \1/dataset/training_set.tsv",
    r"(results/round_\d+/(model|first_weights)/fold_\d+)/": r"snakemake --force \1/checkpoint_final.pth",
    r"results/round_0/taken/": "snakemake --force results/round_0/verdict.json",
}
OF_THE_USER = "restore the file, or take the case out of the cohort"


def damaged(path: Path, what: str, why: object) -> InputError:
    """The error for a file that is missing or not whole; `what` it should have been, and `why` it is not.

    A link stands for the file that it leads to, in the folder as it is named: `results` may be a link, too.
    """
    path = Path(os.path.normpath(path.parent / path.readlink())) if path.is_symlink() else path
    got = last_line(why) if path.exists() else "no such file"
    return InputError(f"{what} at {path}", got, remedy(path))


def remedy(path: Path) -> str:
    """How the file is made again, if the workflow made it."""
    name = str(path.absolute())
    for where, command in MADE_BY.items():
        if place := re.search(f"/{where}", name):
            return f"`{place.expand(command)}` makes it again and leaves what is whole; then start the run again"
    return OF_THE_USER
