"""One patient in scans that are learned from and in judged ones, as DICOM series that lie in folders."""

import numpy as np
import pytest

from dicom_series import PATIENT, write_series
from noisy_student.cohort.case_checks import Standard
from noisy_student.cohort.case_table import make_case_table
from noisy_student.cohort.scans import Scan
from noisy_student.organs import FLARE22


@pytest.fixture
def scan(tmp_path):
    """A DICOM series of a patient; all in one study unless `study` says other."""

    def make(case, role, patient="ID4711", study="1.2.3", birth="19500101", source="clinic"):
        voxels = np.random.default_rng(int(case)).integers(-1000, 1000, (5, 20, 20)).astype(np.int16)
        tags = {"tag_0010_0020": patient, "tag_0020_000d": study, "tag_0010_0030": birth}
        write_series(tmp_path / case, voxels, (10.0, 10.0, 30.0), series=f"1.2.7.{case}", **tags)
        return Scan(case, role, tmp_path / case, source=source)

    return make


@pytest.fixture
def found(tmp_path):
    def check(*scans):
        table, findings = make_case_table(list(scans), Standard(FLARE22, tmp_path / "renumbered"), cores=1)
        for text in (table.to_csv(), findings.to_csv()):
            assert "ID4711" not in text and PATIENT not in text and "19500101" not in text
        return findings[findings.found.str.contains("of one patient")]

    return check


@pytest.mark.parametrize("role", ["labelled", "unlabelled"])
def test_a_patient_who_is_learned_from_and_judged_is_a_warning_that_names_nobody(scan, found, role):
    said = found(scan("1", role), scan("2", role, study="1.2.9"), scan("33", "test"))
    assert said.severity.tolist() == ["warning"]
    assert "2 " + role + " scan(s) of clinic" in said.found.iloc[0] and "1 with 33 (test)" in said.found.iloc[0]


def test_other_patients_are_nothing_to_speak_of(scan, found):
    others = scan("1", "labelled"), scan("2", "unlabelled"), scan("3", "test", patient="ID4712", study="1.2.9")
    assert found(*others).empty


def test_one_id_of_two_sources_is_of_several_people_where_names_or_birth_dates_say_so(scan, found):
    judged = scan("3", "validation", study="1.2.9", birth="19760203", source="elsewhere")
    assert len(found(scan("1", "labelled"), judged)) == 1  # the name is the same
    assert found(scan("2", "labelled", patient="another"), judged).empty
