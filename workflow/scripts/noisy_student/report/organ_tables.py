"""Tables 3 and 4: each organ's DSC and NSD, of the teacher and of every round after it."""

import numpy as np
import pandas as pd

from noisy_student.evaluate.comparison import RANK_BISERIAL
from noisy_student.evaluate.signed_rank import FEWEST_CASES, least_p
from noisy_student.report.numbers import NO_BREAK, SIGNIFICANT, and_, interval, p_value, score, signed, signed_interval
from noisy_student.report.paper import LABELLED_DSC, PSEUDO_LABELLED_DSC
from noisy_student.report.results import Results, Round
from noisy_student.report.table import Cell, Table, one_row
from noisy_student.sets import JudgedSet, rows_of

PAPERS_COLUMN = "the paper: DSC, validation"
PAPER_NOTE = " The paper's column is its own result on these validation scans."
LABELLED_NOTE = " An organ is judged in the scans in which it is labelled; the column scans has their number."


def organ_rows(results: Results) -> list[tuple[int, str, str]]:
    """Label, name and colour in the row order of the paper's tables: the label table, then the mean over organs."""
    return [*((organ.label, organ.name, organ.colour) for organ in results.organs), (0, "mean", "")]


def _papers(results: Results, judged: JudgedSet, figures: dict[int, float]) -> dict[int, float]:
    """The paper's figures by label, for the validation scans that it was judged on, all of them; else none."""
    is_whole = judged.role == "validation" and (not judged.name or judged.pooled)
    return figures if is_whole and results.has_papers_scans("validation") else {}


def summary_row(round_: Round, judged: JudgedSet, label: int, measure: str) -> pd.Series:
    """The round's aggregate for one organ (label 0: over organs); missing values where there is none."""
    return one_row(rows_of(judged, round_.summary), label=label, measure=measure)


def scans_of_organs(results: Results, round_: Round, judged: JudgedSet) -> dict[int, int]:
    """Label → in how many scans the organ was judged; 0 where it is labelled in none."""
    return {organ.label: number_of_scans(summary_row(round_, judged, organ.label, "DSC")) for organ in results.organs}


def number_of_scans(row: pd.Series) -> int:
    """The n of a summary's row; 0 where there is no such row."""
    return 0 if pd.isna(row["n"]) else int(row["n"])


def _is_partly_labelled(results: Results, round_: Round, judged: JudgedSet) -> bool:
    """Whether some organs were judged in fewer scans than there are."""
    scans = number_of_scans(summary_row(round_, judged, 0, "DSC"))
    return set(scans_of_organs(results, round_, judged).values()) != {scans}


def comparison_row(
    results: Results, judged: JudgedSet, number: int, against: int, label: int, measure: str
) -> pd.Series:
    """The paired comparison of two rounds for one organ; missing values where there is none."""
    rows = rows_of(judged, results.comparison)
    return one_row(rows, round=number, against=against, label=label, measure=measure)


def speaks_against(difference: pd.Series) -> bool:
    """Whether the corrected p-value is below 0.05 and the ranks lie on the other side than the mean difference.

    A comparison of an earlier version does not say where they lie; then they are taken to agree.
    """
    ranks = difference.get(RANK_BISERIAL, np.nan)
    is_other = pd.notna(ranks) and np.sign(ranks) != np.sign(difference["difference"])
    return bool(difference["p_holm"] < SIGNIFICANT and is_other)


def mark(difference: pd.Series) -> str:
    """`better` or `worse` where the corrected p-value is below 0.05 and the test speaks for the same direction."""
    if not difference["p_holm"] < SIGNIFICANT or speaks_against(difference):
        return ""
    return "better" if difference["difference"] > 0 else "worse"


def labelled_only(results: Results) -> Table:
    """Table 3: round 0, which has seen labelled scans only or comes from elsewhere, beside the paper's figures."""
    columns = [(judged, measure) for judged in results.sets for measure in ("DSC", "NSD")]
    teacher = results.rounds[0]
    paper = next(filter(None, (_papers(results, judged, LABELLED_DSC) for judged in results.sets)), {})
    partly = [judged for judged in results.sets if _is_partly_labelled(results, teacher, judged)]
    rows, data = [], []
    for label, organ, colour in organ_rows(results):
        means = [summary_row(teacher, judged, label, measure) for judged, measure in columns]
        cells = [Cell(score(mean["mean"]), interval(mean["ci_low"], mean["ci_high"])) for mean in means]
        scans = [_scans_cell(teacher, judged, label) for judged in partly]
        papers = [Cell(score(paper[label]))] if paper else []
        rows.append([Cell(organ, colour=colour), *scans, *cells, *papers])
        for (judged, measure), mean in zip(columns, means, strict=True):
            data.append({"label": label, "organ": organ, **judged.keys, "measure": measure})
            data[-1] |= {column: mean[column] for column in ("n", "mean", "ci_low", "ci_high", "sd", "median")}
            if paper:
                data[-1]["paper_DSC"] = _papers(results, judged, LABELLED_DSC).get(label) if measure == "DSC" else None
    return Table(
        name="table_3_labelled_only",
        title=f"Table 3. {'The teacher from elsewhere' if teacher.taken else 'Labelled scans only'} (round 0)",
        caption=f"Mean with 95 % interval.{LABELLED_NOTE if partly else ''}{few_scans(results, results.sets)}"
        f"{PAPER_NOTE if paper else ''}",
        columns=["organ", *(f"scans, {judged.words}" for judged in partly),
                 *(f"{measure}, {judged.words}" for judged, measure in columns), *([PAPERS_COLUMN] if paper else [])],
        rows=rows,
        data=pd.DataFrame(data),
        total=True,
    )  # fmt: skip


def _scans_cell(round_: Round, judged: JudgedSet, label: int) -> Cell:
    return Cell(str(number_of_scans(summary_row(round_, judged, label, "DSC"))))


def every_round(results: Results, judged: JudgedSet, measure: str) -> Table:
    """Table 4: each further round beside round 0, with paired differences to round 0."""
    rounds = results.evaluated(judged)
    partly = _is_partly_labelled(results, rounds[0], judged)
    rows = [_round_cells(results, rounds, judged, measure, row) for row in organ_rows(results)]
    columns = ["organ", *(r.name for r in rounds)]
    if partly:
        columns.insert(1, "scans")
        for row, (label, _, _) in zip(rows, organ_rows(results), strict=True):
            row.insert(1, _scans_cell(rounds[0], judged, label))
    paper = _papers(results, judged, PSEUDO_LABELLED_DSC) if measure == "DSC" else {}
    if paper:
        columns.append(PAPERS_COLUMN)
        for row, (label, _, _) in zip(rows, organ_rows(results), strict=True):
            row.append(Cell(score(paper[label])))
    return Table(
        name=f"table_4_rounds_{measure}_{judged.file}",
        title=f"Table 4. {measure} of every round, {judged.scans}",
        caption=(
            "Mean; below it the paired difference to round 0 with its 95 % interval and the p-value of Wilcoxon’s "
            "signed-rank test. ▲ better, ▼ worse, marked where p < 0.05 and the test speaks for the direction of the "
            "mean. p-values of organs are Holm-corrected over the organs of a round, not over rounds; the mean over "
            "organs is one test. Intervals are not corrected."
            + (LABELLED_NOTE if partly else "")
            + _too_few(results, judged)
            + (PAPER_NOTE if paper else "")
        ),
        columns=columns,
        rows=rows,
        data=pd.DataFrame(_round_data(results, rounds, judged, measure, paper)),
        total=True,
    )


def _too_few(results: Results, judged: JudgedSet) -> str:
    """A sentence where there is no test, or even a gain in every scan could not reach the corrected level."""
    if few := few_scans(results, [judged]):
        return few
    scans = scans_of_organs(results, results.evaluated(judged)[0], judged).values()
    tested = [n for n in scans if n >= FEWEST_CASES]
    if not tested:
        return f" No organ is labelled in {FEWEST_CASES} scans: none has an interval or a p-value."
    if len(tested) * least_p(max(tested)) < SIGNIFICANT:
        return ""
    return f" With {max(tested)} scans no organ can reach p < 0.05, whatever the difference."


def few_scans(results: Results, sets: list[JudgedSet]) -> str:
    """A sentence where some of the sets have too few scans for intervals and tests; otherwise empty."""
    rows = {judged: summary_row(results.evaluated(judged)[0], judged, 0, "DSC") for judged in sets}
    few = [judged.scans for judged, row in rows.items() if number_of_scans(row) < FEWEST_CASES]
    if not few:
        return ""
    return f" Of {and_(few)} there are fewer than {FEWEST_CASES}: neither an interval nor a p-value."


def _round_cells(
    results: Results, rounds: list[Round], judged: JudgedSet, measure: str, row: tuple[int, str, str]
) -> list[Cell]:
    label, organ, colour = row
    cells = [Cell(organ, colour=colour)]
    for round_ in rounds:
        mean = score(summary_row(round_, judged, label, measure)["mean"])
        change = comparison_row(results, judged, round_.number, 0, label, measure)
        cells.append(Cell(mean, change_in_words(change), mark(change)))
    return cells


def change_in_words(change: pd.Series) -> str:
    """A difference, its interval and its corrected p-value; empty where nothing was compared."""
    if pd.isna(change["difference"]):
        return ""
    return f"{signed(change['difference'])}{NO_BREAK}{certainty_in_words(change)}".strip()


def certainty_in_words(change: pd.Series) -> str:
    """The interval of a difference and its corrected p-value, as far as there are such."""
    spread = signed_interval(change["ci_low"], change["ci_high"])
    return " ".join(part for part in (spread, p_value(change["p_holm"])) if part)


def _round_data(
    results: Results, rounds: list[Round], judged: JudgedSet, measure: str, paper: dict[int, float]
) -> list[dict[str, object]]:
    data = []
    for label, organ, _ in organ_rows(results):
        for round_ in rounds:
            mean = summary_row(round_, judged, label, measure)
            change = comparison_row(results, judged, round_.number, 0, label, measure)
            data.append({"label": label, "organ": organ, "round": round_.number, "measure": measure})
            data[-1] |= {column: mean[column] for column in ("n", "mean", "ci_low", "ci_high")}
            data[-1] |= {"difference_to_round_0": change["difference"], "difference_ci_low": change["ci_low"]}
            data[-1] |= {"difference_ci_high": change["ci_high"], "p_holm": change["p_holm"]}
            if paper:
                data[-1]["paper_DSC"] = paper[label]
    return data
