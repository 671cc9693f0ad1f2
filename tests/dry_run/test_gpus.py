"""Snakemake counts GPUs, the jobs choose them: two shards at once get two, one after the other get the same one."""

import re

import pytest

from finished_run import complete
from project import Checkout, Project

SHARDS = [f"results/round_1/shards/pseudo_label_scores_{shard}.tsv" for shard in range(2)]
# In place of the script that labels: it says which GPU it sees, and stays until the other job has said so, or a while.
LABELLING = """
import os, pathlib, sys, time
output = pathlib.Path(sys.argv[sys.argv.index("--output") + 1])
seen = pathlib.Path("seen")
seen.mkdir(exist_ok=True)
(seen / output.stem).write_text(os.environ["CUDA_VISIBLE_DEVICES"])
end = time.monotonic() + {patience_s}
while len(list(seen.iterdir())) < 2 and time.monotonic() < end:
    time.sleep(0.05)
output.write_text("case")
"""


@pytest.fixture
def project(tmp_path):
    project = Checkout(tmp_path / "project")
    complete(project, rounds=[{"network": "coarse"}] * 2, shards=2)
    for shard in SHARDS:
        (project.folder / shard).unlink()
    return project


@pytest.mark.parametrize(("gpus", "patience_s", "expected"), [(2, 60, ["0", "1"]), (1, 0.2, ["0", "0"])])
def test_concurrent_shards_see_distinct_gpus(project, tmp_path, gpus, patience_s, expected):
    (project.folder / "workflow/scripts/predict.py").write_text(LABELLING.format(patience_s=patience_s))
    variables = {"CUDA_VISIBLE_DEVICES": "0,1", "TMPDIR": str(tmp_path)}
    run = project.run(*SHARDS, "--resources", f"gpu={gpus}", "--set-threads", "pseudo_label=1", **variables)
    assert run.returncode == 0, run.stdout
    assert sorted(path.read_text() for path in (project.folder / "seen").iterdir()) == expected
    logs = [(project.folder / f"logs/round_1/pseudo_label_{shard}.log").read_text() for shard in range(2)]
    assert sorted(logs) == [f"GPU {gpu}\n" for gpu in expected]


@pytest.mark.parametrize(("device", "gpus"), [("auto", {"1"}), ("cpu", set())])
def test_on_the_cpu_no_job_asks_for_a_gpu(tmp_path, device, gpus):
    """SLURM would let it wait for one, for ever where there is none."""
    run = Project(tmp_path / "project", device=device).run("--dry-run")
    assert run.returncode == 0, run.stdout
    assert set(re.findall(r"^ +resources: .*\bgpu=(\d+)", run.stdout, re.MULTILINE)) - {"0"} == gpus
