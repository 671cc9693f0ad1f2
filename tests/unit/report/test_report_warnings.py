from dataclasses import dataclass

import pandas as pd

from noisy_student.report.warnings import checks


@dataclass
class Found:
    """What the case check found, alone."""

    findings: pd.DataFrame


def found(*severities):
    return Found(pd.DataFrame({"severity": list(severities)}, dtype=str))


def test_warnings_are_counted_and_notes_alarm_nobody():
    assert checks(found("warning", "note", "warning")) == ["The case check reported 2 warnings: see Traceability."]
    assert checks(found("note")) == [] and checks(found()) == []
