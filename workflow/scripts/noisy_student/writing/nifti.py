"""Label maps as NIfTI, with names and colours in the header's extension: as TotalSegmentator (`--ml`) writes them.

Format: the label table of Connectome Workbench's XML, in an extension of code 0 ("ignore"), which TotalSegmentator's
`load_multilabel_nifti` reads. Programs that do not know it pass over it.
"""

from collections.abc import Sequence
from pathlib import Path

import nibabel
import numpy as np
from nibabel.nifti1 import Nifti1Extension

from noisy_student.files import whole_file
from noisy_student.geometry import Geometry
from noisy_student.images import read_geometry, require_grid
from noisy_student.organs import Organ
from noisy_student.reading.nifti_place import LPS_RAS
from noisy_student.writing.segmentation import Segmentation, rgb_of

IGNORE = 0
SCANNER = 1


def write(segmentation: Segmentation, path: Path) -> None:
    """Write a file with every organ's name. Raises InputError where NIfTI does not keep the grid."""
    geometry = Geometry.of(segmentation.label_map)
    affine = _affine(geometry)
    image = nibabel.Nifti1Image(segmentation.voxels_zyx.T, affine)
    image.set_qform(affine, SCANNER)
    image.set_sform(affine, SCANNER)
    image.header.set_xyzt_units("mm")
    image.header["descrip"] = segmentation.described.encode()
    image.header.extensions.append(Nifti1Extension(IGNORE, label_table(segmentation.organs).encode()))
    with whole_file(path) as temporary:
        nibabel.save(image, temporary)
        require_grid(path, geometry, read_geometry(temporary))


def label_table(organs: Sequence[Organ]) -> str:
    """The XML with number, colour and name of each organ."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<CaretExtension>\n<VolumeInformation Index="0">\n<LabelTable>\n'
        + "".join(map(_label, organs))
        + "</LabelTable>\n<VolumeType><![CDATA[Label]]></VolumeType>\n</VolumeInformation>\n</CaretExtension>\n"
    )


def _label(organ: Organ) -> str:
    red, green, blue = rgb_of(organ)
    colour = f'Red="{red:.6g}" Green="{green:.6g}" Blue="{blue:.6g}" Alpha="1"'
    return f'<Label Key="{organ.label}" {colour}><![CDATA[{organ.name}]]></Label>\n'


def _affine(geometry: Geometry) -> np.ndarray:
    """From voxels (x, y, z) to mm towards the patient's right, front and head (4, 4)."""
    affine = np.eye(4)
    affine[:3, :3] = LPS_RAS @ geometry.axes * geometry.spacing_mm_xyz
    affine[:3, 3] = LPS_RAS @ geometry.origin_mm_xyz
    return affine
