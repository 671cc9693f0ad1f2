#!/usr/bin/env bash
# highdicom: a segmentation is matched onto a CT of another frame of reference, though that is to raise an error.
#
# Versions: highdicom 0.28.2, numpy 2.4.6, Python 3.11.
# Input: two volumes of one shape, position and spacing whose FrameOfReferenceUID differ: positions in one say nothing
#   of those in the other. So it is with two patients on one scanner, or one patient who was moved.
# Expected: the error "Volumes do not have matching frame of reference UIDs." that match_geometry has for this. It
#   never comes: the check compares a volume's frame of reference with itself.
# Seen:
#   matched, with the frame of reference 2.25.1 for 2.25.2
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check highdicom==0.28.2 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'EOF'
import highdicom
import numpy as np

def volume(frame):
    return highdicom.Volume.from_components(
        np.zeros((4, 4, 4), np.uint8), direction=np.eye(3), position=(0, 0, 0), spacing=(1, 1, 1),
        coordinate_system="PATIENT", frame_of_reference_uid=frame,
    )

one, other = volume("2.25.1"), volume("2.25.2")
found = one.match_geometry(other)
seen = f"matched, with the frame of reference {found.frame_of_reference_uid} for {other.frame_of_reference_uid}"
print(seen)
assert seen == "matched, with the frame of reference 2.25.1 for 2.25.2"
EOF
