"""A DICOM archive as it was exported, as an entry of the cohort: which of its series count, and what stays private."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from noisy_student.strict import OrganNames, Positive, SourceName, Strict

# Of an entry, what has no scans and lies apart from all results.
PRIVATE = {"key", "names"}


class Words(Strict):
    """Words of which a series' description has at least one, or none; in whichever case."""

    any_of: list[str] = Field([])
    none_of: list[str] = Field([])


class SeriesRules(Strict):
    """Which series of an archive are scans.

    `derived`: reformats, projections and other secondary images count too. `axial`: slices across the body alone.
    `thickness_mm_at_most`: of a slice; None: any. `per_study`: of several that count, the one of the thinnest slices.
    """

    modality: str = "CT"
    derived: bool = False
    axial: bool = True
    description: Words = Words()
    slices_at_least: Positive = 40
    length_mm_at_least: Annotated[float, Field(ge=0)] = 150
    thickness_mm_at_most: Annotated[float, Field(gt=0)] | None = None
    per_study: Literal["thinnest", "all"] = "thinnest"


class Archive(Strict):
    """A folder of DICOM files of many patients, the key of their case names, and the table that leads back to them.

    Beside the table lies all else that may tell who they are.
    """

    labels: ClassVar[None] = None
    name: SourceName | None = None
    archive: Path
    key: Path
    names: Path

    @property
    def folders(self) -> tuple[Path, ...]:
        """Where its files are, and by which entries of one archive and role are told apart."""
        return (self.archive,)


class ScanArchive(Archive):
    """Unlabelled scans: all series that count."""

    series: SeriesRules = SeriesRules()


class LabelledArchive(Archive):
    """Labelled scans: the series that label maps (DICOM-SEG, RTSTRUCT) refer to. `organs`: as of a folder."""

    label_maps: Path
    organs: OrganNames | None = None

    @property
    def folders(self) -> tuple[Path, ...]:
        """The same, and where its label maps are."""
        return (self.archive, self.label_maps)
