"""The embedded cohort's files: layout, names, grids, reproducibility, and bodies around given label maps."""

import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from make_cohort import Case, files_of, list_cases, main, make_case, make_cohort, parse_arguments, variation_of
from noisy_student.cohort.scans import embedded_folders, find_scans
from noisy_student.embedded.phantom import Phantom, make_phantom
from noisy_student.embedded.variation import BROAD, NARROW
from noisy_student.errors import InputError
from noisy_student.geometry import Geometry, orientation, reorient
from noisy_student.images import read_image, write_image
from noisy_student.organs import FLARE22

REAL_LABEL_MAPS = Path(__file__).parents[4] / "shared" / "data" / "flare22_labels"
ONE_EACH = {"labelled": 1, "unlabelled": 1, "validation": 1, "test": 1}
COARSE = {"in_plane_mm": (6, 6), "slice_mm": (6, 6)}


@cache
def phantom(role: str, number: int) -> Phantom:
    return make_phantom(Case(role, number).rng(1), variation_of(role, 1.0))


def hu_where(found: Phantom, label: int) -> np.ndarray:
    scan, labels = (sitk.GetArrayFromImage(image) for image in (found.scan, found.label_map))
    return scan[labels == label]


@pytest.fixture(scope="module")
def cohort(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("cohort")
    list(make_cohort(list_cases(ONE_EACH), folder, seed=1, strength=1.0, cores=1))
    return folder


def test_the_layout_is_that_of_flare22(cohort):
    files = {str(path.relative_to(cohort)) for path in cohort.rglob("*") if path.is_file()}
    assert files == {
        "Training/FLARE22_LabeledCase50/images/FLARE22_Tr_0001_0000.nii.gz",
        "Training/FLARE22_LabeledCase50/labels/FLARE22_Tr_0001.nii.gz",
        "Training/FLARE22_UnlabeledCase2000/Case_00001_0000.nii.gz",
        "Truth/Case_00001.nii.gz",
        "Validation/images/FLARETs_0001_0000.nii.gz",
        "Validation/labels/FLARETs_0001.nii.gz",
        "Test/images/FLARETest_0001_0000.nii.gz",
        "Test/labels/FLARETest_0001.nii.gz",
    }


def test_scans_and_label_maps_share_a_grid_and_have_their_types(cohort):
    scan = read_image(cohort / "Training/FLARE22_UnlabeledCase2000/Case_00001_0000.nii.gz")
    truth = read_image(cohort / "Truth/Case_00001.nii.gz")
    assert scan.GetPixelID() == sitk.sitkInt16 and truth.GetPixelID() == sitk.sitkUInt8
    assert not Geometry.of(scan).differences(Geometry.of(truth))


def test_a_case_does_not_depend_on_the_others(cohort, tmp_path):
    make_case(Case("test", 1), tmp_path, seed=1, strength=1.0)
    name = "Test/images/FLARETest_0001_0000.nii.gz"
    again, before = read_image(tmp_path / name), read_image(cohort / name)
    assert np.array_equal(sitk.GetArrayFromImage(again), sitk.GetArrayFromImage(before))
    assert not Geometry.of(again).differences(Geometry.of(before))
    few, many = list_cases(ONE_EACH), list_cases({**ONE_EACH, "labelled": 9})
    assert set(few) < set(many)


@pytest.mark.parametrize(("option", "scans"), [([], 3), (["--remove-others"], 1)])
def test_of_a_larger_cohort_nothing_stays_where_it_shall_not(tmp_path, monkeypatch, option, scans):
    def made(case, folder, seed, strength):
        for path in files_of(case, folder):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{seed}")
        return case.role

    monkeypatch.setattr("make_cohort.make_case", made)
    foreign = [tmp_path / "Test/labels" / name for name in ("FLARETest_0002.txt", "FLARETest_02.nii.gz", "notes")]
    foreign[0].parent.mkdir(parents=True)
    [path.touch() for path in foreign]
    for words in (["--test", "3"], ["--test", "1", "--seed", "2", *option]):
        counts = ["--labelled", "1", "--unlabelled", "1", "--validation", "1"]
        monkeypatch.setattr(sys, "argv", ["make_cohort.py", "--output", str(tmp_path), *counts, *words])
        main()
    for path in foreign:
        path.unlink()
    found = {scan.image.name: scan.image.read_text() for scan in find_scans(embedded_folders(tmp_path))}
    tests = [f"FLARETest_{number:04}_0000.nii.gz" for number in range(1, scans + 1)]
    assert [name for name in found if name.startswith("FLARETest")] == tests
    assert len(list((tmp_path / "Test/labels").iterdir())) == scans
    assert len(found) == 3 + scans and found[tests[0]] == "2"


def test_seeds_roles_and_numbers_give_different_generators():
    draws = {
        Case(role, number).rng(seed).integers(1 << 62) for role in ONE_EACH for number in (1, 2) for seed in (1, 2)
    }
    assert len(draws) == 16


@pytest.mark.parametrize(("role", "number"), [("labelled", 1), ("unlabelled", 1), ("test", 1)])
def test_organs_are_as_bright_as_tissue_in_the_body(role, number):
    assert 20 < np.median(hu_where(phantom(role, number), 1)) < 150
    assert np.median(hu_where(phantom(role, number), 5)) > 20
    assert np.median(hu_where(phantom(role, number), 9)) < 60
    scan = sitk.GetArrayFromImage(phantom(role, number).scan)
    assert scan.min() < -950 and 250 < scan.max() < 1500


def test_labelled_scans_are_all_in_the_portal_venous_phase():
    assert all(130 < np.median(hu_where(phantom("labelled", number), 5)) < 180 for number in (1, 2))


def test_grids_are_small_and_stored_as_flare22_does():
    scans = [phantom("labelled", number).scan for number in (1, 2)]
    assert {orientation(scan.GetDirection()) for scan in scans} == {"RAS"}
    for x, y, z in (scan.GetSize() for scan in scans):
        assert 85 <= x <= 125 and 60 <= y <= 95 and 40 <= z <= 60


def test_stored_in_ras_or_lps_left_stays_left():
    for letters, share in (("LPS", 1.0), ("RAS", 0.0)):
        variation = type(NARROW)(**{**vars(NARROW), **COARSE, "lps": share})
        label_map = make_phantom(np.random.default_rng(0), variation).label_map
        assert orientation(label_map.GetDirection()) == letters
        statistics = sitk.LabelShapeStatisticsImageFilter()
        statistics.Execute(label_map)
        assert statistics.GetCentroid(2)[0] < 0 < statistics.GetCentroid(13)[0]


def test_cropped_scans_lack_slices_but_no_organ():
    whole, cropped = (
        make_phantom(np.random.default_rng(3), type(BROAD)(**{**vars(BROAD), **COARSE, "cropped": share}))
        for share in (0.0, 1.0)
    )
    assert cropped.scan.GetSize()[2] < whole.scan.GetSize()[2]
    assert set(np.unique(sitk.GetArrayFromImage(cropped.label_map))) == {0, *(organ.label for organ in FLARE22)}


@pytest.fixture(scope="module")
def label_maps(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("label_maps")
    for number in range(4):
        write_image(phantom("labelled", 1).label_map, folder / f"FLARE22_Tr_{number + 1:04}.nii.gz")
    return folder


def test_each_label_map_is_used_once(label_maps):
    cases = list_cases(ONE_EACH, label_maps)
    assert [case.label_map.name for case in cases] == sorted(path.name for path in label_maps.iterdir())


def test_too_few_label_maps_are_an_error_that_names_both_numbers(label_maps):
    with pytest.raises(InputError, match=r"each of 5 scans[\s\S]*4 files"):
        list_cases({**ONE_EACH, "test": 2}, label_maps)


def test_a_body_is_painted_around_a_label_map(label_maps):
    source = read_image(next(iter(sorted(label_maps.iterdir()))))
    painted = make_phantom(np.random.default_rng(0), NARROW, source)
    before, after = (volumes_ml(image) for image in (source, painted.label_map))
    assert np.allclose(after[[1, 2, 3, 11, 13]], before[[1, 2, 3, 11, 13]], rtol=0.12)
    assert (after[1:] > 0).all()
    assert 95 < np.median(hu_where(painted, 1)) < 125
    edge = sitk.GetArrayFromImage(reorient(painted.scan, "LPS"))[:, [0, -1]]
    assert np.median(edge) < -900


def test_a_label_map_without_kidneys_is_an_error_that_names_the_file(tmp_path):
    write_image(sitk.Image((20, 20, 20), sitk.sitkUInt8), tmp_path / "empty.nii.gz")
    with pytest.raises(InputError, match=r"kidney[\s\S]*empty\.nii\.gz"):
        make_case(Case("test", 1, tmp_path / "empty.nii.gz"), tmp_path, seed=1, strength=1.0)


@pytest.mark.skipif(not REAL_LABEL_MAPS.is_dir(), reason=f"FLARE22's label maps are not at {REAL_LABEL_MAPS}")
def test_a_body_is_painted_around_a_real_label_map():
    source = read_image(REAL_LABEL_MAPS / "FLARE22_Tr_0001.nii.gz")
    painted = make_phantom(np.random.default_rng(0), NARROW, source)
    before, after = volumes_ml(source), volumes_ml(painted.label_map)
    assert np.allclose(after[[1, 3, 5, 11]], before[[1, 3, 5, 11]], rtol=0.12)


def volumes_ml(label_map: sitk.Image) -> np.ndarray:
    counts = np.bincount(sitk.GetArrayFromImage(label_map).ravel(), minlength=14)
    return counts * np.prod(label_map.GetSpacing()) / 1000


def test_the_command_line_has_the_documented_defaults():
    asked = parse_arguments(["--output", "somewhere"])
    assert (asked.seed, asked.labelled, asked.unlabelled, asked.validation, asked.test) == (1, 6, 32, 4, 10)
    assert asked.label_maps is None and asked.cores == 1 and asked.variation == 1
