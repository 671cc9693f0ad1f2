#!/usr/bin/env bash
# SimpleITK's vote on label maps gives voxels that are tied to the next organ, which nobody voted for.
#
# Versions: SimpleITK 2.5.7, numpy 2.4.6, Python 3.11.
# Input: two readers' label maps of a scan, of 13 organs in one patient and, as the scan shows no more, of organs 1 to
#   4 in another; they disagree on 40 voxels between organs 1 and 2.
# Expected: background, one of the two votes, or a label that no organ has. Unless labelForUndecidedPixels is set, a
#   tied voxel gets the highest label of these label maps plus one: 14 in the first patient, which a table of 13
#   organs might refuse, but 5 in the second, which is a valid organ. LabelVoting and MultiLabelSTAPLE do the same,
#   without a word.
# Seen, labels of the tied voxels:
#   organs 1 to 13: LabelVoting 14, MultiLabelSTAPLE 14
#   organs 1 to 4:  LabelVoting 5, MultiLabelSTAPLE 5
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check SimpleITK==2.5.7 numpy==2.4.6
"$work/venv/bin/python" - <<'EOF'
import numpy as np
import SimpleITK as sitk

seen = {}
for last in (13, 4):
    one = np.zeros((15, 10, 10), np.uint8)
    for organ in range(1, last + 1):
        one[organ, 2:8, 2:8] = organ
    other = one.copy()
    one[0, :4], other[0, :4] = 1, 2
    votes = [sitk.GetImageFromArray(labels) for labels in (one, other)]
    name = f"organs 1 to {last}:"
    seen[name] = {}
    for vote in (sitk.LabelVoting, sitk.MultiLabelSTAPLE):
        result = sitk.GetArrayFromImage(vote(votes))
        assert np.array_equal(result[one == other], one[one == other])
        (seen[name][vote.__name__],) = np.unique(result[one != other]).tolist()
    print(f"{name:15}", ", ".join(f"{vote} {label}" for vote, label in seen[name].items()))
assert [set(labels.values()) for labels in seen.values()] == [{14}, {5}], seen
EOF
