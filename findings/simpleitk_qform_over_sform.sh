#!/usr/bin/env bash
# SimpleITK places a NIfTI by its qform, without a word, where the sform_code is 2, 3 or 4; nibabel goes by the sform.
#
# Versions: SimpleITK 2.5.7, nibabel 5.4.2, numpy 2.4.6, Python 3.11.
# Input: a scan with qform_code 1 whose sform, as a registration leaves it, lies 40 mm aside. NIfTI-1 allows both forms
#   in one file, and codes 1 to 4 for each. (nibabel's x points to the left, ITK's to the right: the sign differs.)
# Expected: both tools take the same form for every code. Only code 1 gives that; the others put the scan 40 mm apart.
# Seen:
#   sform_code 1: nibabel x = 40, SimpleITK x = -40
#   sform_code 2: nibabel x = 40, SimpleITK x = 0
#   sform_code 3: nibabel x = 40, SimpleITK x = 0
#   sform_code 4: nibabel x = 40, SimpleITK x = 0
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check SimpleITK==2.5.7 nibabel==5.4.2 numpy==2.4.6
cd "$work"
venv/bin/python - <<'EOF'
import nibabel
import numpy as np
import SimpleITK as sitk

seen = {}
for code in (1, 2, 3, 4):
    scan = nibabel.Nifti1Image(np.zeros((8, 8, 8), np.int16), np.eye(4))
    scan.set_qform(np.eye(4), code=1)
    moved = np.eye(4)
    moved[0, 3] = 40
    scan.set_sform(moved, code=code)
    nibabel.save(scan, "scan.nii.gz")
    seen[code] = (nibabel.load("scan.nii.gz").affine[0, 3], sitk.ReadImage("scan.nii.gz").GetOrigin()[0] + 0.0)
    print("sform_code {}: nibabel x = {:g}, SimpleITK x = {:g}".format(code, *seen[code]))
assert seen == {1: (40, -40), 2: (40, 0), 3: (40, 0), 4: (40, 0)}, seen
EOF
