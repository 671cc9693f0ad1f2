from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given

from noisy_student.cohort.label_volumes import VOLUMES, volume_findings, voxel_counts, whole_volumes_ml
from noisy_student.organs import FLARE22, Organ
from strategies import label_maps

OTHERS = (Organ(1, "left lung"), Organ(2, "heart"))


def rows(*volumes_ml, source="clinic", label=1):
    return [
        {"case": f"{source}_{number}", "source": source, VOLUMES: {label: volume}}
        for number, volume in enumerate(volumes_ml)
    ]


@given(label_maps())
def test_every_voxel_is_counted_once(label_map):
    counts = voxel_counts(label_map)
    assert counts.sum() == label_map.size
    assert np.flatnonzero(counts).tolist() == np.unique(label_map).tolist()


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.uint64])
def test_a_whole_organ_is_measured_and_a_cut_one_is_not(dtype):
    array = np.zeros((5, 6, 7), dtype)
    array[2:4, 2:4, 2:5], array[0, 3, 3], array[2, 2, 6] = 3, 1, 2
    image = sitk.GetImageFromArray(array)
    image.SetSpacing((10, 20, 5))
    assert whole_volumes_ml(image, voxel_counts(array)) == {3: 12.0}


def test_organs_that_are_as_large_as_they_may_be_or_absent_are_no_finding():
    plausible = [row for organ in FLARE22 for row in rows(*organ.volume_ml, label=organ.label)]
    assert volume_findings([*plausible, {"case": "x", "source": "clinic"}], FLARE22) == []


def test_an_adrenal_gland_taken_as_the_liver_in_all_scans_is_one_warning():
    (found,) = volume_findings(rows(9, 10, 11, 12, 8), FLARE22)
    assert found.severity == "warning" and found.found == "liver of 10 ml, the median of 5 scans of clinic"
    assert found.wanted == "liver of 150 to 6000 ml"


def test_single_scans_are_counted_and_three_of_them_named_source_by_source():
    found = volume_findings([*rows(*[1500] * 9, 1, 2, 3, 4), *rows(1500, source="other")], FLARE22)
    assert [finding.found for finding in found] == [
        "liver of absurd volume in 4 of 13 scans of clinic: 1 ml in clinic_9, 2 ml in clinic_10, 3 ml in clinic_11"
    ]


def test_organs_without_a_range_are_held_to_their_source_s_median_from_five_scans_on():
    assert volume_findings(rows(100, 100, 100, 900), OTHERS) == []
    assert volume_findings(rows(100, 100, 100, 100, 790), OTHERS) == []
    (found,) = volume_findings(rows(100, 100, 100, 100, 12), OTHERS)
    assert "12 ml in clinic_4" in found.found and found.wanted == "left lung of 12.5 to 800 ml"
    assert volume_findings(rows(100, 100, 100, 100, 12), [replace(OTHERS[0], volume_ml=(1, 900))]) == []


def test_a_range_is_two_numbers_in_order():
    with pytest.raises(ValueError, match="volume_ml"):
        Organ(1, "liver", volume_ml=(10, 5))
