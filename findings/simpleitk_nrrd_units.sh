#!/usr/bin/env bash
# SimpleITK passes over the unit of a NRRD, without a word: a scan in centimetres is read ten times too small.
#
# Versions: SimpleITK 2.5.7, nibabel 5.4.2, numpy 2.4.6, Python 3.11.
# Input: a scan of voxels of 2 mm, 100 mm from the origin, as NRRD and as NIfTI, in millimetres and in other units: the
#   NRRD by `space units`, the NIfTI by xyzt_units, which are what either format has for it.
# Expected: 2 mm from all, as SimpleITK's units are mm, and it does convert those of NIfTI. Those of NRRD it does not:
#   lengths and distances are 10 or 1000 times off, volumes 1000 or 10^9 times.
# Seen:
#   NRRD  in mm: voxels of 2 mm, at 100 mm
#   NRRD  in cm: voxels of 0.2 mm, at 10 mm
#   NRRD  in um: voxels of 2000 mm, at 100000 mm
#   NIfTI in mm: voxels of 2 mm, at 100 mm
#   NIfTI in um: voxels of 2 mm, at 100 mm
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check SimpleITK==2.5.7 nibabel==5.4.2 numpy==2.4.6
cd "$work"
venv/bin/python - 2>warnings <<'EOF'
import nibabel
import numpy as np
import SimpleITK as sitk

voxels = np.zeros((8, 8, 8), np.int16)
IN_MM = {"mm": 1.0, "cm": 10.0, "um": 0.001}


def write_nrrd(unit):
    step, start = 2 / IN_MM[unit], 100 / IN_MM[unit]
    header = f"""NRRD0004
type: int16
dimension: 3
space: left-posterior-superior
sizes: 8 8 8
space directions: ({step},0,0) (0,{step},0) (0,0,{step})
space origin: (0,0,{start})
space units: "{unit}" "{unit}" "{unit}"
endian: little
encoding: raw

"""
    with open("scan.nrrd", "wb") as file:
        file.write(header.encode() + voxels.tobytes())
    return "scan.nrrd"


def write_nifti(unit):
    affine = np.diag([2 / IN_MM[unit]] * 3 + [1])
    affine[2, 3] = 100 / IN_MM[unit]
    image = nibabel.Nifti1Image(voxels, affine)
    image.header.set_xyzt_units({"mm": "mm", "um": "micron"}[unit])
    nibabel.save(image, "scan.nii.gz")
    return "scan.nii.gz"


seen = {}
for name, write, units in (("NRRD ", write_nrrd, ("mm", "cm", "um")), ("NIfTI", write_nifti, ("mm", "um"))):
    for unit in units:
        image = sitk.ReadImage(write(unit))
        seen[name, unit] = (round(image.GetSpacing()[2], 4), round(image.GetOrigin()[2], 4))
        print("{} in {}: voxels of {:g} mm, at {:g} mm".format(name, unit, *seen[name, unit]))
assert seen == {
    ("NRRD ", "mm"): (2, 100), ("NRRD ", "cm"): (0.2, 10), ("NRRD ", "um"): (2000, 100000),
    ("NIfTI", "mm"): (2, 100), ("NIfTI", "um"): (2, 100),
}, seen
assert not open("warnings").read()
EOF
