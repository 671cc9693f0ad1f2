from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from conftest import script
from noisy_student.cohort.case_checks import Standard
from noisy_student.cohort.case_table import COLUMNS, make_case_table, stop_on_errors
from noisy_student.cohort.conversion import convert, convert_label_map
from noisy_student.cohort.finding import Finding
from noisy_student.cohort.scans import Scan, embedded_folders, find_scans
from noisy_student.configuration.experiment import Cohort, Folders, LabelledFolder
from noisy_student.errors import InputError
from noisy_student.geometry import reorient
from noisy_student.images import read_image
from noisy_student.organs import FLARE22, Organ
from noisy_student.tables import read_table, write_table

FINDINGS = ["case", "file", "severity", "found", "wanted", "remedy"]
SHAPE = (6, 10, 10)
SPACING_MM = (10.0, 10.0, 5.0)


def voxels(seed=0):
    return np.random.default_rng(seed).integers(-1000, 1000, SHAPE).astype(np.int16)


def labels(**places):
    array = np.zeros(SHAPE, np.uint8)
    for label, x in places.items():
        array[2:4, 2:4, x] = int(label.strip("_"))
    return array


@pytest.fixture
def scan(write_scan):
    def make(case, image=None, label_map=None, role="labelled", **geometry):
        image = voxels() if image is None else image
        label_map = labels(_1=4) if label_map is None else label_map
        return Scan(
            case,
            role,
            write_scan(f"images/{case}_0000.nii.gz", image, SPACING_MM),
            write_scan(f"labels/{case}.nii.gz", label_map, **{"spacing": SPACING_MM} | geometry),
        )

    return make


@pytest.fixture
def findings_of(tmp_path):
    """The findings, but for organs that the label maps do not have, and for how large those are that they have."""

    def find(*scans, organs=FLARE22):
        organs = [replace(organ, volume_ml=None) for organ in organs]
        findings = make_case_table(list(scans), Standard(organs, tmp_path / "renumbered"), cores=1)[1]
        return findings[~findings.found.str.contains("in no labelled scan")].reset_index(drop=True)

    return find


def test_organs_that_are_not_labelled_in_a_scan_are_left_out_of_its_label_map(scan, tmp_path):
    whole, partial = scan("whole", label_map=labels(_1=4, _3=7)), scan("partial", voxels(1), labels(_1=4, _3=7))
    partial = replace(partial, organs=("spleen", "pancreas"))
    table, findings = make_case_table([whole, partial], Standard(FLARE22, tmp_path / "renumbered"), cores=1)
    assert table.set_index("case").organs.to_dict() == {"whole": " ".join(map(str, range(1, 14))), "partial": "3 4"}
    assert table.set_index("case").labels.to_dict() == {"whole": "1 3", "partial": "3"}
    assert np.unique(sitk.GetArrayFromImage(read_image(table.label_map[1]))).tolist() == [0, 3]
    assert findings[findings.case == "partial"].found.tolist() == [
        "liver in the label map, though `organs` does not name them"
    ]


@pytest.mark.parametrize("linked", ["headers", "files"])
def test_the_files_of_the_table_are_those_that_were_checked_through_links_too(scan, linked, tmp_path):
    """A header may be linked with its voxels beside it under the name that it gives, not that of their file."""
    paths = {}
    for column, path in (("image", scan("a").image), ("label_map", scan("a").label_map)):
        (tmp_path / column).mkdir()
        if linked == "files":
            paths[column] = tmp_path / column / path.name
            paths[column].symlink_to(path)
            continue
        sitk.WriteImage(read_image(path), str(tmp_path / f"store_{column}.mhd"), useCompression=False)
        (tmp_path / f"store_{column}.raw").rename(tmp_path / f"voxels_{column}")
        paths[column] = tmp_path / column / "a.mhd"
        paths[column].symlink_to(tmp_path / f"store_{column}.mhd")
        (tmp_path / column / f"store_{column}.raw").symlink_to(tmp_path / f"voxels_{column}")
    table, _ = make_case_table(
        [Scan("a", "labelled", paths["image"], paths["label_map"])], Standard(FLARE22, tmp_path / "renumbered"), cores=1
    )
    (row,) = table.to_dict("records")
    convert(Path(row["image"]), tmp_path / "a_0000.nii.gz")
    converted, given = read_image(tmp_path / "a_0000.nii.gz"), reorient(read_image(scan("a").image), "LPS")
    assert np.array_equal(*map(sitk.GetArrayFromImage, (converted, given)))
    convert_label_map(Path(row["label_map"]), tmp_path / "a.nii.gz", tmp_path / "a_0000.nii.gz")
    assert Path(row["image"]).is_symlink() == (linked == "headers")


def test_a_good_cohort_has_a_row_per_case_and_no_findings(embedded, tmp_path):
    scans = find_scans(embedded_folders(embedded))
    table, findings = make_case_table(scans, Standard(FLARE22, tmp_path), cores=1)
    assert list(table.columns) == list(COLUMNS)
    assert list(table.case) == [scan.case for scan in scans]
    assert table.sha256.is_unique
    assert set(table.orientation) <= {"RAS", "LPS", "LAS", "RPS", "LAI", "RAI", "LPI", "RPI"}
    assert (table.intensity_low < -500).all() and (table.intensity_high > 100).all()
    assert findings.empty
    stop_on_errors(findings, "findings.tsv")


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ({"label_map": labels(_1=4), "spacing": (10.0, 10.0, 4.0)}, "spacing"),
        ({"label_map": labels(_1=4)[:, :, :-1]}, "size"),
        ({"label_map": labels(_1=4), "direction": (1, 0, 0, 0, 1, 0, 0, 0, 1)}, "origin"),
        ({"label_map": labels(_14=4)}, "[14]"),
        ({"label_map": voxels(2)}, "a scan's intensities"),
        ({"label_map": labels(_1=4).astype(np.float32) / 2}, "labels 0.5"),
        ({"label_map": labels(_1=4).astype(np.int16) + 256}, "256"),
        ({"image": np.zeros((2, *SHAPE), np.int16)}, "size (10, 6"),
    ],
)
def test_what_is_wrong_with_a_case_is_found(scan, findings_of, case, said):
    found = findings_of(scan("good", voxels(1)), scan("bad", **case))
    assert list(found.case) == ["bad"]
    assert said in found.found[0]
    assert found.severity[0] == "error"


def test_voxels_that_are_no_numbers_are_found(write_scan, findings_of):
    # Not as NIfTI: its reader turns them into 0 on its own.
    image = write_scan("a_0000.mha", np.where(labels(_1=4), np.nan, 0).astype(np.float32))
    found = findings_of(Scan("a", "unlabelled", image))
    assert "no numbers" in found.found[0]


def test_unreadable_and_missing_files_are_named(scan, findings_of):
    broken, alone = scan("broken"), scan("alone", voxels(1))
    data = broken.image.read_bytes()
    broken.image.write_bytes(data[: len(data) // 2])
    alone.label_map.unlink()
    found = findings_of(broken, alone)
    found = dict(zip(found.file, found.found, strict=True))
    assert found.keys() == {broken.image, alone.label_map}
    assert found[broken.image].startswith("unreadable") and found[alone.label_map] == "no such file"


def test_a_scan_that_is_no_ct_stops_the_run_unless_its_case_or_source_is_accepted(scan, tmp_path):
    scans, organs = [scan("ct"), replace(scan("mr", np.abs(voxels(1))), source="clinic")], (Organ(1, "tumour"),)
    for accepted, severities in (((), {"error"}), (("mr",), {"warning"}), (("clinic",), {"warning"})):
        table, findings = make_case_table(scans, Standard(organs, tmp_path / "r", accepted=accepted), cores=1)
        assert list(findings.case) == ["mr"] and set(findings.severity) == severities
        assert "no Hounsfield units" in findings.found[0] and "`cohort.accept`" in findings.remedy[0]
        assert findings.remedy[0].startswith("nothing") == bool(accepted)
        assert len(table) == (2 if accepted else 1)


def test_the_same_voxels_in_two_roles_stop_and_in_one_role_warn(scan, findings_of):
    found = findings_of(scan("a"), scan("b"), scan("c", role="test"))
    assert dict(zip(found.case, found.severity, strict=True)) == {"b": "warning", "c": "error"}
    assert "labelled" in found.found[0]


def test_a_copy_is_found_in_whichever_way_it_is_stored(scan, tmp_path, findings_of):
    """Turned, of another data type and format: still the same voxels at the same places."""
    first = scan("a")
    image = sitk.DICOMOrient(read_image(first.image), "PIR")
    copy = tmp_path / "copy.mha"
    sitk.WriteImage(sitk.Cast(image, sitk.sitkFloat64), str(copy))
    found = findings_of(first, Scan("b", "unlabelled", copy))
    assert "the voxels of a (labelled) too" in list(found.found)


@pytest.mark.parametrize(
    "case", ["../../escape", "/etc/passwd", "a/b", "", ".", "..", "a b", "x" * 151, "liver_seg", "ä"]
)
def test_names_that_could_escape_or_clash_are_errors_and_write_nothing(scan, tmp_path, case):
    given = replace(scan("good"), case=case, labels={"liver": 1})
    table, findings = make_case_table([given], Standard(OTHERS[:1], tmp_path / "deep/er/renumbered"), cores=1)
    assert table.empty and not (tmp_path / "deep").exists()
    assert list(findings.severity) == ["error"] and repr(case) in findings.found[0]


@pytest.mark.parametrize("lost", ["all", "origin", "origin, turned"])
def test_a_label_map_that_lost_its_header_is_mended_as_the_remedy_says(scan, findings_of, lost):
    case = scan("a")
    label_map = drawn = sitk.ReadImage(str(case.label_map))
    if is_turned := lost == "origin, turned":
        label_map = sitk.DICOMOrient(label_map, "LPI")
    label_map.SetOrigin((50, 60, 70))
    if lost == "all":
        label_map.SetSpacing((1, 1, 1))
    sitk.WriteImage(label_map, str(case.label_map))
    (found,) = findings_of(case).itertuples()
    assert "origin in mm" in found.found and ("spacing" in found.found) == (lost == "all")
    assert "label_map.CopyInformation(scan)" in found.remedy and "resample" in found.remedy
    turn = "label_map = SimpleITK.DICOMOrient(label_map, 'RAS')"
    assert ("axes, as stored along RAS and LPI" in found.found, turn in found.remedy) == (is_turned, is_turned)
    if is_turned:
        label_map = sitk.DICOMOrient(label_map, "RAS")
    label_map.CopyInformation(sitk.ReadImage(str(case.image)))
    sitk.WriteImage(label_map, str(case.label_map))
    assert findings_of(case).empty
    assert np.array_equal(*map(sitk.GetArrayFromImage, (label_map, drawn)))


@pytest.mark.parametrize("header", ["made up", "of the scan's spacing", "turned"])
def test_a_label_map_with_exchanged_axes_is_mended_as_the_remedy_says(scan, findings_of, header):
    case = scan("a", voxels()[:, :, :9], labels(_1=4)[:, :, :9])
    drawn = sitk.ReadImage(str(case.label_map))
    if header == "turned":
        saved = sitk.DICOMOrient(drawn, "SPL")
        saved.SetOrigin((50, 60, 70))
        lines = "label_map = SimpleITK.DICOMOrient(label_map, 'RAS'), then label_map.CopyInformation(scan)"
    else:
        saved = sitk.GetImageFromArray(sitk.GetArrayFromImage(drawn).transpose())
        saved.SetSpacing(SPACING_MM if header != "made up" else (1, 1, 1))
        lines = "label_map = SimpleITK.PermuteAxes(label_map, [2, 1, 0]), then label_map.CopyInformation(scan)"
    sitk.WriteImage(saved, str(case.label_map))
    (found,) = [found for found in findings_of(case).itertuples() if found.severity == "error"]
    assert lines in found.remedy and ("resample it onto" in found.remedy) == (header == "turned")
    names = {"SimpleITK": sitk, "scan": sitk.ReadImage(str(case.image)), "label_map": saved}
    for line in lines.split(", then "):
        exec(line, names)
    sitk.WriteImage(names["label_map"], str(case.label_map))
    assert "error" not in set(findings_of(case).severity)
    assert np.array_equal(*map(sitk.GetArrayFromImage, (names["label_map"], drawn)))


def test_a_label_map_that_is_upright_beside_an_oblique_scan_is_mended_as_the_remedy_says(scan, findings_of):
    case = scan("a")
    image, label_map = (sitk.ReadImage(str(path)) for path in (case.image, case.label_map))
    image.SetDirection((-1, 0, 0, 0, -np.cos(0.1), np.sin(0.1), 0, np.sin(0.1), np.cos(0.1)))
    sitk.WriteImage(image, str(case.image))
    [found] = [found for found in findings_of(case).itertuples() if found.severity == "error"]
    assert "direction (1, 0, 0" in found.found and "size" not in found.found
    assert "label_map.CopyInformation(scan)" in found.remedy
    label_map.CopyInformation(image)
    sitk.WriteImage(label_map, str(case.label_map))
    assert list(findings_of(case).severity) == ["warning"]


def test_a_name_is_used_once(scan, findings_of):
    found = findings_of(scan("a"), scan("A"))
    assert found.found.str.contains("the name of").any()


def of_sources(scan, *sources, role="test"):
    return [replace(scan(f"case_{n}", voxels(n), role=role), source=name) for n, name in enumerate(sources)]


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        (("External", "external"), "test scans of “external” beside “External”"),
        (("internal", "Pooled"), "test scans of “Pooled”"),
    ],
)
def test_sets_that_can_be_taken_for_one_another_stop_the_run(scan, findings_of, sources, said):
    found = findings_of(*of_sources(scan, *sources))
    assert found.loc[found.severity == "error", "found"].tolist() == [said]


def test_two_entries_with_one_name_are_one_set_and_a_set_alone_may_have_any_name(scan, findings_of):
    assert findings_of(*of_sources(scan, "external", "internal", "external")).empty
    assert findings_of(*of_sources(scan, "pooled", "pooled")).empty
    assert findings_of(*of_sources(scan, "Archive", "archive", role="labelled")).empty


def test_swapped_kidneys_are_reported_and_right_ones_are_not(scan, findings_of):
    # Stored as RAS: x grows to the patient's right.
    right_way = scan("right", voxels(1), labels(_2=8, _13=1))
    swapped = scan("swapped", voxels(2), labels(_2=1, _13=8))
    found = findings_of(right_way, swapped)
    assert list(found.case) == ["swapped"]
    assert found.severity[0] == "warning" and "right kidney and left kidney" in found.found[0]


def test_the_command_names_every_error_at_once_and_makes_no_table(scan, tmp_path):
    scan("one", label_map=labels(_99=4))
    scan("two", voxels(1), labels(_1=4)[:, :-1])
    cohort = Cohort(
        kind="folders",
        folders=Folders(labelled=[LabelledFolder(images=tmp_path / "images", label_maps=tmp_path / "labels")]),
    )
    output = tmp_path / "cases.tsv"
    run = script(
        "make_case_table.py",
        *("--cohort", cohort.model_dump_json(), "--embedded", tmp_path),
        *("--renumbered", tmp_path / "renumbered", "--findings", tmp_path / "findings.tsv", "--output", output),
    )
    assert run.returncode == 2
    assert "2 error(s)" in run.stderr and "one.nii.gz" in run.stderr and "two.nii.gz" in run.stderr
    assert "Traceback" not in run.stderr
    assert not output.exists() and (tmp_path / "findings.tsv").exists()


OTHERS = (Organ(1, "liver"), Organ(2, "right kidney", left_twin="left kidney"), Organ(3, "left kidney"))


def test_other_numbers_are_changed_to_the_tables_by_name(scan, tmp_path):
    """Several numbers may be one organ; what has no name is background; sides are checked after that."""
    given = replace(scan("a", label_map=labels(_6=3, _7=4, _2=8, _3=1, _15=5)), labels={
        "liver": [6, 7], "right kidney": 2, "left kidney": 3,
    })  # fmt: skip
    table, findings = make_case_table([given], Standard(OTHERS, tmp_path / "renumbered"), cores=1)
    assert findings.severity.tolist() == ["note"] and "left over as background: 15 (in 1 of 1)" in findings.found[0]
    array = sitk.GetArrayFromImage(reorient(read_image(table.label_map[0]), "RAS"))
    assert (array == labels(_1=3) + labels(_1=4) + labels(_2=8) + labels(_3=1)).all()
    swapped = replace(given, labels={"liver": [6, 7], "right kidney": 3, "left kidney": 2})
    findings = make_case_table([swapped], Standard(OTHERS, tmp_path / "renumbered"), cores=1)[1]
    assert "right kidney and left kidney on swapped sides" in findings.found[0]


def test_an_organ_that_no_labelled_scan_has_is_named_once(scan, tmp_path):
    scans = [scan("a"), scan("b", voxels(1)), scan("c", voxels(2), labels(_2=8), role="test")]
    findings = make_case_table(scans, Standard(OTHERS, tmp_path / "renumbered"), cores=1)[1]
    of_all = findings.found[findings.found.str.contains("no labelled scan")]
    assert list(of_all) == ["right kidney in no labelled scan", "left kidney in no labelled scan"]
    assert set(findings.severity) == {"warning"}


def test_a_name_with_a_carriage_return_stays_in_its_line_of_the_table(scan, tmp_path):
    """As Finder's custom icons have."""
    note = Finding("all", tmp_path, "note", "2 entries are no scans: Icon\r (…); b", "w", "r")
    findings = make_case_table([scan("a")], Standard(OTHERS[:1], tmp_path / "r"), 1, [note])[1]
    write_table(findings, tmp_path / "findings.tsv")
    (found,) = read_table(tmp_path / "findings.tsv").query("severity == 'note'").itertuples()
    assert found.found == "2 entries are no scans: Icon  (…); b"


def test_an_error_is_shown_with_what_else_was_found_of_its_case():
    """Of a label map that does not fit, that its scan was taken in another's place."""
    rows = [("a", "error"), ("a", "warning"), ("b", "warning"), ("all", "note")]
    findings = pd.DataFrame([(case, f"{case}.nii.gz", severity, *"fwr") for case, severity in rows], columns=FINDINGS)
    with pytest.raises(InputError) as error:
        stop_on_errors(findings, "findings.tsv")
    shown = str(error.value)
    assert "1 error(s)" in shown and "warning a:" in shown and "b.nii.gz" not in shown and "note" not in shown
    stop_on_errors(findings[1:], "findings.tsv")
