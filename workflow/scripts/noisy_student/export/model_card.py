"""What whoever gets a model without its results must know: data, selection, scores, checksums, limits."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from noisy_student.cohort.labelled_organs import sparse_in
from noisy_student.configuration.experiment import DEPLOY
from noisy_student.geometry import CANONICAL_ORIENTATION
from noisy_student.select.words import in_words
from noisy_student.sets import in_sets, rows_of, sets_of
from noisy_student.sparse import IGNORE
from noisy_student.train.origins import BY_HAND, CORRECTED, FILLED, LABELLED, PSEUDO


def model_card(
    name: str,
    labels: dict[str, int],
    settings: dict[str, Any],
    rules: Sequence[dict[str, Any]],
    training_set: pd.DataFrame,
    summary: pd.DataFrame,
    checksums: dict[str, str],
    teacher: int | None = None,
    held_out: Collection[str] = (),
    taken: Sequence[dict[str, Any]] = (),
    running: str = "",
    steps: Sequence[Sequence[int]] = (),
) -> str:
    """Markdown about the model of the round of this `name`, its number or `deploy`.

    `labels` are those of nnU-Net's dataset.json, `settings` is `Configuration.training_of`, `rules` the round's
    selection as the configuration holds it. `training_set` and `summary` are the round's tables, `checksums` the
    SHA-256 by file name. `teacher`: the round whose model made the pseudo-labels. `held_out`: cases of the training set
    from which none of the model's folds learned. `taken`: the models from elsewhere that round 0 was, as its verdict
    has them. `running`: a section on how the model is run. `steps` of post-processing, which the scores are after.
    """
    scores = _scores(summary)
    called = {"0": "teacher", DEPLOY: "student made to be deployed"}.get(name, f"student {name}")
    parts = [
        f"# CT organ segmentation: {called} of a noisy-student training\n\nnnU-Net v2, made by flare-noisy-student.",
        _use(labels),
        *([running] if running else []),
        _data(training_set[~training_set.case.isin(list(held_out))], rules, f"round {teacher}")
        + _held_out(training_set, held_out)
        + _origin(taken),
        "## Training\n\n" + "\n".join(f"- {key}: {value}" for key, value in settings.items()),
        "## Scores\n\n"
        + (scores + _largest_pieces(steps, labels) if scores else "None: the cohort has no validation or test scans."),
        "## Checksums (SHA-256)\n\n" + "\n".join(f"- {file}: `{value}`" for file, value in checksums.items()),
        _limits(),
    ]
    return "\n\n".join(parts) + "\n"


def whole_scan(program: str, windows: str) -> str:
    """What a section on running says of a program that looks at the whole scan, where its model's `windows` do not."""
    if windows == "everywhere":
        return ""
    return (
        f"The scores are of `windows: {windows}`, which `label_scan.py` of flare-noisy-student follows; {program} "
        "looks at the whole scan."
    )


def _use(labels: dict[str, int]) -> str:
    return (
        "## Use\n\nCT in Hounsfield units, stored so that x, y and z grow towards "
        f"{CANONICAL_ORIENTATION} (`sitk.DICOMOrient(image, '{CANONICAL_ORIENTATION}')`). nnU-Net does not turn scans "
        "itself; stored otherwise, left and right organs are confused.\n\nLabels: "
        + ", ".join(f"{label} {name}" for name, label in labels.items() if name != IGNORE)
        + "."
    )


def _data(training_set: pd.DataFrame, rules: Sequence[dict[str, Any]], teacher: str) -> str:
    pseudo = training_set[training_set.origin == PSEUDO]
    filled = int((training_set.origin == FILLED).sum())
    text = f"## Data\n\n{len(training_set) - len(pseudo) - filled} hand-labelled scans"
    if filled:
        text += f" ({filled} of them filled by {teacher})"
    of_labelled = training_set[training_set.origin == LABELLED]
    if sparse := len(sparse_in(of_labelled)):
        text += f" (in {sparse} of them only some voxels are labelled, and nothing was learned from the others)"
    if corrected := int((training_set.origin == CORRECTED).sum()):
        text += f" ({corrected} of them labels of a round before, corrected by hand)"
    if not len(pseudo):
        return f"{text}."
    masked = int((pseudo.masked.fillna("") != "").sum())
    return (
        f"{text} and {len(pseudo)} labelled by {teacher}, of which {masked} with single organs left out. "
        f"Kept by these rules: {'; '.join(map(in_words, rules)) or 'all'}."
    )


def _held_out(training_set: pd.DataFrame, held_out: Collection[str]) -> str:
    """How many scans with hand labels only chose among rounds and post-processing."""
    scans = training_set[training_set.case.isin(list(held_out)) & training_set.origin.isin(BY_HAND)]
    return f" {len(scans)} more with hand labels were held out: no network has seen them." if len(scans) else ""


def _origin(taken: Sequence[dict[str, Any]]) -> str:
    """Where the first teacher came from, if it was not trained with this model's own scans."""
    models = [f"{Path(model['model']).name} ({', '.join(model['sha256'].values())})" for model in taken]
    return f" The first labels came from elsewhere (SHA-256): {'; '.join(models)}." if models else ""


def _scores(summary: pd.DataFrame) -> str:
    """One table per role, or set: DSC and NSD with 95 % intervals for each organ and their mean.

    Where an organ is labelled in some of the scans alone, in how many of them each was judged.
    """
    tables = []
    summary = in_sets(summary[summary.n > 0])
    sets = [judged for role in summary.role.unique() for judged in sets_of(role, summary)]
    for judged in sets:
        of_set = rows_of(judged, summary)
        scans = of_set.n.max()
        columns = ["organ", *(["scans"] if (of_set.n < scans).any() else []), "DSC", "NSD"]
        lines = [f"{scans} {judged.scans}\n", _line(columns), _line(["---"] * len(columns))]
        for organ, rows in of_set.groupby("organ", sort=False):
            cells = {row.measure: _with_interval(row) for row in _rows(rows)}
            cells |= {"organ": organ, "scans": str(rows.n.iloc[0])}
            lines.append(_line([cells[column] for column in columns]))
        tables.append("\n".join(lines))
    return "\n\n".join(tables)


def _largest_pieces(steps: Sequence[Sequence[int]], labels: dict[str, int]) -> str:
    """What was kept in the label maps that were scored, one step after the other."""
    names = {label: name for name, label in labels.items()}
    kept = ["all organs together" if len(step) > 1 else names[step[0]] for step in steps]
    if not kept:
        return ""
    return f"\n\nThe scores are of label maps of which only the largest piece is kept: of {', then of '.join(kept)}."


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _with_interval(row: Any) -> str:
    """A mean with its interval; of too few scans there is none."""
    return f"{row.average:.3f}" + ("" if pd.isna(row.ci_low) else f" [{row.ci_low:.3f}, {row.ci_high:.3f}]")


def _rows(table: pd.DataFrame) -> list[Any]:
    return list(table.rename(columns={"mean": "average"}).itertuples())


def _limits() -> str:
    return (
        "## Limits\n\nThe scores hold for scans like those of this cohort. The model marks only these organs, also in "
        "scans that show others or where one was removed. It is no medical device."
    )
