"""A labelled scan of the embedded cohort and a small network for it, whose weights were never trained."""

import json
from pathlib import Path

import torch
from nnunetv2.utilities.get_network_from_plans import get_network_from_plans
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

from scripts import ending, run

COUNTS = ("--labelled", 1, "--unlabelled", 1, "--validation", 1, "--test", 1)
SPACING_MM_ZYX = (8, 6, 6)
NETWORK = {
    "spacing_mm_zyx": SPACING_MM_ZYX,
    "patch_size_zyx": (24, 48, 48),
    "stages": 3,
    "base_features": 4,
    "batch_size": 2,
    "encoder_blocks": [1],
}
CONFIGURATION = "3d_fullres"


def make_labelled(folder: Path) -> dict[str, str]:
    """Generate a labelled scan; the entry of `cohort.folders.labelled`."""
    _run("make_cohort.py", "--output", folder, "--seed", 5, *COUNTS)
    labelled = folder / "Training/FLARE22_LabeledCase50"
    return {"images": str(labelled / "images"), "label_maps": str(labelled / "labels")}


def make_model(folder: Path, labelled: dict[str, str]) -> Path:
    """Plan a network from a labelled folder, as the workflow does, and write it as a model folder."""
    cohort, index, model = folder / "cases.tsv", folder / "converted.tsv", folder / "model"
    roles = json.dumps({"kind": "folders", "folders": {"labelled": [labelled]}})
    made = ("--embedded", folder, "--renumbered", folder / "renumbered", "--findings", folder / "findings.tsv")
    _run("make_case_table.py", "--cohort", roles, *made, "--output", cohort)
    _run("convert.py", "--cases", cohort, "--folder", folder, "--shard", 0, "--shards", 1, "--output", index)
    dataset, fingerprint = model / "dataset.json", folder / "dataset_fingerprint.json"
    _run("make_fingerprint.py", "--converted", index, "--dataset", dataset, "--output", fingerprint)
    planned = ("--network", json.dumps(NETWORK), "--name", "small", "--output", model / "plans.json")
    _run("make_plans.py", "--dataset", dataset, "--fingerprint", fingerprint, *planned)
    _write_checkpoint(model, json.loads(dataset.read_text()))
    return model


def _write_checkpoint(model: Path, dataset: dict) -> None:
    plan = PlansManager(json.loads((model / "plans.json").read_text())).get_configuration(CONFIGURATION)
    torch.manual_seed(0)
    network = get_network_from_plans(
        plan.network_arch_class_name,
        plan.network_arch_init_kwargs,
        plan.network_arch_init_kwargs_req_import,
        1,
        len(dataset["labels"]),
        deep_supervision=False,
    )
    checkpoint = {
        "network_weights": network.state_dict(),
        "trainer_name": "nnUNetTrainer",
        "init_args": {"configuration": CONFIGURATION},
        "inference_allowed_mirroring_axes": (0, 1, 2),
    }
    (model / "fold_0").mkdir()
    torch.save(checkpoint, model / "fold_0/checkpoint_final.pth")


def _run(name: str, *arguments: object) -> None:
    ended = run(name, *arguments)
    if ended.returncode:
        raise SystemExit(f"{name}: {ending(ended)}\n{ended.stderr}")
