from dataclasses import dataclass

import pandas as pd

from noisy_student.organs import Organ
from noisy_student.report.results import read_results
from noisy_student.report.warnings import checks, organs
from synthetic_results import SyntheticRun


@dataclass
class Found:
    """What the case check found, alone."""

    findings: pd.DataFrame


def found(*severities):
    return Found(pd.DataFrame({"severity": list(severities)}, dtype=str))


def test_warnings_are_counted_and_notes_alarm_nobody():
    assert checks(found("warning", "note", "warning")) == ["The case check reported 2 warnings: see Traceability."]
    assert checks(found("note")) == [] and checks(found()) == []


def test_organs_are_named_as_the_label_table_has_them(tmp_path):
    table = Organ(1, "IVC"), Organ(2, "Kidney_Right")
    run = SyntheticRun((), test=2, validation=0, unlabelled=2, organs=table, unfound_label=1, absent_label=2)
    warned = organs(read_results(run.write(tmp_path)))
    assert [text.split(":")[0] for text in warned] == ["Kidney_Right", "IVC"]
