"""What every section of the configuration is made of."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, WrapValidator, field_validator
from pydantic_core.core_schema import ValidatorFunctionWrapHandler

Positive = Annotated[int, Field(gt=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
SourceName = Annotated[str, Field(pattern=r"^\S(.*\S)?$")]
OrganNames = Annotated[list[str], Field(min_length=1)]
Label = Annotated[int, Field(gt=0)]


def _numbers_by_organ(numbers: Any, read: ValidatorFunctionWrapHandler) -> Any:
    """One sentence for all that is wrong with the pairs, in place of one for each kind that a number may be."""
    try:
        return read(numbers)
    except ValidationError as error:
        wrong = list(dict.fromkeys(item["loc"][0] for item in error.errors() if item["loc"]))
        pairs = ", ".join(f"`{name}: {numbers[name]}`" for name in wrong) or f"`{numbers}`"
        raise ValueError(
            f"organs and their numbers from 1 on are wanted, as `liver: 6` or `liver: [1, 2]`, not {pairs}"
        ) from None


# By the organ's name.
OrganNumbers = Annotated[dict[str, Label | list[Label]], WrapValidator(_numbers_by_organ)]


class Strict(BaseModel):
    """A section that refuses unknown keys and cannot be changed after it was read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*")
    @classmethod
    def is_no_shells_home(cls, value: Any) -> Any:
        """A path that begins with `~`, the home folder of a shell, would silently be a folder of that name."""
        if any(map(_is_of_shells_home, _paths_in(value))):
            raise ValueError("`~` means nothing here: write the whole path")
        return value


def _paths_in(value: Any) -> Iterator[Path]:
    for one in value if isinstance(value, list) else [value]:
        # A place that may also be an address is a text.
        if isinstance(one, Path) or (isinstance(one, str) and one.startswith("~/")):
            yield Path(one)


def _is_of_shells_home(path: Path) -> bool:
    return path.parts[:1] != () and path.parts[0].startswith("~")
