"""CPU time of the checks (`snakemake check`) beside a plain reading of the same files with SimpleITK, in one run.

Two cohorts: many small scans, and a few of a clinic's size. Another checkout of the project may be timed on the same
scans, in turns. Prints a table and puts it into docs/scale.md.

    PYTHONPATH=workflow/scripts:tests python benchmarks/checking.py [--scans 2100 24] [--against CHECKOUT]
    (`make bench-check`)
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from statistics import median

from many_scans import clinical, folders, make_scans, small
from measured_run import DOCS, ROOT, machine, put_into
from processes import measured

SEED, TURNS = 1, 3
LABELLED, TEST = 0.024, 0.012  # as in FLARE22: 50 and 25 of 2100
READ_ALL = "import sys, SimpleITK\nfor path in open(sys.argv[1]):\n    SimpleITK.ReadImage(path.strip())\n"


def make_cohort(folder: Path, scans: int, cores: int) -> dict[str, list[dict[str, str]]]:
    """Make the scans of a cohort unless they are there; where they lie, as `cohort.folders` names them."""
    labelled, test = (max(1, round(share * scans)) for share in (LABELLED, TEST))
    counts = {"labelled": labelled, "unlabelled": scans - labelled - test, "test": test}
    make_scans(folder, counts, SEED, cores, small if scans > 500 else clinical)
    return folders(folder, ("labelled", "test"))


def checks(project: Path, cohort: dict[str, list[dict[str, str]]], work: Path) -> list[object]:
    """The command that checks a cohort with a checkout's scripts, on one core."""
    section = json.dumps({"kind": "folders", "folders": cohort})
    script = project / "workflow/scripts/make_case_table.py"
    tables = ("--findings", work / "findings.tsv", "--output", work / "cases.tsv", "--renumbered", work / "renumbered")
    return [sys.executable, script, "--cohort", section, "--embedded", work, *tables]


def reading(cohort_folder: Path, work: Path) -> list[object]:
    """The command that reads every file once with SimpleITK, on one core."""
    listed = work / "files.txt"
    listed.write_text("".join(f"{path}\n" for path in sorted(cohort_folder.rglob("*.nii.gz"))))
    return [sys.executable, "-c", READ_ALL, listed]


def time_all(commands: dict[str, list[object]], work: Path) -> dict[str, float]:
    """Median CPU seconds of each command, run in turns."""
    environment = {"ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": "1"}
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(TURNS):
        for name, command in commands.items():
            seconds[name].append(measured(command, work / "none", work, environment, work / "log.txt").cpu_s)
    return {name: median(values) for name, values in seconds.items()}


def rows(scans: int, folder: Path, against: Path | None, cores: int) -> list[str]:
    """The table's rows of one cohort."""
    cohort = make_cohort(folder, scans, cores)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        commands = {"plain reading (SimpleITK)": reading(folder, work), "checks": checks(ROOT, cohort, work)}
        if against:
            commands["checks of the other checkout"] = checks(against, cohort, work)
        seconds = time_all(commands, work)
    plain = seconds["plain reading (SimpleITK)"]
    return [
        f"| {scans} | {what} | {cpu:.1f} | {cpu / scans:.3f} | {cpu / plain:.2f} |" for what, cpu in seconds.items()
    ]


def main() -> None:
    """Make the scans, time, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scans", type=int, nargs="+", default=[2100, 24], help="over 500: small ones (2100 24)")
    parser.add_argument("--against", type=Path, help="another checkout of the project, timed in turns")
    parser.add_argument("--folder", type=Path, default=ROOT / "runs/checking")
    parser.add_argument("--cores", type=int, default=2, help="for making the scans")
    options = parser.parse_args()
    lines = ["| scans | what | CPU s | CPU s a scan | ratio |", "|---|---|---|---|---|"]
    for scans in options.scans:
        lines += rows(scans, options.folder / str(scans), options.against, options.cores)
    table = "\n".join([*lines, "", f"{machine()}; median of {TURNS} runs, one core each."])
    print(table)
    if not options.against:
        put_into(DOCS, "checking", table)


if __name__ == "__main__":
    main()
