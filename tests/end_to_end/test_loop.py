"""The whole loop, really run: nnU-Net really trains, is killed and goes on; jobs that are done are not done again."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import SimpleITK as sitk
import torch

from browser import CHROMIUM, Browser
from faulty_project import copied
from noisy_student.cohort.converted import converted_image
from noisy_student.files import sha256
from noisy_student.geometry import CANONICAL_ORIENTATION, reorient
from noisy_student.images import read_image
from noisy_student.model.voxel_confidence import read_confidence
from project import Project
from tiny_loop import TINY

CHECKPOINT = "results/round_{}/model/fold_0/checkpoint_final.pth"


def table(project: Project, path: str) -> pd.DataFrame:
    return pd.read_csv(project.folder / path, sep="\t")


def weights(project: Project, number: int) -> dict:
    return torch.load(project.folder / CHECKPOINT.format(number), weights_only=False)["network_weights"]


def times(folder: Path, pattern: str) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.glob(pattern)}


def wait_for(condition, process: subprocess.Popen, seconds: float = 300) -> None:
    """Wait until something has happened in a running workflow."""
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, "the workflow ended before it could be killed"
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def kill_all(process: subprocess.Popen) -> None:
    """End Snakemake and every process that it started, as a power cut does."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def start(project: Project, *targets: str) -> subprocess.Popen:
    return subprocess.Popen(
        project.command(*targets),
        cwd=project.folder,
        env=project.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def unlock(project: Project) -> None:
    assert project.run("--unlock").returncode == 0


def test_the_last_words_of_a_run_name_its_report(finished):
    end = (finished.folder / "output.txt").read_text()[-1500:]
    assert f"report   {finished.folder}/results/report/report.html" in end and "not made yet" not in end


def test_the_live_page_says_at_last_that_the_run_is_done_and_what_it_did(finished):
    page = (finished.folder / "live.html").read_text()
    assert "<h1>Done at " in page and '<a href="report.html">' in page
    assert re.search(r"<dd>(\d\d) of \1</dd>", page)
    for number in range(3):
        assert f"<b>Round {number}, fold 0</b>" in page
    assert page.count("3 of 3 epochs") == 3 and "Not read for this page" not in page and "a minute" in page


def test_every_round_has_a_model_scores_and_a_place_in_the_report(finished):
    for number in range(3):
        assert weights(finished, number)
        scores = table(finished, f"results/round_{number}/scores.tsv")
        assert len(scores) == 3 * 13 and set(scores.role) == {"validation", "test"}
        assert scores.DSC.between(0, 1).all()
    page = (finished.folder / "results/report/report.html").read_text()
    summary = table(finished, "results/round_2/summary.tsv")
    mean = summary[(summary.role == "test") & (summary.label == 0) & (summary.measure == "DSC")]["mean"].item()
    assert mean > 0 and f"{mean:.3f}" in page
    comparison = table(finished, "results/comparison.tsv")
    assert {(row["round"], row.against) for _, row in comparison.iterrows()} >= {(1, 0), (2, 1), (2, 0)}


def test_every_job_is_recorded_with_its_time_and_state(finished):
    jobs = table(finished, "results/jobs.tsv")
    assert {"convert", "train", "pseudo_label", "select", "evaluate", "run_record", "report"} <= set(jobs.rule)
    assert (jobs[jobs.rule == "train"].seconds > 1).all()
    record = json.loads((finished.folder / "results/run.json").read_text())
    assert [job["wildcards"] for job in record["jobs"] if job["rule"] == "train"] == [
        "round=0 fold=0", "round=1 fold=0", "round=2 fold=0"]  # fmt: skip
    assert {job["state"] for job in record["jobs"]} == {"finished"}
    assert record["started"] < record["finished"]
    assert {"results/cohort/cases.tsv", "results/plans/coarse/plans.json", CHECKPOINT.format(2)} <= set(
        record["checksums"]
    )


def test_snakemakes_own_report_quotes_the_runs_parameters_and_needs_no_network(finished, tmp_path):
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    run = finished.run("--report", "results/report.zip", **nowhere)
    assert run.returncode == 0, run.stdout
    with zipfile.ZipFile(finished.folder / "results/report.zip") as archive:
        archive.extractall(tmp_path)
    page = tmp_path / "report/report.html"
    shown = {name: json.loads(re.search(rf"id=\"{name}\">\s*var {name} = (.*);\n", page.read_text())[1])
             for name in ("results", "categories")}  # fmt: skip
    assert set(shown["categories"]) == {"The report", "Tables", "Figures", "Rounds", "Selections", "Traceability"}
    results = shown["results"]
    assert all((tmp_path / "report" / result["data_uri"]).is_file() for result in results.values())
    assert results["results/report/figures/mean_DSC_over_rounds.svg"]["labels"] == {"figure": "mean_DSC_over_rounds"}
    captions = {path: " ".join(result["caption"].split()) for path, result in results.items()}
    assert all(captions.values())
    assert "2 students on the embedded cohort, generated with seed 1" in captions["results/report/report.html"]
    assert "by the rules &quot;flare22&quot;" in captions["results/round_1/scores.tsv"]
    assert "pseudo-labels of round 2" in captions["results/round_2/selection.tsv"]
    assert results["results/round_2/selection.tsv"]["labels"] == {"round": "2", "kept": "all"}
    if CHROMIUM:
        browser = Browser(tmp_path / "profile")
        browser.open(page, 1280)
        # It opens on the report, and the rule graph is a click away.
        browser.wait_for("document.querySelector('iframe')?.contentDocument === null")
        assert browser.ask("document.querySelector('iframe').src").endswith("/report.html")
        browser.wait_for("document.body.innerText.includes('Traceability')")
        asked = [event["params"]["request"]["url"] for event in browser.events
                 if event.get("method") == "Network.requestWillBeSent"]  # fmt: skip
        browser.close()
        assert all(url.startswith(("data:", page.parent.as_uri())) for url in asked)


def test_the_chain_is_teacher_student_next_teacher(finished):
    for number in (1, 2):
        selection = table(finished, f"results/round_{number}/selection.tsv")
        training_set = table(finished, f"results/round_{number}/dataset/training_set.tsv")
        kept = set(selection[selection.decision == "kept"].case)
        assert kept and set(training_set[training_set.origin == "pseudo"].case) == kept
        assert len(training_set[training_set.origin == "labelled"]) == 3
        assert not set(training_set.case) & set(table(finished, f"results/round_{number}/scores.tsv").case)
        learned_from = table(finished, f"results/round_{number}/dataset/learned_from.tsv")
        assert list(learned_from.case.unique()) == list(training_set.case)
    models = [table(finished, f"results/round_{number}/pseudo_label_scores.tsv").model.unique() for number in (1, 2)]
    assert len(models[0]) == len(models[1]) == 1 and models[0] != models[1]


def test_held_out_scans_are_labelled_and_judged_in_every_round(finished):
    truth = finished.folder / "results/cohort/label_maps"
    for number in range(3):
        here = finished.folder / f"results/round_{number}"
        held_out = table(finished, f"results/round_{number}/model/fold_0/held_out.tsv")
        splits = json.loads((here / "dataset/splits_final.json").read_text())
        assert sorted(held_out.case.unique()) == splits[0]["val"]
        for case in held_out.case.unique():
            found, true = (read_image(path / f"{case}.nii.gz") for path in (here / "model/fold_0/held_out", truth))
            assert found.GetSize() == true.GetSize()
        verdict = json.loads((here / "verdict.json").read_text())
        assert verdict["labeller"] == number and verdict["stopped"] == ""
        assert (here / "labeller/fold_0/checkpoint_final.pth").samefile(finished.folder / CHECKPOINT.format(number))
        chosen = json.loads((here / "postprocessing.json").read_text())
        assert len(chosen["organs"]) == 13
    assert "held-out labelled scans" in (finished.folder / "results/report/report.html").read_text()


def test_validation_folds_are_labelled_and_the_same_in_all_rounds(finished):
    paths = [finished.folder / f"results/round_{number}/dataset/splits_final.json" for number in range(3)]
    validation = [[fold["val"] for fold in json.loads(path.read_text())] for path in paths]
    assert validation[0] == validation[1] == validation[2]
    assert all(case.startswith("FLARE22_Tr") for fold in validation[0] for case in fold)


def test_no_softmax_and_nothing_half_written_is_left(finished):
    files = [path for path in (finished.folder / "results").rglob("*") if path.is_file()]
    assert not [path for path in files if path.suffix in {".npz", ".npy"} or path.name.startswith(".writing")]


def test_a_second_run_does_nothing(finished):
    assert finished.planned() == {}
    run = finished.run()
    assert run.returncode == 0 and "Nothing to be done" in run.stdout


def test_checkpoints_are_what_stock_nnunet_loads(finished):
    model = finished.folder / "results/round_2/model"
    checkpoint = torch.load(model / "fold_0/checkpoint_final.pth", weights_only=False)
    assert checkpoint["trainer_name"] == "nnUNetTrainer"
    assert (model / "plans.json").exists() and (model / "dataset.json").exists()
    assert checkpoint["inference_allowed_mirroring_axes"] is None


def test_stock_nnunet_installs_an_exported_model_and_gives_the_same_label_maps(finished, tmp_path):
    assert finished.run("results/round_2/model.zip").returncode == 0
    archive = finished.folder / "results/round_2/model.zip"
    folders = {name: str(tmp_path / name) for name in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results")}
    environment = finished.environment(**folders)
    subprocess.run(["nnUNetv2_install_pretrained_model_from_zip", archive], env=environment, check=True)
    predictions = sorted((finished.folder / "results/round_2/predictions").glob("*.nii.gz"))
    (tmp_path / "scans").mkdir()
    for path in predictions:
        scan = converted_image(finished.folder / "results/cohort", path.name.removesuffix(".nii.gz"))
        (tmp_path / "scans" / scan.name).symlink_to(scan)
    which = ("-d", "1", "-p", "coarse", "-c", "3d_fullres", "-f", "0")
    how = ("-device", "cpu", "-npp", "1", "-nps", "1", "--disable_tta")
    command = ("nnUNetv2_predict", "-i", tmp_path / "scans", "-o", tmp_path / "stock", *which, *how)
    subprocess.run(command, env=environment, check=True)
    for path in predictions:
        ours = sitk.GetArrayFromImage(reorient(read_image(path), CANONICAL_ORIENTATION))
        stock = sitk.GetArrayFromImage(read_image(tmp_path / "stock" / path.name))
        assert ours.any() and ours.shape == stock.shape and (ours != stock).mean() <= 1e-4
    with zipfile.ZipFile(archive) as opened:
        texts = {Path(name).name: opened.read(name) for name in opened.namelist()}
    assert str(finished.folder).encode() not in b"".join(texts.values())
    card = texts["MODEL_CARD.md"].decode()
    assert sha256(finished.folder / CHECKPOINT.format(2)) in card and "| liver | 0." in card


def test_an_exported_teacher_taken_by_its_checksum_labels_as_it_did_and_is_not_trained(finished, tmp_path):
    assert finished.run("results/round_0/model.zip").returncode == 0
    archive = finished.folder / "results/round_0/model.zip"
    teacher = {"model": str(archive), "sha256": [sha256(archive)]}
    fresh = Project(tmp_path / "fresh", **TINY | {"rounds": [teacher, *TINY["rounds"][1:]], "shards": 1})
    shutil.copytree(finished.folder / "results/cohort", fresh.folder / "results/cohort")
    made = ("results/round_1/pseudo_label_scores.tsv", "results/round_0/summary.tsv")
    run = fresh.run(*made)
    assert run.returncode == 0, run.stdout[-5000:]
    jobs = set(table(fresh, "results/jobs.tsv").rule)
    assert "take_teachers" in jobs and not jobs & {"train", "training_set", "preprocess", "plans"}
    for folder in ("round_1/pseudo_labels", "round_0/predictions"):
        here, there = (project.folder / "results" / folder for project in (fresh, finished))
        cases = sorted(path.name for path in there.glob("*.nii.gz"))
        assert len(cases) >= 3 and cases == sorted(path.name for path in here.glob("*.nii.gz"))
        for name in cases:
            first, second = (read_image(path / name) for path in (here, there))
            assert first.GetDirection() == second.GetDirection() and first.GetOrigin() == second.GetOrigin()
            assert (sitk.GetArrayFromImage(first) == sitk.GetArrayFromImage(second)).all()
    for path in (finished.folder / "results/round_1/pseudo_labels/confidence").iterdir():
        assert (read_confidence(fresh.folder / f"results/round_1/pseudo_labels/confidence/{path.name}")
                == read_confidence(path)).all()  # fmt: skip
    pd.testing.assert_frame_equal(*(table(project, made[0]).drop(columns="model") for project in (fresh, finished)))
    pd.testing.assert_frame_equal(*(table(project, made[1]) for project in (fresh, finished)))


def test_a_killed_training_goes_on_and_ends_with_the_same_weights(finished, tmp_path):
    project = copied(finished, tmp_path / "project", ("round_0/model",))
    before = CHECKPOINT.format(0)
    process = start(project, before)
    fold = project.folder / "results/round_0/model/fold_0"
    progress = fold / "progress.tsv"
    # In the second epoch of three: one is saved, the next is under way.
    wait_for(lambda: (fold / "checkpoint_latest.pth").exists() and progress.exists(), process)
    kill_all(process)
    assert not (project.folder / before).exists()
    assert (fold / "checkpoint_latest.pth").exists()
    unlock(project)
    assert project.run(before).returncode == 0
    log = (fold / "training_log.txt").read_text()
    assert log.count("epoch 1 of 3: training loss") <= 1 and "resumed after epoch" in log
    for name, expected in weights(finished, 0).items():
        assert torch.equal(weights(project, 0)[name], expected), name
    assert len(pd.read_csv(progress, sep="\t")) == 3


def test_a_killed_shard_does_no_finished_case_again_and_a_damaged_one_anew(finished, tmp_path):
    shard = "results/round_1/shards/pseudo_label_scores_0.tsv"
    folder = finished.folder / "results/round_1/pseudo_labels"
    expected = (finished.folder / shard).read_bytes()
    cases = sorted(path.stem for path in folder.glob("scores/*.json"))
    mine = [case for case in cases if case in expected.decode()]
    voxels = {case: (folder / f"{case}.nii.gz").read_bytes() for case in mine}
    assert len(mine) == 2
    # As after a kill between two cases: the shard's table and one case are missing, one is cut short.
    (finished.folder / shard).unlink()
    for case in mine:
        (folder / f"scores/{case}.json").unlink()
    process = start(finished, shard)
    wait_for(lambda: len(list(folder.glob("scores/*.json"))) == len(cases) - 1, process)
    kill_all(process)
    unlock(finished)
    done = next(case for case in mine if (folder / f"scores/{case}.json").exists())
    stamp = (folder / f"{done}.nii.gz").stat().st_mtime_ns
    assert finished.run(shard).returncode == 0
    assert (folder / f"{done}.nii.gz").stat().st_mtime_ns == stamp
    assert (finished.folder / shard).read_bytes() == expected
    assert {case: (folder / f"{case}.nii.gz").read_bytes() for case in mine} == voxels

    damaged, untouched = mine
    (folder / f"{damaged}.nii.gz").write_bytes(voxels[damaged][:-7])
    (finished.folder / shard).unlink()
    before = (folder / f"{untouched}.nii.gz").stat().st_mtime_ns
    assert finished.run(shard).returncode == 0
    assert (folder / f"{damaged}.nii.gz").read_bytes() == voxels[damaged]
    assert (folder / f"{untouched}.nii.gz").stat().st_mtime_ns == before


def test_a_second_trainer_waits_for_the_first(finished):
    from noisy_student.files import only_one

    fold = finished.folder / "results/round_0/model/fold_0"
    log = finished.folder / "logs/round_0/train_fold_0.log"
    checkpoint = fold / "checkpoint_final.pth"
    before = checkpoint.read_bytes()
    with only_one(fold / ".lock"):
        checkpoint.unlink()
        command = finished.command(CHECKPOINT.format(0))
        second = subprocess.Popen(command, cwd=finished.folder, env=finished.environment())
        wait_for(lambda: log.exists() and f"waiting for process {os.getpid()}" in log.read_text(), second)
        assert not checkpoint.exists()
    assert second.wait(300) == 0
    assert checkpoint.read_bytes() == before


def test_a_stricter_threshold_redoes_the_round_but_not_the_teacher(finished):
    confidence = table(finished, "results/round_1/selection.tsv").confidence
    threshold = float(np.round((confidence.min() + confidence.max()) / 2, 4))
    finished.configure(
        **TINY | {"selection": [{"rule": "threshold", "score": "mean_max_probability", "at_least": threshold}]}
    )
    try:
        jobs = finished.planned("round_1")
        assert jobs["select"] == jobs["training_set"] == 1 and jobs["train"] == 1
        assert "pseudo_label" not in jobs
    finally:
        finished.configure(**TINY)


def test_a_corrected_pseudo_label_is_a_hand_label_from_the_next_round_until_it_is_taken_away(finished, tmp_path):
    project = copied(finished, tmp_path / "project")
    results, targets = project.folder / "results", (CHECKPOINT.format(2), "results/round_1/corrections.tsv")
    names = ("round_2/selection.tsv", "round_2/dataset/training_set.tsv", "round_2/dataset/splits_final.json")
    before = {name: (results / name).read_bytes() for name in names}
    student, trained = weights(project, 2), (results / "round_1/model/fold_0/checkpoint_final.pth").stat().st_mtime_ns
    case = sorted(results.glob("round_1/pseudo_labels/*.nii.gz"))[0]
    handed_out = read_image(case)
    handed_out[2:6, 2:6, 2:6] = 9
    # Where it lies it would be void.
    held = case.read_bytes()
    sitk.WriteImage(handed_out, str(case))
    edited = project.run("--dry-run")
    assert edited.returncode and f"{case.relative_to(project.folder)}, changed since" in edited.stdout
    case.write_bytes(held)
    corrected = project.folder / "corrections/round_1" / case.name
    corrected.parent.mkdir(parents=True)
    sitk.WriteImage(handed_out, str(corrected))
    project.configure(**TINY, corrections="corrections")
    run = project.run(*targets)
    assert run.returncode == 0, run.stdout[-3000:]
    row = table(project, "results/round_1/corrections.tsv").iloc[0]
    assert row.state == "changed" and "gallbladder" in row.changed and row.slices == 4
    name = case.name.removesuffix(".nii.gz")
    training_set = table(project, f"results/{names[1]}").set_index("case")
    assert training_set.origin[name] == "corrected" and training_set.label_map[name].endswith(f"corrected/{case.name}")
    assert table(project, f"results/{names[0]}").set_index("case").decision[name] == "corrected"
    assert table(project, "results/round_1/dataset/training_set.tsv").set_index("case").origin[name] == "pseudo"
    learned = table(project, "results/round_2/dataset/learned_from.tsv").set_index("case").loc[name]
    assert (learned.left_out == 0).all() and (learned.soft == 0).all() and learned.voxels.sum() > 0
    assert (results / names[2]).read_bytes() == before[names[2]]
    assert any(not torch.equal(student[key], value) for key, value in weights(project, 2).items())
    assert (results / "round_1/model/fold_0/checkpoint_final.pth").stat().st_mtime_ns == trained

    corrected.unlink()
    run = project.run(CHECKPOINT.format(2))
    assert run.returncode == 0 and "taken back from" in run.stdout, run.stdout[-3000:]
    assert {name: (results / name).read_bytes() for name in names} == before
    assert all(torch.equal(student[key], value) for key, value in weights(project, 2).items())
