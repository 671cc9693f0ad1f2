from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noisy_student.cohort.pairing import by_name, key, label_map_of, label_maps_in, likely_pairs, table_line


def paths(*names):
    return [Path(name) for name in names]


@pytest.mark.parametrize(
    ("case", "label_map"),
    [
        ("img0001", "label0001.nii.gz"),
        ("volume-3", "segmentation-3.nii"),
        ("liver_2", "liver_2_seg.nii.gz"),
        ("case", "case.seg.nrrd"),
        ("s0011_ct", "s0011-labels.nii.gz"),
        ("ct_train_1001_image", "ct_train_1001_label.nii.gz"),
        ("PANCREAS_0001", "label0001.nii.gz"),
        ("Patient 7", "Mask_007.nrrd"),
        ("amos_0001", "AMOS-1.nii.gz"),
    ],
)
def test_known_other_names_pair(case, label_map):
    others = ["label0002.nii.gz", "unrelated_99.nii.gz"]
    found = likely_pairs([case, "further_5", "elsewhere"], paths(label_map, *others))
    assert found == {case: Path(label_map)}


def test_names_that_could_mean_several_are_left_alone():
    assert likely_pairs(["a_1", "b_1"], paths("label1.nii.gz")) == {}
    assert likely_pairs(["a_1"], paths("label1.nii.gz", "segmentation-1.nii.gz")) == {}
    assert likely_pairs(["a"], paths("b.nii.gz")) == {}


@given(st.lists(st.integers(0, 9999), unique=True, max_size=20), st.randoms())
def test_every_number_finds_its_own_in_whichever_order(numbers, random):
    label_maps = [f"segmentation-{number}.nii" for number in numbers]
    random.shuffle(label_maps)
    found = likely_pairs([f"volume-{number}" for number in numbers], paths(*label_maps))
    wanted = {f"volume-{number}": Path(f"segmentation-{number}.nii") for number in numbers}
    assert list(found.items()) == list(wanted.items())


def test_words_for_images_and_label_maps_are_no_part_of_a_name():
    assert key("volume-3") == key("segmentation-03") == (3,)
    assert key("CT_liver_2.seg") == ("liver", 2)


def test_the_preferred_format_and_the_nearest_name_go_first(tmp_path):
    for name in ("a.nrrd", "a.nii.gz", "a_0000.mha", "._a.nii.gz", "b_0000.nii", "notes.txt"):
        (tmp_path / name).touch()
    label_maps = by_name(label_maps_in(tmp_path, apart_from=[tmp_path / "b_0000.nii"]))
    assert label_map_of(Path("a_0000.nii.gz"), label_maps).name == "a.nii.gz"
    assert label_map_of(Path("b_0000.nii"), label_maps) is None
    assert label_maps_in(tmp_path / "none") == []


@pytest.mark.parametrize(
    ("files", "label_map"),
    [
        (["a.dcm"], "a.dcm"),
        (["a.seg.nrrd"], "a.seg.nrrd"),
        (["a/liver.nii.gz", "a/spleen.nii.gz"], "a"),
        (["a/ct.nii.gz", "a/segmentations/liver.nii.gz"], "a/segmentations"),
        (["a/segmentation.dcm"], "a/segmentation.dcm"),
        (["a/segmentations/any.dcm"], "a/segmentations/any.dcm"),
        (["a/one.dcm", "a/two.dcm"], "a"),
        (["a/liver.nii.gz", "a.dcm"], "a.dcm"),
        (["a.dcm", "a.seg.nrrd", "a.nrrd"], "a.nrrd"),
        (["a/a_seg.nii.gz"], "a/a_seg.nii.gz"),
        (["a/a_trans.nii.gz", "a/notes.txt"], "a/a_trans.nii.gz"),
        (["a/ct.nii.gz", "a/GT.nii.gz"], "a/GT.nii.gz"),
        (["a/segmentations/Segmentation-label.nrrd"], "a/segmentations/Segmentation-label.nrrd"),
        (["a/segmentations/a.nii.gz"], "a/segmentations/a.nii.gz"),
        (["a/by_anna.seg.nrrd"], "a/by_anna.seg.nrrd"),
        (["a/liver.nii.gz"], "a"),
        (["a/a_liver.nii.gz"], "a"),
        (["a/lung_vessels.nii.gz"], "a"),
        (["a/b_seg.nii.gz"], "a"),
        (["a/a_seg.nii.gz", "a/liver.nii.gz"], "a"),
        (["a/liver/image_0.dcm", "a/spleen/image_0.dcm"], "a"),
        (["a/liver_000.png", "a/liver_001.png"], "a"),
        (["a/notes.txt"], None),
        (["b/liver.nii.gz"], None),
    ],
)
def test_a_case_has_a_folder_of_masks_or_a_file_of_segments(lay, files, label_map):
    found = label_map_of(Path("a_0000.nii.gz"), by_name(label_maps_in(lay(*files))))
    assert found == (lay() / label_map if label_map else None)


def test_a_line_of_a_table_is_whole():
    line = table_line("a", Path("/x/a.nii.gz"), Path("/y/l.nii.gz"), "truth")
    assert line == "case\timage\ttruth\na\t/x/a.nii.gz\t/y/l.nii.gz"


def test_an_organ_that_a_folder_is_called_after_is_a_mask(lay):
    folder = lay("labels/spleen/spleen.nii.gz", "labels/liver_1/liver_1.nii.gz") / "labels"
    named = by_name(label_maps_in(folder))
    assert named == {"spleen": folder / "spleen", "liver_1": folder / "liver_1/liver_1.nii.gz"}
