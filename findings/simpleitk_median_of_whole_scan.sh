#!/usr/bin/env bash
# SimpleITK's median of an organ changes by tens of HU with voxels that are not the organ's: one of metal is enough.
#
# Versions: SimpleITK 2.5.7, numpy 2.4.6, Python 3.11.
# Input: a scan of air around a liver of 56 HU on average (15 HU of noise); the same with one voxel of 3071 HU, as a
#   clip or a filling leaves, and with one of 30000 HU, as scans of an extended HU range have, both in a corner of the
#   scan.
# Expected: one median, that of the liver's 4000 voxels, as mean and standard deviation are the same in all three.
#   LabelIntensityStatistics takes it from a histogram of 128 bins between the lowest and the highest voxel of the whole
#   scan, those of no label included: the steps are 32 HU wide with metal, 242 HU with more, and nothing says so.
# Seen:
#   no metal: mean 55.6, median 58.5 (numpy: 55)
#   3071 HU:  mean 55.6, median 65.5 (numpy: 55)
#   30000 HU: mean 55.6, median 89.8 (numpy: 55)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check SimpleITK==2.5.7 numpy==2.4.6
"$work/venv/bin/python" - <<'EOF'
import numpy as np
import SimpleITK as sitk

liver = np.zeros((20, 40, 40), np.uint8)
liver[5:15, 10:30, 10:30] = 1
scan = np.where(liver, np.random.default_rng(0).normal(56, 15, liver.shape), -1000).astype(np.int16)
exact = int(np.median(scan[liver == 1]))

seen = {}
for name, metal in (("no metal", -1000), ("3071 HU", 3071), ("30000 HU", 30000)):
    scan[0, 0, 0] = metal
    measured = sitk.LabelIntensityStatisticsImageFilter()
    measured.Execute(sitk.GetImageFromArray(liver), sitk.GetImageFromArray(scan))
    seen[name] = (round(measured.GetMean(1), 1), round(measured.GetMedian(1), 1))
    print("{:9} mean {}, median {} (numpy: {})".format(name + ":", *seen[name], exact))
means, medians = zip(*seen.values())
assert len(set(means)) == 1 and abs(means[0] - exact) < 1, means
assert abs(medians[0] - exact) < 5 < abs(medians[1] - exact) < 20 < abs(medians[2] - exact), medians
EOF
