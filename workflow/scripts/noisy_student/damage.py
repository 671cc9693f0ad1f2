"""What to say of a file that cannot be read: whether the workflow made it, and how it is made again.

The rules that make a folder's files check each of them when they are run again, and make only the damaged ones anew.
Images of a round's dataset are links to the preprocessed ones.
"""

from fnmatch import fnmatch
from pathlib import Path

from noisy_student.errors import InputError, last_line

MADE_BY = {
    "results/cohort/images/*": "convert",
    "results/cohort/label_maps/*": "convert",
    "results/cohort/renumbered/*": "case_table",
    "results/preprocessed/*": "preprocess",
    "results/plans/*": "plans",
    "results/round_*/pseudo_labels/*": "pseudo_label",
    "results/round_*/predictions/*": "predict",
    "results/round_*/dataset/*": "preprocess training_set",
    "results/round_*/model/*": "train",
}
OF_THE_USER = "restore the file, or take the case out of the cohort"


def damaged(path: Path, what: str, why: object) -> InputError:
    """The error for a file that is missing or not whole; `what` it should have been, and `why` it is not.

    A link stands for the file that it leads to.
    """
    path = path.resolve() if path.is_symlink() else path
    got = last_line(why) if path.exists() else "no such file"
    return InputError(f"{what} at {path}", got, remedy(path))


def remedy(path: Path) -> str:
    """How the file is made again, if the workflow made it."""
    found = [rules for pattern, rules in MADE_BY.items() if fnmatch(str(path.absolute()), f"*/{pattern}")]
    if not found:
        return OF_THE_USER
    command = f"snakemake --forcerun {found[0]} --until {found[0].split()[-1]}"
    return f"`{command}` makes it again and leaves what is whole; then start the run again"
