"""What the report of a large run costs: its job's time and memory, the page's size, how fast it answers in a browser.

The tables are synthetic, with the truth of every unlabelled scan. The browser is headless Chromium; its CPU time is
that of all its processes. The volumes of one scan of a hospital's size are made in the share of the disk that it
has among so many. Prints a table and puts it into docs/report.md.

    PYTHONPATH=workflow/scripts:tests python benchmarks/report.py [--unlabelled 2000] [--rounds 3]
    (`make bench-report`)
"""

import argparse
import base64
import json
import sys
import tempfile
import time
from pathlib import Path

import psutil
import SimpleITK as sitk

from big_scans import write_scan
from browser import CHROMIUM, Browser
from measured_run import ROOT, machine, put_into
from noisy_student.configuration.experiment import Report
from noisy_student.organs import FLARE22
from noisy_student.report.drawn_volumes import draw
from noisy_student.report.volumes import Wanted, fitting
from noisy_student.sparse import ignore_label
from processes import measured
from synthetic_results import SyntheticRun

PAGE = ROOT / "docs/report.md"
TRIES = 5
SLICES, SLICE_MM = 150, 2.5
SCRIPT = ROOT / "workflow/scripts/report.py"
CONTROLS = "document.getElementById('case-controls')"
# What is done to the case table, each timed until the page is laid out again.
ACTS = {
    "sort by a score": "document.querySelectorAll('#case-table thead button')[3].click()",
    "sort by name": "document.querySelectorAll('#case-table thead button')[0].click()",
    "another organ": f"{CONTROLS}.elements.organ.value = '4'",
    "filter by name": f"{CONTROLS}.elements.text.value = '_0123'",
    "filter by reason": f"{CONTROLS}.elements.text.value = 'below'",
}


def timed(act: str) -> str:
    """A promise of the milliseconds that something takes until it can be seen."""
    return f"""new Promise((done) => {{
        const start = performance.now();
        {act};
        {CONTROLS}.dispatchEvent(new Event('input', {{ bubbles: true }}));
        document.body.offsetHeight;
        requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
    }})"""


def cpu_seconds(browser: Browser) -> float:
    """CPU time of the browser's processes so far."""
    tree = [psutil.Process(browser.process.pid), *psutil.Process(browser.process.pid).children(recursive=True)]
    return sum(sum(process.cpu_times()[:2]) for process in tree)


def answers(page: Path) -> dict[str, tuple[float, float]]:
    """What → shortest wall and CPU seconds of a few tries: opening the page, and acts on its case table."""
    best: dict[str, tuple[float, float]] = {}
    for _ in range(TRIES):
        with tempfile.TemporaryDirectory() as profile:
            browser = Browser(Path(profile))
            acts = {"open, and fill the case table": None} | ACTS
            for name, act in acts.items():
                start, cpu = time.perf_counter(), cpu_seconds(browser)
                if act:
                    wall_s = browser.ask(timed(act)) / 1000
                else:
                    browser.open(page, 1280)
                    browser.wait_for("document.querySelectorAll('#case-table tbody tr').length > 0")
                    wall_s = time.perf_counter() - start
                found = wall_s, cpu_seconds(browser) - cpu
                best[name] = min(best.get(name, found), found)
            browser.close()
    return best


def volumes(folder: Path, scans: int) -> tuple[float, float, str]:
    """Wall and CPU seconds of making a scan's volumes, and what came of it in words."""
    scan, truth = folder / "scan.nii.gz", folder / "truth.nii.gz"
    if not truth.exists():
        write_scan(1, SLICES, SLICE_MM, scan, truth)
    _, limit = fitting(map(str, range(scans)), Report().volumes_mb)
    maps = dict.fromkeys(("truth", *(f"pseudo-label, round {number}" for number in (1, 2, 3))), truth)
    (folder / "volumes/scan.js").unlink(missing_ok=True)
    start, cpu = time.perf_counter(), time.process_time()
    made = draw(Wanted("scan", scan, maps, limit, ignore_label(FLARE22)), folder / "volumes")
    wall_s, cpu_s = time.perf_counter() - start, time.process_time() - cpu
    call = (folder / "volumes/scan.js").read_text().splitlines()[1]
    image = folder / "image.nii.gz"
    image.write_bytes(base64.b64decode(json.loads(call[call.index(", ") + 2 : -2])["maps"][0][2]))
    steps = " × ".join(f"{step:.1f}" for step in sitk.ReadImage(str(image)).GetSpacing())
    return wall_s, cpu_s, f"{made['bytes'] / 1e6:.2f} MB, in steps of {steps} mm"


def main() -> None:
    """Write the tables, make the page, open it, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--unlabelled", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3, help="of students")
    parser.add_argument("--folder", type=Path, default=ROOT / "runs/report")
    options = parser.parse_args()
    if CHROMIUM is None:
        sys.exit("chromium is not installed")
    run = SyntheticRun((0.01,) * options.rounds, labelled=50, unlabelled=options.unlabelled, validation=20, test=30,
                       folds=5, epochs=1000, measured=20)  # fmt: skip
    folder = options.folder / f"{options.unlabelled}_{options.rounds}"
    if not (folder / "run.json").exists():
        run.write(folder)
    page = folder / "report/report.html"
    command = [sys.executable, SCRIPT, "--results", folder, "--output", page]
    cost = measured(command, page.parent, ROOT, {}, folder / "report.log")
    lines = ["| what | seconds | CPU seconds |", "|---|---|---|"]
    lines += [f"| make the page | {cost.wall_s:.1f} | {cost.cpu_s:.1f} |"]
    lines += [f"| {what} | {wall:.2f} | {cpu:.2f} |" for what, (wall, cpu) in answers(page).items()]
    scans = run.labelled + run.unlabelled + run.validation + run.test
    wall_s, cpu_s, what = volumes(folder, scans)
    size = f"512 × 512 × {SLICES} voxels"
    lines += [f"| volumes of a scan of {size} with 4 label maps: {what} | {wall_s:.1f} | {cpu_s:.1f} |"]
    text = (
        f"{scans} scans, {len(run.organs)} organs, {options.rounds} students: the page has "
        f"{page.stat().st_size / 1e6:.1f} MB without volumes, its job takes {cost.peak_gb:.2f} GB of memory.\n\n"
        + "\n".join(lines)
        + f"\n\n{machine()}; in the browser the shortest of {TRIES} tries."
    )
    print(text)
    put_into(PAGE, "report of a large run", text)


if __name__ == "__main__":
    main()
