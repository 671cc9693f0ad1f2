"""What a person reads when a run starts, ends or fails: where everything lies, and what to type next."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from noisy_student.lists import first_of
from noisy_student.running import typed
from noisy_student.running.failed_jobs import OUT_OF_MEMORY, FailedJob
from noisy_student.running.last_words import error_in

REPORT = Path("results/report/report.html")
LIVE = Path("results/report/live.html")
CASES = Path("results/cohort/cases.tsv")
AGAIN = "what is finished is not done again"
WIDTH = 100
MOST_JOBS = 5


def started(folder: Path, log: str, students: int, command: str, cohort: str) -> str:
    """Where results and logs of the run in `folder` will lie, and what helps after a kill; `log` is Snakemake's own.

    `cohort` says in words which scans it works on.
    """
    return _banner(
        f"Noisy-student run: teacher and {students} student{'' if students == 1 else 's'}",
        {
            "scans": cohort,
            "results": folder / "results",
            "logs": f"{folder / 'logs'}, one a job; Snakemake's own: {log}",
            "watch": folder / LIVE,
            "killed?": f"after `kill -9` or a power cut `{command} --unlock`, then the same command",
        },
    )


def finished(folder: Path, log: str, whole: str) -> str:
    """Where the report is; if the run was to make none, the command `whole` that makes it."""
    report = folder / REPORT
    return _banner("Done", {"report": report if report.exists() else f"not made yet: `{whole}` makes it", "log": log})


def interrupted(by: str, command: str, jobs: Sequence[FailedJob]) -> str:
    """That the run was ended from outside, and how it goes on; last, the errors of jobs that had failed before."""
    lost = "at most one scan per job is lost, or the epochs since the last checkpoint (`checkpoint_every_epochs`)"
    lines = {"go on": f"`{command}` goes on where it was: {AGAIN}; {lost}"}
    return "\n".join([_banner(f"Interrupted ({by})", lines), *_errors(jobs)])


def failed(folder: Path, log: str, jobs: Sequence[FailedJob], rooms: Sequence[str], kills: int) -> str:
    """Where to look, what the machine lacked, how to go on; and, last, the errors of the jobs.

    `rooms`: what was found of disks that are full. `kills`: processes that the kernel ended because memory ran out.
    """
    names = first_of([job.name for job in jobs], MOST_JOBS)
    lines = {
        "logs": f"{folder / 'logs'}, one a job; Snakemake's own: {log}",
        **_causes(jobs, rooms, kills),
        "go on": f"mend the cause and give the same command again: {AGAIN}",
    }
    if (folder / CASES).exists():
        lines["report"] = f"of what is there: {rebuild(folder)}"
    return "\n".join([_banner(f"Not finished{': ' * bool(jobs)}{names}", lines), *_errors(jobs)])


def rebuild(folder: Path) -> str:
    """The command that makes the report of a run that has not ended."""
    scripts = ("workflow/scripts/draw_examples.py", "workflow/scripts/report.py")
    return typed.in_folder(folder, *(typed.python(folder, script) for script in scripts))


def _causes(jobs: Sequence[FailedJob], rooms: Sequence[str], kills: int) -> dict[str, str]:
    """What the machine did to the jobs, as far as there is evidence."""
    endings = [f"{job.name} by {job.ended_by}" for job in jobs if job.ended_by]
    lines = {"ended": "; ".join(endings[:MOST_JOBS])} if endings else {}
    causes = {job.ended_by for job in jobs}
    if OUT_OF_MEMORY in causes or ("SIGKILL" in causes and kills):
        counted = f"the kernel ended {kills} process{'es' * (kills > 1)} for it; " if kills else ""
        lines["memory"] = f"memory ran out: {counted}more `mem_mb` for the rule, or fewer `--cores`"
    elif "SIGKILL" in causes:
        lines["memory"] = "no sign that it ran out: a person, a scheduler or a limit of this machine killed the job"
    return lines | ({"disk": f"{'; '.join(dict.fromkeys(rooms))}; make room"} if rooms else {})


def _errors(jobs: Sequence[FailedJob]) -> list[str]:
    """What a cluster said of each job that it refused, else the job's log; once where several jobs have the same."""
    said = defaultdict(list)
    for job in jobs:
        said[job.refused or error_in(job.log)].append(job.name)
    return [f"{', '.join(names[:MOST_JOBS])}:\n{message}" for message, names in list(said.items())[:MOST_JOBS]]


def _banner(title: str, lines: Mapping[str, object]) -> str:
    rule = "─" * WIDTH
    return "\n".join([rule, title, *(f"  {name:<8} {text}" for name, text in lines.items()), rule])
