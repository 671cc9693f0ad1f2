#!/usr/bin/env bash
# pydicom cannot read every frame of a binary segmentation alone: of some it takes one byte too few.
#
# Versions: pydicom 3.0.2, numpy 2.4.6, Python 3.11.
# Input: nine frames of 5 x 7 pixels of one bit, which follow one another without filling up bytes, as the standard has
#   it; so many slices of 171 x 201 pixels are the same case.
# Expected: iter_pixels(indices=[n]) and pixel_array(index=n) give frame n, as pixel_array() of all frames does. Instead
#   frames 2 and 5, whose 35 bits reach into a sixth byte, are an error: five bytes are taken (35 / 8, rounded up)
#   wherever in a byte a frame begins.
# Seen:
#   2: cannot reshape array of size 34 into shape (5,7)
#   5: cannot reshape array of size 33 into shape (5,7)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pydicom==3.0.2 numpy==2.4.6
"$work/venv/bin/python" - <<'EOF'
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels import iter_pixels, pixel_array
from pydicom.pixels.utils import pack_bits
from pydicom.uid import ExplicitVRLittleEndian

frames = np.random.default_rng(0).integers(0, 2, (9, 5, 7)).astype(np.uint8)
data = Dataset()
data.file_meta = FileMetaDataset()
data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
data.NumberOfFrames, data.Rows, data.Columns = frames.shape
data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 0
data.BitsAllocated, data.BitsStored, data.HighBit = 1, 1, 0
data.PixelData = pack_bits(frames, pad=True)
assert np.array_equal(pixel_array(data, raw=True), frames)
seen = {}
for number, frame in enumerate(frames):
    try:
        assert np.array_equal(next(iter_pixels(data, indices=[number], raw=True)), frame)
    except ValueError as error:
        seen[number] = str(error)
print(*(f"{number}: {error}" for number, error in seen.items()), sep="\n")
assert list(seen) == [2, 5]
EOF
