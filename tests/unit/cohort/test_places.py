import os

import pytest

from noisy_student.cohort.places import places_of, refuse_wrong_places
from noisy_student.configuration.experiment import Cohort
from noisy_student.errors import InputError

WITH_LABELS = ("images", "label_maps")
# Every place that a cohort of folders can name.
KEYS = [
    *(f"{role}[0].{name}" for role in ("labelled", "validation", "test") for name in WITH_LABELS),
    *("unlabelled[0].images", "unlabelled[0].truth"),
    *(f"{role}[1].table" for role in ("labelled", "unlabelled", "validation", "test")),
]


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A folder with everything that `folders_in` names."""
    monkeypatch.chdir(tmp_path)
    for key in KEYS:
        place = tmp_path / place_of(key)
        if key.endswith("table"):
            place.touch()
        else:
            place.mkdir()
    return tmp_path


def place_of(key):
    return key.replace("[0]", "").replace("[1]", "")


def cohort(folders):
    return Cohort(kind="folders", folders=folders)


def every_role(**changed):
    """A cohort with a folder and a table of each role; `changed`: key → another path."""
    folders = {role: [{}, {}] for role in ("labelled", "unlabelled", "validation", "test")}
    for key in KEYS:
        role, number, name = key[: key.index("[")], int(key[key.index("[") + 1]), key.partition(".")[2]
        folders[role][number][name] = changed.get(key, place_of(key))
    return cohort(folders)


def error_of(given):
    with pytest.raises(InputError) as error:
        refuse_wrong_places(given)
    return error.value


def test_what_is_there_is_not_refused_and_every_place_is_known(root):
    refuse_wrong_places(every_role())
    assert sorted(place.key for place in places_of(every_role())) == sorted(f"cohort.folders.{key}" for key in KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_a_missing_place_is_named_by_its_key(root, key):
    wanted = "file" if key.endswith("table") else "folder"
    assert f"cohort.folders.{key}: /none/of/it: no such {wanted}" in error_of(every_role(**{key: "/none/of/it"})).got


@pytest.mark.parametrize("key", KEYS)
def test_a_file_for_a_folder_and_a_folder_for_a_table_are_told(root, key):
    (root / "a_file").touch()
    (root / "a_folder").mkdir()
    given, said = ("a_folder", "a folder; a table") if key.endswith("table") else ("a_file", "a file; a folder")
    assert f"cohort.folders.{key}: {given}: {said}" in error_of(every_role(**{key: given})).got


def test_all_are_told_at_once(root):
    error = error_of(every_role(**dict.fromkeys(KEYS, "/nowhere")))
    assert f"{len(KEYS)} error(s)" in error.got and str(root) in error.remedy
    assert "`validation: []`" in error.remedy


def test_the_files_that_were_read_are_named(root):
    with pytest.raises(InputError) as error:
        refuse_wrong_places(
            every_role(**{"test[0].images": "/nowhere"}), files=["/project/default.yaml", "/run/own.yaml"]
        )
    assert "correct these keys in /project/default.yaml, /run/own.yaml, or bring" in error.value.remedy


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("scans/imges", "/scans has images"),
        ("scnas/images", "has scans"),
        ("scans/2021/deep/er", "of this path {root}/scans is there"),
        ("moved", "it is a link to gone, which is not there"),
    ],
)
def test_what_may_have_been_meant_is_said(tmp_path, monkeypatch, path, hint):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scans/images").mkdir(parents=True)
    (tmp_path / "moved").symlink_to("gone")
    error = error_of(cohort({"labelled": [{"images": path, "label_maps": "scans"}]}))
    assert hint.format(root=tmp_path) in error.got and "1 error(s)" in error.got


def test_a_path_that_was_meant_from_another_folder_is_told_as_it_has_to_be_written(tmp_path, monkeypatch):
    (tmp_path / "config").mkdir()
    (tmp_path / "config/label_maps.tsv").touch()
    (tmp_path / "data/scans").mkdir(parents=True)
    run = tmp_path / "runs/a"
    run.mkdir(parents=True)
    monkeypatch.chdir(run)
    given = cohort({"labelled": [{"table": "label_maps.tsv"}], "unlabelled": [{"images": "data/scans"}]})
    with pytest.raises(InputError) as error:
        refuse_wrong_places(given, [tmp_path, tmp_path / "config"])
    assert f"labelled[0].table: label_maps.tsv: no such file; {tmp_path}/config has it: write ../../config/" in (
        error.value.got
    )
    assert f"data/scans: no such folder; {tmp_path} has it: write ../../data/scans" in error.value.got
    assert error.value.remedy.endswith(f"relative to the run's folder, {run}")
    refuse_wrong_places(cohort({"labelled": [{"table": "../../config/label_maps.tsv"}]}), [tmp_path])


def test_a_folder_that_may_not_be_read_is_told(root, monkeypatch):
    # Root, who may run the tests, reads everything.
    monkeypatch.setattr(os, "access", lambda path, mode: str(path) != "test.images")
    assert "test[0].images: test.images: may not be read" in error_of(every_role()).got


def test_the_label_maps_of_the_embedded_cohort_are_looked_at(tmp_path):
    refuse_wrong_places(Cohort(kind="embedded"))
    refuse_wrong_places(Cohort(kind="embedded", embedded={"label_maps": tmp_path}))
    error = error_of(Cohort(kind="embedded", embedded={"label_maps": tmp_path / "none"}))
    assert f"cohort.embedded.label_maps: {tmp_path / 'none'}: no such folder" in error.got


@pytest.mark.parametrize("through", ["path", "link"])
def test_one_folder_in_two_roles_is_one_error_with_both_keys(root, through):
    (root / "link").symlink_to("labelled.images")
    given = {"path": "labelled.images/../labelled.images", "link": "link"}[through]
    error = error_of(every_role(**{"test[0].images": given}))
    assert "1 error(s)" in error.got and "each scan has one role" in error.got
    assert "cohort.folders.labelled[0].images and cohort.folders.test[0].images: the same folder" in error.got


def test_one_table_in_two_roles_is_one_error(root):
    error = error_of(every_role(**{"validation[1].table": "test.table"}))
    assert "cohort.folders.validation[1].table and cohort.folders.test[1].table: the same table" in error.got


def test_scans_and_label_maps_may_lie_in_one_folder_if_one_entry_names_it(root):
    refuse_wrong_places(every_role(**{"labelled[0].label_maps": "labelled.images"}))
    error = error_of(every_role(**{"test[0].label_maps": "labelled.images"}))
    assert "labelled[0].images and cohort.folders.test[0].label_maps: the same folder" in error.got
    assert "folders of their own" in error.got


def test_label_maps_of_several_roles_may_lie_in_one_folder(root):
    refuse_wrong_places(every_role(**{"test[0].label_maps": "labelled.label_maps"}))


def test_the_folders_of_a_dataset_are_looked_at_by_role_and_so_is_its_description(tmp_path, lay):
    lay("d/imagesTr/x", "d/labelsTr/x", "d/imagesTs/x")
    dataset = {"nnunet": tmp_path / "d"}
    given = cohort({"labelled": [dataset], "unlabelled": [dataset]})
    described = tmp_path / "d/dataset.json"
    described.write_text('{"channel_names": {"0": "CT"}, "labels": {}, "file_ending": ".nrrd"}')
    refuse_wrong_places(given)
    assert (
        f"test[0].nnunet/labelsTs: {tmp_path / 'd/labelsTs'}: no such folder"
        in error_of(cohort({"labelled": [dataset], "test": [dataset]})).got
    )
    twice = cohort({"labelled": [dataset, {"images": tmp_path / "d/imagesTr", "label_maps": tmp_path}]})
    assert "labelled[0].nnunet/imagesTr and cohort.folders.labelled[1].images: the same folder" in error_of(twice).got
    for text, said in (
        ('{"modality": {"0": "FLAIR", "1": "T1w"}}', "2 channels by its dataset.json (FLAIR, T1w); a scan is one CT"),
        ('{"channel_names": {"0": "CT"}, "file_ending": ".png"}', "images that end in .png by its dataset.json; known"),
        ("{", "no dataset.json in it that can be read"),
    ):
        described.write_text(text)
        assert f"labelled[0].nnunet: {tmp_path / 'd'}: {said}" in error_of(given).got


def test_a_folder_of_cases_is_for_one_role(tmp_path, lay):
    lay("data/a/ct.nii.gz")
    cases = {"cases": tmp_path / "data", "scan": "ct.nii.gz"}
    refuse_wrong_places(cohort({"labelled": [cases | {"label_maps": "masks"}]}))
    error = error_of(cohort({"labelled": [cases | {"label_maps": "masks"}], "unlabelled": [cases]}))
    assert "labelled[0].cases and cohort.folders.unlabelled[0].cases: the same folder" in error.got


def test_two_trees_of_one_folder_are_places_of_their_own(tmp_path, lay):
    lay("d/ImageTr/a/ct.nii", "d/LabelTr/a/masks/liver.nii", "d/ImageTe/b/ct.nii")

    def entry(part):
        return {"cases": tmp_path / "d", "scan": f"Image{part}/{{case}}/ct.nii", "label_maps": f"Label{part}/{{case}}"}

    error = error_of(cohort({"labelled": [entry("Tr")], "test": [entry("Te")]}))
    assert f"test[0].label_maps: {tmp_path / 'd/LabelTe'}: no such folder" in error.got and "1 error(s)" in error.got
    lay("d/LabelTe/b/liver.nii")
    refuse_wrong_places(cohort({"labelled": [entry("Tr")], "test": [entry("Te")]}))
    error = error_of(cohort({"labelled": [entry("Tr")], "test": [entry("Tr")]}))
    assert "labelled[0].cases and cohort.folders.test[0].cases: the same folder" in error.got
