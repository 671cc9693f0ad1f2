"""Corrected label maps: round trips through other programs' formats, checks as of hand labels, whose counts."""

from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk
import slicerio

from conftest import script
from noisy_student.cohort.case_checks import Standard
from noisy_student.configuration.corrections import Corrections
from noisy_student.correct.changes import agreement, changes, read_labels
from noisy_student.correct.checked import check_corrections
from noisy_student.correct.table import CHANGED, CONFIRMED, corrections_of
from noisy_student.errors import InputError
from noisy_student.images import write_image
from noisy_student.organs import FLARE22
from noisy_student.reading.door import checksum, read_scan
from noisy_student.tables import read_table, write_table
from noisy_student.writing import slicer
from noisy_student.writing.segmentation import Segmentation
from segmentation_files import by_dcmqi, by_slicerio, write_ct

LABELS = {organ.label: organ.name for organ in FLARE22}
SIZE_ZYX = (8, 12, 10)
SPLEEN, AORTA = 3, 5


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """A CT series of each case, and its row of the case table."""
    folder = tmp_path_factory.mktemp("scans")
    random = np.random.default_rng(1)
    roles = {"a": "unlabelled", "b": "unlabelled", "tested": "test", "mine": "labelled"}
    for case in roles:
        write_ct(folder / case, random.integers(-900, 900, SIZE_ZYX), spacing_mm_xyz=(0.8, 0.9, 2.5))
    images = [folder / case for case in roles]
    rows = {"case": roles.keys(), "role": roles.values(), "image": map(str, images), "sha256": map(checksum, images)}
    return pd.DataFrame({name: list(values) for name, values in rows.items()})


def image_of(cohort, case):
    return read_scan(Path(cohort.set_index("case").image[case])).image


def handed_out(cohort, case="a"):
    """A pseudo-label with four organs."""
    labels = np.zeros(SIZE_ZYX, np.uint8)
    for label, start in zip((1, 2, SPLEEN, AORTA), range(0, 8, 2), strict=True):
        labels[1:7, start : start + 2, 2:8] = label
    image = sitk.GetImageFromArray(labels)
    image.CopyInformation(image_of(cohort, case))
    return image


def edited(image):
    """As a person corrects it: a piece of the spleen taken away, some of the aorta added, in two slices."""
    labels = sitk.GetArrayFromImage(image)
    labels[3, 4:6, 2:5] = 0
    labels[4, 10, 2:8] = AORTA
    result = sitk.GetImageFromArray(labels)
    result.CopyInformation(image)
    return result


def by_snap(path, image, tmp_path):
    """ITK-SNAP reads a NIfTI and writes it anew, as 16-bit numbers under a header of its own."""
    sitk.WriteImage(image, str(tmp_path / "in.nii.gz"))
    given = nibabel.load(tmp_path / "in.nii.gz")
    nibabel.save(nibabel.Nifti1Image(np.asarray(given.dataobj).astype(np.int16), given.affine), path)


def by_slicer(path, image, tmp_path):
    """3D Slicer reads what is handed out, and writes segments with its own names of fields, cut to what is drawn."""
    slicer.write(Segmentation(image, FLARE22, "a model"), tmp_path / "in.seg.nrrd")
    given = slicerio.read_segmentation(str(tmp_path / "in.seg.nrrd"))
    voxels = given["voxels"].T
    masks = {each["name"]: voxels[1:7, :11, 2:8] == each["labelValue"] for each in given["segments"]}
    by_slicerio(path, {name: mask for name, mask in masks.items() if mask.any()}, image, start_xyz=(2, 0, 1))


def checked(folder, cohort, tmp_path, **settings):
    given = Corrections(folder=folder, **settings)
    standard = Standard(FLARE22, tmp_path / "written")
    handed_out = tmp_path / "pseudo_labels"
    return check_corrections(folder / "round_1", 1, cohort, given, standard, handed_out, tmp_path / "written", 1)


def write(folder, name, image):
    (folder / "round_1").mkdir(parents=True, exist_ok=True)
    write_image(image, folder / "round_1" / name)


@pytest.mark.parametrize("program", ["a.nii.gz", "a.seg.nrrd", "a.dcm"])
def test_an_edit_in_another_program_changes_exactly_the_edited_voxels(cohort, tmp_path, program):
    before, after = handed_out(cohort), edited(handed_out(cohort))
    folder = tmp_path / "corrections"
    path = folder / "round_1" / program
    path.parent.mkdir(parents=True)
    if program == "a.dcm":
        sitk.WriteImage(after, str(tmp_path / "drawn.nrrd"))
        present = {label: LABELS[label] for label in (1, 2, SPLEEN, AORTA)}
        by_dcmqi(path, Path(cohort.image[0]), tmp_path / "drawn.nrrd", present, "--skip")
        path.with_suffix(".json").unlink()
    else:
        (by_snap if program == "a.nii.gz" else by_slicer)(path, after, tmp_path)
    table, findings = checked(folder, cohort, tmp_path)
    assert [finding for finding in findings if finding.severity == "error"] == []
    assert table.case.tolist() == ["a"] and table.is_used.tolist() == ["yes"]
    labels, voxel_ml = read_labels(tmp_path / "written/a.nii.gz")
    expected = sitk.GetArrayFromImage(before) != sitk.GetArrayFromImage(after)
    assert ((labels != sitk.GetArrayFromImage(before)) == expected).all()
    assert (labels == sitk.GetArrayFromImage(after)).all()
    found = changes(sitk.GetArrayFromImage(before), labels, voxel_ml, FLARE22, LABELS).set_index("label")
    assert voxel_ml == pytest.approx(0.8 * 0.9 * 2.5 / 1000)
    assert found.voxels[found.voxels > 0].to_dict() == {SPLEEN: 6, AORTA: 6}
    assert found.removed_ml[SPLEEN] == pytest.approx(6 * voxel_ml) and found.added_ml[SPLEEN] == 0
    assert found.added_ml[AORTA] == pytest.approx(6 * voxel_ml) and found.slices[[SPLEEN, AORTA]].tolist() == [1, 1]


def test_whose_correction_counts_is_said_or_the_run_stops(cohort, tmp_path):
    folder = tmp_path / "corrections"
    write(folder, "a__anna.nii.gz", handed_out(cohort))
    write(folder, "a__ben.nii.gz", edited(handed_out(cohort)))
    write(folder, "b__ben.nii.gz", handed_out(cohort, "b"))
    _, findings = checked(folder, cohort, tmp_path)
    assert [(each.case, each.found) for each in findings] == [("a", "corrections by anna and ben")]
    assert "readers" in findings[0].remedy
    table, findings = checked(folder, cohort, tmp_path, readers=["ben", "anna"])
    assert findings == []
    assert dict(zip(table.case + table.reader, table.is_used, strict=True)) == {
        "aanna": "no",
        "aben": "yes",
        "bben": "yes",
    }


@pytest.mark.parametrize(
    ("name", "said", "remedy"),
    [
        ("tested.nii.gz", "tested is a test scan", "nothing is ever learned from it"),
        ("mine.nii.gz", "mine is a labelled scan", "correct that one"),
        ("nobody.nii.gz", "nobody is no case of the case table", "round_<k>/<case>"),
    ],
)
def test_only_pseudo_labels_are_corrected(cohort, tmp_path, name, said, remedy):
    write(tmp_path / "corrections", name, handed_out(cohort))
    table, (finding,) = checked(tmp_path / "corrections", cohort, tmp_path)
    assert table.empty and finding.severity == "error" and finding.found == said and remedy in finding.remedy


def test_two_files_of_one_scan_are_one_too_many(cohort, tmp_path):
    write(tmp_path / "corrections", "a.nii.gz", handed_out(cohort))
    write(tmp_path / "corrections", "a.mha", handed_out(cohort))
    _, findings = checked(tmp_path / "corrections", cohort, tmp_path)
    assert [finding.severity for finding in findings] == ["error"] and "of the same scan" in findings[0].found


def test_a_label_map_of_another_grid_or_with_unknown_numbers_is_refused(cohort, tmp_path):
    write(tmp_path / "corrections", "a.nii.gz", handed_out(cohort)[:-1])
    write(tmp_path / "corrections", "b.nii.gz", handed_out(cohort, "b") * 40)
    table, findings = checked(tmp_path / "corrections", cohort, tmp_path)
    assert table.empty and {finding.severity for finding in findings} == {"error"}
    assert any("differ" in each.found for each in findings) and any("labels [" in each.found for each in findings)


def test_remedies_are_those_of_corrections_not_of_a_cohort(cohort, tmp_path):
    folder = tmp_path / "corrections"
    write(folder, "a.nii.gz", handed_out(cohort) * 40)
    write(folder, "b/b.nii.gz", handed_out(cohort, "b"))
    write(folder, "b/b_scan.nii.gz", image_of(cohort, "b"))
    _, findings = checked(folder, cohort, tmp_path)
    errors = [finding for finding in findings if finding.severity == "error"]
    assert {finding.case for finding in errors} == {"a", "b"}
    assert all(finding.remedy.startswith("give back the label map that was handed out") for finding in errors)
    (folder / "round_1/a.nii.gz").write_bytes(b"")
    _, findings = checked(folder, cohort, tmp_path)
    assert all("cohort" not in finding.remedy for finding in findings)


def test_of_organs_that_were_not_corrected_nothing_is_taken(cohort, tmp_path):
    write(tmp_path / "corrections", "a.nii.gz", edited(handed_out(cohort)))
    table, findings = checked(tmp_path / "corrections", cohort, tmp_path, organs=["spleen"])
    assert table.organs.tolist() == [str(SPLEEN)] and findings[0].severity == "warning"
    labels, _ = read_labels(tmp_path / "written/a.nii.gz")
    assert set(np.unique(labels)) == {0, SPLEEN}


def test_of_a_file_alone_a_table_says_which_organs_were_corrected(cohort, tmp_path):
    folder = tmp_path / "corrections"
    for name in ("a__anna.nii.gz", "a__ben.nii.gz", "b.nii.gz"):
        write(folder, name, handed_out(cohort, name[0]))
    rows = "a\tanna\tspleen, liver\na\tben\tliver, right kidney\nb\t\t\n"
    (folder / "round_1/organs.tsv").write_text(f"case\treader\torgans\n{rows}")
    table, findings = checked(folder, cohort, tmp_path, readers=["anna"], organs=["aorta"])
    assert errors_of(findings) == []
    assert table.organs.tolist() == ["1 3", "1 2", "5"]
    labels = [read_labels(Path(path))[0] for path in table.label_map]
    assert [set(np.unique(each)) for each in labels] == [{0, 1, 3}, {0, 1, 2}, {0, 5}]
    # Readers are compared where both have looked.
    by_reader = {"anna": (labels[0], {1, 3}), "ben": (labels[1], {1, 2})}
    assert [(row["organ"], row["DSC"]) for row in agreement(by_reader, FLARE22)] == [("liver", 1)]


def given_back(cohort, tmp_path, name, labels, **settings):
    """The findings where this is given back of `a`, whose pseudo-label is there: as a file, or as named segments."""
    write_image(handed_out(cohort), tmp_path / "pseudo_labels/a.nii.gz")
    image = sitk.GetImageFromArray(labels)
    image.CopyInformation(handed_out(cohort))
    write(tmp_path / "corrections", name, image)
    if name.endswith(".seg.nrrd"):
        named = settings.pop("named", FLARE22)
        slicer.write(Segmentation(image, named, "a person"), tmp_path / "corrections/round_1" / name)
    return checked(tmp_path / "corrections", cohort, tmp_path, **settings)


def errors_of(findings):
    return [finding.found for finding in findings if finding.severity == "error"]


@pytest.mark.parametrize("settings", [{}, {"organs": ["spleen"]}])
def test_the_mask_of_one_organ_is_not_taken_for_the_first_one(cohort, tmp_path, settings):
    labels = sitk.GetArrayFromImage(handed_out(cohort))
    _, findings = given_back(cohort, tmp_path, "a.nii.gz", (labels == SPLEEN).astype(np.uint8), **settings)
    assert errors_of(findings)[0].endswith("handed out: spleen (3) is 1 (liver)")


def test_an_export_that_counts_its_segments_anew_is_refused_and_names_are_believed(cohort, tmp_path):
    labels = sitk.GetArrayFromImage(handed_out(cohort))
    counted = np.searchsorted([0, 2, SPLEEN, AORTA], labels * (labels > 1)).astype(np.uint8)
    _, findings = given_back(cohort, tmp_path, "a.nii.gz", counted)
    assert "spleen (3) is 2 (right kidney), aorta (5) is 3 (spleen)" in errors_of(findings)[0]
    (tmp_path / "corrections/round_1/a.nii.gz").unlink()
    assert errors_of(given_back(cohort, tmp_path, "a.seg.nrrd", counted)[1]) == []


@pytest.mark.parametrize("own", ["b_ColorTable.ctbl", "Segmentation_ColorTable.ctbl"])
def test_a_colour_table_names_the_numbers_of_its_own_label_map_alone(cohort, tmp_path, own):
    """That of one person's export from 3D Slicer lies in the folder where all others' corrections lie."""
    anew = {1: "right kidney", 2: "spleen", 3: "aorta"}
    lines = "".join(f"{number} {name.replace(' ', '_')} 10 20 30 255\n" for number, name in anew.items())
    labels = sitk.GetArrayFromImage(handed_out(cohort))
    write_image(handed_out(cohort, "b"), tmp_path / "pseudo_labels/b.nii.gz")
    counted = sitk.GetImageFromArray(np.searchsorted([0, 2, SPLEEN, AORTA], labels * (labels > 1)).astype(np.uint8))
    counted.CopyInformation(handed_out(cohort, "b"))
    write(tmp_path / "corrections", "b.nii.gz", counted)
    (tmp_path / "corrections/round_1" / own).write_text(f"# Color table file\n{lines}")
    table, findings = given_back(cohort, tmp_path, "a.nii.gz", labels)
    assert (read_labels(tmp_path / "written/a.nii.gz")[0] == labels).all()
    if own.startswith("b"):
        assert errors_of(findings) == [] and table.case.tolist() == ["a", "b"]
        assert (read_labels(tmp_path / "written/b.nii.gz")[0] == labels * (labels > 1)).all()
    else:
        assert table.case.tolist() == ["a"] and "spleen (3) is 2 (right kidney)" in errors_of(findings)[0]


def test_swapped_sides_may_be_what_was_corrected(cohort, tmp_path):
    labels = sitk.GetArrayFromImage(handed_out(cohort))
    right, left = 2, 13
    assert errors_of(given_back(cohort, tmp_path, "a.nii.gz", np.where(labels == right, left, labels))[1]) == []


def test_what_lost_most_organs_is_refused_unless_its_empty_segments_say_so(cohort, tmp_path):
    empty = np.zeros(SIZE_ZYX, np.uint8)
    labels = sitk.GetArrayFromImage(handed_out(cohort))
    for name, given in (("a.nii.gz", empty), ("a.nii.gz", np.where(labels == SPLEEN, SPLEEN, 0).astype(np.uint8))):
        _, findings = given_back(cohort, tmp_path, name, given)
        assert "of 4 organs that were handed out are not in it: liver" in errors_of(findings)[0]
        assert errors_of(given_back(cohort, tmp_path, name, given, organs=["spleen"])[1]) == []
    (tmp_path / "corrections/round_1/a.nii.gz").unlink()
    assert errors_of(given_back(cohort, tmp_path, "a.seg.nrrd", empty)[1]) == []
    alone = [organ for organ in FLARE22 if organ.label == SPLEEN]
    _, findings = given_back(cohort, tmp_path, "a.seg.nrrd", labels * (labels == SPLEEN), named=alone)
    assert errors_of(findings)[0].startswith("3 of 4 organs")


def test_a_pseudo_label_of_another_scan_is_not_compared(cohort, tmp_path):
    write_image(handed_out(cohort)[:-1], tmp_path / "pseudo_labels/a.nii.gz")
    write(tmp_path / "corrections", "a.nii.gz", handed_out(cohort))
    assert checked(tmp_path / "corrections", cohort, tmp_path)[1] == []


def test_a_segment_with_a_name_that_is_no_organs_is_refused(cohort, tmp_path):
    labels = sitk.GetArrayFromImage(handed_out(cohort))
    renamed = [replace(organ, name="spleen (mine)") if organ.label == SPLEEN else organ for organ in FLARE22]
    _, findings = given_back(cohort, tmp_path, "a.seg.nrrd", labels, named=renamed)
    assert errors_of(findings) == ["no organ's names: spleen (mine)"]
    lung = [replace(organ, name="left lung") if organ.label == SPLEEN else organ for organ in FLARE22]
    assert errors_of(given_back(cohort, tmp_path, "a.seg.nrrd", labels, named=lung)[1]) == []


@pytest.fixture
def run(cohort, tmp_path):
    """Both commands, as their rules call them."""
    write_table(cohort, tmp_path / "cases.tsv")
    for case in ("a", "b"):
        write_image(handed_out(cohort, case), tmp_path / f"pseudo_labels/{case}.nii.gz")

    def run():
        given = Corrections(folder=tmp_path / "corrections", readers=["anna"]).model_dump_json()
        written = ("--folder", tmp_path / "corrected", "--findings", tmp_path / "findings.tsv")
        written += ("--pseudo-labels", tmp_path / "pseudo_labels")
        check = script("check_corrections.py", "--corrections", given, "--round", 1, "--cases", tmp_path / "cases.tsv",
                       *written, "--output", tmp_path / "corrected.tsv")  # fmt: skip
        if check.returncode:
            return check
        tables = ("--by-organ", tmp_path / "by_organ.tsv", "--by-readers", tmp_path / "by_readers.tsv")
        return script("compare_corrections.py", "--corrected", tmp_path / "corrected.tsv", "--pseudo-labels",
                      tmp_path / "pseudo_labels", "--minutes", tmp_path / "corrections/round_1/minutes.tsv", *tables,
                      "--output", tmp_path / "corrections.tsv")  # fmt: skip

    return run


def test_the_tables_say_what_changed_how_long_it_took_and_how_far_readers_agree(cohort, tmp_path, run):
    folder = tmp_path / "corrections"
    write(folder, "a__anna.nii.gz", edited(handed_out(cohort)))
    write(folder, "a__ben.nii.gz", handed_out(cohort))
    write(folder, "b.nii.gz", handed_out(cohort, "b"))
    (folder / "round_1/minutes.tsv").write_text("case\treader\tminutes\na\tanna\t7.5\nb\t\t2\n")
    done = run()
    assert done.returncode == 0, done.stderr
    table = read_table(tmp_path / "corrections.tsv").fillna({"reader": ""}).set_index(["case", "reader"])
    assert table.state.to_dict() == {("a", "anna"): CHANGED, ("a", "ben"): CONFIRMED, ("b", ""): CONFIRMED}
    first = table.loc["a", "anna"]
    assert first.changed == "spleen, aorta" and first.slices == 2 and first.minutes == 7.5 and first.is_used == "yes"
    assert table.loc["b", ""].minutes == 2 and table.loc["a", "ben"].is_used == "no"
    agreed = read_table(tmp_path / "by_readers.tsv").set_index("organ").DSC
    assert agreed["liver"] == 1 and 0.5 < agreed["spleen"] < 1 and np.isnan(agreed["stomach"])
    used = corrections_of([tmp_path / "corrected.tsv"])
    assert used.case.tolist() == ["a", "b"] and used.reader.fillna("").tolist() == ["anna", ""]
    write_image(handed_out(cohort), tmp_path / "corrected/a__anna.nii.gz")
    with pytest.raises(InputError, match="another content"):
        corrections_of([tmp_path / "corrected.tsv"])


def test_all_errors_at_once_stop_the_commands_and_minutes_of_no_correction_do_not(cohort, tmp_path, run):
    folder = tmp_path / "corrections"
    write(folder, "a.nii.gz", handed_out(cohort))
    (folder / "round_1/minutes.tsv").write_text("case\tminutes\na\t3\nc\t4\n")
    done = run()
    assert done.returncode == 0 and "minutes.tsv, line 3: c: no such label map" in done.stderr
    assert read_table(tmp_path / "corrections.tsv").minutes.tolist() == [3]
    write(folder, "tested.nii.gz", handed_out(cohort))
    write(folder, "nobody.nii.gz", handed_out(cohort))
    stopped = run()
    assert stopped.returncode == 2 and "2 error(s)" in stopped.stderr and "tested is a test scan" in stopped.stderr
