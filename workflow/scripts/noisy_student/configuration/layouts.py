"""Layouts of whole datasets, as entries of the cohort: paths that tell each case, and nnU-Net's raw data."""

import re
from pathlib import Path, PurePosixPath
from typing import Annotated

from pydantic import AfterValidator

from noisy_student.strict import OrganNames, OrganNumbers, SourceName, Strict

# The name of the case, in a path.
CASE = "{case}"


def _within(path: str) -> str:
    if not path or PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise ValueError("a path within the folder of each case is wanted, such as ct.nii.gz")
    if re.search("[{}]", path.replace(CASE, "")):
        raise ValueError(f"braces stand for the name of the case alone, {CASE}")
    return path


WithinCase = Annotated[str, AfterValidator(_within)]


class Cases(Strict):
    """A folder with a folder for each case, named after it, in which `scan` lies; else as a folder of scans.

    A path with `{case}`, the name of the case, begins at `cases`. `*` is any text within one part of a path.
    """

    name: SourceName | None = None
    cases: Path
    scan: WithinCase
    labels: OrganNumbers | None = None
    organs: OrganNames | None = None


class LabelledCases(Cases):
    """The same with the label map of each case, a file or a folder of masks."""

    label_maps: WithinCase


class ScanCases(Cases):
    """The same with their true label maps, if these are known and kept aside."""

    truth: WithinCase | None = None


class NnunetFolder(Strict):
    """A dataset as nnU-Net takes it: labelled scans are its `imagesTr`, all others its `imagesTs`."""

    name: SourceName | None = None
    nnunet: Path
    labels: OrganNumbers | None = None
    organs: OrganNames | None = None
