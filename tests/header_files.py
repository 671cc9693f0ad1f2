"""NRRD and MetaImage files written by hand: what a header says, and voxels in whatever packing, as bytes."""

import numpy as np

VOXELS = np.arange(-30, 30, dtype=np.int16).reshape(3, 4, 5)
RAW = VOXELS.astype("<i2").tobytes()
PLACED = "space directions: (2,0,0) (0,2,0) (0,0,3)\nspace origin: (10,20,30)"
TURNED = "TransformMatrix = 1 0 0 0 1 0 0 0 1\nOffset = 10 20 30\nElementSpacing = 2 2 3"


def write_nrrd(path, voxels=RAW, fields=f"space: LPS\n{PLACED}", encoding="raw", sizes="5 4 3", last="", kind="short"):
    """A header with these fields, the encoding and `last` (which may name files), an empty line, and the voxels."""
    start = f"NRRD0005\ntype: {kind}\ndimension: {len(sizes.split())}\nsizes: {sizes}\n{fields}\nendian: little\n"
    path.write_bytes(f"{start}encoding: {encoding}\n{last}\n".encode() + voxels)
    return path


def write_metaimage(path, voxels=RAW, fields=TURNED, file="LOCAL", kind="MET_SHORT", size="5 4 3"):
    """A header with these fields, and the voxels (or a list of files) behind it."""
    start = f"ObjectType = Image\nNDims = {len(size.split())}\nBinaryData = True\n{fields}\nDimSize = {size}\n"
    path.write_bytes(f"{start}ElementType = {kind}\nElementDataFile = {file}\n".encode() + voxels)
    return path
