"""Experiments really run: a second one that shares what is equal, and a setting changed and changed back."""

from noisy_student.files import sha256
from project import Project
from tiny_loop import TINY

CHECKPOINT = "results/round_2/model/fold_0/checkpoint_final.pth"
LAST_ROUND = {"predict": 2, "prediction_scores": 1, "train": 1, "training_set": 1, "postprocessing": 1, "judge": 1}


def checksums(folder):
    return {path: sha256(path) for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()}


def test_a_second_experiment_begins_with_what_it_shares_and_leaves_the_first_as_it_is(finished, tmp_path):
    store = tmp_path / "store"
    assert "Nothing to be done" in finished.run("--config", f"store={store}").stdout
    before = checksums(finished.folder / "results")

    rounds = [
        *TINY["rounds"][:2],
        {"network": "coarse", "selection": [{"rule": "top", "score": "mean_max_probability", "share": 0.5}]},
    ]
    second = Project(tmp_path / "a second one", **TINY | {"rounds": rounds, "store": str(store)})
    jobs = second.planned("round_2")
    judged = {"evaluate": 3, "summarise": 3}
    assert jobs == LAST_ROUND | judged | {"select": 1, "round_2": 1}
    run = second.run("round_2")
    assert run.returncode == 0 and "from the store" not in run.stdout, run.stdout[-3000:]

    assert checksums(finished.folder / "results") == before
    results = second.folder / "results"
    for shared in ("round_1/model/fold_0/checkpoint_final.pth", "round_1/scores.tsv", "cohort/cases.tsv"):
        assert (results / shared).read_bytes() == (finished.folder / "results" / shared).read_bytes()
    kept = (results / "round_2/selection.tsv").read_text().count("\tkept\t")
    assert 0 < kept < (finished.folder / "results/round_2/selection.tsv").read_text().count("\tkept\t")
    assert (results / "round_2/predictions").is_dir() and not (results / "round_2/predictions").is_symlink()


def test_a_setting_changed_and_changed_back_trains_nothing(finished):
    checkpoint, log = finished.folder / CHECKPOINT, finished.folder / "logs/round_2/train_fold_0.log"
    before = checkpoint.read_bytes()
    rounds = [*TINY["rounds"][:2], TINY["rounds"][2] | {"training": {"epochs": 1}}]
    finished.configure(**TINY | {"rounds": rounds})
    try:
        changed = finished.run(CHECKPOINT)
        assert changed.returncode == 0, changed.stdout[-3000:]
        assert "round 2, fold 0: begins anew (training.epochs 3 → 1); the one there, 3 epochs in" in changed.stdout
        assert checkpoint.read_bytes() != before
    finally:
        finished.configure(**TINY)
    log.write_text("")
    back = finished.run(CHECKPOINT)
    assert back.returncode == 0 and "round 2, fold 0: taken back from results/superseded/" in back.stdout
    assert "epoch 1 of" not in log.read_text() and "is this very training: taken back" in log.read_text()
    assert checkpoint.read_bytes() == before
    assert finished.planned() == {}
