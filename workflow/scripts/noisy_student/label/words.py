"""What `label_scan.py` says on stderr."""

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from noisy_student.cohort.passed_over import in_words, is_of_a_case
from noisy_student.label.label_all import Outcome
from noisy_student.label.scans import Found
from noisy_student.reading.volume import Remark
from noisy_student.recorded import is_of_generated_scans, results_of

# On a terminal the progress stands in the line; it is printed again below.
CLEAR_LINE = "\r\x1b[K"
NAMED = 3


def say(lines: list[str]) -> None:
    """Print lines to stderr."""
    for line in lines:
        print(f"{CLEAR_LINE if sys.stderr.isatty() else ''}{line}", file=sys.stderr, flush=True)


def of_others(found: Found) -> list[str]:
    """What lies beside the scans and is not labelled, and why."""
    lines = of_channels(found.channels)
    lines += [
        f"passed over: {image.name}: {other.name} is its corrected one" for image, other in found.superseded.items()
    ]
    if found.passed_over:
        lines.append(f"passed over: {len(found.passed_over)} that are no scans: {in_words(found.passed_over)}")
    if not found.cases and any(map(is_of_a_case, found.passed_over)):
        lines.append("scans in folders of cases are labelled by --scan, such as --scan ct.nii.gz")
    return lines


def of_channels(channels: Sequence[Path]) -> list[str]:
    """That further channels of the scans are passed over."""
    if not channels:
        return []
    named = ", ".join(path.name for path in channels[:NAMED]) + (", ..." if len(channels) > NAMED else "")
    return [
        f"passed over: {len(channels)} further channel(s) of scans, as nnU-Net names them: {named}; a scan of its own "
        "has another name, or is given alone: --image"
    ]


def of_folds(unfinished: Sequence[str], checkpoint: str) -> list[str]:
    """That folds of the model are left out."""
    return [f"warning: {fold} has no {checkpoint} checkpoint and is left out" for fold in unfinished]


def of_generated(models: Sequence[Path], scans: Path) -> list[str]:
    """That a model learned from generated scans, unless it is these that it labels."""
    return [
        f"warning: {model} learned from the generated scans of the embedded cohort: its label maps of patients are "
        "worth nothing; a run's own model lies in the run's folder"
        for model in models
        if is_of_generated_scans(model) and results_of(model) not in scans.resolve().parents
    ]


def of_postprocessing(paths: Sequence[Path]) -> list[str]:
    """That what was found to help a model is not applied."""
    return [
        f"not post-processed: {path} says of which organs the largest piece alone is better; --postprocessing {path} "
        "applies it"
        for path in paths
    ]


def of_outcome(outcome: Outcome) -> list[str]:
    """What was found in a scan, a line for each; of errors only what, since the list at the end has the rest."""
    case = outcome.job.case
    warnings = [f"warning {case}: {_in_one_line(remark)}" for remark in outcome.remarks if remark.severity == "warning"]
    return warnings + [f"error {case}: {_one_line(remark.found)}" for remark in outcome.errors]


def of_axes(outcomes: Sequence[Outcome]) -> list[str]:
    """That a model that knows one order of axes saw scans in several; nothing if it did not."""
    orders = Counter(outcome.letters for outcome in outcomes if outcome.letters)
    if len(orders) < 2:
        return []
    listed = ", ".join(f"{scans} along {letters}" for letters, scans in orders.most_common())
    return [
        "warning: the model was trained without mirroring and sees scans as they are stored, here "
        f"{listed}; give them along the axes that it was trained on"
    ]


def of_all(outcomes: Sequence[Outcome]) -> list[str]:
    """How many label maps there are now, and where."""
    made = [path for outcome in outcomes for path in outcome.written]
    return [f"{len(made)} label map(s) written: {made[0] if len(made) == 1 else made[0].parent}"] if made else []


def failed_scans(outcomes: Sequence[Outcome]) -> list[str]:
    """The scans without a label map, those without one in some format, and why."""
    failed = [outcome for outcome in outcomes if outcome.errors]
    none = [outcome for outcome in failed if not outcome.written]
    some = [outcome for outcome in failed if outcome.written]
    return [*_listed("not labelled", none, outcomes), *_listed("not labelled in every format", some, outcomes)]


def _listed(what: str, failed: Sequence[Outcome], outcomes: Sequence[Outcome]) -> list[str]:
    lines = [f"  {outcome.job.scan}: {'; '.join(_reasons(outcome))}" for outcome in failed]
    return [f"{what}: {len(failed)} of {len(outcomes)}", *lines] if failed else []


def _reasons(outcome: Outcome) -> list[str]:
    left = [path for path in outcome.job.label_maps if path not in outcome.written and path.exists()]
    return [*map(_in_one_line, outcome.errors), *(f"{path} is left as an earlier run made it" for path in left)]


def _in_one_line(remark: Remark) -> str:
    return _one_line(f"{remark.found}; wanted {remark.wanted}; {remark.remedy}")


def _one_line(text: str) -> str:
    return " ".join(text.split())
