"""Where label maps lie that persons have corrected, and what they count as."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field

from noisy_student.strict import OrganNames, Strict


class Corrections(Strict):
    """Label maps of unlabelled scans, corrected by hand: those of round k's pseudo-labels lie in `folder`/round_<k>.

    `organs`: the only ones that were corrected, where a table beside a label map says nothing else. `readers`: of
    several corrections of a scan that of the first of them is used. `validate`: whether folds hold corrected scans out,
    as they do labelled ones, and that in all rounds.
    """

    model_config = ConfigDict(serialize_by_alias=True)

    folder: Path
    organs: OrganNames | None = None
    readers: list[str] = Field([])
    # A model of pydantic has a method of the key's name.
    validates: bool = Field(False, alias="validate")


def _of_folder(value: Any) -> Any:
    return {"folder": value} if isinstance(value, str | Path) else value


CorrectionsOrFolder = Annotated[
    Corrections | None, BeforeValidator(_of_folder, json_schema_input_type=Path | Corrections | None)
]
