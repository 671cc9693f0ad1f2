"""Pictures of slices are no label map; the lines of config/README.md make one of them that is right."""

import numpy as np
import pytest
import SimpleITK as sitk

import documents
from conftest import ROOT
from dicom_series import write_series
from labelled_series import array_of, body, rank
from noisy_student.errors import InputError
from noisy_student.reading.door import read_label_map, read_scan

LIVER = body() == 1
IN_THE_DOCUMENT = "/data/CHAOS/CT"


@pytest.fixture
def chaos(tmp_path):
    """Two cases whose files are numbered from the feet and from the head; the pictures are numbered as these."""
    for case, step in (("1", 1), ("2", -1)):
        folder = tmp_path / "CT" / case
        files = write_series(folder / "DICOM_anon", np.where(LIVER, 110, -100).astype(np.int16))
        (folder / "Ground").mkdir()
        for number, place in enumerate(range(len(LIVER))[::step]):
            files[place].rename(files[place].with_name(f"i{number:04},0000b.dcm"))
            picture = sitk.GetImageFromArray(LIVER[place].astype(np.uint8) * 255)
            sitk.WriteImage(picture, str(folder / f"Ground/liver_GT_{number:03}.png"))
    return tmp_path / "CT"


def test_they_are_refused_and_the_lines_make_a_mask_of_them(chaos, capsys):
    (block,) = (block for block in documents.blocks(ROOT / "config/README.md") if block.language == "python")
    assert IN_THE_DOCUMENT in block.text
    for case in ("1", "2"):
        with pytest.raises(InputError, match=r"14 picture\(s\) such as liver_GT_000\.png") as error:
            read_label_map(chaos / case / "Ground", read_scan(chaos / case / "DICOM_anon"), rank)
        assert "config/README.md, 'Pictures of slices'" in error.value.remedy
    exec(block.text.replace(IN_THE_DOCUMENT, str(chaos)), {})
    for case in ("1", "2"):
        volume = read_label_map(chaos / case / "masks", read_scan(chaos / case / "DICOM_anon"), rank)
        assert np.array_equal(array_of(volume), LIVER) and volume.remarks == ()
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "1 as named 110 ± 0 HU" and printed[2] == "2 as named 110 ± 0 HU"
    assert "± 0" not in printed[1] + printed[3]


def test_the_lines_stop_where_a_picture_is_missing(chaos):
    (block,) = (block for block in documents.blocks(ROOT / "config/README.md") if block.language == "python")
    (chaos / "1/Ground/liver_GT_004.png").unlink()
    with pytest.raises(ValueError, match="shorter"):
        exec(block.text.replace(IN_THE_DOCUMENT, str(chaos)), {})


@pytest.mark.parametrize("start", [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"II*\x00", b"MM\x00*"])
def test_one_picture_is_named_as_that(tmp_path, start):
    (tmp_path / "liver.png").write_bytes(start + bytes(50))
    with pytest.raises(InputError, match="a picture") as error:
        read_label_map(tmp_path / "liver.png")
    assert "'Pictures of slices'" in error.value.remedy
