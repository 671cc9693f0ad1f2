import pytest
from hypothesis import given
from hypothesis import strategies as st

from noisy_student.cohort.organ_names import ALIASES, OrganNames, is_known, organ_of
from noisy_student.organs import FLARE22, Organ

# In FLARE22's order: TotalSegmentator, AbdomenAtlas, AMOS22's dataset.json, BTCV, its short forms.
OTHERS = [
    "liver kidney_right spleen pancreas aorta inferior_vena_cava adrenal_gland_right adrenal_gland_left gallbladder "
    "esophagus stomach duodenum kidney_left",
    "liver kidney_right spleen pancreas aorta postcava adrenal_gland_right adrenal_gland_left gall_bladder esophagus "
    "stomach duodenum kidney_left",
    "liver right_kidney spleen pancreas arota postcava right_adrenal_gland left_adrenal_gland gall_bladder esophagus "
    "stomach duodenum left_kidney",
    "Liver Right-Kidney Spleen Pancreas Aorta Inferior.Vena.Cava RightAdrenalGland LeftAdrenalGland Gallbladder "
    "Esophagus Stomach Duodenum LeftKidney",
    "liv rkid spl pancreas aor IVC rag lag gall eso sto duo lkid",
]


@pytest.mark.parametrize("names", OTHERS)
def test_names_of_public_data_sets_are_those_of_flare22(names):
    assert [organ_of(name) for name in names.split()] == [organ_of(organ.name) for organ in FLARE22]
    assert all(is_known(organ.short) and organ_of(organ.short) == organ_of(organ.name) for organ in FLARE22)


@given(st.sampled_from(sorted(ALIASES)), st.sampled_from(("_", "-", " ", ".", "__")), st.randoms())
def test_case_separators_and_the_place_of_the_side_do_not_matter(name, separator, random):
    words = name.split()
    if words[0] in ("left", "right"):
        side = random.choice((words[0], words[0][0], words[0][0].upper()))
        words = random.choice(([side, *words[1:]], [*words[1:], side]))
    written = separator.join(random.choice((str.upper, str.title, str.lower))(word) for word in words)
    assert organ_of(written) == organ_of(name) and is_known(written)


@pytest.mark.parametrize(
    ("name", "organ"),
    [
        ("Inferior Vena Cava (IVC)", "inferior vena cava"),
        ("right adrenal gland (RAG)", "right adrenal gland"),
        ("Kidney (left)", "left kidney"),
        ("liver (tumour)", ""),
        ("liver (spleen)", ""),
    ],
)
def test_a_short_form_in_parentheses_is_one_more_name_and_anything_else_is_another_structure(name, organ):
    assert is_known(name) == bool(organ)
    assert not organ or organ_of(name) == organ_of(organ)


def test_no_two_organs_share_a_name_and_unknown_ones_are_themselves():
    assert len({organ_of(name) for name in ALIASES}) == len(ALIASES)
    assert organ_of("Segment_1") == organ_of("segment 1") and not is_known("Segment_1")
    assert organ_of("right lung") != organ_of("left lung")


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("Kidney Left", 13), ("LEFT_KIDNEY", 13), ("kidney (L)", 13), ("lt. kidney", 13), ("Kidney Lt", 13),
        ("kidney (R)", 2), ("RtKidney", 2), ("V_Venacava_I", 6), ("Glnd_Adrenal_L", 8), ("GallBladder", 9),
        ("kidney", None), ("bladder", None), ("kidney_cyst_left", None),
    ],
)  # fmt: skip
def test_a_name_has_the_label_of_the_organ_that_it_means(name, label):
    assert OrganNames(FLARE22).rank(name) == label


@pytest.mark.parametrize("name", ["LAD", "A_LAD", "RAD", "PAN", "L_AD"])
def test_a_short_form_that_means_something_else_to_radiotherapy_is_no_organ(name):
    assert OrganNames(FLARE22).rank(name) is None and not is_known(name)


def test_a_tables_own_names_go_before_what_is_known_of_others():
    meaning = OrganNames(
        [Organ(1, "Leber", aliases=("foie", "Liver lobes")), Organ(2, "vena cava"), Organ(3, "spleen")]
    )
    assert [meaning.rank(name) for name in ("FOIE", "liver_lobes", "postcava", "SPL", "liver", "heart")] == [
        1, 1, 2, 3, None, None,
    ]  # fmt: skip
    assert meaning.is_known("foie") and meaning.is_known("heart") and not meaning.is_known("rate")
