#!/usr/bin/env bash
# nibabel gives labels a scaling when they were read as reals: read as whole numbers, the right kidney is the liver.
#
# Versions: nibabel 5.4.2, SimpleITK 2.5.7, numpy 2.4.6, Python 3.11.
# Input: a label map (uint8) of 13 organs, read with get_fdata(), as nibabel's manual has it, and saved with its own
#   affine and header, nothing done to it in between.
# Expected: the same file, as every value is a whole number that fits. Reals that go into whole numbers are spread over
#   the whole range of the type instead, here by a slope of 13/255, so that 2 comes back as 1.988. Both nibabel with
#   astype and SimpleITK, asked for uint8, cut that to 1: six of 13 organs have the label of the one before, in a file
#   whose type, shape and place are right. A map of one label, or of 255, comes back as it was.
# Seen:
#   labels:                1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13
#   nibabel, astype:       1, 1, 3, 3, 4, 6, 6, 8, 9, 9, 11, 11, 13
#   SimpleITK, sitkUInt8:  1, 1, 3, 3, 4, 6, 6, 8, 9, 9, 11, 11, 13
#   type in the file: uint8, slope 0.05098
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check nibabel==5.4.2 SimpleITK==2.5.7 numpy==2.4.6
cd "$work"
venv/bin/python -W error - 2>log <<'PY' || { cat log; exit 1; }
import nibabel
import numpy as np
import SimpleITK as sitk


def organs_after(organs):
    """The labels of a saved map by nibabel and by SimpleITK, as whole numbers, and the file's type and slope."""
    voxels = np.tile(np.arange(organs + 1, dtype=np.uint8)[:, None, None], (1, 4, 4))
    nibabel.save(nibabel.Nifti1Image(voxels, np.eye(4)), "made.nii.gz")
    read = nibabel.load("made.nii.gz")
    nibabel.save(nibabel.Nifti1Image(read.get_fdata(), read.affine, read.header), "saved.nii.gz")
    saved = nibabel.load("saved.nii.gz")
    by_sitk = sitk.GetArrayFromImage(sitk.ReadImage("saved.nii.gz", sitk.sitkUInt8)).T
    found = [labels[1:, 0, 0].tolist() for labels in (saved.get_fdata().astype(np.uint8), by_sitk)]
    return *found, saved.get_data_dtype(), saved.dataobj.slope


by_nibabel, by_sitk, kind, slope = organs_after(13)
rows = {"labels": list(range(1, 14)), "nibabel, astype": by_nibabel, "SimpleITK, sitkUInt8": by_sitk}
for name, labels in rows.items():
    print(f"{name + ':':22}", ", ".join(map(str, labels)))
print(f"type in the file: {kind}, slope {slope:.4g}")
assert by_nibabel == by_sitk == [1, 1, 3, 3, 4, 6, 6, 8, 9, 9, 11, 11, 13] and kind == np.uint8, (rows, kind)
for organs in (1, 255):
    assert organs_after(organs)[0] == organs_after(organs)[1] == list(range(1, organs + 1)), organs
PY
[ ! -s log ] || { cat log; exit 1; }
