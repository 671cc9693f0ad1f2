import json

import pandas as pd
import pytest

import judge_round
from judge_round import Rules, change_of_labels, link_labeller
from noisy_student.errors import InputError
from noisy_student.tables import write_table

FOLDS = [0, 1]


@pytest.fixture
def run(tmp_path):
    """A folder of results with as many rounds as mean DSCs are given, judged so far but for the last."""

    def make(*means, change=None, **rules):
        for number, mean in enumerate(means):
            for fold in FOLDS:
                table = pd.DataFrame({"case": [f"a{fold}", f"b{fold}"], "organ": "liver", "DSC": [mean, mean + 0.01]})
                write_table(table.assign(seed=number), tmp_path / f"round_{number}/model/fold_{fold}/held_out.tsv")
            decided = Rules(**rules).verdict(tmp_path, number, FOLDS, change)
            (tmp_path / f"round_{number}/verdict.json").write_text(json.dumps(decided))
        return decided

    return make


def test_the_teacher_and_students_that_hold_up_label_the_next_round(run):
    assert run(0.5)["labeller"] == 0
    decided = run(0.5, 0.6, 0.7)
    assert decided["labeller"] == 2 and decided["teacher"] == 1 and decided["reasons"] == []
    assert decided["gain"] == pytest.approx(0.1)


def test_a_collapsed_student_is_passed_over_and_the_next_one_judged_against_its_teacher(run):
    assert run(0.5, 0.6, 0.4)["labeller"] == 1
    decided = run(0.5, 0.6, 0.4, 0.5)
    assert decided["teacher"] == 1 and decided["labeller"] == 1
    assert run(0.5, 0.6, 0.4, 0.6)["labeller"] == 3


def test_the_policy_stop_ends_the_run_with_the_reason(run):
    with pytest.raises(InputError, match=r"round 1 that is no worse[\s\S]*mean DSC 0.200 behind[\s\S]*policy: keep"):
        run(0.5, 0.3, policy="stop")


def test_rounds_end_without_gain_and_those_after_repeat_the_last(run):
    assert run(0.5, 0.6, 0.61)["stopped"] == ""
    assert run(0.5, 0.6, stop_without_gain=True)["stopped"] == ""
    decided = run(0.5, 0.6, 0.61, stop_without_gain=True)
    assert decided["stopped"] == "a gain of 0.010 in mean DSC is within the noise of 0.05"
    after = run(0.5, 0.6, 0.61, 0.9, stop_without_gain=True)
    assert after["labeller"] == 2 and after["stopped"] == decided["stopped"]


def test_rounds_end_when_the_labels_no_longer_change(run, tmp_path):
    assert run(0.5, 0.6, change=0.2, stop_below=0.1)["stopped"] == ""
    assert (
        run(0.5, 0.6, change=0.05, stop_below=0.1)["stopped"]
        == "the rounds' pseudo-labels disagree by 5.0%, less than 10.0%"
    )
    shards = [tmp_path / "0.tsv", tmp_path / "1.tsv"]
    for path, disagreement in zip(shards, (0.1, 0.3), strict=True):
        write_table(pd.DataFrame({"case": path.stem + "x", "label": [1, 2], "disagreement": disagreement}), path)
    write_table(pd.DataFrame(columns=["case", "label", "disagreement"]), tmp_path / "empty.tsv")
    shards.insert(0, tmp_path / "empty.tsv")
    assert change_of_labels(shards) == pytest.approx(0.2) and change_of_labels([]) is None


def test_a_collapsed_student_does_not_end_the_rounds(run):
    assert run(0.5, 0.3, stop_without_gain=True)["stopped"] == ""


def test_the_first_student_of_a_teacher_from_elsewhere_is_not_compared_and_the_second_with_the_first(run, tmp_path):
    taken = {"round": 0, "labeller": 0, "reasons": [], "gain": None, "stopped": "", "taken": [{"model": "a.zip"}]}
    run(0.5, 0.3)
    for fold in FOLDS:
        (tmp_path / f"round_0/model/fold_{fold}/held_out.tsv").unlink()
    (tmp_path / "round_0/verdict.json").write_text(json.dumps(taken))
    rules = Rules(policy="stop", stop_without_gain=True)
    first = rules.verdict(tmp_path, 1, FOLDS)
    assert first["labeller"] == 1 and first["teacher"] == 0 and first["gain"] is None and not first["stopped"]
    assert "elsewhere" in first["not_compared"] and first["reasons"] == []
    (tmp_path / "round_1/verdict.json").write_text(json.dumps(first))
    for fold in FOLDS:
        table = pd.DataFrame({"case": [f"a{fold}", f"b{fold}"], "organ": "liver", "DSC": 0.31, "seed": 2})
        write_table(table, tmp_path / f"round_2/model/fold_{fold}/held_out.tsv")
    second = rules.verdict(tmp_path, 2, FOLDS)
    assert second["teacher"] == 1 and second["gain"] == pytest.approx(0.005) and "within the noise" in second["stopped"]


def test_the_labeller_is_linked_so_that_the_model_stays_where_it_is(tmp_path):
    model = tmp_path / "round_1/model"
    checkpoints = [f"fold_0/checkpoint_{kind}.pth" for kind in ("final", "average", "third_1", "third_2")]
    for name in ("plans.json", "dataset.json", *checkpoints):
        (model / name).parent.mkdir(parents=True, exist_ok=True)
        (model / name).write_text(name)
    (model.parent / "postprocessing.json").write_text("{}")
    index = tmp_path / "preprocessed/wide.tsv"
    write_table(pd.DataFrame({"case": ["a"]}), index)
    for _ in range(2):
        link_labeller(model, index, [0], ["average", "thirds"], tmp_path / "round_2/labeller")
    moved = tmp_path.rename(tmp_path.with_name("moved")) / "round_2/labeller"
    assert [(moved / name).read_text() for name in checkpoints] == checkpoints
    assert json.loads((moved / "voices.json").read_text()) == [path.removeprefix("fold_0/") for path in checkpoints[1:]]
    assert (moved / "plans.json").is_symlink() and (moved / "preprocessed.tsv").read_text() == "case\na\n"


def test_after_a_collapse_the_voices_are_those_of_the_round_that_labels(run, tmp_path, monkeypatch):
    run(0.5, 0.6, 0.4)
    command = ["judge_round.py", "--results", tmp_path, "--round", 2, "--folds", *FOLDS, "--networks", *"aaa"]
    voices = [["final"], ["final", "average"], ["thirds"]]
    rules = ["--policy", "keep", "--noise-band", 0.05, "--voices", json.dumps(voices)]
    monkeypatch.setattr("sys.argv", list(map(str, [*command, *rules])))
    judge_round.main()
    labeller = tmp_path / "round_2/labeller"
    assert json.loads((labeller / "voices.json").read_text()) == ["checkpoint_final.pth", "checkpoint_average.pth"]
    for fold in FOLDS:
        links = {path.name: str(path.readlink()) for path in (labeller / f"fold_{fold}").iterdir()}
        assert links.keys() == {"checkpoint_final.pth", "checkpoint_average.pth"}
        assert all(f"round_1/model/fold_{fold}/{name}" in target for name, target in links.items())
