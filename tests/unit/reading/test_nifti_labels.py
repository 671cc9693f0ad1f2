import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from noisy_student.reading.door import read_label_map
from noisy_student.reading.nifti_labels import label_names

NAMES = {1: "spleen", 2: "kidney_right", 5: "liver", 104: "portal_vein_and_splenic_vein"}


def caret(names):
    """The extension as TotalSegmentator's `--ml` writes it."""
    labels = "".join(
        f'<Label Key="{number}" Red="0.1" Green="0.2" Blue="1" Alpha="1"><![CDATA[{name}]]></Label>\n'
        for number, name in names.items()
    )
    start = '<?xml version="1.0" encoding="UTF-8"?> <CaretExtension>  <Date><![CDATA[2013-07-14T05:45:09]]></Date>'
    table = f'<VolumeInformation Index="0">   <LabelTable>\n{labels}\n  </LabelTable>  <StudyMetaDataLinkSet>'
    end = (
        "  </StudyMetaDataLinkSet>  <VolumeType><![CDATA[Label]]></VolumeType>   </VolumeInformation></CaretExtension>"
    )
    return f"{start}   {table}{end}\n              ".encode()


@pytest.mark.parametrize("before", [[], [(6, b"a comment of the scanner's"), (4, b"<AFNI_attributes/>" * 999)]])
@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize("name", ["a.nii.gz", "a.nii"])
def test_names_in_the_header_are_read_wherever_they_stand_in_it(tmp_path, before, kind, name):
    labels = np.arange(120, dtype=np.uint8).reshape(4, 5, 6)
    image = kind(labels, np.diag((-2, -2, 3, 1)))
    for code, content in (*before, (0, caret(NAMES))):
        image.header.extensions.append(nibabel.nifti1.Nifti1Extension(code, content))
    nibabel.save(image, tmp_path / name)
    read = read_label_map(tmp_path / name)
    assert read.names == NAMES and np.array_equal(sitk.GetArrayFromImage(read.image).T, labels)


def test_workbench_s_labels_and_others_extensions():
    assert label_names(b'<LabelTable><Label Key="0">???</Label><Label Key="3">aorta</Label></LabelTable>') == {
        3: "aorta"
    }
    assert label_names(b'<Label Key="3">aorta</Label> of something else') == {}
    assert label_names(b"") == {}
