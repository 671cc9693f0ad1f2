"""A hospital's export as it is: series by their UID, hashed names, nothing of a patient in what anyone may read."""

import csv
import json
import os
import shutil
import stat
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from conftest import script
from dicom_archive import CORONAL, LOCALIZER, MIP, PATIENT, write_images, write_reference
from dicom_series import write_series
from noisy_student.cohort.archive import index as index_module
from noisy_student.cohort.archive.index import read_archive
from noisy_student.cohort.archive.patients import Cases, patient_of
from noisy_student.cohort.archive.private import Private, archive_of, case_of
from noisy_student.cohort.archive.scans import scans_of_archives
from noisy_student.cohort.archive.state import remember, state_of_tree
from noisy_student.cohort.folder_state import state_of_scans
from noisy_student.cohort.names import is_plain_name
from noisy_student.cohort.places import refuse_wrong_places
from noisy_student.cohort.scans import search
from noisy_student.configuration.experiment import Cohort
from noisy_student.errors import InputError
from noisy_student.reading.dicom.identity import identify

KEY = b"k" * 64
SMALL = {"slices_at_least": 4, "length_mm_at_least": 15}


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with an archive `pacs`, a key and a folder for what is private."""
    monkeypatch.chdir(tmp_path)
    for name in ("pacs", "private", "labels"):
        (tmp_path / name).mkdir()
    (tmp_path / "private/key").write_bytes(KEY)
    return tmp_path


def cohort(place, series=None, **labelled):
    """Unlabelled scans of an archive; `labelled`: role → folder of label maps that refer to it."""
    entry = {"archive": place / "pacs", "key": place / "private/key", "names": place / "private/pacs.tsv"}
    folders = {role: [entry | {"label_maps": folder}] for role, folder in labelled.items()}
    folders.setdefault("labelled", [{"images": place / "ct", "label_maps": place / "ct_labels"}])
    return Cohort(kind="folders", folders=folders | {"unlabelled": [entry | ({"series": series} if series else {})]})


def found(place, series=None, **labelled):
    return scans_of_archives(cohort(place, series, **labelled).folders, 1)


def cases(archived, role="unlabelled"):
    return [scan.case for (name, _), scans in archived.scans.items() if name == role for scan in scans]


def named(*series):
    return sorted(case_of(KEY, uid) for uid in series)


def rows(path):
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def one_folder(place):
    """What a patient's folder holds: five series, one of which counts, and no folder of a series."""
    folder = place / "pacs" / PATIENT
    write_images(folder, "1.1", 60, 5.0)
    write_images(folder, "1.2", 1, ImageType=LOCALIZER)
    write_images(folder, "1.3", 50, ImageOrientationPatient=CORONAL)
    write_images(folder, "1.4", 50, ImageType=MIP)
    write_images(folder, "1.5", 1, Modality="SR")
    (folder / "DICOMDIR").write_bytes(b"index")
    (folder / "autorun.inf").write_text("[autorun]")
    return folder


def test_five_series_of_a_folder_are_told_apart_and_what_is_left_out_is_said_in_counts(place):
    folder = one_folder(place)
    archived = found(place)
    assert cases(archived) == named("1.1") and all(map(is_plain_name, cases(archived)))
    (scan,) = archived.scans["unlabelled", (place / "pacs",)]
    links = sorted(scan.image.iterdir())
    assert len(links) == 60 and {link.resolve().parent for link in links} == {folder}
    (note,) = archived.findings
    assert note.severity == "note" and note.found.startswith("4 series left out: ")
    for said in ("1 not CT", "1 localizers", "1 not axial", "1 reformats, projections", "2 no DICOM"):
        assert said in note.found, said
    assert PATIENT not in note.found + note.remedy
    left_out = {row["series"]: row["why"] for row in rows(place / "private/pacs.left_out.tsv")}
    assert left_out["1.5"] == "not CT" and set(left_out) == {"1.2", "1.3", "1.4", "1.5"}


def test_a_series_over_two_folders_is_one_and_an_image_that_lies_there_twice_counts_once(place):
    files = write_images(place / "pacs/A", "1.1", 50)
    for number, file in enumerate(files):
        (place / "pacs/B").mkdir(exist_ok=True)
        target = place / "pacs/B" / f"{number}.dcm"
        file.rename(target) if number % 2 else target.write_bytes(file.read_bytes())
    (scan,) = found(place).scans["unlabelled", (place / "pacs",)]
    assert len(list(scan.image.iterdir())) == 50


def test_of_a_study_the_thinnest_series_is_taken_or_all(place):
    write_images(place / "pacs", "1.1", 50, 5.0)
    write_images(place / "pacs", "1.2", 200, 1.25)
    write_images(place / "pacs", "2.1", 50, 5.0, StudyInstanceUID="1.2.4")
    assert cases(found(place)) == named("1.2", "2.1")
    assert cases(found(place, series={"per_study": "all"})) == named("1.1", "1.2", "2.1")


@pytest.mark.parametrize(
    ("rules", "kept"),
    [
        ({"description": {"any_of": ["ABDOMEN"]}}, ["1.1"]),
        ({"description": {"none_of": ["b30"]}}, ["1.2"]),
        ({"slices_at_least": 55}, ["1.2"]),
        ({"length_mm_at_least": 200}, ["1.1"]),
        ({"thickness_mm_at_most": 4}, ["1.2"]),
    ],
)
def test_each_rule_keeps_what_it_names(place, rules, kept):
    write_images(place / "pacs", "1.1", 50, 5.0)
    write_images(place / "pacs", "1.2", 60, 3.0, SeriesDescription="Thorax", StudyInstanceUID="1.2.4")
    assert cases(found(place, series=rules)) == named(*kept)


def test_label_maps_find_their_series_and_networks_are_judged_on_no_patient_they_learn_from(place):
    for patient in range(4):
        ids = {"PatientID": f"P{patient}", "StudyInstanceUID": f"5.{patient}"}
        write_images(place / "pacs", f"1.{patient}", 4, **ids)
        write_images(place / "pacs", f"2.{patient}", 4, **(ids | {"StudyInstanceUID": f"6.{patient}"}))
    write_reference(place / "labels/train/a.dcm", "SEG", "1.0", "9.1")
    write_reference(place / "labels/test/b.dcm", "RTSTRUCT", "1.1", "9.2")
    write_reference(place / "labels/test/c.dcm", "SEG", "7.7", "9.3")
    archived = found(place, SMALL, labelled=place / "labels/train", test=place / "labels/test")
    assert cases(archived, "labelled") == named("1.0") and cases(archived, "test") == named("1.1")
    # The labelled patient's other study may be learned from, nothing of the test patient may.
    assert cases(archived) == named("2.0", "1.2", "1.3", "2.2", "2.3")
    (scan,) = archived.scans["test", (place / "pacs", place / "labels/test")]
    assert scan.label_map.resolve() == place / "labels/test/b.dcm" and PATIENT not in str(scan.label_map)
    (note,) = archived.findings
    for said in ("1 of a study with labelled scans", "2 of a patient with", "1 its series is not in the archive"):
        assert said in note.found, said


def entries(place, archive, **labelled):
    """The entries of an archive by role: unlabelled, and roles with a folder of label maps."""
    entry = {"archive": place / archive, "key": place / "private/key", "names": place / f"private/{archive}.tsv"}
    return {"unlabelled": [entry]} | {
        role: [entry | {"label_maps": place / folder}] for role, folder in labelled.items()
    }


def over(*archives):
    """The scans of several archives."""
    roles = ("labelled", "unlabelled", "validation", "test")
    folders = {role: [entry for one in archives for entry in one.get(role, [])] for role in roles}
    folders["labelled"] = folders["labelled"] or [{"images": "ct", "label_maps": "ct_labels"}]
    return scans_of_archives(Cohort(kind="folders", folders=folders).folders, 1)


SAME = [
    # What the headers of two series say, and whether they are then of one patient: in one archive, in two.
    ({}, {}, True, True),
    ({"PatientID": ""}, {"PatientName": "Mueller^Hans^"}, False, False),
    ({"PatientID": "", "PatientBirthDate": "19450101"}, {"PatientName": "Mueller Hans"}, True, True),
    ({"PatientBirthDate": "19450101"}, {"PatientName": "X", "PatientBirthDate": "19450102"}, True, False),
    ({"PatientBirthDate": "19450101"}, {"PatientName": "X"}, True, True),
    ({"PatientName": "", "PatientBirthDate": "19450101"}, {"PatientName": "X", "PatientBirthDate": ""}, True, True),
    ({"IssuerOfPatientID": "A"}, {"IssuerOfPatientID": "B"}, False, False),
    ({"IssuerOfPatientID": "A"}, {"PatientName": "X"}, True, True),
    ({"PatientID": "ID1", "IssuerOfPatientID": "A"}, {"PatientID": "ID2"}, False, False),
]


@pytest.mark.parametrize(("one", "other", "in_one", "in_two"), SAME)
def test_a_patient_is_known_by_id_or_by_name_and_birth_date_and_over_two_archives_by_both(
    tmp_path, one, other, in_one, in_two
):
    for number, values in enumerate((one, one | other)):
        write_images(tmp_path / str(number), f"1.{number}", 1, StudyInstanceUID=f"2.{number}", **values)
    headers = [identify(tmp_path / f"{number}/IM00000").header for number in range(2)]
    patients = [[patient_of(Path(archive), header) for header in headers] for archive in ("a", "b")]
    assert Cases([(patients[0][0], "s1")]).of(patients[0][1]) == ["s1"] * in_one
    assert Cases([(patients[0][0], "s1")]).of(patients[1][1]) == ["s1"] * in_two


@pytest.mark.parametrize("judged", ["validation", "test"])
@pytest.mark.parametrize("archives", [("pacs", "pacs"), ("pacs", "disk")])
def test_a_patient_who_is_learned_from_and_judged_is_an_error_that_names_the_cases_alone(place, archives, judged):
    first, second = archives
    write_images(place / first / "a", "1.1", StudyInstanceUID="2.1")
    write_images(place / second / "b", "1.2", StudyInstanceUID="2.2")
    for archive in {first, second}:
        write_images(place / archive / "c", f"1.3.{archive}", StudyInstanceUID=f"3.{archive}", PatientID=archive)
    write_reference(place / "learn/a.dcm", "SEG", "1.1", "9.1")
    write_reference(place / "judge/b.dcm", "SEG", "1.2", "9.2")
    labelled = {first: {"labelled": "learn"}}
    labelled[second] = labelled.get(second, {}) | {judged: "judge"}
    archived = over(*(entries(place, archive, **roles) for archive, roles in labelled.items()))
    (error,) = [finding for finding in archived.findings if finding.severity == "error"]
    assert error.case == case_of(KEY, "1.1") and f"{case_of(KEY, '1.2')} ({judged})" in error.found
    for secret in (PATIENT, "ID4711", "1.1", "2.1"):
        assert secret not in error.found + error.remedy + str(error.file)
    assert {row["patient"] for row in rows(place / f"private/{first}.tsv")} == {"ID4711", first}


def test_nothing_of_a_judged_patient_is_learned_from_another_archive(place):
    for number, (archive, patient) in enumerate([("pacs", "P1"), ("disk", "P1"), ("disk", "P2")]):
        write_images(place / archive, f"1.{number}", StudyInstanceUID=f"2.{number}", PatientID=patient)
    write_images(place / "pacs", "1.3", StudyInstanceUID="2.3", PatientID="P3")
    # The same study, without an ID, and with other slices.
    write_images(place / "disk", "1.4", StudyInstanceUID="2.0", PatientID="")
    write_reference(place / "judge/a.dcm", "SEG", "1.0")
    archived = over(entries(place, "pacs", test="judge"), entries(place, "disk"))
    unlabelled = archived.scans["unlabelled", (place / "disk",)]
    assert [scan.case for scan in unlabelled] == named("1.2")
    (note,) = [finding for finding in archived.findings if "disk" in str(finding.file)]
    assert "2 of a patient with validation or test scans" in note.found


def test_unlabelled_scans_are_chosen_anew_where_another_archives_label_maps_change(place):
    write_images(place / "pacs", "1.1", 2)
    write_images(place / "disk", "1.2", 2)
    write_reference(place / "judge/a.dcm", "SEG", "1.1")
    given = Cohort(
        kind="folders",
        folders=entries(place, "pacs", test="judge", labelled="labels")
        | {"unlabelled": entries(place, "disk")["unlabelled"]},
    )
    before = state_of_scans(given, "unlabelled", 1)
    write_reference(place / "judge/b.dcm", "SEG", "1.3")
    assert state_of_scans(given, "unlabelled", 1) != before


def test_two_label_maps_of_one_series_are_refused(place):
    write_images(place / "pacs", "1.1")
    for number in range(2):
        write_reference(place / f"labels/{number}.dcm", "SEG", "1.1", f"9.{number}")
    with pytest.raises(InputError, match="one label map for each series"):
        found(place, labelled=place / "labels")
    assert {row["why"] for row in rows(place / "private/pacs.label_maps.tsv")} == {"one of several of its series"}


def test_a_label_map_that_refers_to_several_series_is_of_the_ct_alone_or_of_none(place):
    """A structure set on a CT with its PET and a picture of the table; one on two CTs, of which one has its own."""
    write_images(place / "pacs", "1.1", 4)
    write_images(place / "pacs", "1.2", 4, Modality="PT")
    write_images(place / "pacs", "1.3", 1, ImageType=LOCALIZER)
    write_reference(place / "labels/a.dcm", "RTSTRUCT", ("1.2", "1.1", "1.3", "1.9"), "9.1")
    for number in (1, 2):
        write_images(place / "pacs", f"2.{number}", 4, PatientID="P2", StudyInstanceUID="2")
    write_reference(place / "labels/b.dcm", "RTSTRUCT", ("2.1", "2.2"), "9.2")
    write_images(place / "pacs", "3.1", 4, PatientID="P3", StudyInstanceUID="3")
    write_reference(place / "labels/c.dcm", "SEG", "2.2", "9.3")
    archived = found(place, SMALL, labelled=place / "labels")
    assert sorted(cases(archived, "labelled")) == named("1.1", "2.2")
    assert "1 label map(s) left out: 1 refers to several series" in archived.findings[0].found
    left_out = [row for row in rows(place / "private/pacs.label_maps.tsv") if row["why"]]
    assert [(Path(row["file"]).name, row["series"]) for row in left_out] == [("b.dcm", "2.1 2.2")]


def two_exports(place):
    """An archive with the label maps of two tools: a folder of livers, and one of all organs."""
    for number in (1, 2):
        ids = {"PatientID": f"P{number}", "StudyInstanceUID": f"2.{number}"}
        write_images(place / "pacs", f"1.{number}", 4, **ids)
    write_reference(place / "livers/a.dcm", "SEG", "1.1", "9.1")
    write_reference(place / "all/a.dcm", "RTSTRUCT", "1.2", "9.2")
    entry = entries(place, "pacs")["unlabelled"][0]
    return [entry | {"label_maps": place / "livers", "organs": ["liver"]}, entry | {"label_maps": place / "all"}]


def test_a_role_may_have_several_folders_of_label_maps_each_with_its_organs(place):
    for _ in range(2):
        archived = over({"labelled": two_exports(place)})
        scans = {of: [(scan.case, scan.organs) for scan in found] for of, found in archived.scans.items()}
        assert scans == {
            ("labelled", (place / "pacs", place / "livers")): [(case_of(KEY, "1.1"), ("liver",))],
            ("labelled", (place / "pacs", place / "all")): [(case_of(KEY, "1.2"), None)],
        }
    assert sorted(row["case"] for row in rows(place / "private/pacs.tsv")) == named("1.1", "1.2")


def test_two_folders_with_a_label_map_of_the_same_series_are_refused(place):
    labelled = two_exports(place)
    write_reference(place / "all/b.dcm", "SEG", "1.1", "9.3")
    with pytest.raises(InputError, match="2 that are one of several of its series"):
        over({"labelled": labelled})
    shutil.rmtree(place / "all")
    (place / "all").mkdir()
    with pytest.raises(InputError, match=f"labelled scans by {place / 'all'} in {place / 'pacs'}"):
        over({"labelled": labelled})


def test_label_maps_may_lie_in_the_archive_itself(place):
    write_images(place / "pacs/a", "1.1", 4)
    write_images(place / "pacs/a", "1.2", 4, PatientID="other", StudyInstanceUID="2")
    label_map = write_reference(place / "pacs/a/seg", "SEG", "1.1")
    archived = found(place, SMALL, labelled=place / "pacs")
    (scan,) = archived.scans["labelled", (place / "pacs", place / "pacs")]
    assert scan.label_map.resolve() == label_map and cases(archived) == named("1.2")


def test_what_is_private_is_its_owners_alone_and_a_case_that_is_gone_keeps_its_line(place):
    write_images(place / "pacs/a", "1.1")
    write_images(place / "pacs/b", "2.1", StudyInstanceUID="2")
    found(place)
    for file in (place / "private/pacs.tsv").parent.glob("pacs.*[lv]"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    assert stat.S_IMODE((place / "private/pacs.series").stat().st_mode) == 0o700
    for file in (place / "pacs/b").iterdir():
        file.unlink()
    assert cases(found(place)) == named("1.1")
    assert {row["case"]: row["series"] for row in rows(place / "private/pacs.tsv")} == {
        case_of(KEY, uid): uid for uid in ("1.1", "2.1")
    }


def counting(monkeypatch):
    """Which files are read from now on."""
    read, identify = [], index_module.identify
    monkeypatch.setattr(index_module, "identify", lambda path: read.append(path.name) or identify(path))
    return read


def test_files_are_read_once_and_again_only_where_they_changed(place, monkeypatch):
    files = write_images(place / "pacs", "1.1", 5)
    index = place / "private/i.jsonl"
    read = counting(monkeypatch)
    first = read_archive(place / "pacs", index, 1)
    assert read_archive(place / "pacs", index, 1) == first and len(read) == 5
    os.utime(files[2], (1, 1))
    files[4].unlink()
    read.clear()
    assert [file.path for file in read_archive(place / "pacs", index, 1)] == [file.name for file in files[:4]]
    assert read == [files[2].name] and len(index.read_text().split()) and len(index.read_text().splitlines()) == 4


def test_killed_in_the_middle_it_goes_on_where_it_was(place, monkeypatch):
    write_images(place / "pacs", "1.1", 6)
    index = place / "private/i.jsonl"
    identify = index_module.identify

    def killed(path):
        if path.name == "IM00003":
            raise KeyboardInterrupt
        return identify(path)

    monkeypatch.setattr(index_module, "identify", killed)
    with pytest.raises(KeyboardInterrupt):
        read_archive(place / "pacs", index, 1)
    # As the kill may have left it, within a line.
    text = index.read_text().rstrip("\n")
    index.write_text(text[: len(text) - 10])
    monkeypatch.setattr(index_module, "identify", identify)
    read = counting(monkeypatch)
    assert len(read_archive(place / "pacs", index, 1)) == 6 and read == [f"IM0000{n}" for n in (2, 3, 4, 5)]
    read.clear()
    assert all(file.header for file in read_archive(place / "pacs", index, 1)) and read == []


def test_an_archive_of_thousands_of_files_is_read_by_several_processes(place):
    (file,) = write_images(place, "9.000", 1, ImagePositionPatient=[0, 0, 1234.0], StudyInstanceUID="8.000")
    start = file.read_bytes()
    for series in range(60):
        folder = place / f"pacs/{series % 7}"
        folder.mkdir(exist_ok=True)
        for number in range(50):
            own = start.replace(b"9.000.0", b"%02d.%04d" % (series + 10, number))
            own = own.replace(b"9.000", b"9.%03d" % series).replace(b"8.000", b"8.%03d" % series)
            (folder / f"{series}_{number}").write_bytes(own.replace(b"1234.0", b"%06.1f" % (5 * number)))
    given = cohort(place).folders
    archived = scans_of_archives(given, 2)
    (scans,) = archived.scans.values()
    assert [scan.case for scan in scans] == named(*(f"9.{series:03}" for series in range(60)))
    assert {len(list(scan.image.iterdir())) for scan in scans} == {50} and not archived.findings


def test_what_cannot_be_read_is_counted_and_named_and_the_rest_goes_on(place, monkeypatch):
    files = write_images(place / "pacs", "1.1", 53)
    files[0].write_bytes(files[0].read_bytes()[:200])
    files[1].unlink()
    files[1].symlink_to("nowhere")
    identify = index_module.identify

    def denied(path):
        if path == files[2]:
            raise PermissionError(13, "Permission denied")
        return identify(path)

    monkeypatch.setattr(index_module, "identify", denied)
    archived = found(place)
    assert cases(archived) == named("1.1") and "3 file(s) left out" in archived.findings[0].found
    unread = {row["file"]: row["why"] for row in rows(place / "private/pacs.unread.tsv")}
    assert unread == {
        "IM00000": "damaged, cut off or of no series",
        "IM00001": "cannot be read: No such file or directory",
        "IM00002": "cannot be read: Permission denied",
    }
    # Its right to be read is given back without a new date.
    monkeypatch.setattr(index_module, "identify", identify)
    assert "2 file(s) left out" in found(place).findings[0].found


def test_an_archive_without_any_scan_is_refused_in_counts(place):
    write_images(place / "pacs" / PATIENT, "1.1", 3)
    with pytest.raises(InputError, match="1 series left out: 1 fewer than 40 slices") as error:
        found(place)
    assert PATIENT not in str(error.value)


# What a start looks at.


def test_the_state_follows_names_and_is_the_same_remembered_or_not(place):
    one_folder(place)
    pacs, remembered = place / "pacs", place / "private/folders.json"
    states = [state_of_tree(pacs, remembered)]
    os.utime(pacs / PATIENT, (1, 1))
    os.utime(pacs, (1, 1))
    remember(pacs, remembered)
    assert set(json.loads(remembered.read_text())) == {"", f"/{PATIENT}"}
    assert state_of_tree(pacs, remembered) == states[0]
    (pacs / PATIENT / "IM99999").touch()
    states.append(state_of_tree(pacs, remembered))
    (pacs / PATIENT / "away").symlink_to("/no/such/disk")
    states.append(state_of_tree(pacs, remembered))
    assert len(set(states)) == 3


def test_folders_of_an_old_date_are_not_listed_again(place, monkeypatch):
    one_folder(place)
    for folder in (place / "pacs" / PATIENT, place / "pacs"):
        os.utime(folder, (1, 1))
    remembered = place / "private/folders.json"
    remember(place / "pacs", remembered)
    monkeypatch.setattr(os, "scandir", lambda folder: pytest.fail(f"{folder} was listed"))
    state_of_tree(place / "pacs", remembered)


def test_a_folder_that_changed_just_now_is_not_trusted(place):
    write_images(place / "pacs", "1.1", 1)
    remember(place / "pacs", place / "private/folders.json")
    assert json.loads((place / "private/folders.json").read_text()) == {}


def test_labelled_scans_are_not_others_because_the_archive_grew(place):
    write_images(place / "pacs", "1.1", 2)
    write_reference(place / "labels/a.dcm", "SEG", "1.1")
    given = cohort(place, labelled=place / "labels")
    before = {role: state_of_scans(given, role, 1) for role in ("labelled", "unlabelled")}
    write_images(place / "pacs", "1.2", 2)
    after = {role: state_of_scans(given, role, 1) for role in before}
    assert after["labelled"] == before["labelled"] and after["unlabelled"] != before["unlabelled"]
    (place / "private/key").write_bytes(b"another" * 8)
    assert state_of_scans(given, "labelled", 1) != before["labelled"]


# What is refused at once.


def refused(given):
    with pytest.raises(InputError) as error:
        refuse_wrong_places(given)
    return error.value.got


@pytest.fixture
def whole(place):
    for name in ("ct", "ct_labels", "results"):
        (place / name).mkdir()
    return place


def test_a_key_is_never_made_anew_in_silence(whole):
    refuse_wrong_places(cohort(whole))
    (whole / "private/key").unlink()
    (whole / "private").rename(whole / "before")
    command = refused(cohort(whole)).partition("make it once, and keep it: ")[2].splitlines()[0]
    subprocess.run(["/bin/sh", "-c", command], cwd="/", check=True)
    assert len((whole / "private/key").read_bytes().strip()) == 64
    shutil.rmtree(whole / "private")
    (whole / "before").rename(whole / "private")
    (whole / "private/pacs.tsv").touch()
    assert "were made with it: bring it back" in refused(cohort(whole))
    (whole / "private/key").write_text("secret")
    assert "shorter than 32 characters" in refused(cohort(whole))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"names": "results/pacs.tsv"}, "unlabelled[0].names: results/pacs.tsv: in results; it tells who"),
        ({"names": "pacs/names.tsv"}, "in pacs; it tells who"),
        ({"names": "away/pacs.tsv"}, "no such folder, or nothing may be written to it"),
        ({"key": "results/key"}, "unlabelled[0].key: results/key: in results"),
        ({"archive": "gone"}, "unlabelled[0].archive: gone: no such folder"),
    ],
)
def test_private_files_lie_elsewhere_than_results(whole, changed, said):
    (whole / "results/key").write_bytes(KEY)
    entry = {"archive": "pacs", "key": "private/key", "names": "private/pacs.tsv"} | changed
    labelled = [{"images": "ct", "label_maps": "ct_labels"}]
    assert said in refused(Cohort(kind="folders", folders={"labelled": labelled, "unlabelled": [entry]}))


def test_one_archive_has_one_table_and_two_archives_have_two(whole):
    entry = {"archive": "pacs", "key": "private/key", "names": "private/pacs.tsv"}
    labelled = [entry | {"label_maps": "labels", "names": "private/other.tsv"}]
    said = refused(Cohort(kind="folders", folders={"labelled": labelled, "unlabelled": [entry]}))
    assert "labelled[0] and cohort.folders.unlabelled[0]: one archive, pacs, so give both the same" in said
    (whole / "more").mkdir()
    labelled = [entry | {"label_maps": label_maps} for label_maps in ("labels", "more")]
    refuse_wrong_places(Cohort(kind="folders", folders={"labelled": labelled}))
    labelled += [entry | {"label_maps": "../" + whole.name + "/more"}]
    said = refused(Cohort(kind="folders", folders={"labelled": labelled}))
    assert "a role names it once, or once with each `label_maps`" in said
    two = [entry, entry | {"archive": "ct"}]
    labelled = [{"images": "ct", "label_maps": "ct_labels"}]
    assert "two archives" in refused(Cohort(kind="folders", folders={"labelled": labelled, "unlabelled": two}))


# From the archive to the case table.


def test_the_check_shows_no_patient_leaves_out_what_cannot_be_used_and_reads_the_rest(place, write_scan):
    random = np.random.default_rng(0)
    voxels = [random.integers(-1000, 1000, (12, 10, 10)).astype(np.int16) for _ in range(3)]
    pacs = place / "pacs" / PATIENT
    for number, stored in enumerate(voxels):
        ids = {"tag_0020_000d": f"7.{number}", "tag_0008_103e": f"{PATIENT} CT"}
        write_series(pacs / str(number), stored, (20.0, 20.0, 20.0), series=f"1.2.77.{number}", **ids)
    # The second one lacks slices, the third is the labelled scan.
    for file in list((pacs / "1").glob("*_5.dcm")):
        file.unlink()
    labels = np.zeros((12, 10, 10), np.uint8)
    labels[4:8, 2:6, 4:6] = 1
    straight = (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0)
    write_scan("ct/a.nii.gz", voxels[2], (20.0, 20.0, 20.0), straight)
    write_scan("ct_labels/a.nii.gz", labels, (20.0, 20.0, 20.0), straight)
    given = cohort(place, series={"slices_at_least": 5})
    results = place / "results"
    run = script(
        "make_case_table.py", "--cohort", given.model_dump_json(), "--embedded", place, "--renumbered", results / "r",
        "--findings", results / "findings.tsv", "--output", results / "cases.tsv",
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    table = pd.read_csv(results / "cases.tsv", sep="\t").set_index("role")
    assert table.loc["unlabelled", "case"] == case_of(KEY, "1.2.77.0") and table.loc["unlabelled", "size_z"] == 12
    findings = pd.read_csv(results / "findings.tsv", sep="\t")
    left_out = findings[findings.remedy == "nothing: it is left out"]
    assert sorted(left_out.case) == named("1.2.77.1", "1.2.77.2") and set(left_out.severity) == {"warning"}
    written = "".join(path.read_text() for path in results.rglob("*.tsv")) + run.stdout + run.stderr
    for secret in (PATIENT, "1.2.77", "ID4711", "DOE"):
        assert secret not in written, secret
    assert PATIENT in (place / "private/pacs.tsv").read_text()


def test_scans_of_an_archive_have_its_source(place):
    write_images(place / "pacs", "1.1")
    given = cohort(place).folders.model_copy(update={"labelled": []})
    (scan,) = search(given, found(place).scans).scans
    assert scan.source == "pacs" and scan.image == Private(place / "private/pacs.tsv").series / scan.case


@pytest.mark.parametrize("names", ["private/pacs.tsv", "pacs/../private/pacs.tsv", "link/pacs.tsv"])
def test_a_scan_is_known_as_its_archives_however_the_names_are_written(place, names):
    (place / "link").symlink_to("private")
    scan = place / "private/pacs.series/s1"
    scan.mkdir(parents=True)
    found = archive_of(scan.resolve(), ["other/pacs.tsv", names])
    assert found.exported.resolve() == place.resolve() / "private/pacs.exported"
    assert archive_of(place / "pacs/s1", [names]) is None and archive_of(scan, []) is None
