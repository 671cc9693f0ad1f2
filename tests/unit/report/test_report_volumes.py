"""The volumes beside the page: which scans have them, what lies in a file, when it is made again."""

import base64
import gzip
import json
import os
import sys
from dataclasses import replace
from unittest.mock import patch

import pytest

import draw_volumes
from noisy_student.errors import InputError
from noisy_student.files import write_text
from noisy_student.organs import FLARE22, Organ
from noisy_student.report.drawn_volumes import draw, volumes_of, volumes_within
from noisy_student.report.organ_tables import labelled_only
from noisy_student.report.results import read_results
from noisy_student.report.volumes import CASE_BYTES, LEAST_BYTES, file_of, fitting
from noisy_student.tables import read_table, write_table
from synthetic_results import SyntheticRun


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    run = SyntheticRun(gains=(0.02,), labelled=2, unlabelled=3, validation=1, test=1, pictures=True)
    return read_results(run.write(tmp_path_factory.mktemp("run")))


def content(path):
    call = path.read_text().splitlines()[1]
    assert call.startswith("window.takeVolumes(") and call.endswith(");")
    return json.loads(f"[{call[len('window.takeVolumes(') : -2]}]")


@pytest.mark.parametrize(
    ("scans", "megabytes", "fit", "limit"),
    [(10, 500, 10, CASE_BYTES), (2100, 500, 2100, 238_095), (3000, 500, 2500, LEAST_BYTES), (10, 0, 0, LEAST_BYTES)],
)
def test_scans_share_the_disk_evenly_until_a_share_is_too_little(scans, megabytes, fit, limit):
    cases = [str(number) for number in range(scans)]
    assert fitting(cases, megabytes) == (cases[:fit], limit)


def test_judged_scans_come_first_and_the_least_sure_before_others(results):
    cases = [wanted.case for wanted in volumes_within(results, 500)]
    selection = results.rounds[1].selection.sort_values("confidence", kind="stable")
    assert cases[:4] == ["Test_0001", "Validation_0001", "Labelled_0001", "Labelled_0002"]
    assert cases[4:] == selection["case"].tolist()


def test_a_file_has_the_scan_and_every_label_map_with_its_path(results, tmp_path):
    wanted = volumes_of(results, ["Test_0001"])[0]
    row = draw(wanted, tmp_path)
    case, data = content(tmp_path / "Test_0001.js")
    assert case == "Test_0001" and row["bytes"] == (tmp_path / "Test_0001.js").stat().st_size
    titles, paths, texts = zip(*data["maps"], strict=True)
    assert titles == ("image", "truth", "prediction, round 0", "prediction, round 1")
    assert paths[3] == str(results.folder / "round_1/predictions/Test_0001.nii.gz")
    assert all(gzip.decompress(base64.b64decode(text)) for text in texts)
    assert all(0 <= first < end <= size for first, end, size in data["box"])


def test_labelled_scans_have_what_the_fold_made_that_held_them_out(results, tmp_path):
    assert list(volumes_of(results, ["Labelled_0001"])[0].label_maps) == [
        "truth",
        "held out, round 0",
        "held out, round 1",
    ]
    assert list(volumes_of(results, ["Labelled_0002"])[0].label_maps) == ["truth"]


def test_a_file_is_made_again_when_what_it_shows_has_changed(results, tmp_path):
    wanted = volumes_of(results, ["Unlabelled_0001"])[0]
    draw(wanted, tmp_path)
    path = tmp_path / "Unlabelled_0001.js"
    path.write_text(path.read_text() + "// as it was\n")
    draw(wanted, tmp_path)
    assert path.read_text().endswith("// as it was\n")
    os.utime(wanted.label_maps["pseudo-label, round 1"], (1, 1))
    draw(wanted, tmp_path)
    assert not path.read_text().endswith("// as it was\n")


@pytest.mark.parametrize("earlier", [None, FLARE22, (Organ(1, "spleen", colour="#123456"), Organ(2, "liver"))])
def test_until_its_record_is_written_a_run_has_the_organs_of_its_start(tmp_path, earlier):
    organs = (Organ(1, "spleen"), Organ(2, "bladder"), Organ(3, "prostate"))
    run = SyntheticRun((0.02,), labelled=2, unlabelled=3, validation=0, test=2, organs=organs, pictures=True)
    folder = run.write(tmp_path)
    record = json.loads((folder / "run.json").read_text())
    (folder / "run.json").unlink()
    if earlier:
        record["configuration"]["organs"] = [vars(organ) for organ in earlier]
        (folder / "run.json").write_text(json.dumps(record))
    (folder / "experiment.json").write_text(json.dumps({"organs": {organ.name: organ.label for organ in organs}}))
    found = read_results(folder)
    assert [row[0].text for row in labelled_only(found).rows] == ["spleen", "bladder", "prostate", "mean"]
    is_known = earlier is not None and earlier[0].name == "spleen"
    assert found.organs[0].colour == ("#123456" if is_known else FLARE22[2].colour)
    assert volumes_within(found, 500)[0].ignore == 4


def test_a_file_of_another_label_table_is_made_again(results):
    wanted = volumes_of(results, ["Test_0001"])[0]
    assert "ignore" not in wanted.stamp
    assert len({replace(wanted, ignore=number).stamp for number in (4, 5, len(FLARE22) + 1)}) == 3


def test_a_scan_that_cannot_be_read_is_named_and_stops_nothing(results, tmp_path):
    wanted = volumes_of(results, ["Unlabelled_0002"])[0]
    draw(wanted, tmp_path)
    truth = wanted.label_maps["truth"]
    truth.rename(truth.with_suffix(".away"))
    row = draw(wanted, tmp_path)
    truth.with_suffix(".away").rename(truth)
    assert row["bytes"] == 0 and "no such file" in row["problem"]
    assert not list(tmp_path.iterdir())


def test_unknown_cases_are_refused(results):
    with pytest.raises(InputError, match="Test_0009: no such case"):
        volumes_of(results, ["Test_0001", "Test_0009"])


def draw_shards(results, folder, *more, shards="01"):
    for shard in shards:
        command = ["draw_volumes.py", "--results", results.folder, "--folder", folder, *more]
        command += ["--shard", shard, "--shards", "2", "--output", folder / f"shard_{shard}.tsv"]
        with patch.object(sys, "argv", list(map(str, command))):
            draw_volumes.main()
    return sorted(path.stem for path in folder.glob("*.js"))


def test_the_command_makes_its_shard(results, tmp_path):
    drawn = draw_shards(results, tmp_path, "--megabytes", "500")
    made = [case for shard in "01" for case in read_table(tmp_path / f"shard_{shard}.tsv")["case"]]
    assert sorted(made) == drawn == sorted(results.cases["case"])


def drawn_in_no_time(wanted, folder):
    write_text(file_of(folder, wanted.case), "")
    return {"case": wanted.case, "bytes": 0, "problem": ""}


def test_what_is_not_wanted_any_more_and_scans_that_left_the_cohort_are_deleted(tmp_path, monkeypatch):
    """A scan that is not drawn anew would be shown with an earlier training's label maps."""
    monkeypatch.setattr(draw_volumes, "draw", drawn_in_no_time)
    run = SyntheticRun(gains=(0.02,), labelled=2, unlabelled=3, validation=1, test=1)
    results, folder = read_results(run.write(tmp_path / "run")), tmp_path / "volumes"
    draw_shards(results, folder, "--megabytes", "500")
    cases = read_table(results.folder / "cohort/cases.tsv")
    write_table(cases[cases["case"] != "Labelled_0001"], results.folder / "cohort/cases.tsv")
    wanted = sorted(one.case for one in volumes_within(read_results(results.folder), 1))
    dropped = set(cases["case"]) - {*wanted, "Labelled_0001"}
    assert len(wanted) == 5 and len(dropped) == 1
    (folder / ".writing-1-Test_0001.js").touch()  # by the other shard, at the same time
    assert "Labelled_0001" not in draw_shards(results, folder, "--megabytes", "1", shards="0")
    assert draw_shards(results, folder, "--megabytes", "1", shards="1")[1:] == wanted
    by_hand = sorted([*wanted, *dropped])
    assert draw_shards(results, folder, "--cases", *by_hand)[1:] == by_hand
    assert draw_shards(results, folder, "--megabytes", "1")[1:] == wanted
