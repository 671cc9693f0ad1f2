"""What a person reads when a run starts, ends or fails: where everything lies, and what to type next."""

from pathlib import Path

REPORT = Path("results/report/report.html")
REBUILD = "python workflow/scripts/draw_examples.py && python workflow/scripts/report.py"
WIDTH = 100


def started(folder: Path, log: str, students: int) -> str:
    """Where results and logs of the run in `folder` will lie; `log` is Snakemake's own."""
    return _banner(
        f"Noisy-student run: teacher and {students} student{'' if students == 1 else 's'}",
        {
            "results": folder / "results",
            "logs": f"{folder / 'logs'}, one a job; Snakemake's own: {log}",
            "watch": "snakesee watch    (pip install snakesee, in an environment of its own)",
        },
    )


def finished(folder: Path, log: str) -> str:
    """Where the report is, if the run was to make one."""
    report = folder / REPORT
    return _banner("Done", {"report": report if report.exists() else "not made yet: snakemake", "log": log})


def failed(folder: Path, log: str) -> str:
    """Where to look, and how to go on."""
    return _banner(
        "Not finished",
        {
            "why": f"the log of each failed job stands above and lies in {folder / 'logs'}; Snakemake's own: {log}",
            "killed": "a log that ends in mid-work: the job was killed, most likely because memory ran out "
            "(`mem_mb` of its rule, fewer `--cores`)",
            "go on": "mend the cause and give the same command again: what is finished is not done again",
            "report": f"of what is there: {REBUILD}",
        },
    )


def _banner(title: str, lines: dict[str, object]) -> str:
    rule = "─" * WIDTH
    return "\n".join([rule, title, *(f"  {name:<8} {text}" for name, text in lines.items()), rule])
