"""Labelling without a GPU: torch, OpenVINO and stock nnU-Net side by side, the same model, scans and cores.

    PYTHONPATH=workflow/scripts python benchmarks/labelling_cpu.py [--network small --slices 20]
    (`make bench-cpu`)

Scans of 512 × 512 voxels are labelled from their files by `label_scan.py` with each backend, and by `nnUNetv2_predict`.
The network is the paper's (config/flare22.yaml) or a small one of the same kind, with weights as they are before
training, which take as long. These are not proved, since rounding decides more often between their classes; the table
says how often. The networks to be deployed, of the same configuration, are measured beside it, from the command to
the written label map, with their own windows (`--deployed-alone`: nothing else). Where there are results of `make run`,
its last student labels the test scans with each backend, and is judged. Exits with 1 if a target is missed; those of
time are of the paper's network and 100 slices.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from itertools import count, islice
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
import yaml

import stock_nnunet
from big_scans import write_scan
from measured_run import BIN, ROOT, machine
from noisy_student.configuration.settings import Deploy, Network
from noisy_student.files import sha256, write_text
from noisy_student.model.backend import proof_at
from noisy_student.model.model_folder import read_model
from noisy_student.model.openvino_model import VERSION, computes_bfloat16, kept_or_converted, place_of
from noisy_student.model.own_prediction import FILE as OWN_PREDICTION
from noisy_student.plan.network import labelling_network
from noisy_student.plan.planning import dataset_description, make_fingerprint, make_plans
from noisy_student.plan.preprocessing import Plan
from processes import Measured, measured
from pseudo_label import Targets
from windows import dsc, label

SLICE_MM = 2.5
SMALL = {
    "encoder": "residual",
    "spacing_mm_zyx": [5.0, 2.0, 2.0],
    "patch_size_zyx": [16, 96, 96],
    "batch_size": 2,
    "stages": 4,
    "base_features": 8,
    "encoder_blocks": [1, 2],
    "decoder_blocks": [1],
}
STOCK = "nnUNetv2_predict"
TORCH = ("--backend", "torch")
OPENVINO = {
    name: ("--backend", "openvino", "--precision", name)
    for name in ("float32", *(("bfloat16",) if computes_bfloat16() else ()))
}
# How many times as fast as torch; the fastest as `nnUNetv2_predict`.
FASTER, FASTER_THAN_STOCK = {"float32": 1.8, "bfloat16": 5}, 6
# The student made to be deployed: times as fast as the paper's network in torch, seconds a scan, memory.
DEPLOYED_FASTER, DEPLOYED_S, DEPLOYED_GB = 25, 15, 2.5
# How far the mean DSC, and an organ's, may be from torch's.
MEAN_DSC, ORGAN_DSC = {"float32": 0.0005, "bfloat16": 0.002}, 0.005
LEFT_TO_TORCH = "torch computes the network", "float32 is used"
# Of a window's voxels, about as many as in an abdominal scan.
ORGANS = 0.03
PAPER, DEPLOYED_TIMES = "paper", 3
ROW = "{:<34}  {:>8}  {:>8}  {:>8}  {:>10}  {:>10}  {:>12}"
DEPLOYED_ROW = "{:<34}  {:>8}  {:>8}  {:>8}  {:>10}  {:>12}"


def network_of(name: str) -> Network:
    """The paper's network, or a small one."""
    if name == "small":
        return Network(**SMALL)
    return Network(**flare22()["networks"][PAPER])


def flare22() -> dict[str, Any]:
    """What the configuration of the paper at full size says."""
    return yaml.safe_load((ROOT / "config/flare22.yaml").read_text())


class Bench:
    """Scans and a model in a folder, and what is measured with them."""

    def __init__(self, folder: Path, network: Network, scans: int, slices: int, cores: int) -> None:
        self.folder, self.cores = folder, cores
        self.images, self.log = folder / "scans", folder / "log"
        self.cases = [f"scan_{number}" for number in islice(count(), scans)]
        for number, case in enumerate(self.cases):
            write_scan(number, slices, SLICE_MM, self.images / f"{case}_0000.nii.gz", self._label_map(case))
        self.model = folder / "nnUNet_results/Dataset001_Bench" / stock_nnunet.MODEL
        self._write_model(network)

    def _label_map(self, case: str) -> Path:
        return self.folder / f"label_maps/{case}.nii.gz"

    @property
    def checkpoint(self) -> Path:
        """The model's one fold."""
        return self.model / "fold_0/checkpoint_final.pth"

    def _write_model(self, network: Network) -> None:
        images = {case: str(self.images / f"{case}_0000.nii.gz") for case in self.cases}
        description = dataset_description(images, {case: str(self._label_map(case)) for case in self.cases})
        fingerprint = self.folder / "dataset_fingerprint.json"
        fingerprint.write_text(json.dumps(make_fingerprint(description, fingerprint, self.cores)))
        plan = Plan(make_plans(description, fingerprint, network, "bench"), description)
        torch.manual_seed(0)
        untrained = labelling_network(plan)
        let_background_prevail(untrained.decoder.seg_layers[-1], untrained, plan.configuration.patch_size)
        stock_nnunet.save(untrained, self.checkpoint, mirrored=(0, 1, 2))
        (self.model / "plans.json").write_text(json.dumps(plan.plans))
        (self.model / "dataset.json").write_text(json.dumps(description))

    def convert(self) -> float:
        """Convert the model, as the first process does that labels with it, and let it be used; the seconds."""
        model = read_model([self.checkpoint])
        of_network = model.networks[0], 1, model.plan.configuration.patch_size
        start, place = perf_counter(), place_of(*of_network)
        kept_or_converted(*of_network, place)
        seconds = perf_counter() - start
        for precision in OPENVINO:
            proof_at(place, precision).write_text(json.dumps({"differing": 0, "voxels": 1}))
        return seconds

    def ours(self, output: Path, *options: str) -> Measured:
        """`label_scan.py`, from its start to its end."""
        command = [sys.executable, ROOT / "workflow/scripts/label_scan.py", "--model", self.model]
        command += ["--trust", sha256(self.checkpoint), "--image", self.images, "--output", output]
        return self._measured([*command, "--device", "cpu", "--threads", self.cores, *options], output)

    def stock(self, output: Path) -> Measured:
        """`nnUNetv2_predict` with as many workers as there are cores."""
        return self._measured([BIN / STOCK, *stock_nnunet.arguments(self.images, output, self.cores)], output)

    def _measured(self, command: list[object], output: Path) -> Measured:
        output.mkdir(exist_ok=True)
        found = measured(command, output, self.folder, stock_nnunet.environment(self.folder), self.log)
        if any(words in self.log.read_text() for words in LEFT_TO_TORCH):
            raise SystemExit(f"OpenVINO was not used:\n{self.log.read_text()[-3000:]}")
        return found


@torch.no_grad()
def let_background_prevail(last: torch.nn.Conv3d, network: torch.nn.Module, patch_size_zyx: Sequence[int]) -> None:
    """Make an untrained network as sure of itself as a trained one, that only rounding seldom decides a voxel's class.

    Background has a fixed logit, which the others exceed in the `ORGANS` share of a window's voxels.
    """
    torch.nn.init.normal_(last.weight, std=5)
    last.weight[0], last.bias[0] = 0, 0
    others = network(torch.randn(1, 1, *patch_size_zyx))[0, 1:].amax(0).flatten()
    last.bias[0] = others.kthvalue(round((1 - ORGANS) * others.numel())).values


def compare_time(bench: Bench, targets: Targets | None, with_stock: bool) -> Measured:
    """First table: time and memory; what torch takes is returned.

    `targets` only where the network and the scans are those that they are set for.
    """
    folder = bench.folder
    ways = {STOCK: (folder / "stock", bench.stock), "torch": (folder / "torch", TORCH)}
    if not with_stock:
        del ways[STOCK]
    ways |= {f"OpenVINO {precision}": (folder / precision, options) for precision, options in OPENVINO.items()}
    print(f"\n{ROW.format('way', 'wall s', 'CPU s', 'peak GB', 'of stock', 'of torch', 'differing')}")
    found: dict[str, Measured] = {}
    for name, (output, options) in ways.items():
        found[name] = one = options(output) if callable(options) else bench.ours(output, *options)
        times = [f"{found[other].wall_s / one.wall_s:.2f} x" if other in found else "" for other in (STOCK, "torch")]
        differing = f"{stock_nnunet.differing(output, ways['torch'][0], bench.cases):.1e}" if "torch" in found else ""
        cost = f"{one.wall_s:.1f}", f"{one.cpu_s:.1f}", f"{one.peak_gb:.2f}"
        print(ROW.format(name, *cost, *times, differing), flush=True)
    print("\nof stock, of torch: how many times as fast; differing: largest share of a scan's voxels, beside torch's")
    in_torch = found["torch"]
    if targets is None:
        return in_torch
    for precision in OPENVINO:
        name = f"OpenVINO {precision}"
        one = found[name]
        targets.check(f"{name}, times as fast as torch", in_torch.wall_s / one.wall_s, FASTER[precision], True)
        targets.check(f"peak memory, {name} / torch", one.peak_gb / in_torch.peak_gb, 1)
    if with_stock:
        times = found[STOCK].wall_s / one.wall_s
        targets.check(f"the fastest, times as fast as {STOCK}", times, FASTER_THAN_STOCK, True)
    return in_torch


def measure_deployed(
    folder: Path, size: tuple[int, int, int], in_torch: Measured | None, targets: Targets | None
) -> None:
    """Third table: networks made to be deployed, with the windows of that student's configuration.

    Medians of `DEPLOYED_TIMES`, from the command to the written label map. `in_torch`: the paper's network, if it was
    measured; targets are set for the network that config/flare22.yaml deploys.
    """
    configured = flare22()
    own = Deploy(**configured["deploy"]).prediction
    print(f"\n{DEPLOYED_ROW.format('made to be deployed', 'wall s', 'CPU s', 'peak GB', 'of torch', 'converted, s')}")
    for name in [name for name in configured["networks"] if name != PAPER]:
        bench = Bench(folder / name, Network(**configured["networks"][name]), *size)
        write_text(bench.model / OWN_PREDICTION, own.model_dump_json())
        converted = bench.convert()
        runs = [bench.ours(bench.folder / f"label_maps_{number}") for number in range(DEPLOYED_TIMES)]
        one = sorted(runs, key=lambda run: run.wall_s)[DEPLOYED_TIMES // 2]
        times = in_torch.wall_s / one.wall_s if in_torch else None
        cost = f"{one.wall_s:.1f}", f"{one.cpu_s:.1f}", f"{one.peak_gb:.2f}", f"{times:.1f} x" if times else ""
        print(DEPLOYED_ROW.format(name, *cost, f"{converted:.1f}"), flush=True)
        if targets is None or name != configured["deploy"]["network"]:
            continue
        targets.check("deploy student, seconds a scan", one.wall_s / len(bench.cases), DEPLOYED_S)
        targets.check("deploy student, peak memory in GB", one.peak_gb, DEPLOYED_GB)
        if times:
            what = "deploy student, times as fast as the paper's network in torch"
            targets.check(what, times, DEPLOYED_FASTER, True)


def compare_scores(results: Path, folder: Path, targets: Targets) -> None:
    """Second table: what the backends' label maps of test scans are worth."""
    scores = {}
    for name, options in {"torch": TORCH, **OPENVINO}.items():
        output = folder / f"scores_{name}"
        output.mkdir()
        label(results, output, *options)
        scores[name] = dsc(results, output)
    print(f"\n{'test scans of ' + str(results):<34}  {'mean DSC':>10}  {'change':>10}  {'largest of an organ':>20}")
    means = {name: table[table.role == "test"].groupby("organ").DSC.mean() for name, table in scores.items()}
    for name, organs in means.items():
        change, largest = organs.mean() - means["torch"].mean(), (organs - means["torch"]).abs().max()
        print(f"{name:<34}  {organs.mean():>10.5f}  {change:>+10.5f}  {largest:>20.5f}", flush=True)
        if name in MEAN_DSC:
            targets.check(f"mean DSC beside torch's, {name}", abs(change), MEAN_DSC[name])
            targets.check(f"DSC of the organ that changed most, {name}", largest, ORGAN_DSC)


def compare_all(
    folder: Path, size: tuple[int, int, int], options: argparse.Namespace, targets: Targets, set_for: Targets | None
) -> None:
    """All tables, one after the other."""
    bench = Bench(folder, network_of(options.network), *size)
    print(f"\nconverting the model for OpenVINO, once: {bench.convert():.1f} s", flush=True)
    in_torch = compare_time(bench, set_for, not options.no_stock)
    measure_deployed(folder, size, in_torch, set_for)
    results = options.results.resolve()
    if list(results.glob("round_*/labeller/preprocessed.tsv")):
        compare_scores(results, folder, targets)
    else:
        print(f"\nno results of `make run` in {results}: label maps were not judged")


def main() -> None:
    """Measure; exit with 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=(PAPER, "small"), default=PAPER)
    parser.add_argument("--scans", type=int, default=1, help="how many are labelled (%(default)s)")
    parser.add_argument("--slices", type=int, default=100, help="of each scan (%(default)s)")
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    parser.add_argument("--results", type=Path, default=ROOT / "results", help="of `make run`, as far as there are any")
    parser.add_argument("--no-stock", action="store_true", help=f"without {STOCK}, which takes longest")
    parser.add_argument("--deployed-alone", action="store_true", help="only the networks made to be deployed")
    options = parser.parse_args()
    print(f"{machine()}, of which {options.cores} are used; OpenVINO {VERSION}, torch {torch.__version__}")
    network = "" if options.deployed_alone else f", the {options.network} network"
    print(f"{options.scans} of 512×512×{options.slices} voxels{network}, one fold, not mirrored")
    targets = Targets()
    set_for = targets if options.network == PAPER and options.slices >= 100 else None
    with tempfile.TemporaryDirectory() as place:
        folder, size = Path(place), (options.scans, options.slices, options.cores)
        os.environ["XDG_CACHE_HOME"] = f"{folder}/cache"
        if options.deployed_alone:
            measure_deployed(folder, size, None, set_for)
        else:
            compare_all(folder, size, options, targets, set_for)
    if targets.missed:
        sys.exit("missed: " + "; ".join(targets.missed))


if __name__ == "__main__":
    main()
