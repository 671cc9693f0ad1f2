#!/usr/bin/env bash
# blosc2 counts voxels wrongly against a negative number: three times as many lie below -1 as do, without a word.
#
# Versions: blosc2 4.14.1, numpy 2.4.6, Python 3.11, Linux.
# Input: a scan (float32, mean 0, deviation 1) and its label map (int8, -1 outside of the body) as blosc2 arrays, which
#   is how nnU-Net keeps what it has preprocessed; voxels are counted by the array's own comparison and sum.
# Expected: numpy's count. It comes for numbers from 0 on, and for negative ones where the comparison is written out
#   before it is summed. Summed as it is, `(scan < -1).sum()` is another number, often a plausible one, and another one
#   in another run. So it is with ==, >, mean and any.
# Seen (in one run; the last column differs), voxels by numpy, by blosc2 written out, by blosc2:
#   scan < 0:     131061, 131061, 131061
#   scan < -1:    41726, 41726, 130946
#   labels == 1:  25865, 25865, 25865
#   labels == -1: 52443, 52443, 1032
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check blosc2==4.14.1 numpy==2.4.6
"$work/venv/bin/python" -W error - 2>"$work/log" <<'PY' || { cat "$work/log"; exit 1; }
import operator

import blosc2
import numpy as np

rng = np.random.default_rng(0)
shape, kept = (64, 64, 64), {"chunks": (32, 32, 32), "blocks": (16, 16, 16)}
arrays = {
    "scan": rng.normal(size=shape).astype(np.float32),
    "labels": rng.choice(np.arange(-1, 8), shape, p=[0.2] + [0.1] * 8).astype(np.int8),
}
seen = {}
for name, compare, sign, number in (
    ("scan", operator.lt, "<", 0),
    ("scan", operator.lt, "<", -1),
    ("labels", operator.eq, "==", 1),
    ("labels", operator.eq, "==", -1),
):
    stored = blosc2.asarray(arrays[name], **kept)
    assert np.array_equal(stored[:], arrays[name])
    counts = (
        int(compare(arrays[name], number).sum()),
        int(compare(stored, number)[:].sum()),
        int(compare(stored, number).sum()),
    )
    text = f"{name} {sign} {number}"
    seen[text] = counts
    print(f"{text + ':':13}", ", ".join(map(str, counts)))
assert all(by_numpy == written_out for by_numpy, written_out, _ in seen.values()), seen
assert [text for text, (by_numpy, _, by_blosc2) in seen.items() if by_blosc2 != by_numpy] == [
    "scan < -1",
    "labels == -1",
], seen
PY
[ ! -s "$work/log" ] || { cat "$work/log"; exit 1; }
