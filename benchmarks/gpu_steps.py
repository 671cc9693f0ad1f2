"""What is looked at on a GPU, step by step. Each step runs in a process of its own and returns what it found.

All of it works on scans that are made up, with the network, patch and training of a configuration of the workflow.
"""

import contextlib
import io
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from itertools import count, repeat
from pathlib import Path
from time import perf_counter
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import SimpleITK as sitk
import torch
import yaml
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
from snakemake.utils import update_config

import stock_nnunet
from big_scans import write_scan
from measured_run import ROOT
from noisy_student import nnunet
from noisy_student.configuration.experiment import Configuration, read_configuration
from noisy_student.configuration.prediction_options import TORCH, Prediction
from noisy_student.efficiency.gpu_memory import Gpu
from noisy_student.efficiency.meter import CommandTemplate, measure
from noisy_student.efficiency.outcome import SUCCESS
from noisy_student.embedded.phantom import make_phantom
from noisy_student.embedded.variation import NARROW
from noisy_student.files import read_json, sha256
from noisy_student.geometry import CANONICAL_ORIENTATION, reorient
from noisy_student.images import write_image
from noisy_student.model.certainty import label_map_on_grid
from noisy_student.model.device import choose_device
from noisy_student.model.model_folder import read_model
from noisy_student.model.predictor import Predictor
from noisy_student.plan.network import labelling_network
from noisy_student.plan.planning import dataset_description, make_fingerprint, make_plans
from noisy_student.plan.preprocessing import Plan, preprocess_image
from noisy_student.tables import write_table
from noisy_student.train.first_weights import weights_of_model
from noisy_student.train.origins import LABELLED, PSEUDO
from noisy_student.train.trainer import NoisyStudentTrainer, Places
from noisy_student.train.training_set import Example, add_example, splits

LEARNED = ("learned_1", "learned_2", "learned_3")
MADE_UP = "made_up"
FINGERPRINT = "dataset_fingerprint.json"
SLICE_MM = 2.5
GB = 1e9
# What a scan's logits may take of the GPU beside the network, as a share of what they need, to be too large for it.
SHARE_OF_LOGITS = 0.3

Found = dict[str, Any]


@dataclass(frozen=True)
class Sizes:
    """How large everything is. `slices` of the scan to label, and of those to learn from; 0: as generated, small.

    `warm_up` steps of a training come before `steps` that are timed; `stock_workers` are `nnUNetv2_predict`'s.
    """

    configurations: tuple[str, ...]
    network: str
    slices: int
    learned_slices: int
    warm_up: int
    steps: int
    cores: int
    stock_workers: int
    tests: tuple[str, ...]


FULL = Sizes(
    ("config.yaml", "flare22.yaml"), "paper", 300, 100, 5, 30, os.cpu_count() or 1, 3,
    ("tests/unit/train/test_on_gpu.py", "tests/unit/efficiency/test_gpu_memory.py"),
)  # fmt: skip
TINY = Sizes(("config.yaml",), "coarse", 0, 0, 1, 2, 2, 0, ("tests/unit/efficiency/test_gpu_memory.py",))


@dataclass(frozen=True)
class Check:
    """A folder in which everything lies, and the sizes."""

    folder: Path
    sizes: Sizes

    @property
    def configuration(self) -> Configuration:
        """The experiment whose network and training are taken."""
        values: dict[str, Any] = {}
        for name in self.sizes.configurations:
            update_config(values, yaml.safe_load((ROOT / "config" / name).read_text()))
        return read_configuration(values)

    @property
    def dataset(self) -> Path:
        """What the trainings learn from."""
        return self.folder / "dataset"

    @property
    def half_labelled(self) -> Path:
        """The same scans with soft targets, one of which counts as pseudo-labelled: what an online teacher labels."""
        return self.folder / "half_labelled"

    @property
    def model(self) -> Path:
        """The model that labels: untrained, or what the first training left."""
        return self.folder / "model"

    @property
    def checkpoint(self) -> Path:
        """Its only fold."""
        return self.model / "fold_0/checkpoint_final.pth"

    @property
    def plan(self) -> Plan:
        """Its plans."""
        return Plan(read_json(self.model / "plans.json"), read_json(self.model / "dataset.json"))

    @property
    def device(self) -> torch.device:
        """The GPU, if there is one; else the CPU, to rehearse."""
        return choose_device("auto", self.sizes.cores)

    def image(self, case: str) -> Path:
        """A scan; the one to label lies alone in its folder, as stock nnU-Net wants it."""
        return self.folder / ("to_label" if case == MADE_UP else "scans") / f"{case}_0000.nii.gz"

    def label_map(self, case: str) -> Path:
        """What is to be seen in it."""
        return self.folder / f"label_maps/{case}.nii.gz"

    def preprocessed(self, case: str) -> Path:
        """A scan to learn from, as the network sees it."""
        return self.folder / "preprocessed" / case

    def labelled(self, by: str) -> Path:
        """What one of both programs makes of the scan to label."""
        return self.folder / f"labelled_by_{by}/{MADE_UP}.nii.gz"

    def save(self, network: torch.nn.Module) -> None:
        """Make a network the one that labels."""
        stock_nnunet.save(network, self.checkpoint)


def run_tests(check: Check) -> Found:
    """The unit tests about GPUs."""
    command = [sys.executable, "-m", "pytest", "-q", *check.sizes.tests]
    run = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    print(run.stdout)
    run.check_returncode()
    return {"tests": run.stdout.strip().splitlines()[-1].strip("= ")}


def prepare(check: Check) -> Found:
    """Make scans up, plan, preprocess, and build a network that is not trained."""
    slices = dict.fromkeys(LEARNED, check.sizes.learned_slices) | {MADE_UP: check.sizes.slices}
    with ProcessPoolExecutor(check.sizes.cores) as pool:
        list(pool.map(_make_up, repeat(check), count(1), slices, slices.values()))
    maps = {case: str(check.label_map(case)) for case in LEARNED}
    description = dataset_description({case: str(check.image(case)) for case in LEARNED}, maps)
    check.dataset.mkdir()
    fingerprint = check.dataset / FINGERPRINT
    fingerprint.write_text(json.dumps(make_fingerprint(description, fingerprint, check.sizes.cores)))
    network = check.configuration.networks[check.sizes.network]
    plan = Plan(make_plans(description, fingerprint, network, check.sizes.network), description)
    for case in LEARNED:
        preprocess_image(check.image(case), check.preprocessed(case), plan)
    _make_dataset(check, check.dataset, plan, [])
    _make_dataset(check, check.half_labelled, plan, LEARNED[-1:])
    (check.half_labelled / FINGERPRINT).symlink_to(fingerprint.resolve())
    check.model.mkdir()
    (check.model / "plans.json").write_text(json.dumps(plan.plans))
    (check.model / "dataset.json").write_text(json.dumps(plan.dataset))
    check.save(labelling_network(plan))
    size = sitk.ReadImage(str(check.image(MADE_UP))).GetSize()
    return {"patch": "×".join(map(str, plan.configuration.patch_size)), "scan to label": "×".join(map(str, size))}


def _make_dataset(check: Check, folder: Path, plan: Plan, pseudo: Sequence[str]) -> None:
    """A dataset of the scans to learn from; if some count as `pseudo`-labelled, with soft targets."""
    labelled = [case for case in LEARNED if case not in pseudo]
    examples = [
        Example(case, PSEUDO if case in pseudo else LABELLED, check.label_map(case), check.preprocessed(case))
        for case in LEARNED
    ]
    rows = [add_example(example, folder / nnunet.CASES_FOLDER, plan, soft=bool(pseudo)) for example in examples]
    write_table(pd.DataFrame(rows), folder / "training_set.tsv")
    (folder / "splits_final.json").write_text(json.dumps(splits(labelled, pseudo, len(labelled), seed=1)))


def _make_up(check: Check, number: int, case: str, slices: int) -> None:
    image, label_map = check.image(case), check.label_map(case)
    if slices:
        write_scan(number, slices, SLICE_MM, image, label_map)
        return
    phantom = make_phantom(np.random.default_rng(number), NARROW)
    write_image(reorient(phantom.scan, CANONICAL_ORIENTATION), image)
    write_image(reorient(phantom.label_map, CANONICAL_ORIENTATION), label_map)


def train_ours(check: Check) -> Found:
    """Steps of this workflow's trainer; its network is the one that labels from now on."""
    trainer = _trainer(check, check.dataset, "hard")
    found = _timed(trainer, check.sizes)
    check.save(trainer.network)
    return found


def train_online(check: Check) -> Found:
    """The same with `targets: online`, which goes on from the network that labels."""
    return _timed(_trainer(check, check.half_labelled, "online"), check.sizes)


def _trainer(check: Check, dataset: Path, targets: str) -> NoisyStudentTrainer:
    plan, places = check.plan, Places(dataset, check.folder / f"trained_{targets}", 0)
    settings = check.configuration.training_of(0) | {"targets": targets}
    first = weights_of_model(check.checkpoint, plan) if targets == "online" else None
    return NoisyStudentTrainer.prepare(plan.plans, plan.dataset, places, settings, check.device, _workers(check), first)


def train_stock(check: Check) -> Found:
    """The same of nnU-Net's own trainer, with as many processes that make batches."""
    plan, output = check.plan, check.folder / "stock"
    output.mkdir()
    with nnunet.nnunet_folders(output):
        plans = plan.plans | {"continue_training": False}
        trainer = nnUNetTrainer(plans, nnunet.CONFIGURATION, 0, plan.dataset, check.device)
    trainer.preprocessed_dataset_folder_base = str(check.dataset)
    trainer.preprocessed_dataset_folder = str(check.dataset / nnunet.CASES_FOLDER)
    trainer.output_folder_base = trainer.output_folder = str(output)
    trainer.log_file = str(output / "training_log.txt")
    with patch.dict(os.environ, nnUNet_n_proc_DA=str(_workers(check))):
        return _timed(trainer, check.sizes)


def _workers(check: Check) -> int:
    """As rule `train`: of its 8 threads one is the trainer's."""
    return max(1, min(check.sizes.cores, 8) - 1)


def _timed(trainer: nnUNetTrainer, sizes: Sizes) -> Found:
    """Seconds a step after some to warm up, the share of them spent waiting for batches, memory."""
    trainer.on_train_start()
    trainer.on_train_epoch_start()
    waited, marks = 0.0, [perf_counter()]
    for number in range(sizes.warm_up + sizes.steps):
        start = perf_counter()
        batch = next(trainer.dataloader_train)
        waited += perf_counter() - start if number >= sizes.warm_up else 0
        # Ends with the loss on the host, so the GPU is done.
        trainer.train_step(batch)
        marks.append(perf_counter())
    for loader in (trainer.dataloader_train, trainer.dataloader_val):
        with contextlib.suppress(AttributeError):
            loader._finish()
    seconds = marks[-1] - marks[sizes.warm_up]
    return {
        "s a step": seconds / sizes.steps,
        "share of time without work for the GPU, waiting for batches": waited / seconds,
        f"s of the first {sizes.warm_up} step(s), not counted": marks[sizes.warm_up] - marks[0],
        **_gpu_memory(trainer.device),
    }


def _gpu_memory(device: torch.device) -> Found:
    return {"GPU memory, GB": torch.cuda.max_memory_reserved() / GB} if device.type == "cuda" else {}


def label_ours(check: Check) -> Found:
    """`label_scan.py` of the made-up scan, in a fresh process."""
    trust = ("--trust", sha256(check.checkpoint), "--threads", check.sizes.cores, "--backend", TORCH)
    script = ROOT / "workflow/scripts/label_scan.py"
    command = (sys.executable, script, "--model", check.model, "--image", "{image}", "--output", "{output}", *trust)
    return _measured(check, shlex.join(map(str, command)), "ours")


def label_stock(check: Check) -> Found:
    """`nnUNetv2_predict` of the same, without mirroring, as `label_scan.py` does it."""
    folders = {name: check.folder / name for name in stock_nnunet.FOLDERS}
    for folder in folders.values():
        (folder / nnunet.DATASET).mkdir(parents=True)
    plans_name = check.plan.plans["plans_name"]
    trained = f"nnUNetTrainer__{plans_name}__{nnunet.CONFIGURATION}"
    (folders["nnUNet_results"] / nnunet.DATASET / trained).symlink_to(check.model.resolve())
    os.environ.update({name: str(folder) for name, folder in folders.items()})
    workers = check.sizes.stock_workers
    which = f"-d 1 -p {plans_name} -c {nnunet.CONFIGURATION} -f 0 --disable_tta"
    how = f"-device {check.device.type} -npp {workers} -nps {workers}"
    line = f'nnUNetv2_predict -i "$(dirname {{image}})" -o "$(dirname {{output}})" {which} {how}'
    return _measured(check, shlex.join(["sh", "-c", line]), "nnunet")


def _measured(check: Check, command: str, name: str) -> Found:
    """Time and memory as rule `efficiency` measures them; beside the GPU's memory what nvidia-smi says of it.

    That is less by what the driver keeps for itself (`nvidia-smi -q`, Reserved), since driver 510.
    """
    output = check.labelled(name)
    output.parent.mkdir()
    with _seen_by_nvidia_smi(check.folder / f"{name}.smi") as seen:
        row = measure(CommandTemplate.of(command), MADE_UP, check.image(MADE_UP), output, np.inf, Gpu.open(0))
    if row["outcome"] != SUCCESS:
        raise RuntimeError(f"{name}: {row['outcome']}")
    return {
        "s": row["seconds"],
        "peak host memory, MB": row["peak_ram_mb"],
        "peak GPU memory by the efficiency meter, MB": row["gpu_max_mb"],
        "peak GPU memory by nvidia-smi, MB": max(seen, default=None),
    }


@contextmanager
def _seen_by_nvidia_smi(log: Path) -> Iterator[list[int]]:
    """What nvidia-smi says of the memory in use in MB, ten times a second; filled when the block ends."""
    seen: list[int] = []
    if not shutil.which("nvidia-smi"):
        yield seen
        return
    query = ("-i", "0", "--query-gpu=memory.used", "--format=csv,noheader,nounits", "-lms", "100")
    with log.open("w") as stream, subprocess.Popen(["nvidia-smi", *query], stdout=stream) as process:
        try:
            yield seen
        finally:
            process.terminate()
    seen += [int(line) for line in log.read_text().split("\n")[:-1] if line.strip().isdigit()]


def compare(check: Check) -> Found:
    """The two label maps."""
    maps = [sitk.GetArrayFromImage(sitk.ReadImage(str(check.labelled(name)))) for name in ("ours", "nnunet")]
    return {
        "share of voxels that differ": (maps[0] != maps[1]).mean(),
        "share of voxels labelled": (maps[0] > 0).mean(),
    }


def windows_plain(check: Check) -> Found:
    """Windows without any option; the other ways are compared with these."""
    return _windows(check, Prediction(backend=TORCH))


def windows_channels_last(check: Check) -> Found:
    """With `channels_last`."""
    return _windows(check, Prediction(backend=TORCH, channels_last=True))


def windows_compiled(check: Check) -> Found:
    """With `compile`."""
    return _windows(check, Prediction(backend=TORCH, compile=True))


def _windows(check: Check, options: Prediction) -> Found:
    """Label noise of three windows, twice: the first time is that of getting ready."""
    predictor, image = _predictor(check, options), _noise(check)
    marks = [perf_counter()]
    for _ in range(2):
        found = label_map_on_grid(predictor.predict(image).mean)
        marks.append(perf_counter())
    plain = check.folder / "plain.npy"
    if not plain.exists():
        np.save(plain, found)
    return {
        "s a window": (marks[2] - marks[1]) / 3,
        "s of the first time": marks[1] - marks[0],
        "share of voxels of another class than without": (found != np.load(plain)).mean(),
        **_gpu_memory(predictor.device),
    }


def _predictor(check: Check, options: Prediction) -> Predictor:
    return Predictor(read_model([check.checkpoint]), options, check.device)


def _noise(check: Check) -> torch.Tensor:
    """Noise as large as three windows that lie half a window apart."""
    z, y, x = check.plan.configuration.patch_size
    return torch.randn(1, 2 * z, y, x, generator=torch.Generator().manual_seed(0))


def run_out_of_memory(check: Check) -> Found:
    """Take the GPU memory that a scan's logits need: they are to be gathered on the host, and be the same.

    On a CPU the error is only raised, once.
    """
    predictor, image = _predictor(check, Prediction(backend=TORCH)), _noise(check)
    expected = label_map_on_grid(predictor.predict(image).mean)
    said = io.StringIO()
    with _too_little_memory(predictor, image), redirect_stderr(said):
        found = label_map_on_grid(predictor.predict(image).mean)
    print(said.getvalue())
    if "gathered on the host" not in said.getvalue():
        raise RuntimeError("memory was taken, and the logits were not gathered on the host")
    return {"handled by": said.getvalue().strip(), "share of voxels that differ": (found != expected).mean()}


@contextmanager
def _too_little_memory(predictor: Predictor, image: torch.Tensor) -> Iterator[None]:
    if predictor.device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        with patch("noisy_student.model.predictor.has_room", return_value=False):
            predictor.predict(image)
        enough = torch.cuda.max_memory_reserved()
        torch.cuda.empty_cache()
        total = torch.cuda.get_device_properties(0).total_memory
        torch.cuda.set_per_process_memory_fraction((enough + SHARE_OF_LOGITS * predictor._bytes(image)) / total)
        yield
        return
    predict, calls = predictor._predict, []

    def once_too_little(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 1:
            raise torch.OutOfMemoryError("as if")
        return predict(*arguments)

    with patch.object(predictor, "_predict", once_too_little):
        yield
