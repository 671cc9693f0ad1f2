"""The program beside exported networks reads a scan as it is meant, or ends."""

import runpy
import struct
import sys
from types import ModuleType

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from conftest import ROOT

PROGRAM = ROOT / "workflow/scripts/noisy_student/export/label_with_openvino.py"
VOXELS = np.random.default_rng(0).integers(-1000, 1000, (6, 5, 4)).astype(np.int16)
AFFINE = np.array([[-0.8, -0.02, 0, 30], [0.02, -0.8, 0, 40], [0, 0, 2.5, -50], [0, 0, 0, 1]])


@pytest.fixture
def read(monkeypatch):
    """Its reading, without openvino."""
    for name in ("openvino", "openvino_telemetry"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    return runpy.run_path(str(PROGRAM))["read"]


def scan(folder, sform_code, qform_code, shift_mm=0.0):
    image = nibabel.Nifti1Image(VOXELS, AFFINE)
    image.set_qform(AFFINE, qform_code)
    moved = AFFINE.copy()
    moved[0, 3] += shift_mm
    image.set_sform(moved, sform_code)
    nibabel.save(image, folder / "a.nii")
    return folder / "a.nii"


@pytest.mark.parametrize(("sform_code", "qform_code"), [(1, 1), (2, 1), (2, 0), (0, 1), (1, 0)])
def test_usual_headers_are_read(tmp_path, read, sform_code, qform_code):
    assert (sitk.GetArrayFromImage(read(str(scan(tmp_path, sform_code, qform_code)))) == VOXELS.T).all()


def test_other_formats_are_read(tmp_path, read):
    for name in ("a.nrrd", "a.mha"):
        sitk.WriteImage(sitk.GetImageFromArray(VOXELS), str(tmp_path / name))
        assert (sitk.GetArrayFromImage(read(str(tmp_path / name))) == VOXELS).all()


@pytest.mark.parametrize(
    ("offset", "values"),
    [(80, (-0.8,)), (112, (0.0, -1024.0)), (112, (float("nan"), -1024.0)), (108, (0.0,))],
)
def test_headers_that_simpleitk_reads_otherwise_are_refused(tmp_path, read, offset, values):
    path = scan(tmp_path, 1, 1)
    header = bytearray(path.read_bytes())
    struct.pack_into(f"<{len(values)}f", header, offset, *values)
    path.write_bytes(header)
    with pytest.raises(SystemExit, match="save it again"):
        read(str(path))


def test_an_sform_that_gives_way_to_another_qform_is_refused(tmp_path, read):
    with pytest.raises(SystemExit, match="save it again"):
        read(str(scan(tmp_path, 2, 1, shift_mm=5)))
