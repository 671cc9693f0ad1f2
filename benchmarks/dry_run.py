"""What planning costs, in seconds of CPU: `python benchmarks/dry_run.py`.

`snakemake -n` on a project whose scans are given as folders: nothing done yet, and all done, where Snakemake compares
the record, the dates and the sizes of all files. The scans are empty files; planning never looks inside.
"""

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent
SCANS = (2_000, 200_000)
ROUNDS, SHARDS = 3, 40
HEADER = (
    "case\tsize_x\tsize_y\tsize_z\tspacing_x_mm\tspacing_y_mm\tspacing_z_mm\trole\timage\tlabel_map\tsource\tsha256\n"
)


def make_project(folder: Path, scans: int) -> None:
    """A run with `scans` unlabelled scans, and a few of each other role."""
    for role, count in (("labelled", 50), ("unlabelled", scans), ("test", 50)):
        for kind in ("images", "label_maps") if role != "unlabelled" else ("images",):
            (folder / "scans" / role / kind).mkdir(parents=True)
            for number in range(count):
                (folder / "scans" / role / kind / f"{role}_{number:06}.nii.gz").touch()

    def labelled(role: str) -> list[dict]:
        return [{"images": f"scans/{role}/images", "label_maps": f"scans/{role}/label_maps"}]

    folders = {"labelled": labelled("labelled"), "unlabelled": [{"images": "scans/unlabelled/images"}]}
    overlay = {
        "cohort": {"kind": "folders", "folders": folders | {"test": labelled("test")}},
        "rounds": [{"network": "coarse"}] * ROUNDS,
        "shards": SHARDS,
    }
    (folder / "overlay.yaml").write_text(yaml.safe_dump(overlay))


def case_table(scans: int) -> str:
    """A case table as long as a real one."""
    row = "\t512\t512\t100\t0.8\t0.8\t2.5\tunlabelled\tscans/unlabelled/images/{}.nii.gz\t\t\t" + 64 * "0" + "\n"
    return HEADER + "".join(f"unlabelled_{number:06}" + row.format(number) for number in range(scans))


def snakemake(folder: Path, *arguments: str) -> tuple[str, float]:
    """What Snakemake said, and how many seconds of CPU it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = subprocess.run(
        (Path(sys.executable).with_name("snakemake"), "--snakefile", ROOT / "Snakefile",
         "--workflow-profile", ROOT / "profiles/venv", "--cores", "2", "--configfile", "overlay.yaml", *arguments),
        cwd=folder, env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return run.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def finish(folder: Path, scans: int) -> None:
    """Make all files that the run makes, and Snakemake's record of them."""
    rows = [line.split("\t") for line in snakemake(folder, "--summary")[0].splitlines() if line.count("\t") >= 5]
    for path in (row[0] for row in rows[1:]):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(case_table(scans) if path.endswith("cases.tsv") else path)
    snakemake(folder, "--touch", "--forceall", "--quiet")


def main() -> None:
    """Measure both sizes, before and after a run."""
    print(f"{ROUNDS} rounds, {SHARDS} shards\nscans\tnothing done (CPU s)\tall done (CPU s)")
    for scans in SCANS:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            make_project(folder, scans)
            before = min(snakemake(folder, "--dry-run", "--quiet")[1] for _ in range(3))
            finish(folder, scans)
            after = min(snakemake(folder, "--dry-run", "--quiet")[1] for _ in range(3))
            print(f"{scans}\t{before:.2f}\t{after:.2f}", flush=True)


if __name__ == "__main__":
    main()
