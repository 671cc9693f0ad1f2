"""What the configured run needs of disk and memory, against what there is."""

import json
import os

import pandas as pd
import pytest

from conftest import script
from noisy_student.cohort.enough_labelled import never_learned
from noisy_student.cohort.room import Plan, disk_bytes, free_disk_bytes, memory_bytes, room_findings
from noisy_student.deal import held_out
from noisy_student.memory import PREPROCESSING
from noisy_student.organs import Organ, to_json
from noisy_student.tables import write_table

GB = 10**9


def cases(*rows):
    columns = ["case", "image", "orientation", "size_x", "size_y", "size_z"]
    columns += ["spacing_x_mm", "spacing_y_mm", "spacing_z_mm"]
    return pd.DataFrame(rows, columns=columns).assign(role="labelled")


LINKED = ("a", "a_0000.nii.gz", "LPS", 100, 100, 50, 1.0, 1.0, 2.0)
TURNED = ("b", "b_0000.nii.gz", "RAS", 100, 100, 50, 1.0, 1.0, 2.0)
SERIES = ("c", "c", "LPS", 100, 100, 50, 1.0, 1.0, 2.0)
VOXELS = 500_000


def test_disk_follows_scans_networks_and_rounds():
    one = Plan([(1.0, 1.0, 1.0)], rounds=0, classes=14)
    assert disk_bytes(cases(LINKED), one) == 2 * VOXELS * 4
    assert disk_bytes(cases(LINKED, TURNED, SERIES), one) == 3 * 2 * VOXELS * 4 + 2 * VOXELS * 2
    two = Plan([(1.0, 1.0, 1.0), (4.0, 1.0, 1.0)], rounds=0, classes=14)
    assert disk_bytes(cases(LINKED), two) == 2 * VOXELS * 4 + VOXELS // 2 * 4
    rounds = Plan([None], rounds=3, classes=14)
    assert disk_bytes(cases(LINKED), rounds) == pytest.approx(VOXELS * 4 + 3 * 2 * VOXELS * 0.2)


def test_memory_is_that_of_the_largest_job(tmp_path):
    large = ("d", "d.nii.gz", "LPS", 512, 512, 600, 0.8, 0.8, 1.0)
    write_table(cases(LINKED, large), tmp_path / "cases.tsv")
    spacing = (1.0, 0.8, 0.8)
    needed = memory_bytes(tmp_path / "cases.tsv", Plan([spacing], rounds=1, classes=2))
    assert needed >= PREPROCESSING.memory_mb(tmp_path / "cases.tsv", spacing, 1) * 10**6


def test_what_is_short_is_a_warning_and_what_cannot_do_an_error(tmp_path):
    assert room_findings((10 * GB, 10 * GB), (5 * GB, 8 * GB), tmp_path) == []
    disk, memory = room_findings((10 * GB, 4 * GB), (8 * GB, 5 * GB), tmp_path)
    assert (disk.severity, disk.file, disk.found) == ("error", tmp_path, "4.0 GB")
    assert "10.0 GB of disk" in disk.wanted and "larger disk" in disk.remedy
    assert (memory.severity, memory.found) == ("warning", "5.0 GB") and "8.0 GB of memory" in memory.wanted


def test_what_is_short_has_the_unit_that_fits(tmp_path):
    (disk,) = room_findings((300e6, 12_000), (1, 2), tmp_path)
    assert disk.found == "12 kB" and disk.wanted.startswith("300 MB of disk")


def test_what_the_run_has_made_already_counts_as_free(tmp_path):
    before = free_disk_bytes(tmp_path)
    (tmp_path / "preprocessed/paper").mkdir(parents=True)
    (tmp_path / "preprocessed/paper/a.b2nd").write_bytes(os.urandom(30_000_000))
    (tmp_path / "round_0").mkdir()
    os.link(tmp_path / "preprocessed/paper/a.b2nd", tmp_path / "round_0/a.b2nd")
    assert free_disk_bytes(tmp_path) == pytest.approx(before, abs=25_000_000)
    (tmp_path / "cohort/images").mkdir(parents=True)
    (tmp_path / "cohort/images/a.nii.gz").write_bytes(os.urandom(60_000_000))
    assert free_disk_bytes(tmp_path) == pytest.approx(before, abs=25_000_000)


def test_links_count_where_they_lead_to_and_may_lead_nowhere(tmp_path):
    (tmp_path / "round_0/labeller").mkdir(parents=True)
    (tmp_path / "elsewhere").write_bytes(os.urandom(60_000_000))
    before = free_disk_bytes(tmp_path)
    (tmp_path / "round_0/labeller/checkpoint_final.pth").symlink_to(tmp_path / "nowhere")
    (tmp_path / "round_0/a.nii.gz").symlink_to(tmp_path / "elsewhere")
    assert free_disk_bytes(tmp_path) == pytest.approx(before, abs=25_000_000)


def check(folder, spacing, *more):
    return script(
        "check_room.py",
        *("--cases", folder / "cases.tsv", "--spacings", json.dumps([spacing]), "--rounds", 1, "--classes", 2),
        *("--results", folder, "--output", folder / "room.tsv", *more),
    )


def test_the_command_stops_only_where_it_must(tmp_path):
    write_table(cases(LINKED), tmp_path / "cases.tsv")

    run = check(tmp_path, [1e-4, 1e-3, 1e-3])
    assert run.returncode == 2 and "of disk for the whole run" in run.stderr and "Traceback" not in run.stderr
    assert not (tmp_path / "room.tsv").exists()
    assert check(tmp_path, [5, 5, 5]).returncode == 0 and (tmp_path / "room.tsv").exists()


@pytest.mark.parametrize("labelled", [0, 1, 2])
def test_fewer_labelled_scans_than_splits_are_an_error_before_any_is_converted(labelled, tmp_path):
    roles = ["labelled"] * labelled + ["unlabelled"] * (3 - labelled)
    write_table(cases(LINKED, TURNED, SERIES).assign(role=roles), tmp_path / "cases.tsv")
    run = check(tmp_path, [5, 5, 5], "--splits", 5)
    lower = "lower `training.splits` to 2, and `training.folds` with it"
    assert run.returncode == 2 and (lower in run.stderr) == (labelled == 2), run.stderr
    assert f"{labelled} labelled scan(s); wanted 5 or more, one for each of `training.splits`; add some" in run.stderr
    assert not (tmp_path / "room.tsv").exists()
    run = check(tmp_path, [5, 5, 5], *(("--splits", 2) if labelled == 2 else ()))
    assert run.returncode == 0, run.stderr


LIVER, TUMOUR = ORGANS = (Organ(label=1, name="liver"), Organ(label=2, name="tumour"))


def with_tumours(*having):
    """Eight labelled scans, all with a liver, and another scan that shows both."""
    rows = [(f"{case:03}", "labelled", "1 2" if f"{case:03}" in having else "1") for case in range(8)]
    return pd.DataFrame([*rows, ("t", "test", "1 2")], columns=["case", "role", "labels"])


def test_an_organ_that_only_held_out_scans_have_is_never_learned(tmp_path):
    of_folds = held_out([f"{case:03}" for case in range(8)], 4, 3)
    first, second = of_folds[1]
    (found,) = never_learned(with_tumours(first, second), ORGANS, [1], 4, 3, tmp_path)
    assert found.severity == "warning"
    assert found.found.startswith("tumour only in 2 labelled scan(s), which fold 1 holds out: never learned")
    assert "`training.folds`" in found.remedy and "`seed`" in found.remedy
    for having, folds in (((first,), [0]), ((first,), [0, 1]), ((first, of_folds[0][0]), [1]), ((), [1])):
        assert never_learned(with_tumours(*having), ORGANS, folds, 4, 3, tmp_path) == []


def test_the_command_warns_of_it_and_goes_on(tmp_path):
    names = ["001", "002", "003"]
    (held, *_), *_ = held_out(names, 3, 0)
    table = cases(*((name, *LINKED[1:]) for name in names))
    write_table(table.assign(labels=["1 2" if name == held else "1" for name in names]), tmp_path / "cases.tsv")
    of_folds = ("--splits", 3, "--seed", 0, "--organs", to_json(ORGANS, "label", "name"))
    for folds, said in (([0], True), ([0, 1], False)):
        assert check(tmp_path, [5, 5, 5], *of_folds, "--folds", *folds).returncode == 0
        assert ("tumour only in 1" in (tmp_path / "room.tsv").read_text()) == said
