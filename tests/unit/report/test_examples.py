"""The examples of other datasets' layouts, on small scans laid out as these are downloaded."""

import subprocess

import numpy as np
import pytest
import SimpleITK as sitk
import yaml
from snakemake.utils import update_config

from conftest import ROOT
from noisy_student.cohort.case_checks import Standard
from noisy_student.cohort.case_table import make_case_table
from noisy_student.cohort.scans import find_scans
from noisy_student.configuration.experiment import read_configuration
from noisy_student.geometry import reorient
from noisy_student.images import read_image

# https://amos22.grand-challenge.org: its dataset.json.
AMOS22 = (
    "spleen", "right kidney", "left kidney", "gallbladder", "esophagus", "liver", "stomach", "aorta",
    "inferior vena cava", "pancreas", "right adrenal gland", "left adrenal gland", "duodenum", "bladder",
    "prostate or uterus",
)  # fmt: skip
EXAMPLES = ROOT / "config/examples"
SPACING_MM = (10.0, 10.0, 10.0)


def configured(name):
    values = {}
    for path in (ROOT / "config/config.yaml", ROOT / "config/flare22.yaml", EXAMPLES / name):
        update_config(values, yaml.safe_load(path.read_bytes()))
    return read_configuration(values)


@pytest.fixture
def data(tmp_path, monkeypatch, write_scan):
    """Writes scans, and label maps whose label n stands in column n alone, below data/."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)

    def write(image, label_map=None, labels=0):
        write_scan(f"data/{image}", random.integers(-1000, 1000, (4, 10, 18)).astype(np.int16), SPACING_MM)
        if label_map:
            columns = np.arange(18) * (np.arange(18) <= labels)
            write_scan(f"data/{label_map}", np.broadcast_to(columns, (4, 10, 18)).astype(np.uint8), SPACING_MM)

    return write


def checked(configuration, tmp_path):
    scans = find_scans(configuration.cohort.folders)
    return make_case_table(scans, Standard(configuration.organs, tmp_path / "renumbered"), cores=1)


def columns_of(path):
    """The label in each column of a label map."""
    return sitk.GetArrayFromImage(reorient(read_image(path), "RAS"))[0, 0].tolist()


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_example_is_a_whole_configuration_beside_the_papers(path):
    assert configured(path.name).cohort.kind == "folders"


def test_the_decathlon_as_it_unpacks(data, tmp_path):
    for number in (1, 4):
        name = f"pancreas_{number:03}.nii.gz"
        data(f"Task07_Pancreas/imagesTr/{name}", f"Task07_Pancreas/labelsTr/{name}", labels=2)
        # Its archives were packed on a Mac.
        for folder in ("imagesTr", "labelsTr"):
            (tmp_path / f"data/Task07_Pancreas/{folder}/._{name}").write_text("resource fork")
    data("Task07_Pancreas/imagesTs/pancreas_002.nii.gz")
    table, findings = checked(configured("msd_pancreas.yaml"), tmp_path)
    assert findings.empty, findings.to_string()
    assert list(table.case) == ["pancreas_001", "pancreas_004", "pancreas_002"]
    assert columns_of(table.label_map[0]) == [0, 1, 1] + [0] * 15


def test_several_channels_in_one_file_are_refused_with_the_reason(tmp_path, data):
    path = tmp_path / "data/Task07_Pancreas/imagesTr/prostate_00.nii.gz"
    data("Task07_Pancreas/imagesTs/a.nii.gz", "Task07_Pancreas/labelsTr/prostate_00.nii.gz", labels=1)
    path.parent.mkdir(parents=True, exist_ok=True)
    volume = sitk.Image(18, 10, 4, sitk.sitkInt16)
    sitk.WriteImage(sitk.JoinSeries([volume, volume + 1]), str(path))
    _, findings = checked(configured("msd_pancreas.yaml"), tmp_path)
    error = findings[findings.severity == "error"].iloc[0]
    assert (
        error.file == path.relative_to(tmp_path) and "(18, 10, 4, 2)" in error.found and "one channel" in error.remedy
    )


def lay_out_amos(data, tmp_path):
    for part, numbers in (("Tr", (1, 410, 507)), ("Va", (8, 600))):
        for number in numbers:
            name = f"amos_{number:04}.nii.gz"
            data(f"amos22/images{part}/{name}", f"amos22/labels{part}/{name}", labels=15)
    text = (EXAMPLES / "amos22.yaml").read_text()
    commands = [line.removeprefix("#   ") for line in text.splitlines() if line.startswith("#   ")][1:]
    subprocess.run(["bash", "-c", "\n".join(commands)], cwd=tmp_path / "data/amos22", check=True)


def test_amos_with_its_own_label_table_and_its_cts_alone(data, tmp_path):
    lay_out_amos(data, tmp_path)
    data("FLARE22/Training/FLARE22_UnlabeledCase1-1000/Case_00001_0000.nii.gz")
    data("FLARE22/Training/FLARE22_UnlabeledCase1001-2000/Case_01001_0000.nii.gz")
    configuration = configured("amos22.yaml")
    assert tuple(organ.name for organ in configuration.organs) == AMOS22
    table, findings = checked(configuration, tmp_path)
    assert (findings.severity == "warning").all(), findings.to_string()
    assert list(table.case) == ["amos_0001", "amos_0410", "Case_00001", "Case_01001", "amos_0008"]
    assert columns_of(table.label_map[0]) == [*range(16), 0, 0]


def test_amos_as_test_scans_in_flares_numbers(data, tmp_path):
    lay_out_amos(data, tmp_path)
    configuration = configured("flare22_tested_on_amos22.yaml")
    assert len(configuration.organs) == 13
    test_alone = configuration.cohort.folders.model_copy(update={"labelled": [], "unlabelled": [], "validation": []})
    scans = find_scans(test_alone)
    table, _ = make_case_table(scans, Standard(configuration.organs, tmp_path / "renumbered"), cores=1)
    numbers = {organ.name: organ.label for organ in configuration.organs}
    assert columns_of(table.label_map[0]) == [0, *(numbers.get(name, 0) for name in AMOS22), 0, 0]
