"""Datasets in layouts of their own: a folder for each case, nnU-Net's raw data."""

import json
import re

import numpy as np
import pytest
import SimpleITK as sitk
import yaml

from dicom_series import write_series
from noisy_student.cohort import case_paths
from noisy_student.cohort.case_checks import Standard
from noisy_student.cohort.case_table import make_case_table
from noisy_student.cohort.folder_findings import folder_findings
from noisy_student.cohort.scans import Scan, find_scans, names_truth, search
from noisy_student.cohort.unpaired import missing_label_maps
from noisy_student.configuration.experiment import Folders, read_configuration
from noisy_student.errors import InputError
from noisy_student.geometry import reorient
from noisy_student.images import read_image
from noisy_student.organs import Organ

KITS = {"scan": "imaging.nii.gz", "label_maps": "segmentation.nii.gz"}
TWO = (Organ(1, "liver"), Organ(2, "right kidney"))
SPACING_MM = (20.0, 20.0, 50.0)


def of_role(role, entry):
    """The folders of one entry alone."""
    given = Folders.model_validate({"labelled": [{"table": "none"}]} | {role: [entry]})
    return given if role == "labelled" else given.model_copy(update={"labelled": []})


@pytest.fixture
def kits(lay):
    return lay(
        *(f"data/case_{number:05}/imaging.nii.gz" for number in range(4)),
        *(f"data/case_{number:05}/segmentation.nii.gz" for number in range(2)),
        *("data/case_00009/notes.txt", "data/kits.json", "data/LICENSE"),
    )


def test_cases_are_named_after_their_folders_and_those_without_a_label_map_are_left_out_with_a_warning(kits):
    found = search(of_role("labelled", {"cases": kits / "data", **KITS}))
    assert [(scan.case, scan.image.name, scan.label_map, scan.source) for scan in found.scans] == [
        (case, "imaging.nii.gz", kits / f"data/{case}/segmentation.nii.gz", "data")
        for case in ("case_00000", "case_00001")
    ]
    warning, note = folder_findings(found)
    assert (warning.severity, warning.file) == ("warning", kits / "data")
    assert warning.found == "2 case(s) without segmentation.nii.gz, left out: case_00002, case_00003"
    assert note.severity == "note" and "case_00009 (the folder of a case without imaging.nii.gz)" in note.found


def test_a_case_to_be_judged_needs_its_label_map(kits):
    found = search(of_role("test", {"cases": kits / "data", **KITS}))
    assert [error.case for error in missing_label_maps(found.scans)] == ["case_00002", "case_00003"]
    assert {finding.severity for finding in folder_findings(found)} == {"note"}


def test_truths_of_unlabelled_cases_are_kept_aside_where_they_are(kits):
    entry = {"cases": kits / "data", "scan": KITS["scan"], "truth": KITS["label_maps"]}
    unlabelled = of_role("unlabelled", entry)
    assert [bool(scan.truth) for scan in find_scans(unlabelled)] == [True, True, False, False]
    assert names_truth(unlabelled.unlabelled[0])
    del entry["truth"]
    assert not names_truth(of_role("unlabelled", entry).unlabelled[0])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"scan": "ct.nii.gz"},
            r"with ct\.nii\.gz in it[^`]*case_00000 there is imaging\.nii\.gz, segmentation\.nii\.gz",
        ),
        (
            {"label_maps": "masks"},
            r"masks in the folders of cases[^`]*case_00000 there is imaging\.nii\.gz, segmentation",
        ),
    ],
)
def test_a_layout_that_no_case_has_is_an_error(kits, given, said):
    with pytest.raises(InputError, match=said):
        find_scans(of_role("labelled", {"cases": kits / "data", **KITS, **given}))


@pytest.mark.parametrize(
    ("path", "said"),
    [
        *((path, "a path within the folder of each case is") for path in ("/data/ct.nii.gz", "../ct.nii.gz", "")),
        ("{name}/ct.nii.gz", "braces stand for the name of the case alone, {case}"),
    ],
)
def test_a_path_that_leads_out_of_a_case_or_has_other_names_is_refused(path, said):
    with pytest.raises(InputError, match=rf"labelled\.0\.scan: {re.escape(said)}"):
        read_configuration({
            "cohort": {"kind": "folders", "folders": {"labelled": [{"cases": "a", "scan": path, "label_maps": "b"}]}},
            "networks": {"a": {}}, "rounds": [{"network": "a"}],
        })  # fmt: skip


# Files, the entry that names them, and of each case the scan and the label map.
LAYOUTS = {
    "SegTHOR": (
        ("Patient_1/Patient_1.nii.gz", "Patient_1/GT.nii.gz", "Patient_2/Patient_2.nii.gz", "Patient_2/GT.nii.gz"),
        {"scan": "{case}/{case}.nii.gz", "label_maps": "GT.nii.gz"},
        {case: (f"{case}/{case}.nii.gz", f"{case}/GT.nii.gz") for case in ("Patient_1", "Patient_2")},
    ),
    "any name beside the label map": (
        ("a/5_abdomen.nii.gz", "a/GT.nii.gz", "b/3_thorax.nii.gz", "b/GT.nii.gz", "b/._3_thorax.nii.gz"),
        {"scan": "*.nii.gz", "label_maps": "GT.nii.gz"},
        {"a": ("a/5_abdomen.nii.gz", "a/GT.nii.gz"), "b": ("b/3_thorax.nii.gz", "b/GT.nii.gz")},
    ),
    "LiTS": (
        ("volume-0.nii", "segmentation-0.nii", "volume-10.nii", "segmentation-10.nii"),
        {"scan": "volume-{case}.nii", "label_maps": "segmentation-{case}.nii"},
        {number: (f"volume-{number}.nii", f"segmentation-{number}.nii") for number in ("0", "10")},
    ),
    "LiTS in batches": (
        ("Batch 1/volume-0.nii", "Batch 1/segmentation-0.nii", "Batch 2/volume-1.nii", "Batch 2/segmentation-1.nii"),
        {"scan": "*/volume-{case}.nii", "label_maps": "*/segmentation-{case}.nii"},
        {str(n): (f"Batch {n + 1}/volume-{n}.nii", f"Batch {n + 1}/segmentation-{n}.nii") for n in range(2)},
    ),
    "PanTS": (
        ("ImageTr/P_1/ct.nii.gz", "LabelTr/P_1/segmentations/liver.nii.gz", "LabelTr/P_1/combined_labels.nii.gz"),
        {"scan": "ImageTr/{case}/ct.nii.gz", "label_maps": "LabelTr/{case}/segmentations"},
        {"P_1": ("ImageTr/P_1/ct.nii.gz", "LabelTr/P_1/segmentations")},
    ),
    "BTCV": (
        ("img/img0001.nii.gz", "label/label0001.nii.gz"),
        {"scan": "img/img{case}.nii.gz", "label_maps": "label/label{case}.nii.gz"},
        {"0001": ("img/img0001.nii.gz", "label/label0001.nii.gz")},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYOUTS)
def test_paths_with_the_name_of_the_case_or_any_text_find_scans_and_label_maps(lay, name):
    files, paths, wanted = LAYOUTS[name]
    folder = lay(*(f"d/{file}" for file in files)) / "d"
    found = search(of_role("labelled", {"cases": folder, **paths}))
    assert {scan.case: (scan.image, scan.label_map) for scan in found.scans} == {
        case: (folder / image, folder / label_map) for case, (image, label_map) in wanted.items()
    }
    assert folder_findings(found) == []


def test_what_no_path_names_is_noted(lay):
    folder = lay(
        *("d/a/ct.nii.gz", "d/a/combined.nii.gz", "d/a/masks/liver.nii.gz", "d/b/masks/liver.nii.gz", "d/x.nii.gz"),
        *("d/c/ct.nii.gz", "d/c/combined.nii.gz", "d/c/masks/liver.nii.gz"),
        *("f/ct_1.nii", "f/gt_1.nii", "f/gt_2.nii", "f/mr_1.nii", "t/im/1/ct.nii", "t/gt/1.nii", "t/gt/2.nii"),
    )
    for entry, said in (
        (
            {"cases": folder / "d", "scan": "ct.nii.gz", "label_maps": "masks"},
            "3 entries are no scans: b (the folder of a case without ct.nii.gz); x.nii.gz (not named as ct.nii.gz); "
            "combined.nii.gz (another image, in 2 folder(s) of cases)",
        ),
        (
            {"cases": folder / "f", "scan": "ct_{case}.nii", "label_maps": "gt_{case}.nii"},
            "2 entries are no scans: gt_2.nii (the label map of no scan); mr_1.nii (not named as ct_{case}.nii)",
        ),
        (
            {"cases": folder / "t", "scan": "im/{case}/ct.nii", "label_maps": "gt/{case}.nii"},
            "1 entry is no scan: 2.nii (the label map of no scan)",
        ),
    ):
        (note,) = folder_findings(search(of_role("labelled", entry)))
        assert note.severity == "note" and note.found == said


def test_several_files_of_one_case_are_an_error_with_the_lines_of_a_table(lay):
    folder = lay("d/a/1_thin.nii.gz", "d/a/2_thick.nii.gz", "d/a/r.seg.nrrd", "d/a/s.seg.nrrd", "d/b/ct.nii.gz")
    entry = {"cases": folder / "d", "scan": "*.nii.gz"}
    with pytest.raises(InputError) as error:
        find_scans(of_role("unlabelled", entry))
    assert error.value.got == "several of 1 case(s): a: 1_thin.nii.gz, 2_thick.nii.gz"
    table = folder / "scans.tsv"
    table.write_text("\n".join(error.value.remedy.splitlines()[1:]) + "\n")
    assert [scan.case for scan in find_scans(of_role("unlabelled", {"table": table}))] == ["a_1", "a_2"]
    with pytest.raises(
        InputError, match=r"`label_maps: \*\.seg\.nrrd`[^`]*a: r\.seg\.nrrd, s\.seg\.nrrd[^`]*`label_maps`"
    ) as error:
        find_scans(of_role("labelled", {"cases": folder / "d", "scan": "1*.nii.gz", "label_maps": "*.seg.nrrd"}))
    table.write_text("\n".join(error.value.remedy.splitlines()[1:]) + "\n")
    assert [scan.label_map.name for scan in find_scans(of_role("labelled", {"table": table}))] == ["r.seg.nrrd"]


SEGTHOR = LAYOUTS["SegTHOR"][0]
# Files, an entry that does not fit them, and what the remedy says to write.
UNFIT = [
    (
        SEGTHOR, {"cases": "", "scan": "ct.nii.gz", "label_maps": "GT.nii.gz"},
        {"scan": "{case}/{case}.nii.gz", "label_maps": "GT.nii.gz"},
    ),
    (SEGTHOR, {"images": "", "label_maps": ""}, {"scan": "{case}/{case}.nii.gz", "label_maps": "GT.nii.gz"}),
    (SEGTHOR, {"images": ""}, {"scan": "{case}/{case}.nii.gz"}),
    (("a/5_abdomen.nii.gz", "b/3_thorax.nii.gz"), {"images": ""}, {"scan": "*.nii.gz"}),
    (("a/5_abdomen.nii.gz", "b/3_thorax.nii.gz"), {"cases": "", "scan": "ct.nii.gz"}, {"scan": "*.nii.gz"}),
    (
        ("s1/ct.nii.gz", "s1/segmentations/liver.nii.gz", "s1/combined_labels.nii.gz"),
        {"images": "", "label_maps": ""},
        {"scan": "ct.nii.gz", "label_maps": "segmentations"},
    ),
    (
        ("s1/ct.nii.gz", "s1/segmentations/liver.nii.gz"), {"cases": "", "scan": "ct.nii.gz", "label_maps": "masks"},
        {"scan": "ct.nii.gz", "label_maps": "segmentations"},
    ),
    (
        LAYOUTS["PanTS"][0], {"images": "ImageTr", "label_maps": "LabelTr"},
        {"scan": "ImageTr/{case}/ct.nii.gz", "label_maps": "LabelTr/{case}/segmentations"},
    ),
    (
        ("im/a/5_x.nii.gz", "im/b/3_y.nii.gz", "gt/a.nrrd", "gt/b.nrrd"), {"images": "im", "truth": "gt"},
        {"scan": "im/{case}/*.nii.gz", "truth": "gt/{case}.nrrd"},
    ),
]  # fmt: skip


def test_label_maps_in_the_tree_beside_that_of_the_scans_are_found_for_the_remedy(lay):
    folder = lay(*(f"d/{file}" for file in (*LAYOUTS["PanTS"][0], "ImageTe/P_2/ct.nii.gz"))) / "d"
    with pytest.raises(InputError) as error:
        find_scans(
            of_role("labelled", {"cases": folder / "ImageTr", "scan": "ct.nii.gz", "label_maps": "segmentations"})
        )
    entry = yaml.safe_load(re.search(r"\{cases.*\}(?= in place)", error.value.remedy)[0])
    assert entry == {"cases": str(folder), **LAYOUTS["PanTS"][1]}
    lay("d/PredTr/P_1.nii.gz")
    with pytest.raises(InputError, match="remedy: correct `label_maps`"):
        find_scans(
            of_role("labelled", {"cases": folder / "ImageTr", "scan": "ct.nii.gz", "label_maps": "segmentations"})
        )


@pytest.mark.parametrize(("files", "given", "wanted"), UNFIT)
def test_a_layout_that_does_not_fit_is_an_error_with_the_entry_that_does(lay, files, given, wanted):
    folder = lay(*(f"d/{file}" for file in files)) / "d"
    role = "labelled" if "label_maps" in given else "unlabelled"
    within = () if "images" in given else ("scan", "label_maps")
    given = {key: path if key in within else folder / path for key, path in given.items()}
    with pytest.raises(InputError) as error:
        find_scans(of_role(role, given))
    entry = yaml.safe_load(re.search(r"\{cases.*\}(?= in place)", error.value.remedy)[0])
    assert entry == {"cases": str(folder), **wanted}
    found = search(of_role(role, entry)).scans
    assert found and all((scan.label_map or scan.truth or scan.image).exists() for scan in found)


@pytest.mark.parametrize(
    "files",
    [
        ("a/1.nii.gz", "a/2.nii.gz", "b/3.nii.gz", "b/4.nii.gz"),
        ("a/x/1.nii.gz", "b/2.nii.gz"),
        ("a/1.nii", "b/2.mha"),
    ],
)
def test_where_no_one_file_is_the_scan_no_entry_is_said(lay, files):
    with pytest.raises(InputError) as error:
        find_scans(of_role("unlabelled", {"images": lay(*(f"d/{file}" for file in files)) / "d"}))
    assert "{cases" not in error.value.remedy


@pytest.fixture
def dataset(lay):
    """A dataset of nnU-Net with labelled scans, and scans to test on."""
    folder = lay(
        *("Dataset007_Two/imagesTr/a_0000.nrrd", "Dataset007_Two/labelsTr/a.nrrd", "Dataset007_Two/imagesTr/a.nii.gz"),
        *("Dataset007_Two/imagesTs/b_0000.nrrd", "Dataset007_Two/imagesTs/c_0000.nrrd"),
    )
    described = {"channel_names": {"0": "CT"}, "labels": {"background": 0, "liver": 1}, "file_ending": ".nrrd"}
    (folder / "Dataset007_Two/dataset.json").write_text(json.dumps(described))
    return folder / "Dataset007_Two"


def test_a_dataset_of_nnunet_has_labelled_scans_and_others(dataset):
    both = Folders.model_validate({"labelled": [{"nnunet": dataset}], "unlabelled": [{"nnunet": dataset}]})
    assert [(scan.case, scan.role, scan.source) for scan in find_scans(both)] == [
        (case, role, "Dataset007_Two") for case, role in (("a", "labelled"), ("b", "unlabelled"), ("c", "unlabelled"))
    ]
    assert find_scans(both)[0].label_map == dataset / "labelsTr/a.nrrd"
    assert not names_truth(both.unlabelled[0])
    (dataset / "labelsTs").mkdir()
    (dataset / "labelsTs/b.nrrd").touch()
    assert names_truth(both.unlabelled[0])
    tested = find_scans(of_role("test", {"nnunet": dataset}))
    assert [scan.label_map.exists() for scan in tested] == [True, False]


def test_images_of_another_ending_than_the_datasets_are_noted(dataset):
    notes = folder_findings(search(of_role("labelled", {"nnunet": dataset})))
    assert [(note.file, note.severity) for note in notes] == [(dataset / "imagesTr", "note")]
    assert notes[0].found == "1 entry is no scan: a.nii.gz (not .nrrd, the `file_ending` in dataset.json)"


@pytest.mark.parametrize("role", ["labelled", "unlabelled"])
def test_a_dataset_all_of_whose_images_have_another_ending_is_an_error(dataset, role):
    (dataset / "dataset.json").write_text('{"modality": {"0": "CT"}}')
    (dataset / "imagesTr/a.nii.gz").unlink()
    with pytest.raises(InputError) as error:
        find_scans(of_role(role, {"nnunet": dataset}))
    folder, name = {"labelled": ("imagesTr", "a_0000.nrrd"), "unlabelled": ("imagesTs", "b_0000.nrrd")}[role]
    assert error.value.wanted == f"scans (.nii.gz) in {dataset / folder}"
    assert f"{name} (not .nii.gz, the `file_ending` in dataset.json or its default)" in error.value.got
    assert "`file_ending`" in error.value.remedy


def test_scans_that_other_endings_would_supersede_stay(lay):
    folder = lay("d/imagesTr/x.nii.gz", "d/imagesTr/x_Eq_1.nrrd", "d/imagesTr/s/1") / "d"
    (folder / "dataset.json").write_text('{"channel_names": {"0": "CT"}, "file_ending": ".nii.gz"}')
    assert [scan.case for scan in find_scans(of_role("labelled", {"nnunet": folder}))] == ["x"]


@pytest.fixture
def images(write_scan):
    """Write a scan and masks with one column each, below data/."""
    random = np.random.default_rng(0)

    def write(image, **masks):
        write_scan(f"data/{image}", random.integers(-1000, 1000, (4, 8, 8)).astype(np.int16), SPACING_MM)
        for path, column in masks.items():
            array = np.zeros((4, 8, 8), np.uint8)
            array[..., column] = 1
            write_scan(f"data/{path.replace('__', '/')}.nii.gz", array, SPACING_MM)

    return write


def columns_of(path):
    return sitk.GetArrayFromImage(reorient(read_image(path), "RAS"))[0, 0].tolist()


def test_folders_of_masks_come_into_the_tables_numbers_by_their_names(images, tmp_path):
    """In a folder for each case, in a folder of label maps, and in a table."""
    images("cases/a/ct.nii.gz", cases__a__segmentations__liver=1, cases__a__segmentations__kidney_right=4)
    images("images/b_0000.nii.gz", labels__b__Liver=2, labels__b__KidneyR=3, labels__b__heart=6)
    images("scans/c.nii.gz", masks__c__liver=5, masks__c__rk=7)
    (tmp_path / "scans.tsv").write_text("case\timage\tlabel_map\nc\tdata/scans/c.nii.gz\tdata/masks/c\n")
    found = search(Folders.model_validate({"labelled": [
        {"cases": tmp_path / "data/cases", "scan": "ct.nii.gz", "label_maps": "segmentations"},
        {"images": tmp_path / "data/images", "label_maps": tmp_path / "data/labels"},
        {"table": tmp_path / "scans.tsv"},
    ]}))  # fmt: skip
    assert folder_findings(found) == []
    table, findings = make_case_table(found.scans, Standard(TWO, tmp_path / "renumbered"), cores=1)
    assert not (findings.severity == "error").any(), findings.to_string()
    assert [columns_of(path) for path in table.label_map] == [
        [0, 1, 0, 0, 2, 0, 0, 0], [0, 0, 1, 2, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1, 0, 2],
    ]  # fmt: skip
    (said,) = (text for text in findings.found if text.startswith("source images: "))
    assert said.endswith(
        "organs by the names of its masks: Liver is liver, KidneyR is right kidney; left over as background: heart"
    )


def test_a_mask_that_is_named_as_a_label_map_is_not_the_first_organ_of_the_table(images, tmp_path):
    images("cases/a/ct.nii.gz", cases__a__segmentations__spleen=1)
    images("images/b.nii.gz", labels__b_seg_spleen=2)
    images("images/c.nii.gz", spleen__c=2)
    images("images/d.nii.gz", liver__d=3)
    images("liver_7.nii.gz", all__liver_7=3)
    data = tmp_path / "data"
    found = [
        Scan("a", "labelled", data / "cases/a/ct.nii.gz", data / "cases/a/segmentations/spleen.nii.gz"),
        Scan("b", "labelled", data / "images/b.nii.gz", data / "labels/b_seg_spleen.nii.gz"),
        Scan("c", "labelled", data / "images/c.nii.gz", data / "spleen/c.nii.gz"),
        Scan("d", "labelled", data / "images/d.nii.gz", data / "liver/d.nii.gz"),
        Scan("liver_7", "labelled", data / "liver_7.nii.gz", data / "all/liver_7.nii.gz"),
    ]
    organs = (Organ(1, "liver"), Organ(2, "spleen"))
    findings = make_case_table(found, Standard(organs, tmp_path / "renumbered"), cores=1)[1]
    errors = findings[findings.severity == "error"]
    assert errors.case.tolist() == ["a", "b", "c"] and errors.found.str.contains("named after spleen").all()
    assert errors.remedy.str.contains("labels: {spleen: 1}", regex=False).all()


def test_a_case_folder_that_holds_its_scan_alone_has_no_label_map(images, tmp_path):
    """And a star beside the case's name is any text."""
    images("cases/a/image.nii.gz", cases__a__mask_Liver=1, cases__a__mask_Right_Kidney=4)
    images("cases/b/image.nii.gz")
    entry = {"cases": tmp_path / "data/cases", "scan": "image.nii.gz", "label_maps": "."}
    assert [scan.case for scan in find_scans(Folders.model_validate({"labelled": [entry]}))] == ["a"]
    found = case_paths.found(tmp_path / "data", "cases/a/{case}*.nii.gz")
    assert set(found) == {"image", "mask_Liver", "mask_Right_Kidney"}


def test_masks_as_converters_name_them_are_known_without_what_all_have_and_it_is_said(images, tmp_path):
    """dcmrtstruct2nii beside the scan, by number too; a word that may say more; masks of all cases in one folder."""
    images("plain/a/image.nii.gz", plain__a__mask_Liver=1, plain__a__mask_Right_Kidney=4, plain__a__mask_BODY=6)
    images("plain/b/Image.nii.gz", **{"plain__b__mask_1-Liver": 2, "plain__b__mask_12-Kidney_R": 3})
    (tmp_path / "data/plain/b/Image.nii.gz").rename(tmp_path / "data/plain/b/image.nii.gz")
    images("odd/c/CT_7.nii.gz", odd__c__upper_liver=5, odd__c__upper_kidney_right=7)
    images("images/d_0000.nii.gz", flat__d_liver=1, flat__d_RK=2)
    images("images/e.nii.gz", flat__e_liver=3, flat__right_kidney_e=4)
    found = search(Folders.model_validate({"labelled": [
        {"cases": tmp_path / "data/plain", "scan": "image.nii.gz", "label_maps": "."},
        {"cases": tmp_path / "data/odd", "scan": "CT_7.nii.gz", "label_maps": "."},
        {"images": tmp_path / "data/images", "label_maps": tmp_path / "data/flat"},
    ]}))  # fmt: skip
    assert folder_findings(found) == []
    table, findings = make_case_table(found.scans, Standard(TWO, tmp_path / "renumbered"), cores=1)
    assert not (findings.severity == "error").any(), findings.to_string()
    assert [columns_of(path) for path in table.label_map] == [
        [0, 1, 0, 0, 2, 0, 0, 0], [0, 0, 1, 2, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1, 0, 2],
        [0, 1, 2, 0, 0, 0, 0, 0], [0, 0, 0, 1, 2, 0, 0, 0],
    ]  # fmt: skip
    said = "\n".join(findings.found)
    assert (
        "source plain: organs by the names of its masks without what all of a case have, such as “mask”: Liver is"
        in said
    )
    assert "left over as background: BODY" in said
    (warning,) = findings[findings.severity == "warning"].found[findings.found.str.contains("cut off")]
    assert warning == "source odd: “upper” was cut off the names of all masks, as of c"


def test_a_mask_that_a_case_lacks_is_an_error_unless_its_organ_is_said_not_to_be_labelled(images, tmp_path):
    images("cases/a/ct.nii.gz", cases__a__segmentations__liver=1)
    entry = {"cases": tmp_path / "data/cases", "scan": "ct.nii.gz", "label_maps": "segmentations"}
    for organs, errors in ((None, ["no name for right kidney; the names of its masks: liver"]), (["liver"], [])):
        scans = find_scans(of_role("labelled", entry | {"organs": organs}))
        _, findings = make_case_table(scans, Standard(TWO, tmp_path / "renumbered"), cores=1)
        assert findings.found[findings.severity == "error"].tolist() == errors


def test_the_one_file_of_a_case_is_its_label_map_or_the_line_of_a_table_names_it(images, tmp_path):
    images("images/b_0000.nii.gz", eval__b__b_seg=2, eval__c__by_anna=3)
    images("images/c.nii.gz")
    folders = {"images": tmp_path / "data/images", "label_maps": tmp_path / "data/eval"}
    scans = find_scans(of_role("labelled", folders))
    table, findings = make_case_table(scans, Standard(TWO, tmp_path / "renumbered"), cores=1)
    assert table.label_map[0] == tmp_path / "data/eval/b/b_seg.nii.gz" and table.labels[0] == "1"
    (error,) = findings[findings.severity == "error"].itertuples()
    assert error.case == "c" and f"\t{tmp_path}/data/eval/c/by_anna.nii.gz\n" in error.remedy


def test_masks_of_dicom_slices_and_pictures_are_found_as_label_maps(tmp_path):
    """3D-IRCADb's layout, the same masks in a folder of label maps, and CHAOS's pictures, which are refused."""
    hu = np.full((6, 12, 40), -1000, np.int16)
    hu[:, 2:10, 6:34] = np.random.default_rng(3).integers(-60, 80, (6, 8, 28))
    liver, kidney = (np.zeros(hu.shape, bool) for _ in range(2))
    liver[2:5, 4:8, 8:16], kidney[1:3, 6:8, 17:20] = True, True
    places = {"spacing_mm_xyz": (10.0, 20.0, 40.0), "tag_0028_1052": "0"}
    for number, case in enumerate(("ircadb/p1", "scans/p2", "scans/p3")):
        folder = tmp_path / case / ("PATIENT_DICOM" if number == 0 else ".")
        write_series(folder, hu + number, series=f"1.2.8.{number}", **places | {"tag_0028_1052": "-1024"})
    for folder in ("ircadb/p1/MASKS_DICOM", "labels/p2"):
        for name, mask in (("liver", liver), ("rightkidney", kidney), ("skin", hu > -1000)):
            write_series(tmp_path / folder / name, (255 * mask).astype(np.int16), series=f"1.2.9.{name}", **places)
    (tmp_path / "labels/p3").mkdir()
    (tmp_path / "labels/p3/liver_000.png").touch()
    found = search(Folders.model_validate({"labelled": [
        {"cases": tmp_path / "ircadb", "scan": "PATIENT_DICOM", "label_maps": "MASKS_DICOM"},
        {"images": tmp_path / "scans", "label_maps": tmp_path / "labels"},
    ]}))  # fmt: skip
    table, findings = make_case_table(found.scans, Standard(TWO, tmp_path / "renumbered"), cores=1)
    (error,) = findings[findings.severity == "error"].itertuples()
    assert error.case == "p3" and error.found.startswith("1 picture(s) such as liver_000.png")
    assert "'Pictures of slices'" in error.remedy
    for case in ("p1", "p2"):
        kept = sitk.ReadImage(str(table.set_index("case").label_map[case]))
        assert np.array_equal(sitk.GetArrayFromImage(kept), np.select([kidney, liver], [2, 1]))
