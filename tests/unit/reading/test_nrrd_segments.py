import pytest

from header_files import PLACED, RAW, write_nrrd
from noisy_student.errors import InputError
from noisy_student.reading.door import read_label_map

LAYERS = "space directions: none (2,0,0) (0,2,0) (0,0,3)\nspace origin: (10,20,30)\nkinds: list domain domain domain"


def keys(*segments):
    """Keys of segments (name, label value, layer), in alphabetical order, as 3D Slicer writes them; None leaves out."""
    lines = []
    for number, (name, value, layer) in enumerate(segments):
        own = {"ID": f"Segment_{number}", "Name": name, "LabelValue": value, "Layer": layer, "Tags": "a:b|"}
        lines += [f"Segment{number}_{key}:={given}" for key, given in own.items() if given is not None]
    return "\n".join(sorted(lines))


@pytest.mark.parametrize("name", ["a.seg.nrrd", "a.nrrd"])
def test_names_of_one_layer_by_their_label_values(tmp_path, name):
    segments = [(f"organ {number}", number + 3, 0) for number in range(12)]
    volume = read_label_map(write_nrrd(tmp_path / name, fields=f"space: LPS\n{PLACED}\n{keys(*segments)}"))
    assert volume.names == {number + 3: f"organ {number}" for number in range(12)}


def test_a_missing_value_is_one_and_a_missing_layer_the_number(tmp_path):
    fields = f"space: LPS\n{PLACED}\n{keys(('liver', None, None), ('spleen', 2, 0), ('elsewhere', 2, None))}"
    assert read_label_map(write_nrrd(tmp_path / "a.nrrd", fields=fields)).names == {1: "liver", 2: "spleen"}


def test_segments_end_where_an_id_is_missing(tmp_path):
    listed = keys(("liver", 1, 0), ("spleen", 2, 0), ("left over", 3, 0)).replace("Segment1_ID", "Segment1_Was")
    volume = read_label_map(write_nrrd(tmp_path / "a.nrrd", fields=f"space: LPS\n{PLACED}\n{listed}"))
    assert volume.names == {1: "liver"}


def test_names_beyond_ascii_and_escapes(tmp_path):
    fields = f"space: LPS\n{PLACED}\n" + keys(("Ösophagus\\n: (a\\\\b)", 1, 0))
    assert read_label_map(write_nrrd(tmp_path / "a.nrrd", fields=fields)).names == {1: "Ösophagus\n: (a\\b)"}


def test_a_file_without_segments_has_no_names(tmp_path):
    volume = read_label_map(write_nrrd(tmp_path / "a.nrrd"))
    assert volume.names == {}


def test_layers_that_overlap_are_an_error_that_says_how_to_export_one_label_map(tmp_path):
    fields = f"space: LPS\n{LAYERS}\n{keys(('liver', 1, 0), ('vessels', 1, 1))}"
    with pytest.raises(InputError, match="2 layers of segments that overlap") as error:
        read_label_map(write_nrrd(tmp_path / "a.seg.nrrd", RAW * 2, fields=fields, sizes="2 5 4 3"))
    assert "Segmentations" in error.value.remedy
