"""Scans listed in a table: free names, files anywhere, and every wrong cell named."""

import pytest

from noisy_student.cohort.folder_state import state_of
from noisy_student.cohort.scans import Scan, find_scans, names_truth
from noisy_student.configuration.experiment import Folders, ScanFolder, ScanTable, read_configuration
from noisy_student.errors import InputError


@pytest.fixture
def listed(tmp_path):
    """Write a table and give its entry of the configuration."""

    def write(*rows, name="scans.tsv"):
        (tmp_path / name).write_text("\n".join("\t".join(row) for row in rows) + "\n")
        return ScanTable(table=tmp_path / name)

    return write


HEAD = ("case", "image", "label_map", "age")


def test_paths_are_relative_to_the_table_and_other_columns_are_left_alone(listed, tmp_path):
    entry = listed(HEAD, ("a", "ct/s1/ct.nii.gz", "/elsewhere/a.nrrd", "70"), ("b", "dicom/b", "b.nii.gz", ""))
    unlabelled = listed(("case", "image", "truth"), ("c", "c.mha", ""), ("d", "d.mha", "d.nii.gz"), name="more.tsv")
    first, more = ({"source": name, "table": tmp_path / name} for name in ("scans.tsv", "more.tsv"))
    assert find_scans(Folders(labelled=[entry], unlabelled=[unlabelled])) == [
        Scan("a", "labelled", tmp_path / "ct/s1/ct.nii.gz", tmp_path / "/elsewhere/a.nrrd", **first),
        Scan("b", "labelled", tmp_path / "dicom/b", tmp_path / "b.nii.gz", **first),
        Scan("c", "unlabelled", tmp_path / "c.mha", **more),
        Scan("d", "unlabelled", tmp_path / "d.mha", truth=tmp_path / "d.nii.gz", **more),
    ]
    assert names_truth(unlabelled) and not names_truth(ScanFolder(images=tmp_path))


def test_a_column_says_which_organs_are_labelled_before_the_entry(listed):
    head = (*HEAD[:3], "organs")
    entry = listed(head, ("a", "a.mha", "a.nrrd", "liver, left kidney"), ("b", "b.mha", "b.nrrd", ""))
    for organs, expected in ((None, None), (["spleen"], ("spleen",))):
        scans = find_scans(Folders(labelled=[entry.model_copy(update={"organs": organs})]))
        assert [scan.organs for scan in scans] == [("liver", "left kidney"), expected]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([("case", "image"), ("a", "a.nii.gz")], "the columns case, image$"),
        ([HEAD, ("a", "a.nii.gz", "a.nii.gz", ""), ("b", "", "b.nii.gz", "")], "row 2: image"),
        ([("case,image,label_map",), ("a,b,c",)], "the columns case,image,label_map$"),
        ([("Case", "image", "label_map"), ("a", "b", "c")], "`Case` for `case`$"),
        ([HEAD], "none"),
    ],
)
def test_what_a_table_lacks_is_named_with_its_row(listed, rows, said):
    with pytest.raises(InputError, match=f"(?m){said}") as error:
        find_scans(Folders(labelled=[listed(*rows)]))
    assert "scans.tsv" in str(error.value)


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("Organs", "organs"), ("organ", "organs"), ("SOURCE", "source"), ("sources", "source"), ("Truth", "truth"),
        ("Label_map", "label_map"), ("label map", "label_map"), ("label-maps", "label_map"), ("LabelMap", "label_map"),
    ],
)  # fmt: skip
def test_a_column_that_is_a_known_one_written_otherwise_is_an_error_that_names_both(listed, name, column):
    entry = listed((*HEAD[:3], f" {name}"), ("a", "a.nii.gz", "l.nii.gz", "liver"))
    with pytest.raises(InputError, match=rf"scans\.tsv[^$]*`{name}` for `{column}`"):
        find_scans(Folders(labelled=[entry]))


@pytest.mark.parametrize("name", ["organs drawn", "case id", "imaging", "data source", "s", ""])
def test_columns_of_other_names_are_left_alone(listed, name):
    entry = listed((*HEAD[:3], name), ("a", "a.nii.gz", "l.nii.gz", "liver"))
    assert [scan.organs for scan in find_scans(Folders(labelled=[entry]))] == [None]


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_a_table_in_another_encoding_is_said_to_be_one(tmp_path, encoding):
    (tmp_path / "scans.tsv").write_text("case\timage\nm\tMüller.nii.gz\n", encoding)
    with pytest.raises(InputError, match=r"scans\.tsv[^`]*another encoding[^`]*UTF-8"):
        find_scans(Folders(labelled=[ScanTable(table=tmp_path / "scans.tsv")]))


def test_a_table_that_is_not_there_is_named(tmp_path):
    folders = Folders(labelled=[ScanTable(table=tmp_path / "none.tsv")])
    with pytest.raises(InputError, match=r"none\.tsv"):
        find_scans(folders)
    assert state_of(folders.paths())


def test_the_state_follows_the_table_and_what_it_names(listed, tmp_path):
    entry = listed(HEAD, ("a", "a.nii.gz", "labels/a.nii.gz", "70"))
    states = [state_of([entry.table])]
    (tmp_path / "a.nii.gz").write_text("a scan")
    states.append(state_of([entry.table]))
    (tmp_path / "a.nii.gz").write_text("another scan")
    states.append(state_of([entry.table]))
    listed(HEAD, ("b", "a.nii.gz", "labels/a.nii.gz", "70"))
    states.append(state_of([entry.table]))
    assert len(set(states)) == 4


def test_a_wrong_key_beside_a_table_is_named(tmp_path):
    with pytest.raises(InputError) as error:
        read_configuration({
            "cohort": {"kind": "folders", "folders": {"labelled": [{"table": "a.tsv", "images": "b"}]}},
            "networks": {"a": {}}, "rounds": [{"network": "a"}],
        })  # fmt: skip
    assert "cohort.folders.labelled.0.images: no such key" in str(error.value)
    assert "1 error(s)" in str(error.value)
