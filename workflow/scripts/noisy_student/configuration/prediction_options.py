"""How a trained network labels a scan: the configuration's section `prediction`, and the same on a command line."""

import argparse
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, ValidationError, model_validator

from noisy_student.errors import InputError
from noisy_student.strict import Strict

Where = Literal["everywhere", "on_body", "in_box_of_body"]
AUTO, TORCH, OPENVINO, FLOAT32, BFLOAT16 = "auto", "torch", "openvino", "float32", "bfloat16"
BackendName = Literal["auto", "torch", "openvino"]
Precision = Literal["auto", "float32", "bfloat16"]


def made_by(precision: str) -> str:
    """What label maps are made by that OpenVINO computed; those of torch are made by `TORCH`."""
    return f"{OPENVINO} {precision}"


# What label maps may be made by, the most exact first. Torch is that of nnU-Net: float32 on a CPU, half on a GPU.
MADE_BY = (TORCH, made_by(FLOAT32), made_by(BFLOAT16))


class Prediction(Strict):
    """Sliding window, test-time mirroring, and what only changes how fast the network runs."""

    step_size: Annotated[float, Field(gt=0, le=1)] = 0.5
    mirroring: bool = False
    windows: Where = "everywhere"
    compile: bool = False
    channels_last: bool = False
    backend: BackendName = AUTO
    precision: Precision = AUTO

    @model_validator(mode="after")
    def _torch_has_its_own_precision(self) -> "Prediction":
        if self.backend == TORCH and self.precision == BFLOAT16:
            raise ValueError("`precision: bfloat16` is computed by OpenVINO, so not with `backend: torch`")
        return self

    @property
    def flags(self) -> str:
        """The command line that `add_arguments` understands."""
        switches = {"--mirroring": self.mirroring, "--compile": self.compile, "--channels-last": self.channels_last}
        chosen = [name for name, is_on in switches.items() if is_on]
        words = {"--backend": self.backend, "--precision": self.precision}
        chosen += [f"{name} {word}" for name, word in words.items() if word != AUTO]
        return " ".join([f"--step-size {self.step_size}", f"--windows {self.windows}", *chosen])

    @property
    def label_maps_depend_on(self) -> list[object]:
        """What changes more than the last digits, but for what computes the network."""
        where = self.windows if self.windows == "everywhere" else f"{self.windows}, elsewhere background for certain"
        return [self.step_size, self.mirroring, where]

    @property
    def may_be_made_by(self) -> tuple[str, ...]:
        """Of `MADE_BY`, what a label map is kept that was made by: what is asked for, and all that is more exact.

        So a machine that cannot do what is asked for makes nothing anew that another one made, and the other way round.
        """
        if self.backend == TORCH:
            return MADE_BY[:1]
        return MADE_BY[:2] if self.precision == FLOAT32 else MADE_BY

    @property
    def results_depend_on(self) -> list[object]:
        """The same with what computes the network, where that is not left to the machine."""
        least = self.may_be_made_by[-1]
        return [*self.label_maps_depend_on, *([] if least == MADE_BY[-1] else [f"by {least} or more exact"])]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Let a command take these options."""
    parser.add_argument("--step-size", type=float, help="of the sliding window, as a share of the patch")
    parser.add_argument(
        "--mirroring", action=argparse.BooleanOptionalAction, help="average over mirrored scans, never left-right"
    )
    parser.add_argument(
        "--windows", choices=get_args(Where),
        help="where the network looks: at the whole scan, at windows that hold a part of the body, at the body's box",
    )  # fmt: skip
    parser.add_argument("--compile", action="store_true", help="torch.compile: minutes at the start, then faster")
    parser.add_argument("--channels-last", action="store_true", help="memory layout that is faster on some GPUs")
    parser.add_argument(
        "--backend", choices=get_args(BackendName), default=AUTO,
        help="what computes the network; auto: on a CPU OpenVINO, if it proves to label as torch does, else torch",
    )  # fmt: skip
    parser.add_argument(
        "--precision", choices=get_args(Precision), default=AUTO,
        help="of OpenVINO; auto: bfloat16 on processors that compute it, if it proves to label as torch does",
    )  # fmt: skip


def prediction_of(arguments: argparse.Namespace, own: Mapping[str, Any] = MappingProxyType({})) -> Prediction:
    """The options of a command line; where it says nothing the model's `own`, else as the configuration's defaults.

    Raises InputError for a value out of range.
    """
    given = {name: getattr(arguments, name) for name in Prediction.model_fields}
    try:
        return Prediction(**{**own, **{name: value for name, value in given.items() if value is not None}})
    except ValidationError as error:
        first = error.errors()[0]
        if not first["loc"]:
            wanted, got = "--backend and --precision that go together", str(first["ctx"]["error"])
            raise InputError(wanted, got, "leave one of them out") from None
        name = str(first["loc"][0]).replace("_", "-")
        raise InputError(f"--{name} within its range", str(first["input"]), first["msg"]) from None
