"""The commands that redo each round."""

from noisy_student.report.results import Results
from noisy_student.running import typed


def commands(results: Results) -> list[tuple[str, str]]:
    """(what it does, command line) to bring the run to each round, to redo one, and to make this page again."""
    run, folder = results.folder.absolute().parent, results.folder.name
    last = results.rounds[-1].number if results.rounds else 0
    table = f"{folder}/round_{last}/{'selection' if last else 'scores'}.tsv"
    page = ("--results", folder, "--output", f"{folder}/report/report.html")
    what = "select again and all that follows" if last else "evaluate again"
    lines = {f"up to and with {each.name}": typed.snakemake(run, each.folder.name) for each in results.chain} | {
        f"round {last}: {what}": typed.snakemake(run, f"round_{last}", "-R", table),
        "this page alone": typed.python(run, "workflow/scripts/report.py", *page),
    }
    return [(purpose, typed.in_folder(run, command)) for purpose, command in lines.items()]
