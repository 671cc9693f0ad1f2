"""The page itself, and the tables and figures beside it."""

import json
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from noisy_student.evaluate.aggregate import MEASURES
from noisy_student.files import whole_file, write_text
from noisy_student.report import (
    commands,
    deployed_table,
    efficiency_table,
    held_out_table,
    job_table,
    labelled_organs,
    learned_scans,
    methods,
    organ_tables,
    protocol,
    pseudo_label_calibration,
    pseudo_label_groups,
    pseudo_label_learned,
    pseudo_label_plots,
    pseudo_label_tables,
    pseudo_label_truth,
    pseudo_label_volumes,
    result_plots,
    run_tables,
    setting_table,
    training,
    verdict,
)
from noisy_student.report.case_table import case_rows, for_file
from noisy_student.report.corrections import CorrectionsContent, corrections
from noisy_student.report.example import Example, read_examples
from noisy_student.report.plots import Plot
from noisy_student.report.rendering import rendered, write_beside
from noisy_student.report.results import Results, Round
from noisy_student.report.table import Table
from noisy_student.report.viewer import viewer
from noisy_student.report.warnings import warnings
from noisy_student.sets import JudgedSet


@dataclass(frozen=True)
class SetContent:
    """Table 4 for one judged set, with the plots of its differences."""

    judged: JudgedSet
    plots: list[Plot]
    tables: list[Table]


@dataclass(frozen=True)
class LearnedContent:
    """What a round's student learned from its pseudo-labels, with pictures of what it did not."""

    table: Table
    examples: list[Example]


@dataclass(frozen=True)
class Content:
    """Everything that the page shows, by section."""

    summary_plots: list[Plot]
    rounds: list[Table]
    run_tables: dict[str, Table]
    labelled_only: Table | None
    sets: list[SetContent]
    examples: list[Example]
    training_plots: list[Plot]
    pseudo_label_tables: list[Table]
    pseudo_label_plots: list[list[Plot]]
    learned: list[LearnedContent]
    corrections: CorrectionsContent | None
    case_scores: Table
    teachers: Table | None
    held_out: Table | None
    deployed: Table | None
    efficiency: Table
    ranking: Table
    jobs: Table

    @property
    def tables(self) -> list[Table]:
        """All tables, for the files."""
        fourth = [table for item in self.sets for table in item.tables]
        third = [table for table in (self.labelled_only, self.teachers, self.held_out, self.deployed) if table]
        fifth = [*self.pseudo_label_tables, *(item.table for item in self.learned)]
        sixth = self.corrections.tables if self.corrections else []
        return [*self.rounds, *self.run_tables.values(), *third, *fourth, *fifth, *sixth, *self.last_tables]

    @property
    def last_tables(self) -> list[Table]:
        """Scores of every case, what labelling costs, what the run took."""
        return [self.case_scores, self.efficiency, self.ranking, self.jobs]

    @property
    def plots(self) -> list[Plot]:
        """All plots, for the files."""
        differences = [plot for item in self.sets for plot in item.plots]
        return [*self.summary_plots, *differences, *self.training_plots, *chain(*self.pseudo_label_plots)]


def content(results: Results) -> Content:
    """Make every table and figure that the results allow."""
    role, sets = verdict.judged_role(results), results.sets
    examples = read_examples(results.folder / "examples.json")
    return Content(
        summary_plots=result_plots.over_rounds(results),
        rounds=[run_tables.rounds(results, judged) for judged in results.sets_of(role) or [JudgedSet(role)]],
        run_tables=_run_tables(results),
        labelled_only=organ_tables.labelled_only(results) if sets else None,
        sets=[content for judged in sets if (content := _set(results, judged)).tables],
        examples=examples,
        training_plots=[training.training_curves(round_) for round_ in results.chain if round_.training],
        pseudo_label_tables=_pseudo_label_tables(results),
        pseudo_label_plots=[_pseudo_label_plots(results, r) for r in results.rounds if len(r.selection)],
        learned=_learned(results, examples),
        corrections=corrections(results),
        case_scores=Table("case_scores", "Scores of every case", "", [], [], for_file(results)),
        teachers=run_tables.teachers(results),
        held_out=held_out_table.held_out(results),
        deployed=deployed_table.deployed(results),
        efficiency=efficiency_table.efficiency(results),
        ranking=efficiency_table.ranking(results),
        jobs=job_table.jobs(results),
    )


def _set(results: Results, judged: JudgedSet) -> SetContent:
    plots = [result_plots.organ_differences(results, judged, measure) for measure in MEASURES]
    students = [round_ for round_ in results.evaluated(judged) if round_.number]
    tables = [organ_tables.every_round(results, judged, measure) for measure in MEASURES if students]
    return SetContent(judged, [plot for plot in plots if plot], tables)


def _run_tables(results: Results) -> dict[str, Table]:
    labelled, learned = labelled_organs.labelled_organs(results), learned_scans.learned_scans(results)
    return {
        "environment": run_tables.environment(results),
        "protocol": protocol.protocol(results),
        **({"learned_scans": learned} if learned else {}),
        "trainings": training.trainings(results),
        "roles": run_tables.roles(results),
        **({"labelled_organs": labelled} if labelled else {}),
        "findings": run_tables.findings(results),
        "settings": setting_table.settings(results),
        "checksums": run_tables.checksums(results),
    }


def _pseudo_label_plots(results: Results, round_: Round) -> list[Plot]:
    plots = [
        pseudo_label_plots.confidence_histogram(round_),
        pseudo_label_plots.confidence_against_truth(round_),
        pseudo_label_plots.reliability_plot(round_),
        pseudo_label_calibration.calibration_plot(results, round_),
        pseudo_label_volumes.volumes(results, round_),
    ]
    return [plot for plot in plots if plot]


def _pseudo_label_tables(results: Results) -> list[Table]:
    scored = [r for r in results.rounds if len(r.selection) and len(r.pseudo_label_scores)]
    tables = [pseudo_label_tables.decisions(results), pseudo_label_groups.groups(results)]
    tables += filter(None, [pseudo_label_truth.score_ranks(results), pseudo_label_calibration.calibration(results)])
    return [*tables, *(pseudo_label_tables.organs(results, round_) for round_ in scored)]


def _learned(results: Results, examples: list[Example]) -> list[LearnedContent]:
    found = [(round_, pseudo_label_learned.learned(results, round_)) for round_ in results.rounds]
    return [
        LearnedContent(table, [one for one in examples if one.kind == pseudo_label_learned.kind(round_)])
        for round_, table in found
        if table
    ]


def render(results: Results, shown: Content) -> str:
    """The page as HTML text."""
    return rendered(
        "page.html.j2",
        shown=shown,
        run=results.run,
        facts=run_tables.facts(results),
        rounds=results.rounds,
        roles=results.roles,
        organs=results.organs,
        answers=verdict.answers(results),
        warnings=warnings(results),
        cases=case_rows(results),
        reviews=[round_.number for round_ in results.rounds if (round_.folder / "review/review.html").exists()],
        viewer=viewer(shown.examples, results.organs, results.folder),
        methods=methods.sections(results),
        references=methods.references(results),
        citation=methods.citation(results),
        commands=commands.commands(results),
        configuration=_configuration(results.run.get("configuration", {})),
    )


def _configuration(settings: dict[str, Any]) -> str:
    return json.dumps(settings, indent=2, ensure_ascii=False)


def write_report(results: Results, output: Path) -> Content:
    """Write the page to `output`, and tables/ and figures/ beside it."""
    shown = content(results)
    write_beside(output, shown.tables, shown.plots)
    for example in shown.examples:
        if example.panels:
            with whole_file(output.parent / "figures" / f"{example.name}.png") as temporary:
                example.sheet().save(temporary)
    write_text(output, render(results, shown))
    return shown
