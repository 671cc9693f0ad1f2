"""How a trained network labels a scan: the configuration's section `prediction`, and the same on a command line."""

import argparse
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, ValidationError

from noisy_student.errors import InputError
from noisy_student.strict import Strict

Where = Literal["everywhere", "on_body", "in_box_of_body"]


class Prediction(Strict):
    """Sliding window, test-time mirroring, and what only changes how fast the network runs."""

    step_size: Annotated[float, Field(gt=0, le=1)] = 0.5
    mirroring: bool = False
    windows: Where = "everywhere"
    compile: bool = False
    channels_last: bool = False

    @property
    def flags(self) -> str:
        """The command line that `add_arguments` understands."""
        switches = {"--mirroring": self.mirroring, "--compile": self.compile, "--channels-last": self.channels_last}
        chosen = [name for name, is_on in switches.items() if is_on]
        return " ".join([f"--step-size {self.step_size}", f"--windows {self.windows}", *chosen])

    @property
    def results_depend_on(self) -> list[object]:
        """What changes more than the last digits."""
        where = self.windows if self.windows == "everywhere" else f"{self.windows}, elsewhere background for certain"
        return [self.step_size, self.mirroring, where]


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


def prediction_of(arguments: argparse.Namespace, own: Mapping[str, Any] = MappingProxyType({})) -> Prediction:
    """The options of a command line; where it says nothing the model's `own`, else as the configuration's defaults.

    Raises InputError for a value out of range.
    """
    given = {name: getattr(arguments, name) for name in Prediction.model_fields}
    try:
        return Prediction(**{**own, **{name: value for name, value in given.items() if value is not None}})
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]).replace("_", "-")
        raise InputError(f"--{name} within its range", str(first["input"]), first["msg"]) from None
