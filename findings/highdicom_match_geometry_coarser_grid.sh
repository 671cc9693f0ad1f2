#!/usr/bin/env bash
# highdicom: a segmentation matched onto the grid of a CT with slices twice as thick comes back on another grid.
#
# Versions: highdicom 0.28.2, numpy 2.4.6, Python 3.11.
# Input: a volume of 10 slices of 1 mm, one voxel set in slice 4, and the geometry of a CT of 5 slices of 2 mm that
#   covers the same body.
# Expected: by its documentation the geometry of the CT, or a RuntimeError where that cannot be had without resampling.
#   Every second slice would do, and where the CT begins 2 mm later that is what comes. Where both begin at one place, 10
#   slices of 1 mm come back without an error: as an array beside the CT's, its slice 2 is at 2 mm, the CT's at 4 mm.
# Seen:
#   asked for (5, 4, 4), slices of 2.0 mm from 0.0 mm on; got (10, 4, 4), slices of 1.0 mm
#   asked for (4, 4, 4), slices of 2.0 mm from 2.0 mm on; got (4, 4, 4), slices of 2.0 mm
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check highdicom==0.28.2 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'EOF'
import highdicom
import numpy as np

def volume(slices, slice_mm, first_mm):
    return highdicom.Volume.from_components(
        np.zeros((slices, 4, 4), np.uint8), direction=np.eye(3), position=(first_mm, 0, 0), spacing=(slice_mm, 1, 1),
        coordinate_system="PATIENT", frame_of_reference_uid="2.25.1",
    )

segmentation = volume(10, 1.0, 0.0)
segmentation.array[4, 2, 2] = 1

def matched(slices, first_mm):
    ct = volume(slices, 2.0, first_mm)
    found = segmentation.match_geometry(ct)
    return (f"asked for {ct.spatial_shape}, slices of {ct.spacing[0]} mm from {first_mm} mm on; "
            f"got {found.spatial_shape}, slices of {found.spacing[0]} mm")

seen = [matched(5, 0.0), matched(4, 2.0)]
print(*seen, sep="\n")
assert seen == [
    "asked for (5, 4, 4), slices of 2.0 mm from 0.0 mm on; got (10, 4, 4), slices of 1.0 mm",
    "asked for (4, 4, 4), slices of 2.0 mm from 2.0 mm on; got (4, 4, 4), slices of 2.0 mm",
]
EOF
