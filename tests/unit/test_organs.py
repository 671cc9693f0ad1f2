from itertools import combinations

import numpy as np
import pytest

from noisy_student.organs import (
    FLARE22,
    PALETTE,
    Organ,
    from_json,
    is_of_lesion,
    makes_another,
    organ_called,
    sided_pairs,
    table_errors,
    to_json,
    words_of,
)


def test_flare22s_table_is_one():
    assert table_errors(FLARE22) == []
    assert [(right.name, left.name) for right, left in sided_pairs(FLARE22)] == [
        ("right kidney", "left kidney"),
        ("right adrenal gland", "left adrenal gland"),
    ]


def test_a_table_comes_back_with_the_columns_that_were_handed_over():
    names = from_json(to_json(FLARE22, "label", "name", "left_twin"))
    assert sided_pairs(names) and table_errors(names) == []
    assert [organ.name for organ in names] == [organ.name for organ in FLARE22]
    assert {organ.tolerance_mm for organ in names} == {Organ(1, "any").tolerance_mm}


def test_what_is_not_given_is_filled_in():
    assert Organ(1, "lung").short == "lung"
    assert Organ(1, "lung").colour == Organ(len(PALETTE) + 1, "heart").colour == PALETTE[0]


def test_organs_called_as_flare22s_have_their_codes_and_colours():
    assert [organ.snomed for organ in FLARE22 if "kidney" in organ.name] == ["64033007 24028007", "64033007 7771000"]
    assert all(organ.snomed for organ in FLARE22) and Organ(1, "Liver").snomed == "10200004"
    assert Organ(1, "lung", snomed="39607008 7771000").snomed == "39607008 7771000" and not Organ(1, "lung").snomed
    assert organ_called("stomach", 2).colour == FLARE22[10].colour and organ_called("lung", 2).colour == PALETTE[1]
    assert table_errors([organ_called("stomach", 1), organ_called("lung", 2)]) == []


@pytest.mark.parametrize("snomed", ["liver", "10200004 10200004", "123"])
def test_what_is_no_code_is_refused(snomed):
    with pytest.raises(ValueError, match="snomed of liver must be a code"):
        Organ(1, "liver", snomed=snomed)


@pytest.mark.parametrize(
    ("organs", "said"),
    [
        ([Organ(1, "lung"), Organ(3, "heart")], "labels must be"),
        ([Organ(label, f"organ {label}") for label in range(1, 256)], "at most 254"),
        ([Organ(1, "background")], "label 0"),
        ([Organ(1, "right lung", left_twin="right lung")], "no other organ"),
        ([Organ(1, "kidney, left")], "'kidney, left' is no name for an organ"),
        ([Organ(1, 'the "other" kidney')], "quotation mark"),
        ([Organ(1, "lung\n")], "line break"),
        ([Organ(1, "--")], "letter or digit"),
        ([Organ(1, "ignore")], "are taken"),
        ([Organ(1, "liver", aliases=("foie",)), Organ(2, "spleen", aliases=("Foie",))], "liver and spleen share"),
        ([Organ(1, "left lung"), Organ(2, "lung", aliases=("Lung_L",))], "left lung and lung share"),
    ],
)
def test_what_is_wrong_with_a_table_is_said(organs, said):
    assert said in "; ".join(table_errors(organs))


def test_names_of_any_script_and_signs_are_no_error():
    names = ["vertebrae_L5", "肝臓", "左肾 (2)", "lobe left/right", "Niere <li>", "node 2R & $4$"]
    assert table_errors([Organ(label, name) for label, name in enumerate(names, 1)]) == []


# What each kind of colour blindness makes of linear RGB, in full severity: Machado et al., IEEE TVCG 15:1291, 2009.
VISIONS = {
    "normal": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
XYZ_OF_RGB = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]


def lab(colour, vision):
    """CIE 1976 L*a*b* (D65) of an sRGB colour as seen with a kind of vision."""
    srgb = np.array([int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)])
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    xyz = XYZ_OF_RGB @ np.clip(np.array(VISIONS[vision]) @ linear, 0, 1) / (0.9505, 1, 1.089)
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("vision", VISIONS)
def test_organs_are_told_apart_by_colour_blind_readers(vision):
    seen = {organ.name: lab(organ.colour, vision) for organ in FLARE22}
    apart = {pair: np.linalg.norm(seen[pair[0]] - seen[pair[1]]) for pair in combinations(seen, 2)}
    assert min(apart.values()) > 20, min(apart, key=apart.get)
    assert [organ.colour for organ in FLARE22][: len(PALETTE)] == list(PALETTE)


@pytest.mark.parametrize("name", ["Mass", "LiverMass", "masses_2", "Mass1", "Neoplasm, primary", "livertumor"])
def test_names_of_lesions(name):
    assert is_of_lesion(name)
    assert any(map(makes_another, words_of(name))) == (name != "livertumor")


def test_the_masseter_is_no_lesion():
    assert not is_of_lesion("Masseter_L") and not makes_another("masseter")
