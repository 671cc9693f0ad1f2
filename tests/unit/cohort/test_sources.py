from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noisy_student.cohort.scans import embedded_folders, find_scans
from noisy_student.cohort.sources import source_names
from noisy_student.configuration.experiment import Folders, LabelledFolder, ScanFolder, ScanTable
from noisy_student.errors import InputError


def named(*places):
    return list(source_names(ScanFolder(images=place) for place in places).values())


@pytest.mark.parametrize(
    ("places", "names"),
    [
        (["/data/clinic/images"], ["images"]),
        (["/data/clinic/images", "/data/other/images"], ["clinic/images", "other/images"]),
        (["/a/ct/images", "/b/ct/images", "/b/archive"], ["a/ct/images", "b/ct/images", "archive"]),
        (["/data/images", "/data/more_images"], ["images", "more_images"]),
        (["/data/images", "/data/images"], ["images"]),
        (["/data", "/more/data"], ["data", "more/data"]),
    ],
)
def test_a_source_is_called_by_the_shortest_end_of_its_path_that_no_other_has(places, names):
    assert named(*places) == names


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map("/".join), unique=True, max_size=8))
def test_different_places_have_different_names_in_whichever_order(places):
    names = dict(zip(places, named(*(f"/data/{place}" for place in places)), strict=True))
    assert len(set(names.values())) == len(places)
    assert names == dict(zip(places[::-1], named(*(f"/data/{place}" for place in places[::-1])), strict=True))


def test_a_given_name_goes_before_and_is_taken_by_no_other():
    entries = [ScanFolder(images="/a/images", name="clinic"), ScanFolder(images="/b/clinic")]
    assert source_names(entries)[Path("/b/clinic")] == "b/clinic"


def test_scans_have_the_source_of_their_entry_and_not_of_their_folder(tmp_path):
    for name in ("a/images/s1.nii.gz", "b/images/s2/IM1", "b/images/s3/IM1"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    table = tmp_path / "more.tsv"
    table.write_text("case\timage\tsource\nt1\tx/t1/ct.nii.gz\tclinic C\nt2\tx/t2/ct.nii.gz\t\n")
    folders = Folders(
        labelled=[LabelledFolder(images=tmp_path / "a/images", label_maps=tmp_path, name="clinic A")],
        unlabelled=[ScanFolder(images=tmp_path / "b/images"), ScanTable(table=table)],
    )
    assert {scan.case: scan.source for scan in find_scans(folders)} == {
        "s1": "clinic A", "s2": "b/images", "s3": "b/images", "t1": "clinic C", "t2": "more.tsv",
    }  # fmt: skip


def test_the_embedded_cohorts_roles_are_sources_of_their_own(embedded):
    assert {scan.role: scan.source for scan in find_scans(embedded_folders(embedded))} == {
        "labelled": "FLARE22_LabeledCase50/images", "unlabelled": "FLARE22_UnlabeledCase2000",
        "validation": "Validation/images", "test": "Test/images",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["", " clinic", "clinic\n"])
def test_a_name_is_a_word_or_some(name):
    with pytest.raises((ValueError, InputError)):
        ScanFolder(images="/a", name=name)
