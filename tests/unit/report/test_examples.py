"""The examples of other datasets' layouts, on small scans laid out as these are downloaded."""

import json
import subprocess

import numpy as np
import pytest
import SimpleITK as sitk
import yaml
from snakemake.utils import update_config

from conftest import ROOT
from noisy_student.cohort.case_checks import Standard
from noisy_student.cohort.case_table import make_case_table
from noisy_student.cohort.folder_findings import folder_findings
from noisy_student.cohort.missing_roles import refuse_missing_roles
from noisy_student.cohort.numbers_by_name import TAKEN
from noisy_student.cohort.organ_names import OrganNames
from noisy_student.cohort.scans import find_scans, search
from noisy_student.configuration.experiment import read_configuration
from noisy_student.geometry import reorient
from noisy_student.images import read_image
from noisy_student.organs import FLARE22

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
    configuration = configured(path.name)
    assert configuration.cohort.kind == "folders"
    refuse_missing_roles(configuration)


def run_commands_of(name, folder):
    """Run the shell commands of an example's comments in a folder; the first one there starts the workflow."""
    lines = (EXAMPLES / name).read_text().splitlines()
    commands = [line.removeprefix("#   ") for line in lines if line.startswith("#   ")][1:]
    subprocess.run(["bash", "-c", "\n".join(commands)], cwd=folder, check=True)


def test_the_decathlon_as_it_unpacks(data, tmp_path):
    for number in (1, 4, 5):
        name = f"pancreas_{number:03}.nii.gz"
        data(f"Task07_Pancreas/imagesTr/{name}", f"Task07_Pancreas/labelsTr/{name}", labels=2)
        # Its archives were packed on a Mac.
        for folder in ("imagesTr", "labelsTr"):
            (tmp_path / f"data/Task07_Pancreas/{folder}/._{name}").write_text("resource fork")
    data("Task07_Pancreas/imagesTs/pancreas_002.nii.gz")
    (tmp_path / "data/Task07_Pancreas/imagesTs/._pancreas_002.nii.gz").write_text("resource fork")
    run_commands_of("msd_pancreas.yaml", tmp_path / "data/Task07_Pancreas")
    table, findings = checked(configured("msd_pancreas.yaml"), tmp_path)
    assert findings.empty, findings.to_string()
    assert table.set_index("case").role.to_dict() == {
        "pancreas_001": "labelled", "pancreas_004": "labelled", "pancreas_002": "unlabelled", "pancreas_005": "test",
    }  # fmt: skip
    for label_map in (table.label_map[0], table.label_map[3]):
        assert columns_of(label_map) == [0, 1, 1] + [0] * 15


def test_several_channels_in_one_file_are_refused_with_the_reason(tmp_path, data):
    path = tmp_path / "data/Task07_Pancreas/imagesTr/prostate_00.nii.gz"
    data("Task07_Pancreas/imagesTs/a.nii.gz", "Task07_Pancreas/labelsTr/prostate_00.nii.gz", labels=1)
    path.parent.mkdir(parents=True, exist_ok=True)
    volume = sitk.Image(18, 10, 4, sitk.sitkInt16)
    sitk.WriteImage(sitk.JoinSeries([volume, volume + 1]), str(path))
    data("Task07_Pancreas/imagesTr/prostate_01.nii.gz", "Task07_Pancreas/labelsTr/prostate_01.nii.gz", labels=1)
    run_commands_of("msd_pancreas.yaml", tmp_path / "data/Task07_Pancreas")
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
    run_commands_of("amos22.yaml", tmp_path / "data/amos22")


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


def labelled_of(name):
    """The labelled scans of an example alone."""
    configuration = configured(name)
    others = {"unlabelled": [], "validation": [], "test": []}
    folders = configuration.cohort.folders.model_copy(update=others)
    return configuration, search(folders)


# https://github.com/wasserth/TotalSegmentator: some of its 117 classes.
TOTALSEGMENTATOR = (
    "spleen", "kidney_right", "kidney_left", "gallbladder", "liver", "stomach", "pancreas", "adrenal_gland_right",
    "adrenal_gland_left", "lung_upper_lobe_left", "esophagus", "small_bowel", "duodenum", "colon", "urinary_bladder",
    "kidney_cyst_left", "aorta", "inferior_vena_cava",
)  # fmt: skip
# https://github.com/MrGiovanni/AbdomenAtlas: all of 1.0 Mini.
ABDOMENATLAS = (
    "aorta", "gall_bladder", "kidney_left", "kidney_right", "liver", "pancreas", "postcava", "spleen", "stomach",
)  # fmt: skip


def lay_out_masks(data, tmp_path, folder, names):
    """A case with a mask for each name, in the column of its place."""
    data(f"{folder}/ct.nii.gz")
    scan = sitk.ReadImage(str(tmp_path / f"data/{folder}/ct.nii.gz"))
    (tmp_path / f"data/{folder}/segmentations").mkdir()
    for column, name in enumerate(names):
        array = np.zeros((4, 10, 18), np.uint8)
        array[..., column] = 1
        mask = sitk.GetImageFromArray(array)
        mask.CopyInformation(scan)
        sitk.WriteImage(mask, str(tmp_path / f"data/{folder}/segmentations/{name}.nii.gz"))


def columns_by_name(names):
    """FLARE22's labels in the columns of masks with these names."""
    return [OrganNames(FLARE22).rank(name) or 0 for name in names] + [0] * (18 - len(names))


def test_totalsegmentators_masks_are_known_by_their_names(data, tmp_path):
    lay_out_masks(data, tmp_path, "Totalsegmentator_dataset_v201/s0001", TOTALSEGMENTATOR)
    (tmp_path / "data/Totalsegmentator_dataset_v201/meta.csv").touch()
    configuration, found = labelled_of("totalsegmentator.yaml")
    table, findings = make_case_table(found.scans, Standard(configuration.organs, tmp_path / "renumbered"), cores=1)
    assert not (findings.severity == "error").any(), findings.to_string()
    assert columns_of(table.label_map[0]) == columns_by_name(TOTALSEGMENTATOR)
    assert sorted(set(columns_by_name(TOTALSEGMENTATOR))) == [*range(14)]
    (said,) = findings.found[findings.wanted == TAKEN]
    assert "inferior_vena_cava is inferior vena cava" in said and "left over as background: colon" in said


def test_abdomenatlas_has_nine_organs_and_says_nothing_of_the_others(data, tmp_path):
    flare22 = "FLARE22/Training/FLARE22_LabeledCase50"
    data(f"{flare22}/images/FLARE22_Tr_0001_0000.nii.gz", f"{flare22}/labels/FLARE22_Tr_0001.nii.gz", labels=13)
    lay_out_masks(data, tmp_path, "AbdomenAtlas1.0Mini/BDMAP_00000001", ABDOMENATLAS)
    whole = tmp_path / "data/AbdomenAtlas1.0Mini/BDMAP_00000001/combined_labels.nii.gz"
    whole.write_bytes((whole.parent / "segmentations/liver.nii.gz").read_bytes())
    configuration, found = labelled_of("abdomenatlas.yaml")
    table, findings = make_case_table(found.scans, Standard(configuration.organs, tmp_path / "renumbered"), cores=1)
    assert not (findings.severity == "error").any(), findings.to_string()
    assert list(table.case) == ["FLARE22_Tr_0001", "BDMAP_00000001"]
    assert columns_of(table.label_map[1]) == columns_by_name(ABDOMENATLAS)
    assert table.organs.tolist() == [" ".join(map(str, range(1, 14))), "1 2 3 4 5 6 9 11 13"]


# Its affine: slices first, from the head down, and x last.
KITS_AXES = (0, 0, 1, 0, 1, 0, -1, 0, 0)


def lay_out_kits(write_scan, case, seed):
    """A body with two kidneys, the left one with a tumour; in canonical order (z, y, x) the right one comes first."""
    shape_zyx, random = (6, 12, 40), np.random.default_rng(seed)
    scan, label_map = np.full(shape_zyx, -1000, np.int16), np.zeros(shape_zyx, np.uint8)
    scan[:, 2:10, 6:34] = random.integers(0, 80, (6, 8, 28))
    label_map[1:4, 5:8, 10:14], label_map[2:5, 5:8, 26:30], label_map[3, 5:8, 30] = 1, 1, 2
    for name, array in (("imaging", scan), ("segmentation", label_map)):
        stored = array[::-1].transpose(2, 1, 0)
        write_scan(f"data/kits19/data/{case}/{name}.nii.gz", stored, (40.0, 20.0, 10.0), KITS_AXES)
    return label_map


def test_partly_labelled_datasets_come_together_in_flares_numbers(data, tmp_path, write_scan):
    flare22 = "FLARE22/Training/FLARE22_LabeledCase50"
    data(f"{flare22}/images/FLARE22_Tr_0001_0000.nii.gz", f"{flare22}/labels/FLARE22_Tr_0001.nii.gz", labels=13)
    names = {"Task03_Liver": "liver", "Task07_Pancreas": "pancreas", "Task09_Spleen": "spleen"}
    for task, organ in names.items():
        case, labels = (
            f"{organ}_1.nii.gz",
            {"0": "background", "1": organ} | ({} if organ == "spleen" else {"2": "cancer"}),
        )
        data(f"{task}/imagesTr/{case}", f"{task}/labelsTr/{case}", labels=len(labels) - 1)
        described = {"modality": {"0": "CT"}, "labels": labels}
        (tmp_path / f"data/{task}/dataset.json").write_text(json.dumps(described))
    drawn = lay_out_kits(write_scan, "case_00000", 1)
    lay_out_kits(write_scan, "case_00210", 2)
    (tmp_path / "data/kits19/data/case_00210/segmentation.nii.gz").unlink()
    data("AbdomenCT-1K-ImagePart1/Case_00001_0000.nii.gz", "Mask/Case_00001.nii.gz", labels=4)
    run_commands_of("msd_kits_abdomenct1k.yaml", tmp_path / "data")

    configuration, found = labelled_of("msd_kits_abdomenct1k.yaml")
    warning = next(finding for finding in folder_findings(found) if finding.severity == "warning")
    assert warning.found == "1 case(s) without segmentation.nii.gz, left out: case_00210"
    table, findings = make_case_table(found.scans, Standard(configuration.organs, tmp_path / "renumbered"), cores=1)
    assert not (findings.severity == "error").any(), findings.to_string()
    assert table.set_index("case").organs.to_dict() == {
        "FLARE22_Tr_0001": " ".join(map(str, range(1, 14))), "liver_1": "1", "pancreas_1": "4", "spleen_1": "3",
        "case_00000": "2 13", "AbdomenCT-1K_00001": "1 2 3 4 13",
    }  # fmt: skip
    label_maps = table.set_index("case").label_map
    assert columns_of(label_maps["liver_1"]) == [0, 1, 1] + [0] * 15
    assert columns_of(label_maps["spleen_1"]) == [0, 3] + [0] * 16
    kidneys = sitk.GetArrayFromImage(reorient(read_image(label_maps["case_00000"]), "LPS"))
    expected = np.where(drawn > 0, np.where(np.arange(40) < 20, 2, 13), 0)
    assert np.array_equal(kidneys, expected)
