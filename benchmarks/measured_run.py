"""A run of the workflow in a folder of its own, with what each job costs: seconds, CPU seconds, peak memory.

A job's processes are those whose output goes to its log, so nothing has to be known of how Snakemake starts them. Its
memory is the sum of their resident memory, looked at a few times a second; pages that processes share count in each.
"""

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs/scale.md"
BIN = Path(sys.executable).parent
COSTS = "costs.json"
SECONDS_BETWEEN_LOOKS = 0.2
SECONDS_BETWEEN_SAVES = 30
# Snakemake itself, and the time in which it has no job running.
SNAKEMAKE, NO_JOB = "(Snakemake)", "(no job)"
CPU_INFO = Path("/proc/cpuinfo")


@dataclass
class Cost:
    """What a job has cost so far. Interrupted and started again, its times add up."""

    wall_s: float = 0
    cpu_s: float = 0
    peak_mb: float = 0


class Looks:
    """What has been seen of the processes below one Snakemake, job by job."""

    def __init__(self, pid: int, folder: Path, costs: dict[str, Cost]) -> None:
        self.root, self.logs, self.costs = psutil.Process(pid), folder / "logs", costs
        self._before = {name: asdict(cost) for name, cost in costs.items()}
        self._first: dict[str, float] = {}
        self._cpu: dict[str, float] = {}
        self._last = time.monotonic()

    def take(self) -> None:
        """Look once."""
        now = time.monotonic()
        found: dict[str, list[psutil.Process]] = {SNAKEMAKE: [self.root]}
        try:
            below = self.root.children(recursive=True)
        except psutil.Error:
            return
        for process in below:
            if name := self._job_of(process):
                found.setdefault(name, []).append(process)
        for name, processes in found.items():
            self._add(name, processes, now)
        if len(found) == 1:
            self.costs.setdefault(NO_JOB, Cost()).wall_s += now - self._last
        self._last = now

    def _job_of(self, process: psutil.Process) -> str | None:
        """The job's log below `logs`, without its ending."""
        for stream in (1, 2):
            try:
                target = Path(f"/proc/{process.pid}/fd/{stream}").readlink()
            except OSError:
                continue
            if target.is_relative_to(self.logs):
                return str(target.relative_to(self.logs)).removesuffix(".log")
        return None

    def _add(self, name: str, processes: list[psutil.Process], now: float) -> None:
        memory, cpu = 0.0, 0.0
        for process in processes:
            try:
                memory += process.memory_info().rss / 1e6
                times = process.cpu_times()
            except psutil.Error:
                continue
            cpu += times.user + times.system
            # What Snakemake waited for are its jobs.
            cpu += times.children_user + times.children_system if name != SNAKEMAKE else 0
        cost = self.costs.setdefault(name, Cost())
        before = self._before.get(name, asdict(Cost()))
        self._cpu[name] = max(self._cpu.get(name, 0.0), cpu)
        cost.wall_s = before["wall_s"] + now - self._first.setdefault(name, self._last)
        cost.cpu_s = before["cpu_s"] + self._cpu[name]
        cost.peak_mb = max(cost.peak_mb, memory)


def run(folder: Path, cores: int, *arguments: str) -> dict[str, Cost]:
    """Run Snakemake to its end, or go on where it was; the costs of all jobs.

    Exits with Snakemake's own words if it fails.
    """
    costs = read_costs(folder)
    workflow = ("--snakefile", ROOT / "Snakefile", "--workflow-profile", ROOT / "profiles/venv")
    command = [BIN / "snakemake", *workflow, "--cores", str(cores), "--quiet", "rules"]
    environment = os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}", "PYTHONWARNINGS": "ignore"}
    with (folder / "snakemake.log").open("a") as log:
        process = subprocess.Popen(
            [*command, *arguments, "--configfile", "overlay.yaml"], cwd=folder, env=environment, stdout=log, stderr=log
        )
        follow(process, folder, costs)
    if process.returncode:
        sys.exit(f"Snakemake failed in {folder}:\n{(folder / 'snakemake.log').read_text()[-6000:]}")
    return costs


def follow(process: subprocess.Popen, folder: Path, costs: dict[str, Cost]) -> None:
    """Look at a Snakemake's jobs until it ends, and keep their costs in its folder."""
    looks, saved = Looks(process.pid, folder.resolve(), costs), time.monotonic()
    while process.poll() is None:
        looks.take()
        if time.monotonic() - saved > SECONDS_BETWEEN_SAVES:
            save_costs(folder, costs)
            saved = time.monotonic()
        time.sleep(SECONDS_BETWEEN_LOOKS)
    save_costs(folder, costs)


def read_costs(folder: Path) -> dict[str, Cost]:
    """The costs of what was run in the folder before."""
    path = folder / COSTS
    return {name: Cost(**cost) for name, cost in json.loads(path.read_text()).items()} if path.exists() else {}


def save_costs(folder: Path, costs: dict[str, Cost]) -> None:
    """Keep the costs beside the results."""
    (folder / COSTS).write_text(json.dumps({name: asdict(cost) for name, cost in sorted(costs.items())}, indent=1))


def stage_of(job: str) -> str:
    """A job's name without its round, fold and shard: `round_1/train_fold_0` is of the stage `train`."""
    return re.sub(r"(_fold)?_\d+$", "", job.split("/")[-1])


@dataclass
class StageCost(Cost):
    """The sum over a stage's jobs; the peak is that of the largest one."""

    jobs: int = 0


def by_stage(costs: dict[str, Cost]) -> dict[str, StageCost]:
    """The costs of every stage, in alphabetical order."""
    stages: dict[str, StageCost] = {}
    for job, cost in sorted(costs.items(), key=lambda item: stage_of(item[0])):
        stage = stages.setdefault(stage_of(job), StageCost())
        stage.jobs += 1
        stage.wall_s += cost.wall_s
        stage.cpu_s += cost.cpu_s
        stage.peak_mb = max(stage.peak_mb, cost.peak_mb)
    return stages


@dataclass
class Disk:
    """Files of a folder, and their bytes; what is the same file as one counted before has none."""

    files: int = 0
    bytes: int = 0


def on_disk(results: Path) -> dict[str, Disk]:
    """Files and bytes of each folder two levels below `results`; a folder's own files count with it."""
    found: dict[str, Disk] = {}
    seen = set()
    for path in sorted(results.rglob("*")):
        if not path.is_file() or path.is_symlink():
            continue
        parts = path.relative_to(results).parts
        name = re.sub(r"\d+", "<k>", "/".join(parts[:2] if len(parts) > 2 else parts[:1]))
        disk, state = found.setdefault(name, Disk()), path.stat()
        disk.files += 1
        disk.bytes += 0 if state.st_ino in seen else state.st_size
        seen.add(state.st_ino)
    return found


def put_into(page: Path, section: str, text: str) -> None:
    """Replace what stands between the section's two comments on a page of the docs."""
    start, end = f"<!-- {section} -->", f"<!-- end of {section} -->"
    before, _, rest = page.read_text().partition(start)
    _, _, after = rest.partition(end)
    page.write_text(f"{before}{start}\n\n{text}\n\n{end}{after}")


def machine() -> str:
    """Processor, cores, memory, and how busy they are."""
    models = [line.split(":", 1)[1].strip() for line in CPU_INFO.read_text().splitlines() if "model name" in line]
    memory = f"{psutil.virtual_memory().total / 1e9:.0f} GB"
    load = f"load {os.getloadavg()[0]:.1f}"
    return f"{models[0] if models else 'unknown processor'}, {os.cpu_count()} cores, {memory}, {load}"
