"""What a run puts into a store: what is there as it is wanted, and nothing else."""

from finished_run import complete
from project import Checkout

BASE = {"rounds": [{"network": "coarse"}], "shards": 1}
NOTHING = "nothing was put into the store"


def test_what_was_made_with_other_settings_enters_no_store(tmp_path):
    store = tmp_path / "store"
    project = Checkout(tmp_path / "project")
    complete(project, **BASE)
    project.configure(**BASE, training={"epochs": 13}, store=str(store))
    # What is there was made with other epochs, and Snakemake is not to see it.
    run = project.run("--rerun-triggers", "mtime")
    assert "Nothing to be done" in run.stdout and f"{NOTHING} {store}: --rerun-triggers" in run.stdout, run.stdout
    run = project.run("--touch")
    assert run.returncode == 0 and f"{NOTHING} {store}: --touch" in run.stdout, run.stdout
    assert not (store / "stages").exists()
    # From now on its record says that it was made with these, but the training's own does not.
    fold = project.folder / "results/round_0/model/fold_0"
    (fold / "training.json").write_text('{"settings": {"epochs": 24}}')
    (fold / "depends.json").write_text("{}")
    run = project.run()
    assert "Nothing to be done" in run.stdout, run.stdout
    stages = {path.name for path in (store / "stages").iterdir()}
    assert "preprocessed" in stages and not stages & {"training", "predictions"}
