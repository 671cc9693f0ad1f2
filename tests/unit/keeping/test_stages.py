"""Finished stages in a store, as a new experiment begins with them; and what of a store can go."""

import json
import os
import shutil
from base64 import urlsafe_b64encode
from types import SimpleNamespace
from uuid import uuid4

import pytest
import yaml
from snakemake.settings.types import RerunTrigger

from conftest import ROOT, script
from noisy_student.cohort.folder_state import state_of_scans
from noisy_student.configuration.experiment import read_configuration
from noisy_student.errors import InputError
from noisy_student.keeping import stages as keeping_stages
from noisy_student.keeping import store as keeping
from noisy_student.keeping.depends import Depends
from noisy_student.keeping.inventory import REMOVED, damaged, in_store, is_needed_now, left_of_removals, set_aside
from noisy_student.keeping.stages import COMPARED, adopt, not_compared, publish, register, stages_of
from noisy_student.keeping.store import Store
from noisy_student.organs import FLARE22

DEFAULT = yaml.safe_load((ROOT / "config/config.yaml").read_text())
SCANS = {"labelled": "l", "unlabelled": "u", "validation": "v", "test": "t"}
TEACHER = {"network": "coarse"}
OTHER_VOICES = TEACHER | {"training": {"voices": ["average"]}}
FOLDER = "results/preprocessed/net"
OF_ALL_SCANS = ["cohort", "labelled_measures", "preprocessed"]


def stages(scans=SCANS, rounds=(TEACHER, TEACHER), **changes):
    configuration = read_configuration(DEFAULT | {"rounds": [dict(entry) for entry in rounds]} | changes)
    return list(stages_of(configuration, Depends(configuration, scans.get)))


SURE = {"organ": 0.6, "background": 0.9}


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


@pytest.fixture
def first(tmp_path, store):
    """An experiment in which everything is made, and put into the store."""
    folder = tmp_path / "first"
    for stage in stages():
        trees = [f"{tree}/file" for tree in stage.trees]
        for path in (*stage.files, *stage.extras, *trees, *(f"{name}/case.nii.gz" for name in stage.folders)):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(path)
    publish(stages(), store, folder, made=lambda path: True)
    register(stages(), store, folder)
    return folder


def test_an_equal_experiment_begins_with_every_stage(first, store, tmp_path):
    second = tmp_path / "second"
    assert adopt(stages(), store, second) == [stage.name for stage in stages()]
    for stage in stages():
        for path in (*stage.files, *stage.extras):
            assert (second / path).read_text() == path
        for path in stage.folders:
            assert (second / path).is_symlink() and (second / path / "case.nii.gz").read_text() == f"{path}/case.nii.gz"


@pytest.mark.parametrize(
    ("changes", "others"),
    [
        ({"rounds": (TEACHER, TEACHER | {"selection": "confident"})}, ["training", "predictions"]),
        ({"rounds": (TEACHER, TEACHER | {"training": {"epochs": 9}})}, ["training", "predictions"]),
        ({"targets": "hard"}, ["labels", "training", "predictions"]),
        ({"voxel_confidence": SURE}, ["training", "predictions"]),
        ({"voxel_confidence": SURE | {"surface_mm": 10}}, ["training", "predictions"]),
        ({"voxel_confidence": SURE | {"organ": "balanced"}}, ["training", "predictions"]),
        ({"training": DEFAULT["training"] | {"epochs": 9}}, [*["training", "predictions"] * 2, "labels"]),
        ({"rounds": (OTHER_VOICES, TEACHER)}, [*["training", "predictions"] * 2, "labels"]),
        ({"scans": SCANS | {"test": "more"}}, [*OF_ALL_SCANS, "predictions", "predictions"]),
        ({"scans": SCANS | {"unlabelled": "more"}}, [*OF_ALL_SCANS, "labels", "training", "predictions"]),
        ({"evaluation": {"mode": "strict"}}, []),
        ({"device": "cpu"}, []),
    ],
)
def test_a_stage_is_shared_where_all_that_it_depends_on_is_equal(first, store, tmp_path, changes, others):
    wanted = stages(**changes)
    lacking = [stage.name for stage in wanted]
    for name in adopt(wanted, store, tmp_path / "second"):
        lacking.remove(name)
    assert sorted(lacking) == sorted(others)


@pytest.mark.parametrize(
    ("changes", "others"),
    [
        ({}, []),
        ({"training": {"epochs": 9}}, ["training", "predictions"]),
        ({"prediction": {"step_size": 0.7}}, ["predictions"]),
        ({"targets": "hard"}, ["labels", "training", "predictions"]),
    ],
)
def test_a_student_made_to_be_deployed_is_a_round_of_its_own(store, tmp_path, changes, others):
    student = {"network": "coarse"}
    made = stages(deploy=student)
    # One fold, nothing that a verdict leaves, and none of the stages before it is another one.
    assert [stage.key for stage in made[:-3]] == [stage.key for stage in stages()]
    training = made[-2]
    assert "results/round_deploy/model/fold_0/checkpoint_final.pth" in training.files
    assert not any("verdict" in path or "labeller" in path for path in (*training.files, *training.trees))
    changed = stages(deploy=student | changes)
    found = [one.name for one, other in zip(changed, made, strict=True) if one.key != other.key]
    assert found == others


def test_trainings_that_begin_with_other_weights_are_not_shared(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    known = {"folds": ["fold_0"], "spacing_mm_zyx": [8, 6, 6], "classes": 14, "described": "a"}
    models = {name: {"known": known | {"sha256": {f"{name}.pth": name}}} for name in ("a", "b")}
    (tmp_path / "results").mkdir()
    (tmp_path / "results/models.json").write_text(json.dumps(models | {"copy_of_a": models["a"]}))

    def training(model):
        own = stages(rounds=[TEACHER | {"start": {"model": model}}])
        return next(stage.key for stage in own if stage.name == "training")

    assert training("a") == training("copy_of_a") != training("b")


def test_what_an_experiment_has_already_is_not_replaced(first, store, tmp_path):
    table = tmp_path / "second/results/cohort/cases.tsv"
    table.parent.mkdir(parents=True)
    table.write_text("mine")
    assert "cohort" not in adopt(stages(), store, tmp_path / "second")
    assert table.read_text() == "mine"


def test_only_what_the_run_was_asked_for_is_put_into_the_store(first, tmp_path):
    other = Store(tmp_path / "other")
    of_students = ("round_1", "labelled_measures")
    publish(stages(), other, first, made=lambda path: not any(name in path for name in of_students))
    names = {path.parent.name for path in (other.root / "stages").glob("*/*")}
    assert {"cohort", "plans", "preprocessed", "training"} < names and "labelled_measures" not in names


def test_a_damaged_stage_leaves_the_store(first, store, tmp_path, capsys):
    table = next((store.root / "stages").glob("cohort/*/results/cohort/cases.tsv"))
    table.unlink()
    table.write_text("damaged")
    assert "cohort" not in adopt(stages(), store, tmp_path / "second")
    assert "results/cohort/cases.tsv) and is made anew" in capsys.readouterr().err
    # Folders to which others are linked stay; the stage is put there again by who has made it.
    assert (table.parent / "images/case.nii.gz").exists()
    publish(stages(), store, first, made=lambda path: True)
    assert "cohort" in adopt(stages(), store, tmp_path / "third")
    assert (tmp_path / "third/results/cohort/cases.tsv").read_text() == "results/cohort/cases.tsv"


def test_the_inventory_says_who_uses_what_and_removes_the_rest(first, store, tmp_path):
    made = tmp_path / "lonely"
    made.write_text("nobody's")
    store.put("label_maps", "x", {"label_map": made})
    made.unlink()
    kept = {entry.folder: entry for entry in in_store(store.root)}
    assert len(kept) == len(stages()) + 1
    assert {entry.needed_by for entry in kept.values() if entry.what.startswith("stage")} == {(str(first),)}
    size = sum(path.stat().st_size for path in store.item("label_maps", "x").iterdir())
    run = script("kept.py", store.root)
    assert run.returncode == 0 and "item label_maps" in run.stdout and f"frees {size} bytes" in run.stdout, run.stdout
    assert script("kept.py", store.root, "--remove").stdout.endswith(f"removed 1, {size} bytes freed\n")
    assert len(in_store(store.root)) == len(stages())
    first.rename(tmp_path / "moved")
    assert script("kept.py", store.root, "--remove").stdout.endswith("removed 0, 0 bytes freed\n")
    shutil.rmtree(tmp_path / "moved/results")
    assert script("kept.py", store.root, "--remove").returncode == 0 and in_store(store.root) == []


def test_a_stage_in_use_is_not_removed_by_name(first, store):
    used = next((store.root / "stages").glob("cohort/*"))
    run = script("kept.py", store.root, "--remove", used)
    assert run.returncode and f"{used} is used by {first}" in run.stderr and used.exists()


def test_a_single_item_in_use_is_removed_by_name_alone_and_experiments_keep_their_files(store, tmp_path):
    """A training that is to begin at zero would be taken from the store again."""
    weights = tmp_path / "run/checkpoint_finished.pth"
    weights.parent.mkdir()
    weights.write_text("weights")
    store.put("training", "x", {weights.name: weights})
    item = store.item("training", "x")
    assert script("kept.py", store.root, "--remove").stdout.endswith("removed 0, 0 bytes freed\n") and item.exists()
    run = script("kept.py", store.root, "--remove", item)
    assert run.returncode == 0 and not item.exists() and weights.read_text() == "weights", run.stderr
    assert not store.take("training", "x", {weights.name: weights}) and weights.read_text() == "weights"


def test_a_stage_that_a_folder_is_still_linked_to_counts_as_used(first, store, tmp_path):
    second = tmp_path / "second"
    adopt(stages(), store, second)
    changed = stages(scans=SCANS | {"unlabelled": "more"})
    register(changed, store, second)
    (first / "results").rename(first / "moved")
    needed = {entry.what for entry in in_store(store.root) if entry.needed_by}
    assert {"stage cohort", "stage preprocessed", "stage labels"} <= needed


def test_a_stage_of_a_round_that_is_none_any_more_counts_as_used_while_its_folder_is_linked(tmp_path, store):
    folder, student = tmp_path / "run", "results/round_2"
    of_round = [
        keeping_stages.Stage(name, name, [f"{student}/{name}.tsv"], folders=[f"{student}/{place}"])
        for name, place in {"labels": "pseudo_labels", "predictions": "predictions"}.items()
    ]
    for stage in of_round:
        place = keeping_stages._place(stage, store) / stage.folders[0]
        place.mkdir(parents=True)
        (folder / student).mkdir(parents=True, exist_ok=True)
        (folder / stage.folders[0]).symlink_to(place)
    register([], store, folder)
    assert {entry.what: entry.needed_by for entry in in_store(store.root)} == {
        "stage labels": (str(folder),),
        "stage predictions": (str(folder),),
    }


def test_a_stage_whose_removal_was_cut_short_is_brought_whole_again(array, tmp_path):
    """As an earlier version left it: without its manifest and some of its arrays."""
    write_in_place(array.path, "RIGHT array")
    other = array.path.with_name("other.b2nd")
    other.write_text("other array")
    put(array).unlink()
    next((array.store.root / "stages").rglob("manifest.json")).unlink()
    publish([array.stage], array.store, array.folder, lambda path: True)
    assert adopt([array.stage], array.store, tmp_path / "third") == ["preprocessed"]
    found = {path.name: path.read_text() for path in (tmp_path / "third" / FOLDER).iterdir()}
    assert found == {"case.b2nd": "RIGHT array", "other.b2nd": "other array"}


def test_a_removal_that_is_cut_short_leaves_nothing_in_sight_and_is_ended_by_the_next(array, tmp_path, monkeypatch):
    put(array)
    shutil.rmtree(array.folder)

    def killed(folder):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", killed)
        for entry in in_store(array.store.root):
            with pytest.raises(KeyboardInterrupt):
                entry.remove()
    assert in_store(array.store.root) == [] and len(left_of_removals(array.store.root)) == 2
    assert adopt([array.stage], array.store, tmp_path / "second") == []
    assert script("kept.py", array.store.root, "--remove").returncode == 0
    assert left_of_removals(array.store.root) == []


def test_what_was_set_aside_and_is_removed_in_part_is_not_listed(tmp_path):
    for name in ("training.json", "a.nii.gz"):
        path = tmp_path / "results/superseded/round_1/pseudo_labels" / f"{REMOVED}x" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    assert set_aside(tmp_path / "results/superseded") == []


@pytest.mark.parametrize("at_once", [True, False])
def test_a_stage_that_an_experiment_began_with_meanwhile_stays(array, tmp_path, at_once):
    put(array)
    shutil.rmtree(array.folder)
    stage = next(entry for entry in in_store(array.store.root) if entry.what == "stage preprocessed")
    asked = []

    def is_needed(place):
        """Registered between the list and the removal, or between the first look and the second."""
        if at_once or asked:
            held = tmp_path / "second/held.json"
            held.parent.mkdir(exist_ok=True)
            if not held.exists():
                os.link(place / "manifest.json", held)
        asked.append(place)
        return is_needed_now(array.store.root, stage, place)

    assert not stage.needed_by and stage.remove(is_needed) is None
    assert len(asked) == (1 if at_once else 2)
    assert stage.folder.exists() and left_of_removals(array.store.root) == []


def test_links_that_lead_nowhere_are_named(first, store, tmp_path):
    second = tmp_path / "second"
    adopt(stages(), store, second)
    assert keeping_stages.lost_links(second) == keeping_stages.lost_links(first) == []
    store.root.rename(tmp_path / "elsewhere")
    lost = [line.split()[0] for line in keeping_stages.lost_links(second)]
    assert set(lost) == {path for stage in stages() for path in stage.folders}


def test_another_store_than_before_is_no_hindrance(first, store, tmp_path):
    second, other = tmp_path / "second", Store(tmp_path / "other")
    adopt(stages(), store, second)
    publish(stages(), other, second, made=lambda path: True)
    register(stages(), other, second)
    assert {entry.needed_by for entry in in_store(other.root)} == {(str(second),)}
    assert (second / "results/cohort/images/case.nii.gz").exists()


def test_the_check_finds_what_is_damaged(first, store):
    weights = next((store.root / "stages").glob("training/*/results/round_0/model/file"))
    weights.unlink()
    weights.write_text("other weights")
    (found,) = damaged(store.root)
    assert found[1] == ["results/round_0/model/file"]
    run = script("kept.py", store.root, "--check")
    assert "damaged, is made anew" in run.stdout and damaged(store.root) == []


@pytest.fixture
def array(tmp_path, store):
    """An experiment's preprocessed array, and the stage in whose folder it is."""
    path = tmp_path / "first" / FOLDER / "case.b2nd"
    path.parent.mkdir(parents=True)
    path.write_text("right array")
    path.parent.with_suffix(".tsv").write_text("table")
    stage = keeping_stages.Stage("preprocessed", "k", [f"{FOLDER}.tsv"], folders=[FOLDER])
    return SimpleNamespace(path=path, folder=tmp_path / "first", stage=stage, store=store)


def put(array):
    """Put it into the store, as an item and in the stage; where it lies in the stage."""
    array.store.put("preprocessed", "scan 1", {".b2nd": array.path})
    publish([array.stage], array.store, array.folder, lambda path: True)
    register([array.stage], array.store, array.folder)
    return next((array.store.root / "stages").rglob("case.b2nd"))


def write_in_place(path, text):
    with path.open("r+") as stream:
        stream.write(text)


@pytest.mark.parametrize("found_by", ["check", "take"])
def test_a_stage_that_has_a_damaged_items_file_is_not_offered_either(array, tmp_path, found_by, capsys):
    wanted, store = [array.stage], array.store
    write_in_place(put(array), "WRONG")
    target = {".b2nd": tmp_path / "taken"}
    if found_by == "check":
        said = script("kept.py", store.root, "--check").stdout
        assert "not offered any more, since it has the same file" in said and f"may be in use: {array.folder}" in said
    else:
        assert not store.take("preprocessed", "scan 1", target) and "has it, too" in capsys.readouterr().err
    assert adopt(wanted, store, tmp_path / "second") == [] and not store.item("preprocessed", "scan 1").exists()
    # The experiment that has the damaged file itself does not bring it back.
    publish(wanted, store, array.folder, lambda path: True)
    assert f"{array.path} is damaged, as in the store" in capsys.readouterr().err
    assert adopt(wanted, store, tmp_path / "second") == []
    array.path.unlink()
    array.path.write_text("right array")
    put(array)
    assert store.take("preprocessed", "scan 1", target) and target[".b2nd"].read_text() == "right array"
    assert adopt(wanted, store, tmp_path / "third") == ["preprocessed"]
    assert (tmp_path / "third" / FOLDER / "case.b2nd").read_text() == "right array" and damaged(store.root) == []


def test_of_a_store_on_another_disk_a_stages_own_copies_are_compared_too(array, monkeypatch):
    def no_link(*_, **__):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", no_link)
    copy = put(array)
    (manifest,) = (array.store.root / "stages").rglob("manifest.json")
    content = json.loads(manifest.read_text())
    write_in_place(copy, "WRONG")
    ((found, files),) = damaged(array.store.root)
    assert (found.folder, files) == (manifest.parent, [f"{FOLDER}/case.b2nd"])
    # A store of an earlier version has none of their checksums.
    manifest.write_text(json.dumps({name: value for name, value in content.items() if name != keeping.COPIES}))
    assert damaged(array.store.root) == []


def test_a_stage_of_an_experiment_that_may_not_be_looked_at_counts_as_used(first, store, not_allowed):
    not_allowed("exists", first / "results")
    assert {entry.needed_by for entry in in_store(store.root)} == {(str(first),)}


def test_an_array_that_is_a_link_within_a_run_enters_the_store_as_a_file(array, tmp_path):
    """As of a training set, on a disk without hard links."""
    link = array.path.with_name("other.b2nd")
    link.symlink_to(os.path.relpath(array.path.rename(tmp_path / "first/results/array.b2nd"), link.parent))
    publish([array.stage], array.store, array.folder, lambda path: True)
    assert adopt([array.stage], array.store, tmp_path / "second") == ["preprocessed"]
    shutil.rmtree(array.folder)
    found = tmp_path / "second" / FOLDER / "other.b2nd"
    assert found.read_text() == "right array" and not found.is_symlink()


def test_a_place_that_is_neither_is_refused(tmp_path):
    run = script("kept.py", tmp_path)
    assert run.returncode and "a store, or a run's results/superseded" in run.stderr


def test_what_is_set_aside_is_listed_and_removed(tmp_path):
    place = tmp_path / "results/superseded"
    training, labels = place / "round_1/model/fold_0/abc", place / "round_1/pseudo_labels/def"
    for path in (training / "training.json", training / "checkpoint_finished.pth", labels / "a.nii.gz"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x" * 100)
    run = script("kept.py", place)
    assert str(training) in run.stdout and "1 label maps" in run.stdout and "2 kept" in run.stdout
    assert script("kept.py", place, "--remove", labels).returncode == 0
    assert training.exists() and not labels.exists()


def test_what_others_write_into_is_no_file_of_the_store(first, store, tmp_path):
    """nnU-Net and Snakemake write into files that are there: plans, records, benchmarks."""
    second = tmp_path / "second"
    adopt(stages(), store, second)
    for path in second.rglob("*"):
        if path.is_file() and not path.is_symlink() and not path.name.endswith((".pth", ".nii.gz")):
            path.write_text("written in place")
    assert damaged(store.root) == []
    third = tmp_path / "third"
    assert adopt(stages(), store, third) == [stage.name for stage in stages()]
    assert (first / "results/round_0/model/file").read_text() == "results/round_0/model/file"


@pytest.mark.parametrize("there", ["predictions/case.nii.gz", "model/fold_0/training.json"])
def test_a_stage_that_was_begun_by_oneself_is_not_mixed_with_anothers(first, store, tmp_path, there):
    begun = tmp_path / "second/results/round_0" / there
    begun.parent.mkdir(parents=True)
    begun.write_text("mine")
    taken = adopt(stages(), store, tmp_path / "second")
    name = "predictions" if "predictions" in there else "training"
    assert taken.count(name) == 1 and begun.read_text() == "mine"


def test_an_adoption_that_was_cut_short_is_ended(first, store, tmp_path, monkeypatch):
    second, left = tmp_path / "second", [30]

    def until_killed(source, target):
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt
        keeping.give(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(keeping_stages, "give", until_killed)
        with pytest.raises(KeyboardInterrupt):
            adopt(stages(), store, second)
    adopt(stages(), store, second)
    assert (second / "results/cohort/images").is_symlink()
    for folder in second.glob("results/round_*/model"):
        assert (folder / "file").read_text() == str((folder / "file").relative_to(second))


def test_folders_of_label_maps_of_the_same_name_are_two(tmp_path, monkeypatch):
    cohort = {"kind": "embedded", "embedded": DEFAULT["cohort"]["embedded"] | {"label_maps": "maps"}}
    keys = set()
    for name in ("a", "b"):
        (tmp_path / name / "maps").mkdir(parents=True)
        monkeypatch.chdir(tmp_path / name)
        keys.add(stages(cohort=cohort)[0].key)
    assert len(keys) == 2


@pytest.mark.parametrize("make", [lambda path: path.write_text("a file"), lambda path: path.mkdir()])
def test_a_store_that_cannot_be_used_is_said_at_once(tmp_path, make, monkeypatch):
    make(tmp_path / "store")
    # The superuser may write anywhere.
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path / "store")
    with pytest.raises(InputError, match="a folder that experiments share"):
        Store(tmp_path / "store").require_usable()
    Store(tmp_path / "new/store").require_usable()


def of_folders(**labelled):
    entry = {"images": "i", "label_maps": "l"} | labelled
    unlabelled = [{"images": "u"}]
    return {"cohort": {"kind": "folders", "folders": {"labelled": [entry], "unlabelled": unlabelled}}}


def test_what_is_labelled_decides_on_trainings_and_labels_and_says_nothing_where_all_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    organs = [organ.name for organ in FLARE22]
    keys = {}
    kidneys = {name: number for number, name in enumerate(organs, 1)} | {"left kidney": 2}
    entries = {"whole": {}, "liver": {"organs": organs[:1]}, "spleen": {"organs": organs[2:3]}}
    for name, labelled in (entries | {"kidneys": {"labels": kidneys}}).items():
        configuration = read_configuration(DEFAULT | of_folders(**labelled) | {"rounds": [TEACHER, TEACHER]})
        depends = Depends(configuration, lambda role, cohort=configuration.cohort: state_of_scans(cohort, role, 1))
        assert ("labelled scans" in depends.labels(1)) == (name != "whole")
        own = list(stages_of(configuration, depends))
        keys[name] = {stage.key for stage in own if stage.name in ("training", "labels")}
        files = {file for stage in own if stage.name == "training" for file in stage.files}
        assert ("results/round_1/filling.tsv" in files) == (name != "whole")
    assert not keys["whole"] & keys["liver"] and not keys["liver"] & keys["spleen"]


def test_what_snakemake_was_not_to_compare_enters_no_store():
    every = {trigger.name for trigger in RerunTrigger.all()}
    assert not_compared(every, is_touched=False) == not_compared(set(COMPARED), is_touched=False) == ""
    assert "without params, input" in not_compared({"MTIME"}, is_touched=False)
    assert "--touch" in not_compared(every, is_touched=True)


def test_what_was_edited_and_what_follows_enters_no_store(first, tmp_path):
    def record(path, seconds_before=0.0):
        made = (first / path).stat().st_mtime
        note = first / keeping_stages.RECORDS / urlsafe_b64encode(path.encode()).decode()
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text("{}")
        os.utime(note, (made - seconds_before, made - seconds_before))

    def published():
        store = Store(tmp_path / "another store" / uuid4().hex)
        publish(stages(), store, first, made=lambda path: True)
        return [place.parent.name for place in sorted(store.root.glob("stages/*/[!.]*"))]

    record("results/round_1/selection.tsv")
    assert sorted(stage.name for stage in stages()) == published()
    record("results/round_1/selection.tsv", seconds_before=60)
    assert published().count("training") == published().count("predictions") == 1
    assert "labels" in published()
    record("results/cohort/cases.tsv", seconds_before=60)
    assert published() == []
