"""What documents show as parts of a configuration can be written so."""

import re

import pytest
import yaml

from conftest import ROOT
from documents import DOCUMENTS, blocks
from noisy_student.configuration.experiment import Configuration, Folders, read_configuration

SHOWN = [
    pytest.param(block.text, id=f"{document.name}-{number}")
    for document in DOCUMENTS
    for number, block in enumerate(blocks(document))
    if block.language == "yaml"
]
CHECKSUM = re.compile("[0-9a-f]{4}…")
SCANS = {"kind": "folders", "folders": {"labelled": [{"images": "a", "label_maps": "b"}]}}


def over(below, above):
    """As Snakemake lays one configuration over another."""
    if isinstance(below, dict) and isinstance(above, dict):
        return below | {key: over(below.get(key), value) for key, value in above.items()}
    return above


@pytest.mark.parametrize("text", SHOWN)
def test_a_part_of_a_configuration_is_taken_over_the_defaults(text):
    shown = yaml.safe_load(CHECKSUM.sub("ab" * 32, text))
    assert set(shown) <= {*Configuration.model_fields, *Folders.model_fields}
    if set(shown) <= set(Folders.model_fields):
        shown = {"cohort": {"kind": "folders", "folders": shown}}
    below = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    # Organs of one's own have scans of one's own, and the paper's trainings the paper's rounds.
    below = over(below, {"cohort": SCANS} | ({"rounds": [{"network": "coarse"}]} if "training" in shown else {}))
    read_configuration(over(below, shown))


def test_there_are_such_parts_in_many_documents():
    assert len(SHOWN) > 10
