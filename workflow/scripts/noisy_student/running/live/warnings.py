"""What has gone wrong or badly so far, by the tables of the stages that are done."""

import json
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from noisy_student.running.live.rounds import in_words
from noisy_student.running.live.trainings import Training
from noisy_student.running.rows import rows
from noisy_student.sizes import size_in_words

# Of a disk, and at most so much: of a large one a small share is plenty.
LITTLE, LITTLE_BYTES = 0.02, 20e9


def warnings(results: Path, rounds: Sequence[str], trained: Sequence[Training]) -> list[str]:
    """One sentence each."""
    return [
        *_disk(results),
        *(f"{in_words(t.round)}, fold {t.fold}: the loss is no number any more." for t in trained if t.is_lost),
        *(text for name in rounds for text in _verdict(results, name)),
        *(text for name in rounds for text in _selection(results, name)),
        *_findings(results),
    ]


def _disk(results: Path) -> list[str]:
    disk = shutil.disk_usage(results)
    is_little = disk.free < min(LITTLE * disk.total, LITTLE_BYTES)
    return [f"The disk is nearly full: {size_in_words(disk.free)} free."] if is_little else []


def _verdict(results: Path, name: str) -> list[str]:
    path = results / f"round_{name}/verdict.json"
    if not path.exists():
        return []
    verdict = json.loads(path.read_text())
    reasons, labeller = verdict.get("reasons"), verdict.get("labeller")
    collapsed = f"{in_words(name)} collapsed ({'; '.join(reasons or ())}): round {labeller} labels on in its place."
    stopped = f"The rounds ended with round {labeller}: {verdict.get('stopped')}."
    return [collapsed] * bool(reasons) + [stopped] * (bool(verdict.get("stopped")) and str(labeller) == name)


def _selection(results: Path, name: str) -> list[str]:
    decisions = [row["decision"] for row in rows(results / f"round_{name}/selection.tsv")]
    lost = f"{in_words(name)}: none of {len(decisions)} pseudo-labels was kept."
    return [lost] if decisions and "kept" not in decisions else []


def _findings(results: Path) -> list[str]:
    found = Counter(row["severity"] for row in rows(results / "cohort/findings.tsv"))
    parts = [f"{found[kind]} {kind}{'s' * (found[kind] > 1)}" for kind in ("error", "warning") if found[kind]]
    return [f"The check of the scans reported {' and '.join(parts)}: results/cohort/findings.tsv."] if parts else []
