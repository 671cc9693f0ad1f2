"""Partly labelled cohorts: shown organ by organ, and warned of where sources or scans lack what others have."""

import pandas as pd

from noisy_student.cohort.labelled_organs import as_text, in_words, labelled_by_case, partly_labelled
from noisy_student.organs import FLARE22, Organ

ORGANS = (Organ(1, "liver"), Organ(2, "spleen"), Organ(3, "aorta"))


def row(case, labels, source="A", role="labelled"):
    return {"case": case, "role": role, "source": source, "labels": labels}


def found(*rows, organs=ORGANS):
    return [finding.found for finding in partly_labelled(list(rows), organs)]


def test_each_organ_is_counted_by_role():
    cases = pd.DataFrame([
        {"case": "a", "role": "labelled", "label_map": "a.nii.gz", "labels": as_text([0, 1, 2])},
        {"case": "b", "role": "labelled", "label_map": "b.nii.gz", "labels": as_text([0, 1])},
        {"case": "c", "role": "labelled", "label_map": "c.nii.gz", "labels": None},
        {"case": "u", "role": "unlabelled", "label_map": None, "labels": "3"},
        {"case": "t", "role": "test", "label_map": "t.nii.gz", "labels": as_text([0, 1, 2, 3])},
    ])  # fmt: skip
    assert in_words(cases, ORGANS) == [
        "liver: labelled in 3 of 3 scans (present in 2), test 1 of 1",
        "spleen: labelled in 3 of 3 scans (present in 1), test 1 of 1",
        "aorta: labelled in 3 of 3 scans (present in 0), test 1 of 1",
    ]
    assert in_words(cases.assign(organs=["1 2", "1", "1", "", "1 2 3"]), ORGANS) == [
        "liver: labelled in 3 of 3 scans (present in 2), test 1 of 1",
        "spleen: labelled in 1 of 3 scans, test 1 of 1",
        "aorta: labelled in 0 of 3 scans, test 1 of 1",
    ]
    assert in_words(cases[3:4], ORGANS) == []


def test_sources_that_lack_an_organ_are_named_with_it():
    rows = [row("a", [0, 1, 2, 3]), row("b", [0, 1], "B"), row("c", [0, 3], "B"), row("d", [0, 1, 2, 3], "C")]
    rows += [row("t", [0, 1], "T", "test"), row("u", [0, 1], "U", "unlabelled")]
    assert found(*rows) == [
        "source B: spleen in none of 2 labelled scans, but in those of other sources",
        "source T: spleen, aorta in none of 1 test scans, but in those of other sources",
    ]
    rows[-2]["organs"] = [1]
    assert len(found(*rows)) == 1


def test_scans_with_few_of_their_sources_organs_are_named():
    """One folder of several clinics' scans, as of FLARE23: all organs, or one, or two."""
    kept = [[*range(14)], [0, 1], [0, 2, 13], [0, 4], [0, 1, 3]]
    said = found(*(row(f"case_{number}", labels) for number, labels in enumerate(kept)), organs=FLARE22)
    assert len(said) == 1 and said[0].startswith("source A: 4 of 5 labelled scans have less than half")
    assert said[0].endswith("case_1 (1 of 13), case_2 (2 of 13), case_3 (1 of 13), …")


def test_a_test_scan_with_few_organs_is_named_with_what_that_does_to_scores():
    rows = [row(f"t{number}", [*range(14)], role="test") for number in range(3)] + [row("few", [1, 3], role="test")]
    (warning,) = partly_labelled(rows, FLARE22)
    assert warning.found == "source A: 1 of 4 test scans have less than half of its organs: few (2 of 13)"
    assert "`organs`" in warning.remedy and "DSC 1" in warning.remedy


def test_an_organ_that_is_missing_here_and_there_is_no_trouble():
    """Taken out, cut off, or a tumour that few have."""
    assert found(row("a", [0, 1, 2, 3]), row("b", [0, 1, 2]), row("c", [0, 1, 3])) == []
    assert found(row("a", [0, 1]), row("b", [0, 1, 2]), organs=ORGANS[:2]) == []


def test_empty_label_maps_and_scans_without_are_not_compared():
    assert found(row("a", [0, 1, 2]), row("b", [0], "B"), row("c", [], "C"), {"case": "u", "role": "unlabelled"}) == []
    assert partly_labelled([], ORGANS) == []


def test_a_table_says_which_organs_are_labelled_or_all_are():
    cases = pd.DataFrame({"case": ["a", "b", "c"]})
    everything = frozenset((1, 2, 3))
    assert labelled_by_case(cases, [1, 2, 3]) == dict.fromkeys("abc", everything)
    for cells in (["1 3", "2", None], [1, 2, 3], [1.0, 2.0, None]):
        found = labelled_by_case(cases.assign(organs=cells), [1, 2, 3])
        assert found["b"] == {2} and found["a"] in ({1, 3}, {1}) and found["c"] in ({3}, everything)
