"""Names of masks without what all of a case's have in common, as programs and persons write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noisy_student.organs import makes_another, plain
from noisy_student.reading.mask_names import called

ORGANS = ("liver", "spleen", "left kidney", "right kidney", "left adrenal gland", "aorta", "A_Aorta")


def is_organ(name):
    return plain(name) in map(plain, ORGANS)


@pytest.mark.parametrize(
    ("names", "wanted", "cut"),
    [
        # dcmrtstruct2nii: blanks become hyphens, other signs go; from version 5 on with the number of the region.
        ("mask_Liver mask_Left-Kidney mask_BODY", "Liver Left-Kidney BODY", "mask"),
        ("mask_1-Liver mask_7-Kidney_L mask_12-BODY", "Liver Kidney_L BODY", "mask"),
        # platipy's default, and what persons write.
        ("Struct_Liver Struct_Kidney_R Struct_Heart", "Liver Kidney_R Heart", "struct"),
        ("Liver_seg Aorta_seg", "Liver Aorta", "seg"),
        ("ct_liver ct_spleen ct_portal_vein_and_splenic_vein", "liver spleen portal_vein_and_splenic_vein", "ct"),
        ("seg_liver_dixon seg_kidney_left_dixon", "liver kidney_left", "seg dixon"),
        ("p0_liver p0_adrenal_gland_left", "liver adrenal_gland_left", "p0"),
        ("maskLiver maskSpleen", "Liver Spleen", "mask"),
        ("002_liver 002_spine_filled", "liver spine_filled", ""),
        # As few words as it takes: what both kidneys have in common is their name.
        ("mask_kidney_left mask_kidney_right", "kidney_left kidney_right", "mask"),
        ("kidney_left_seg kidney_right_seg", "kidney_left kidney_right", "seg"),
        ("mask_1-Left-Kidney mask_2-Right-Kidney", "Left-Kidney Right-Kidney", "mask"),
        ("mask_A_Aorta mask_A_Spleen", "A_Aorta A_Spleen", "mask"),
        # Of a name alone only words for masks, and numbers.
        ("mask_Liver", "Liver", "mask"),
        ("mask_3-Liver", "Liver", "mask"),
    ],
)
def test_what_all_names_have_in_common_is_cut_off(names, wanted, cut):
    found = called(names.split(), is_organ)
    assert (found.names, found.cut) == (wanted.split(), tuple(cut.split()))


@pytest.mark.parametrize(
    "names",
    [
        "liver spleen",
        "mask_liver mask_spleen aorta",
        "A_Aorta A_Liver A_Spleen",
        "mask_liver mask_spleen dose_interpolated",
        "tumor_liver tumor_spleen",
        "liver_lesion spleen_lesion",
        "Metastases_liver Metastases_spleen",
        "kidney_left_cyst kidney_right_cyst",
        "PTV_liver PTV_spleen",
        "liver_vessels spleen_vessels",
        "kidney_left_medulla kidney_right_medulla",
        "left_liver left_spleen",
        "mask_left mask_right",
        "liver_vessels",
        "Struct_rot",
        "mask",
        "1 2 3",
        "__ liver_x",
        "",
    ],
)
def test_names_stay_where_one_is_an_organs_or_a_word_says_more(names):
    names = names.split()
    found = called(names, is_organ)
    assert (found.names, found.cut) == (names, ())


def test_a_side_that_all_have_stays_with_each():
    found = called(["mask_left_kidney", "mask_left_adrenal_gland"], is_organ)
    assert found.names == ["left_kidney", "left_adrenal_gland"]


def test_brackets_around_what_stays_are_kept():
    found = called(["mask_kidney (left)", "mask_spleen"], is_organ)
    assert found.names == ["kidney (left)", "spleen"]


WORDS = st.lists(st.sampled_from(["mask", "x", "kidney", "left", "tumor", "7"]), min_size=1, max_size=4)


@given(st.lists(WORDS.map("_".join), min_size=1, max_size=4))
def test_each_name_keeps_its_place_its_end_and_every_word_that_says_more(names):
    found = called(names, is_organ)
    assert len(found.names) == len(names)
    for name, shorter in zip(names, found.names, strict=True):
        assert shorter and shorter in name
        telling = [word for word in name.split("_") if makes_another(word)]
        assert [word for word in shorter.split("_") if makes_another(word)] == telling
