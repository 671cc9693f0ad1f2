"""Scans and label maps that may not be read are named, with that as the cause."""

import os
import tempfile
from pathlib import Path

import numpy as np
import pytest

from dicom_series import write_series
from noisy_student.cohort.case_checks import Standard, examine
from noisy_student.cohort.scans import Scan
from noisy_student.organs import FLARE22

NOBODY = 65534


@pytest.fixture
def folder():
    """A folder that anybody may enter, whoever runs the tests; permissions hold for all but root."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def found(folder):
    def find(closed, scan):
        closed.chmod(0)
        is_root = os.geteuid() == 0
        if is_root:
            os.setresuid(NOBODY, NOBODY, 0)
        try:
            _, findings = examine(scan, Standard(FLARE22, folder / "renumbered"))
        finally:
            if is_root:
                os.setresuid(0, 0, 0)
            closed.chmod(0o755)
        assert findings[-1].severity == "error" and "chmod" in findings[-1].remedy
        return findings[-1]

    return find


@pytest.mark.parametrize("name", ["a_0000.nii", "a.nii"])
def test_a_file_that_may_not_be_read_is_named(folder, found, write_scan, name):
    for made, array in (("a_0000.nii", np.linspace(-1000, 1000, 60)), ("a.nii", np.arange(60) % 2)):
        (folder / made).write_bytes(write_scan(made, array.reshape(3, 4, 5).astype(np.int16)).read_bytes())
    finding = found(folder / name, Scan("a", "labelled", folder / "a_0000.nii", folder / "a.nii"))
    assert finding.file == folder / name and "Permission denied" in finding.found


@pytest.mark.parametrize("closed", ["IM000_0.dcm", "further", "."])
def test_a_part_of_a_series_that_may_not_be_read_is_not_left_out(folder, found, closed):
    series = folder / "series"
    write_series(series, np.zeros((5, 4, 4), np.int16))
    (series / "further").mkdir()
    (series / "IM007_1.dcm").rename(series / "further/IM007_1.dcm")
    finding = found(series / closed, Scan("a", "unlabelled", series))
    assert "may not be read" in finding.found and closed.strip(".") in finding.found
