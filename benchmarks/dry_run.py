"""What planning costs, in seconds of CPU: `python benchmarks/dry_run.py`.

`snakemake -n` on scans that are given as folders: nothing done yet; all done, where Snakemake compares the record, the
dates and the sizes of all files; and of a second experiment that begins with all that the first one put into a store.
The scans are empty files; planning never looks inside.
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
    """A configuration with `scans` unlabelled scans, and a few of each other role."""
    for role, count in (("labelled", 50), ("unlabelled", scans), ("test", 50)):
        for kind in ("images", "label_maps") if role != "unlabelled" else ("images",):
            (folder / "scans" / role / kind).mkdir(parents=True)
            for number in range(count):
                (folder / "scans" / role / kind / f"{role}_{number:06}.nii.gz").touch()

    def labelled(role: str) -> list[dict]:
        return [{name: str(folder / "scans" / role / name) for name in ("images", "label_maps")}]

    folders = {"labelled": labelled("labelled"), "unlabelled": [{"images": str(folder / "scans/unlabelled/images")}]}
    overlay = {
        "cohort": {"kind": "folders", "folders": folders | {"test": labelled("test")}},
        "rounds": [{"network": "coarse"}] * ROUNDS,
        "shards": SHARDS,
        "store": str(folder / "store"),
    }
    (folder / "overlay.yaml").write_text(yaml.safe_dump(overlay))


def case_table(scans: int) -> str:
    """A case table as long as a real one."""
    row = "\t512\t512\t100\t0.8\t0.8\t2.5\tunlabelled\tscans/unlabelled/images/{}.nii.gz\t\t\t" + 64 * "0" + "\n"
    return HEADER + "".join(f"unlabelled_{number:06}" + row.format(number) for number in range(scans))


def snakemake(folder: Path, *arguments: str, experiment: str = "first") -> tuple[str, float]:
    """What Snakemake said in an experiment's folder, and how many seconds of CPU it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = subprocess.run(
        (Path(sys.executable).with_name("snakemake"), *arguments, "--snakefile", ROOT / "Snakefile",
         "--workflow-profile", ROOT / "profiles/venv", "--cores", "2", "--directory", folder / experiment,
         "--configfile", "overlay.yaml"),
        cwd=folder, env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return run.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def finish(folder: Path, scans: int) -> None:
    """Make all files that the run makes, and Snakemake's record of them."""
    rows = [line.split("\t") for line in snakemake(folder, "--summary")[0].splitlines() if line.count("\t") >= 5]
    for target in (folder / "first" / row[0] for row in rows[1:]):
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.parent.name == "report" and not target.suffix:
            target.mkdir()
            continue
        target.write_text(case_table(scans) if target.name == "cases.tsv" else str(target))
        if target.name == "checkpoint_final.pth":
            (target.parent / "training.json").write_text("{}")
    snakemake(folder, "--touch", "--forceall", "--quiet")


def main() -> None:
    """Measure both sizes, before and after a run, and with a store."""
    columns = ("scans", "nothing done (CPU s)", "all done (CPU s)", "begun from a store (CPU s)", "jobs left to it")
    print(f"{ROUNDS} rounds, {SHARDS} shards", "\t".join(columns), sep="\n")
    for scans in SCANS:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            make_project(folder, scans)
            (folder / "first").mkdir()
            _, planned = snakemake(folder, "--dry-run", "--quiet")
            finish(folder, scans)
            said, done = snakemake(folder, "--dry-run")
            assert "Nothing to be done" in said, said
            snakemake(folder)
            said, begun = snakemake(folder, "--dry-run", experiment="second")
            jobs = dict(line.split() for line in said.splitlines() if len(line.split()) == 2)
            assert not {"convert", "preprocess", "train", "pseudo_label", "predict"} & jobs.keys(), said
            print(scans, f"{planned:.1f}", f"{done:.1f}", f"{begun:.1f}", jobs["total"], sep="\t", flush=True)


if __name__ == "__main__":
    main()
