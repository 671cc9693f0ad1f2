"""What every section of the configuration is made of."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[int, Field(gt=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
SourceName = Annotated[str, Field(pattern=r"^\S(.*\S)?$")]
OrganNames = Annotated[list[str], Field(min_length=1)]
Label = Annotated[int, Field(gt=0)]
# By the organ's name.
OrganNumbers = dict[str, Label | list[Label]]


class Strict(BaseModel):
    """A section that refuses unknown keys and cannot be changed after it was read."""

    model_config = ConfigDict(extra="forbid", frozen=True)
