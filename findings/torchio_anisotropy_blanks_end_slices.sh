#!/usr/bin/env bash
# TorchIO's RandomAnisotropy sets the outermost slices of a scan to 0 HU, while its labels there stay.
#
# Versions: TorchIO 1.2.1, torch 2.13.0, numpy 2.4.6, Python 3.11.
# Input: a scan of 23 slices of 60 HU with an organ that is labelled in all of them, through RandomAnisotropy along z,
#   which makes slices thicker and interpolates them back, as if the scan had been taken with thick ones.
# Expected: a scan of 60 HU throughout, as every slice and every mean of slices is. As many thick slices are made as go
#   into the scan whole; what is left over at both ends, up to two and a half slices at its default of up to 5 times, is
#   filled with 0: water in HU, the mean after normalisation. Labels are left as they are, so that a network is taught
#   organs in slices that show nothing.
# Seen, slices that are 0:
#   2 times as thick:   22
#   3 times as thick:   0, 22
#   4.9 times as thick: 0, 1, 21, 22
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
pip() { "$work/venv/bin/pip" install --quiet --disable-pip-version-check "$@"; }
pip torch==2.13.0 # first, and then held: otherwise another build of it comes along, several times the size
echo torch==2.13.0 > "$work/constraints.txt"
pip --constraint "$work/constraints.txt" torchio==1.2.1 numpy==2.4.6
cd "$work"
venv/bin/python - 2>warnings <<'EOF' || { cat warnings; exit 1; }
import torch
import torchio

shape = (1, 8, 8, 23)
patient = torchio.Subject(
    ct=torchio.ScalarImage(tensor=torch.full(shape, 60.0)),
    organ=torchio.LabelMap(tensor=torch.ones(shape, dtype=torch.uint8)),
)
seen = {}
for factor in (2, 3, 4.9):
    thick = torchio.RandomAnisotropy(axes=2, downsampling=(factor, factor))(patient)
    values = thick.ct.data[0].amax((0, 1))
    assert thick.organ.data.all() and set(values.tolist()) == {0, 60}
    seen[factor] = torch.nonzero(values == 0).flatten().tolist()
    print(f"{f'{factor} times as thick:':19}", ", ".join(map(str, seen[factor])))
assert seen == {2: [22], 3: [0, 22], 4.9: [0, 1, 21, 22]}, seen
EOF
[ ! -s "$work/warnings" ]
