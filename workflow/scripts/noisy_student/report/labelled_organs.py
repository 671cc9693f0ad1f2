"""In how many scans each organ is labelled; where it is not, it is not judged."""

from collections.abc import Mapping
from itertools import groupby

import pandas as pd

from noisy_student.cohort.labelled_organs import labelled_by_case
from noisy_student.cohort.roles import ROLES
from noisy_student.report.numbers import count
from noisy_student.report.results import Results
from noisy_student.report.table import Table, plain


def labelled_organs(results: Results) -> Table | None:
    """A row for each organ, a column for each role; None where every organ is labelled in all scans."""
    roles = _scans(results)
    if all(len(own) == len(results.organs) for scans in roles.values() for own in scans):
        return None
    columns = {role: [f"{number} of {len(scans)}" for number in _counts(results, scans).values()]
               for role, scans in roles.items()}  # fmt: skip
    data = pd.DataFrame({"organ": [organ.name for organ in results.organs], **columns})
    caption = (
        "Of the scans with a label map, or of unlabelled ones with a truth. An organ is judged in the scans in which "
        "it is labelled, and in no others."
    )
    return plain("labelled_organs", "Scans in which an organ is labelled", caption, data)


def sentence(results: Results) -> str:
    """For the methods text, where not every organ is labelled in every scan of a role; otherwise empty."""
    said = []
    for role, scans in _scans(results).items():
        counts = _counts(results, scans)
        if set(counts.values()) != {len(scans)}:
            with_truth = " with a truth" if role == "unlabelled" else ""
            said.append(f"of {count(len(scans), f'{role} scan')}{with_truth} {in_words(counts)}")
    if not said:
        return ""
    judged = "An organ was judged only in scans in which it is labelled."
    return f"Not every organ was labelled in every scan: {'; '.join(said)}. {judged}"


def partly_labelled(results: Results) -> set[str]:
    """The labelled scans in which only some organs are labelled."""
    own = _by_role(results).get("labelled", {})
    return {case for case, labels in own.items() if len(labels) < len(results.organs)}


def in_words(counts: Mapping[str, int]) -> str:
    """Organs and in how many scans they are labelled: "liver, spleen in 8, aorta in 3, duodenum in none"."""
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    groups = ((number, [name for name, _ in own]) for number, own in groupby(ordered, key=lambda item: item[1]))
    return ", ".join(f"{', '.join(names)} in {number or 'none'}" for number, names in groups)


def _scans(results: Results) -> dict[str, list[frozenset[int]]]:
    """Role → the labels of the organs that are labelled in each of its scans that has a label map or a truth."""
    return {role: list(own.values()) for role, own in _by_role(results).items()}


def _by_role(results: Results) -> dict[str, dict[str, frozenset[int]]]:
    """The same by case."""
    cases = results.cases[results.cases["label_map"].notna() | results.cases["truth"].notna()]
    labelled = labelled_by_case(cases, [organ.label for organ in results.organs])
    of_roles = {role: cases.loc[cases["role"] == role, "case"] for role in ROLES}
    return {role: {case: labelled[case] for case in own} for role, own in of_roles.items() if len(own)}


def _counts(results: Results, scans: list[frozenset[int]]) -> dict[str, int]:
    return {organ.name: sum(organ.label in own for own in scans) for organ in results.organs}
