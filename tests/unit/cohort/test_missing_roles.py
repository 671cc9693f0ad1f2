import pytest
import yaml

from conftest import ROOT
from noisy_student.cohort.missing_roles import refuse_missing_roles
from noisy_student.cohort.scans import may_lack_organs
from noisy_student.configuration.experiment import read_configuration
from noisy_student.errors import InputError
from noisy_student.organs import FLARE22

LABELLED = {"images": "a", "label_maps": "b"}
WHOLE = {"labelled": [LABELLED], "unlabelled": [{"images": "u"}], "test": [LABELLED]}
ROUND = {"network": "coarse"}


def configured(folders, **values):
    default = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    return read_configuration(default | {"cohort": {"kind": "folders", "folders": folders}} | values)


def without(*roles):
    return {role: entries for role, entries in WHOLE.items() if role not in roles}


def test_scans_that_judge_are_test_or_validation_scans():
    refuse_missing_roles(configured(WHOLE))
    refuse_missing_roles(configured(without("test") | {"validation": [LABELLED]}))
    with pytest.raises(InputError, match="wanted: validation or test scans, on which"):
        refuse_missing_roles(configured(without("test")))


def test_students_need_unlabelled_scans_or_partly_labelled_ones(tmp_path):
    none = without("unlabelled")
    refuse_missing_roles(configured(none, rounds=[ROUND]))
    for rounds, deploy in (([ROUND, ROUND], None), ([ROUND], ROUND)):
        with pytest.raises(InputError, match="unlabelled scans, for 1 student"):
            refuse_missing_roles(configured(none, rounds=rounds, deploy=deploy))
    refuse_missing_roles(configured(none | {"labelled": [LABELLED | {"organs": ["liver"]}]}))
    numbers = {organ.name: organ.label for organ in FLARE22} | {"left kidney": 2}
    kidneys = configured(none | {"labelled": [LABELLED | {"labels": numbers}]})
    with pytest.raises(InputError, match="unlabelled scans"):
        refuse_missing_roles(kidneys)
    assert may_lack_organs(kidneys.cohort, FLARE22) and not may_lack_organs(configured(WHOLE).cohort, FLARE22)
    table = tmp_path / "labelled.tsv"
    listed = configured(none | {"labelled": [{"table": str(table)}]})
    table.write_text("case\timage\tlabel_map\torgans\na\ta.nii.gz\tb.nii.gz\t\n")
    with pytest.raises(InputError, match="unlabelled scans"):
        refuse_missing_roles(listed)
    table.write_text(table.read_text() + "b\tb.nii.gz\tc.nii.gz\tliver, spleen\n")
    refuse_missing_roles(listed)


def test_all_that_is_missing_is_said_at_once():
    with pytest.raises(InputError) as error:
        refuse_missing_roles(configured(without("unlabelled", "test")))
    assert error.value.wanted.count(";") == error.value.remedy.count(";") == 1


def test_generated_scans_are_of_every_role():
    refuse_missing_roles(configured(None, cohort={"kind": "embedded"}))
