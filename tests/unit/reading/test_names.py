from pathlib import Path

import pytest

from noisy_student.cohort.names import is_plain_name
from noisy_student.reading.names import EXTENSIONS, case_name, extension_of, stem_of


@pytest.mark.parametrize(
    ("file", "case"),
    [
        ("FLARE22_Tr_0001_0000.nii.gz", "FLARE22_Tr_0001"),
        ("Case_00001_0000.nii.gz", "Case_00001"),
        ("amos.12.nrrd", "amos.12"),
        ("a_0001.nii", "a_0001"),
        ("a_0000.NII.GZ", "a"),
        ("B.Mhd", "B"),
        ("b.nhdr", "b"),
    ],
)
def test_case_names(file, case):
    assert case_name(Path(file)) == case
    assert is_plain_name(case)


@pytest.mark.parametrize("file", ["a b.nii.gz", "..nii.gz", "-x.nii.gz", ".hidden.nii.gz", "ü.nii.gz", "_0000.nii.gz"])
def test_names_that_make_no_case_are_recognised(file):
    assert not is_plain_name(case_name(Path(file)))


def test_an_extension_is_known_in_any_case_and_the_longest_one_counts():
    assert [extension_of(Path(f"a.b{extension.upper()}")) for extension in EXTENSIONS] == list(EXTENSIONS)
    assert stem_of(Path("a.nii.GZ")) == "a" and stem_of(Path("a.nii.zip")) == "a.nii.zip"
