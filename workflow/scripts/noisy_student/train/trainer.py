"""nnU-Net's trainer with what the configuration sets, seeded batches, and checkpoints that are whole or absent.

The same class trains for minutes on a CPU and for days on a GPU; only its settings differ.
"""

import json
import os
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pandas as pd
import torch
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
from nnunetv2.training.nnUNetTrainer.variants.data_augmentation.nnUNetTrainerDA5 import nnUNetTrainerDA5

from noisy_student import nnunet
from noisy_student.errors import InputError
from noisy_student.files import copy, whole_file, write_text
from noisy_student.fold_files import PROGRESS
from noisy_student.model.checkpoint_names import AVERAGE_CHECKPOINT, FINAL_CHECKPOINT, THIRD_CHECKPOINTS
from noisy_student.model.device import missing_for_compiling
from noisy_student.plan.preprocessing import ARRAY, LABELS, require_whole, with_suffix
from noisy_student.tables import read_table, write_table
from noisy_student.train.batches import Chances, numbered_augmenter, seed_everything
from noisy_student.train.draws import chances
from noisy_student.train.first_weights import FirstWeights
from noisy_student.train.label_sets import LabelSets
from noisy_student.train.marginal_loss import MarginalLoss
from noisy_student.train.mixing import SCANS, mixed
from noisy_student.train.moving_average import MovingAverage
from noisy_student.train.noise import set_dropout, set_stochastic_depth, strong_transforms, without_stopwatch
from noisy_student.train.online_teacher import OnlineTeacher, with_both_views
from noisy_student.train.origins import PSEUDO
from noisy_student.train.phases import Schedule, augmentations, mixes_patches, noise_in
from noisy_student.train.soft_targets import SoftLoss, with_first_labels, with_soft_targets

AXES = {"z": 0, "y": 1}
TRAINING_STREAM, VALIDATION_STREAM, WEIGHTS_STREAM, EPOCH_STREAM = range(4)
# A copy of the final one, written before it. Snakemake deletes a job's output before it repeats the job, also when only
# Snakemake was killed before it wrote down that the job had finished; and what took days is not to hang on one file.
FINISHED_CHECKPOINT = "checkpoint_finished.pth"
LATEST_CHECKPOINT = "checkpoint_latest.pth"
# Of a fold's folder: the training's own copies of the checkpoints of voices. Those beside the final one are what the
# fold labels with, and become another training's where that is the better one (`train.py`).
VOICES_FOLDER = "voices"
# Of an epoch's time: a GPU that waits longer for batches would train much faster with more processes that make them.
MUCH_WAITING = 1 / 3


def write_whole_json(content: Any, path: str, indent: int = 4, sort_keys: bool = True) -> None:
    """batchgenerators' `save_json`, in one step."""
    write_text(Path(path), json.dumps(content, indent=indent, sort_keys=sort_keys))


@dataclass(frozen=True)
class Places:
    """Where a training reads and writes: the round's dataset, the model folder, the fold in it."""

    dataset: Path
    model: Path
    fold: int

    @property
    def fold_folder(self) -> Path:
        """The folder of this fold's checkpoints."""
        return self.model / f"fold_{self.fold}"

    @property
    def voices(self) -> Path:
        """Where the training writes the checkpoints of voices besides the final one."""
        return self.fold_folder / VOICES_FOLDER


class NoisyStudentTrainer(nnUNetTrainer):
    """nnU-Net's trainer; `prepare` makes one."""

    settings: dict[str, Any]
    places: Places
    workers: int
    first_weights: FirstWeights | None
    # The kind of augmentation that loaders are made with.
    augmentation: str
    # Whether the network's first weights label scans as they are preprocessed here.
    begins_trained: bool = False
    average: MovingAverage | None = None
    online: OnlineTeacher | None = None
    # What batches were waited for until the epoch began, and whether it was said what helps.
    waited_before_s: float = 0.0
    has_advised: bool = False

    @classmethod
    def prepare(
        cls,
        plans: dict[str, Any],
        dataset: dict[str, Any],
        places: Places,
        settings: dict[str, Any],
        device: torch.device,
        workers: int,
        first_weights: FirstWeights | None = None,
    ) -> "NoisyStudentTrainer":
        """A trainer that reads and writes at the given places. `settings` is `Configuration.training_of`.

        `first_weights` are put into the network before it is trained.
        """
        places.fold_folder.mkdir(parents=True, exist_ok=True)
        with nnunet.nnunet_folders(places.model):
            trainer = cls(plans | {"continue_training": False}, nnunet.CONFIGURATION, places.fold, dataset, device)
        trainer.settings, trainer.places = settings, places
        trainer.workers, trainer.first_weights = workers, first_weights
        trainer.preprocessed_dataset_folder_base = str(places.dataset)
        trainer.preprocessed_dataset_folder = str(places.dataset / nnunet.CASES_FOLDER)
        trainer.output_folder_base = str(places.model)
        trainer.output_folder = str(places.fold_folder)
        trainer.log_file = str(places.fold_folder / "training_log.txt")
        trainer.augmentation = settings["noise"]["augmentation"]
        trainer.num_epochs = settings["epochs"]
        trainer.num_iterations_per_epoch = settings["iterations_per_epoch"]
        trainer.num_val_iterations_per_epoch = settings["validation_iterations_per_epoch"]
        trainer.initial_lr = settings["learning_rate"]
        trainer.weight_decay = settings["weight_decay"]
        trainer.oversample_foreground_percent = settings["foreground_fraction"]
        trainer.logger.plot_progress_png = trainer.write_progress
        return trainer

    @property
    def is_soft(self) -> bool:
        """Whether the dataset has soft targets."""
        return self.settings["targets"] != "hard"

    @property
    def is_online(self) -> bool:
        """Whether targets of pseudo-labelled scans are made anew with each step."""
        return self.settings["targets"] == "online"

    @cached_property
    def label_sets(self) -> LabelSets | None:
        """The sets of labels that the dataset has, if it has partly labelled scans."""
        return LabelSets.read(self.places.dataset, self.label_manager.num_segmentation_heads)

    def initialize(self) -> None:
        """Build network and optimizer from seeded weights, or from those of another network."""
        if super()._do_i_compile() and (lack := missing_for_compiling()):
            self.print_to_log_file(f"not compiled, which would make it faster: {lack} (docs/gpu.md)")
        seed_everything(self.settings["seed"], WEIGHTS_STREAM, self.places.fold)
        super().initialize()
        if self.is_online and not self.begins_trained:
            raise InputError(
                "for `targets: online` first weights of this network with these labels, spacing and normalization, "
                "since they make its targets",
                self.first_weights.checkpoint if self.first_weights else "random first weights",
                "give the round another `start`, or `targets: soft`",
            )
        if "average" in self.settings["voices"] or self.is_online:
            self.average = MovingAverage(self.network, self.num_epochs * self.num_iterations_per_epoch)
            self.optimizer.register_step_post_hook(lambda *_: self.average.update())
        if self.is_online:
            table = read_table(self.places.dataset / "training_set.tsv", ["case", "origin"])
            pseudo = table.case[table.origin == PSEUDO]
            self.online = OnlineTeacher(self.network, self.average, pseudo, self.label_manager.ignore_label)

    def _do_i_compile(self) -> bool:
        """nnU-Net's choice, where there is what compiling takes."""
        return super()._do_i_compile() and not missing_for_compiling()

    def build_network_architecture(self, plans_manager: Any, *args: Any, **kwargs: Any) -> torch.nn.Module:
        """nnU-Net's network with the first weights."""
        network = super().build_network_architecture(plans_manager, *args, **kwargs)
        if self.first_weights:
            left = self.first_weights.give_to(network)
            self.begins_trained = self.first_weights.sees_alike and not left
            self.print_to_log_file(
                f"first weights: {self.first_weights.checkpoint}; layers that did not fit: {', '.join(left) or 'none'}"
            )
        return network.to(memory_format=memory_format(self.device))

    def configure_optimizers(self) -> tuple[torch.optim.Optimizer, Schedule]:
        """The configured optimizer, with the learning rate of each epoch."""
        if self.settings["optimizer"] == "sgd":
            optimizer, _ = super().configure_optimizers()
        else:
            optimizer = torch.optim.AdamW(self.network.parameters(), self.initial_lr, weight_decay=self.weight_decay)
        return optimizer, Schedule(optimizer, self.settings)

    def configure_rotation_dummyDA_mirroring_and_inital_patch_size(self) -> tuple[Any, ...]:
        """nnU-Net's choice, but never mirrored left-right, and with no margin where nothing is rotated."""
        kind = nnUNetTrainerDA5 if self.augmentation == "strong" else nnUNetTrainer
        choice = kind.configure_rotation_dummyDA_mirroring_and_inital_patch_size(self)
        rotation, dummy_2d, initial_patch_size, _ = choice
        if self.augmentation == "none":
            dummy_2d, initial_patch_size = False, self.configuration_manager.patch_size
        axes = tuple(sorted(AXES[axis] for axis in self.settings["mirror_axes"]))
        self.inference_allowed_mirroring_axes = axes or None
        return rotation, dummy_2d, initial_patch_size, axes

    def get_training_transforms(self, *args: Any, **kwargs: Any) -> Any:
        """nnU-Net's augmentation, its strongest, or none at all."""
        if self.augmentation == "strong":
            made = strong_transforms(*args, **kwargs)
        elif self.augmentation == "none":
            scales = args[2] if len(args) > 2 else kwargs["deep_supervision_scales"]
            made = super().get_validation_transforms(scales, foreground_labels=self.label_manager.foreground_labels)
        else:
            made = without_stopwatch(super().get_training_transforms(*args, **kwargs))
        made = with_soft_targets(made, self.label_manager.ignore_label) if self.is_soft else made
        return with_both_views(made) if self.is_online else made

    def get_validation_transforms(self, *args: Any, **kwargs: Any) -> Any:
        """nnU-Net's: hand labels validate, which are hard."""
        made = super().get_validation_transforms(*args, **kwargs)
        return with_first_labels(made) if self.is_soft else made

    def _build_loss(self) -> torch.nn.Module:
        """nnU-Net's loss, or the same against sets of labels and soft targets, where there are such."""
        hard, sets, ignore = super()._build_loss(), self.label_sets, self.label_manager.ignore_label
        if len(hard.weight_factors) == 1:
            # nnU-Net leaves the coarsest output out of the loss, which of a network of two stages is the only one.
            hard.weight_factors = (1.0,)
        if sets:
            hard.loss = MarginalLoss(hard.loss.dc, sets, ignore is not None, self.device)
        if not self.is_soft:
            return hard
        classes, members = self.label_manager.num_segmentation_heads, sets and sets.members(self.device)
        scans = SCANS if mixes_patches(self.settings) else 1
        return SoftLoss(
            hard, hard.weight_factors, classes, ignore, self.configuration_manager.batch_dice, members, scans
        )

    def on_train_start(self) -> None:
        """nnU-Net's; the model folder's description, which all folds write, is at no moment half written."""
        with patch("nnunetv2.training.nnUNetTrainer.nnUNetTrainer.save_json", write_whole_json):
            super().on_train_start()

    def train_step(self, batch: dict[str, Any]) -> dict[str, Any]:
        """nnU-Net's, of what the online teacher makes of a batch, and of its patches mixed."""
        taught = self.online.taught(batch, self.device) if self.online else batch
        probability = noise_in(self.settings, self.current_epoch).get("mixing")
        return super().train_step(mixed(taught, probability, self.device) if probability else taught)

    def validation_step(self, batch: dict[str, Any]) -> dict[str, Any]:
        """nnU-Net's; a voxel that may have several labels validates as background, and so does any of these there."""
        if not self.label_sets:
            return super().validation_step(batch)
        with patch("nnunetv2.training.nnUNetTrainer.nnUNetTrainer.get_tp_fp_fn_tn", self.label_sets.counts):
            return super().validation_step(batch)

    def get_dataloaders(self) -> tuple[Any, Any]:
        """nnU-Net's loaders behind numbered batches, which a resumed training goes on with where it was."""
        self.require_whole_cases()
        loaders = {}
        for kind in augmentations(self.settings):
            self.augmentation = kind
            with patch.dict(os.environ, nnUNet_n_proc_DA="0"):
                training, validation = super().get_dataloaders()
            loaders[kind] = training.data_loader
        pin_memory = self.device.type == "cuda"
        seed = (self.settings["seed"] + 1) * 1000 + self.places.fold
        return (
            numbered_augmenter(
                lambda number: loaders[noise_in(self.settings, self.epoch_of(number))["augmentation"]],
                seed,
                TRAINING_STREAM,
                self.current_epoch * self.num_iterations_per_epoch,
                self.workers,
                pin_memory,
                self.chances_of(training.data_loader.indices),
            ),
            numbered_augmenter(
                lambda _: validation.data_loader,
                seed,
                VALIDATION_STREAM,
                self.current_epoch * self.num_val_iterations_per_epoch,
                1,
                pin_memory,
            ),
        )

    def require_whole_cases(self) -> None:
        """Name the file if an array was damaged since it was made; nnU-Net's workers would only say that one died."""
        folder = Path(self.preprocessed_dataset_folder)
        for case in read_table(self.places.dataset / "training_set.tsv", ["case"]).case:
            for suffix in (ARRAY, LABELS):
                require_whole(with_suffix(folder / case, suffix))

    def chances_of(self, cases: list[str]) -> Chances:
        """How often each case is drawn for batch n."""
        table = read_table(self.places.dataset / "training_set.tsv", ["case", "origin", "confidence", "found"])
        in_epoch = lru_cache(1)(partial(chances, table.set_index("case").loc[cases], self.settings))
        return lambda number: in_epoch(self.epoch_of(number))

    def epoch_of(self, number: int) -> int:
        """The epoch of training batch n."""
        return number // self.num_iterations_per_epoch

    def on_train_epoch_start(self) -> None:
        """Set the epoch's noise, and seed what the network itself draws, so that a resumed epoch draws the same."""
        noise = noise_in(self.settings, self.current_epoch)
        set_dropout(self.network, noise["dropout"])
        set_stochastic_depth(self.network, noise["stochastic_depth"])
        seed_everything(self.settings["seed"], EPOCH_STREAM, self.current_epoch)
        super().on_train_epoch_start()

    def plot_network_architecture(self) -> None:
        """No picture: the plans say it all."""

    def write_progress(self, _: str = "") -> None:
        """Write `progress.tsv`, one row per epoch, and say in one line how far the training is."""
        values = self.logger.local_logger.my_fantastic_logging
        seconds = [end - start for start, end in zip(*map(values.get, _TIMES), strict=True)]
        columns = {name: values[key] for name, key in _COLUMNS.items()}
        table = pd.DataFrame({"epoch": range(len(seconds)), **columns, "seconds": seconds})
        write_table(table, self.places.fold_folder / PROGRESS)
        last = table.iloc[-1]
        waited_s = self.dataloader_train.waited_s - self.waited_before_s
        self.waited_before_s = self.dataloader_train.waited_s
        left = (self.num_epochs - len(table)) * table.seconds.tail(5).mean()
        self.print_to_log_file(
            f"epoch {len(table)} of {self.num_epochs}: training loss {last.training_loss:.3f}, "
            f"validation Dice {last.validation_dice:.3f}, {last.seconds:.1f} s, "
            f"of it {waited_s:.1f} waiting for batches, {left / 60:.1f} min left"
        )
        if self.device.type == "cuda" and waited_s > MUCH_WAITING * last.seconds and not self.has_advised:
            self.has_advised = True
            self.print_to_log_file(
                f"the GPU waits for batches, which {self.workers} processes make: give the job more CPU cores, "
                f"as with --set-threads train={2 * (self.workers + 1)} (docs/gpu.md)"
            )

    def on_epoch_end(self) -> None:
        """First write what a training that goes on after this epoch could not."""
        if "thirds" in self.settings["voices"]:
            for name, epoch in zip(THIRD_CHECKPOINTS, thirds_of(self.num_epochs), strict=True):
                if self.current_epoch + 1 == epoch:
                    self.save_checkpoint(str(self.places.voices / name))
        super().on_epoch_end()

    def load_checkpoint(self, filename: str) -> None:
        """Go on from a checkpoint."""
        super().load_checkpoint(filename)
        if self.average:
            self.average.load(Path(filename))

    def save_checkpoint(self, filename: str) -> None:
        """Write a checkpoint in one step; the final one twice, after that of the average."""
        target = Path(filename)
        if "average" in self.settings["voices"] and target.name == FINAL_CHECKPOINT:
            with self.average.in_network():
                self.save_checkpoint(str(self.places.voices / AVERAGE_CHECKPOINT))
        written = target.with_name(FINISHED_CHECKPOINT) if target.name == FINAL_CHECKPOINT else target
        with whole_file(written, flush=True) as temporary:
            super().save_checkpoint(str(temporary))
            if self.average and target.name == LATEST_CHECKPOINT:
                self.average.add_to(temporary)
        if written != target:
            copy(written, target)


def memory_format(device: torch.device) -> torch.memory_format:
    """How weights and features lie in memory: channels last on a processor with AVX2 but not AVX-512, else as usual.

    oneDNN has no kernel of its own for the gradients of a 3D convolution's weights there, and what it falls back on is
    quicker with channels last (`make bench-training`).
    """
    slow = device.type == "cpu" and torch.backends.cpu.get_cpu_capability() == "AVX2"
    return torch.channels_last_3d if slow else torch.preserve_format


def thirds_of(epochs: int) -> tuple[int, int]:
    """After how many epochs a third and two thirds are over, rounded down as in ST++'s code.

    Yang et al., ST++: Make self-training work better for semi-supervised semantic segmentation, CVPR 2022.
    """
    return epochs // 3, 2 * epochs // 3


_TIMES = ("epoch_start_timestamps", "epoch_end_timestamps")
_COLUMNS = {
    "learning_rate": "lrs",
    "training_loss": "train_losses",
    "validation_loss": "val_losses",
    "validation_dice": "mean_fg_dice",
}

# Checkpoints carry the class's name. Predicting needs nothing of ours, so the stock `nnUNetv2_predict` shall find
# a trainer that every installation has.
NoisyStudentTrainer.__name__ = nnUNetTrainer.__name__
