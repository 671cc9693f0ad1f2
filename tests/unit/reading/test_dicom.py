"""A DICOM series is read as it lies in the patient or refused, and nothing of the patient's name goes on."""

import shutil

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.uid import HTJ2KLossless, RLELossless

from conftest import ROOT
from dicom_series import PATIENT, change, write_series
from noisy_student.cohort.case_checks import Standard, examine
from noisy_student.cohort.case_table import make_case_table
from noisy_student.cohort.conversion import convert, convert_label_map
from noisy_student.cohort.converted import converted_image
from noisy_student.cohort.scans import Scan, find_scans
from noisy_student.configuration.experiment import Folders, LabelledFolder
from noisy_student.errors import InputError
from noisy_student.geometry import Geometry
from noisy_student.images import read_image
from noisy_student.organs import FLARE22, Organ
from noisy_student.reading.door import checksum, read_scan
from noisy_student.reading.volume import NOT_CT

REAL = ROOT.parent / "shared/data/ct/totalseg_dicom_slab"
SHAPE_ZYX = (6, 12, 10)
VOXELS = np.random.default_rng(0).integers(-1000, 1500, SHAPE_ZYX).astype(np.int16)


@pytest.fixture
def series(tmp_path):
    """A folder with a series of six slices, and its files from foot to head."""
    return tmp_path / "case", write_series(tmp_path / "case", VOXELS)


def refusal(folder):
    with pytest.raises(InputError) as error:
        read_scan(folder)
    assert str(folder) in str(error.value)
    return str(error.value)


def test_slices_are_stacked_by_their_place_whatever_their_names(series):
    folder, files = series
    assert [path.name for path in files] != sorted(path.name for path in files)
    image = read_scan(folder).image
    assert (sitk.GetArrayFromImage(image) == VOXELS).all()
    expected = Geometry(SHAPE_ZYX[::-1], (2, 2, 3), (0, 0, 0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    assert read_scan(folder).geometry.differences(expected) == []


@pytest.mark.parametrize(
    "axes",
    [((1, 0, 0), (0, 0, -1)), ((0, 1, 0), (0, 0, -1)), ((-1, 0, 0), (0, 1, 0)), ((0.6, 0.8, 0), (-0.8, 0.6, 0))],
)
def test_every_voxel_lies_where_its_slices_header_says(tmp_path, axes):
    files = write_series(tmp_path / "case", VOXELS, spacing_mm_xyz=(1.5, 2.5, 4.0), axes=axes)
    image = read_scan(tmp_path / "case").image
    for number, path in enumerate(files):
        reader = sitk.ImageFileReader()
        reader.SetFileName(str(path))
        reader.ReadImageInformation()
        first = np.array([float(part) for part in reader.GetMetaData("0020|0032").split("\\")])
        place = first + 3 * 1.5 * np.array(axes[0]) + 2 * 2.5 * np.array(axes[1])
        assert image[image.TransformPhysicalPointToIndex(place.tolist())] == VOXELS[number, 2, 3]


@pytest.mark.parametrize("letters", ["LAS", "RAS", "LPS"])
def test_a_label_map_with_its_rows_in_another_order_lies_on_the_series(series, tmp_path, letters):
    """As it is drawn on the file that dcm2niix makes of the series."""
    image = read_scan(series[0]).image
    labels = sitk.GetImageFromArray(np.random.default_rng(1).integers(0, 14, SHAPE_ZYX).astype(np.uint8))
    labels.CopyInformation(image)
    sitk.WriteImage(sitk.DICOMOrient(labels, letters), str(tmp_path / "case.nii.gz"))
    scan = Scan("case", "labelled", series[0], tmp_path / "case.nii.gz")
    row, findings = examine(scan, Standard(FLARE22, tmp_path / "renumbered"))
    assert "error" not in [finding.severity for finding in findings]
    convert(scan.image, tmp_path / "scan.nii.gz")
    convert_label_map(row["label_map"], tmp_path / "converted.nii.gz", tmp_path / "scan.nii.gz")
    assert (sitk.GetArrayFromImage(read_image(tmp_path / "converted.nii.gz")) == sitk.GetArrayFromImage(labels)).all()


def test_text_files_are_as_they_were_after_reading(series, tmp_path):
    read_scan(series[0])
    (tmp_path / "text").write_text("1 × 1 × 1 mm")


def test_fractions_of_hounsfield_units_are_kept(series):
    folder, files = series
    slope = b"\x28\x00\x53\x10\x02\x00\x00\x00"
    for path in files:
        assert slope + b"1 " in path.read_bytes()
        path.write_bytes(path.read_bytes().replace(slope + b"1 ", slope + b".5"))
    image = read_scan(folder).image
    assert image.GetPixelID() == sitk.sitkFloat32
    assert (sitk.GetArrayFromImage(image) == (VOXELS + 1024) * 0.5 - 1024).all()


def test_a_second_series_is_an_error_that_names_both(series):
    folder, _ = series
    write_series(folder / "localizer", VOXELS[:2], series="9.9")
    said = refusal(folder)
    assert "2 series" in said and "6 file(s)" in said and "2 file(s)" in said and "a folder for each" in said
    assert "an `archive`" in said


def test_another_modality_is_read_and_stops_the_run_unless_it_is_accepted(tmp_path):
    write_series(tmp_path / "case", VOXELS, tag_0008_0060="MR")
    volume = read_scan(tmp_path / "case")
    assert (sitk.GetArrayFromImage(volume.image) == VOXELS).all()
    [remark] = volume.remarks
    assert (remark.kind, remark.severity, remark.found) == (NOT_CT, "error", "modality MR")
    scan = Scan("case", "unlabelled", tmp_path / "case")
    for accepted, severity in (([], "error"), (["case"], "warning")):
        _, findings = examine(scan, Standard(FLARE22[:1], tmp_path, accepted=accepted))
        assert [finding.severity for finding in findings if finding.found == "modality MR"] == [severity]


def test_acquisitions_that_alternate_stop_the_run_unless_they_are_accepted(tmp_path):
    for number, path in enumerate(write_series(tmp_path / "case", VOXELS)):
        change(path, AcquisitionNumber=number % 2)
    scan = Scan("case", "unlabelled", tmp_path / "case")
    for accepted, severity in (([], "error"), (["case"], "warning")):
        _, findings = examine(scan, Standard(FLARE22[:1], tmp_path, accepted=accepted))
        [found] = [finding for finding in findings if "one acquisition among" in finding.found]
        assert found.severity == severity and "`cohort.accept`" in found.remedy


def test_a_place_that_is_no_number_is_named(series):
    folder, files = series
    files[2].write_bytes(files[2].read_bytes().replace(b"0\\0\\6 ", b"0\\0\\x "))
    said = refusal(folder)
    assert files[2].name in said and "0020|0032" in said


def test_damaged_slices_are_named(series):
    folder, files = series
    whole = files[2].read_bytes()
    files[2].write_bytes(whole[:-50])
    assert files[2].name in refusal(folder)
    files[2].write_bytes(whole[:200])
    assert files[2].name in refusal(folder)
    files[2].write_bytes(b"")
    assert files[2].name in refusal(folder)


def test_a_slice_that_cannot_be_opened_is_named(series):
    folder, _ = series
    (folder / "IM99").symlink_to("nowhere")
    assert "IM99" in refusal(folder)


def test_a_folder_without_dicom_is_refused(tmp_path):
    (tmp_path / "case").mkdir()
    assert "an empty folder" in refusal(tmp_path / "case")
    (tmp_path / "case/notes").write_text("none")
    assert "no DICOM files, only 1 other(s) such as notes" in refusal(tmp_path / "case")
    (tmp_path / "case/ct.nii.gz").touch()
    said = refusal(tmp_path / "case")
    assert "1 image file(s) such as ct.nii.gz" in said and "name the file itself" in said


def test_the_checksum_follows_content_and_not_names(series, tmp_path):
    folder, files = series
    before = checksum(folder)
    (folder / "notes.txt").write_text("not of the series")
    files[0].rename(folder / "renamed.dcm")
    assert checksum(folder) == before
    write_series(folder, VOXELS + 1)
    assert checksum(folder) != before


def test_a_folder_of_series_is_a_folder_of_scans_and_no_patient_gets_into_results(tmp_path, write_scan):
    for number, voxels in enumerate((VOXELS, VOXELS[:, ::-1])):
        write_series(tmp_path / f"images/case_{number}/series", voxels, spacing_mm_xyz=(10, 10, 10))
        labels = np.zeros(SHAPE_ZYX, np.uint8)
        labels[2:4, 3:6, 3:6] = 1
        upright = (1, 0, 0, 0, 1, 0, 0, 0, 1)
        write_scan(f"labels/case_{number}.nii.gz", labels, (10, 10, 10), upright)
    (tmp_path / "images/.DS_Store").write_text("hidden")
    folder = LabelledFolder(images=tmp_path / "images", label_maps=tmp_path / "labels")
    scans = find_scans(Folders(labelled=[folder]))
    assert [scan.case for scan in scans] == ["case_0", "case_1"]
    results = tmp_path / "results"
    table, findings = make_case_table(scans, Standard((Organ(1, "liver"),), results), cores=1)
    assert findings.empty, findings.to_string()
    (results / "cases.tsv").parent.mkdir(exist_ok=True)
    table.to_csv(results / "cases.tsv", sep="\t")
    for row in table.itertuples():
        convert(row.image, converted_image(results, row.case))
        converted = read_image(converted_image(results, row.case))
        assert (sitk.GetArrayFromImage(converted) == sitk.GetArrayFromImage(read_scan(row.image).image)).all()
    unpacked = [sitk.WriteImage(read_image(path), str(path.with_suffix(".nrrd"))) for path in results.rglob("*.gz")]
    assert len(unpacked) == 2
    for path in (path for path in results.rglob("*") if path.is_file()):
        for secret in (PATIENT, "ID4711", "19500101"):
            assert secret.encode() not in path.read_bytes()


@pytest.mark.skipif(not REAL.exists(), reason=f"the real series is not at {REAL}")
def test_a_real_series_lies_on_the_grid_of_its_label_map(tmp_path):
    image, label_map = read_scan(REAL).image, read_image(REAL / "label.nii.gz")
    assert Geometry.of(image).differences(Geometry.of(label_map)) == []
    voxels, labels = sitk.GetArrayFromImage(image), sitk.GetArrayFromImage(label_map)
    assert 60 < np.median(voxels[labels == 1]) < 160, "the liver's Hounsfield units"
    shutil.copytree(REAL, tmp_path / "images/slab")
    shutil.copy(REAL / "label.nii.gz", tmp_path / "slab.nii.gz")
    folders = Folders(labelled=[LabelledFolder(images=tmp_path / "images", label_maps=tmp_path)])
    scans = find_scans(folders)
    assert scans == [Scan("slab", "labelled", tmp_path / "images/slab", tmp_path / "slab.nii.gz", source="images")]
    _, findings = make_case_table(scans, Standard(FLARE22, tmp_path / "renumbered"), cores=1)
    assert (findings.severity == "warning").all()


def test_a_compression_that_is_not_read_is_named_not_called_damage(series):
    folder, files = series
    data = pydicom.dcmread(files[0])
    data.compress(RLELossless)
    data.file_meta.TransferSyntaxUID = HTJ2KLossless
    data.save_as(files[0])
    assert "High-Throughput JPEG 2000" in refusal(folder) and "uncompressed" in refusal(folder)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.104.1", "Rows": None}, "is no image (Encapsulated PDF Storage)"),
        ({"ImagePositionPatient": None, "PixelSpacing": None}, "take it out if it is no slice (a dose page"),
    ],
)
def test_what_an_archive_puts_beside_slices_is_to_be_taken_out(series, values, words):
    folder, files = series
    shutil.copy(files[0], folder / "page.dcm")
    change(folder / "page.dcm", SeriesInstanceUID="9.9", **values)
    assert "page.dcm" in refusal(folder) and words in refusal(folder) and "damaged" not in refusal(folder)


def test_many_series_are_not_all_listed_and_each_is_named_by_its_folder(tmp_path):
    for number in range(9):
        write_series(tmp_path / f"part_{number}", VOXELS[:2], series=f"1.2.{number}")
    said = refusal(tmp_path)
    assert "9 series" in said and "part_3/" in said and "part_4/" not in said and "a folder for each" in said
