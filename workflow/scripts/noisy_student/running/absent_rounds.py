"""Targets of rounds that the configuration does not have: said after Snakemake's error, with the key that adds them."""

import os
import re
import sys
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from noisy_student.configuration.experiment import DEPLOY
from noisy_student.running.at_exit import at_exit_of_this_process

NOT_REVIEWED = ("review_0", f"review_{DEPLOY}")
OF_ROUND = re.compile(rf"(?:round_|review_|results/round_)(\d+|{DEPLOY})(/.*)?")


def tell_at_exit(targets: Callable[[], Collection[str]], chain: Sequence[str], files: Sequence[object]) -> None:
    """Say at the exit of this process, after Snakemake has found no rule, of which targets there is no round.

    `targets`: what was asked for, once that is known. `chain`: what rounds are called, the student that is made to be
    deployed among them; `files` are where that is configured.
    """
    at_exit_of_this_process(_tell, targets, chain, files)


def _tell(targets: Callable[[], Collection[str]], chain: Sequence[str], files: Sequence[object]) -> None:
    for line in in_words(targets(), chain, files):
        print(line, file=sys.stderr)


def in_words(targets: Collection[str], chain: Sequence[str], files: Sequence[object]) -> list[str]:
    """A sentence for each target that is of no round and no file that is there."""
    rounds = [name for name in chain if name != DEPLOY]
    has = f"the configuration ({', '.join(map(str, files))}) has"
    said = []
    for target in targets:
        of_round = OF_ROUND.fullmatch(os.path.normpath(target))
        if of_round is None or Path(target).exists():
            continue
        if of_round[1] in chain:
            said += [f"No {target}: {_reviews(rounds)}"] if target in NOT_REVIEWED else []
        elif of_round[1] == DEPLOY:
            said.append(f"No {target}: {has} no student to be deployed. The section `deploy` adds one")
        else:
            numbers = f"rounds 0 to {rounds[-1]}" if rounds[1:] else "round 0 alone"
            said.append(f"No {target}: {has} {numbers}. Each further entry of `rounds` adds one")
    return said


def _reviews(rounds: Sequence[str]) -> str:
    last = f" to review_{rounds[-1]}" if rounds[2:] else ""
    them = f"review_1{last} list" if rounds[1:] else "with a second entry of `rounds` review_1 lists"
    return f"{them} the pseudo-labels of a round and the hand labels that its teacher contradicts"
