#!/usr/bin/env bash
# cc3d fails on thin or small binary masks that hold as many pieces as there is room for, and on no other type of voxel.
#
# Versions: connected-components-3d 4.1.1, numpy 2.4.6, Python 3.11.
# Input: masks (bool) of voxels that do not touch, in a box of three voxels, a row, a slice, a cube of three; the same
#   masks as uint8. Such boxes are what remains when a few stray voxels of an organ are cut out of a label map.
# Expected: as many pieces as there are voxels, for both. Of a bool with 26 neighbours cc3d sets up fewer labels than odd
#   sizes hold, and raises RuntimeError once they are used up; uint8, or 18 neighbours, are counted rightly.
# Seen (bool, bool with 18 neighbours, uint8):
#   (1, 1, 3): RuntimeError, 2, 2
#   (1, 1, 101): RuntimeError, 51, 51
#   (1, 101, 101): RuntimeError, 2601, 2601
#   (3, 3, 3): RuntimeError, 8, 8
#   (5, 5, 5): 27, 27, 27
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check connected-components-3d==4.1.1 numpy==2.4.6
"$work/venv/bin/python" - <<'EOF'
import cc3d
import numpy as np


def pieces(mask, connectivity=26):
    try:
        return int(cc3d.connected_components(mask, connectivity=connectivity).max())
    except RuntimeError:
        return "RuntimeError"


failed = 0
for shape in [(1, 1, 3), (1, 1, 101), (1, 101, 101), (3, 3, 3), (5, 5, 5)]:
    mask = np.zeros(shape, bool)
    mask[::2, ::2, ::2] = True
    found = [pieces(mask), pieces(mask, 18), pieces(mask.view(np.uint8))]
    print(f"{shape}: {found[0]}, {found[1]}, {found[2]}")
    assert found[1:] == [mask.sum()] * 2
    failed += found[0] == "RuntimeError"
assert failed == 4
EOF
