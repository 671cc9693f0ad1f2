"""Are there scans to judge rounds on, and for students to learn from?

Looked at whenever the workflow is read: both would else be missed after hours of training.
"""

from noisy_student.cohort.scans import says_what_is_labelled
from noisy_student.configuration.experiment import Configuration
from noisy_student.errors import InputError


def refuse_missing_roles(configuration: Configuration) -> None:
    """Raise InputError where no scans judge, or students have neither unlabelled scans nor partly labelled ones."""
    folders = configuration.cohort.folders
    if folders is None:
        return
    missing = {}
    if not folders.validation and not folders.test:
        wanted = "validation or test scans, on which rounds are judged"
        missing[wanted] = "name some labelled scans under `test` or `validation` instead of under `labelled`"
    students = len(configuration.chain) - 1
    if students and not folders.unlabelled and not says_what_is_labelled(configuration.cohort):
        wanted = f"unlabelled scans, for {students} student(s) to learn from"
        missing[wanted] = "name some under `unlabelled`, or leave round 0 alone under `rounds`, without `deploy`"
    if missing:
        raise InputError("; ".join(missing), "none under `cohort.folders`", "; ".join(missing.values()))
