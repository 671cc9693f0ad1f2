"""The commands that redo each round, as they have to be typed after the run was started as it was."""

from noisy_student.report.results import Results, Round
from noisy_student.running import typed

PAGE = "results/report/report.html"


def commands(results: Results) -> list[tuple[str, str]]:
    """(what it does, command line), the first of them for a new terminal, the others in it.

    Without a record of the start: what makes the page again from the tables that are there.
    """
    if not results.call:
        run = results.folder.absolute().parent
        page = ("--results", results.folder.name, "--output", f"{results.folder.name}/report/report.html")
        script = typed.python(run, "workflow/scripts/report.py", *page)
        return [("this page alone", typed.in_folder(run, script))]
    targets = {each.name: _files(each) for each in results.chain}
    selected = {each.name: f"results/{each.folder.name}/selection.tsv" for each in results.chain if each.number}
    return [
        ("first, in a new terminal", typed.terminal(results.call)),
        *((f"up to and with {name}", typed.as_started(results.call, files)) for name, files in targets.items()),
        *(
            (f"{name}: select again, and what follows in it", typed.as_started(results.call, targets[name], [table]))
            for name, table in selected.items()
        ),
        ("this page again", typed.as_started(results.call, [PAGE], [PAGE])),
    ]


def _files(round_: Round) -> list[str]:
    """The files that a round ends with; as a module its rule may have another name."""
    names = ["summary.tsv", *([] if round_.is_deployed else ["verdict.json"])]
    return [f"results/{round_.folder.name}/{name}" for name in names]
