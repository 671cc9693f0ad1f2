"""Segmentations of 3D Slicer on their scan: in layers, cut to their segments, or on another grid."""

import gzip
import html
import json

import numpy as np
import pytest
import SimpleITK as sitk

from header_files import write_nrrd
from labelled_series import NAMES, array_of, body, make_series, rank
from noisy_student.errors import InputError
from noisy_student.geometry import image_like
from noisy_student.reading.door import read_label_map, read_scan
from segmentation_files import by_slicerio

DRAWN = body()
MASKS = {name: label == DRAWN for label, name in NAMES.items()}
VALUES = {1: "spleen", 2: "liver", 3: "pancreas"}
BY_VALUE = np.select([MASKS[name] for name in VALUES.values()], list(VALUES)).astype(np.uint8)
SEGMENTATION = "org.mitk.multilabel.segmentation"
OVERLAPPING = MASKS | {"liver": MASKS["liver"] | MASKS["pancreas"]}


@pytest.fixture(params=["straight", "coronal", "oblique"])
def scan(request, tmp_path):
    return make_series(tmp_path / "ct", request.param).scan


@pytest.fixture
def stored(tmp_path):
    """A plain scan on whose grid as stored the label maps lie."""
    image = sitk.GetImageFromArray(np.where(DRAWN > 0, 60, -1000).astype(np.int16))
    image.SetSpacing((2.0, 1.5, 3.0))
    image.SetOrigin((5.0, -7.0, 11.0))
    sitk.WriteImage(image, str(tmp_path / "scan.nii.gz"))
    return read_scan(tmp_path / "scan.nii.gz")


def test_layers_become_one_label_map(tmp_path, stored):
    path = by_slicerio(tmp_path / "a.seg.nrrd", OVERLAPPING, stored.image)
    assert b"dimension: 4" in path.read_bytes()
    volume = read_label_map(path, stored, rank)
    assert np.array_equal(array_of(volume), DRAWN) and volume.names == dict(sorted(NAMES.items()))
    overlap = np.count_nonzero(MASKS["pancreas"])
    assert [remark.found for remark in volume.remarks] == [f"{overlap} voxel(s) in two segments"]
    assert volume.is_by_name
    only = read_label_map(path, stored, {"liver": 1}.get)
    assert np.array_equal(array_of(only) == 1, OVERLAPPING["liver"]) and only.remarks == ()


def test_one_layer_keeps_its_numbers(tmp_path, stored):
    path = by_slicerio(tmp_path / "a.seg.nrrd", MASKS, stored.image)
    for volume in (read_label_map(path), read_label_map(path, stored, rank)):
        assert np.array_equal(array_of(volume), BY_VALUE) and volume.names == VALUES and not volume.is_by_name


@pytest.mark.parametrize("masks", [MASKS, OVERLAPPING])
def test_a_file_cut_to_its_segments_or_larger_than_the_scan(tmp_path, stored, masks):
    wanted = DRAWN if masks is OVERLAPPING else BY_VALUE
    box = tuple(slice(np.flatnonzero(DRAWN.any(axis=axes))[0], np.flatnonzero(DRAWN.any(axis=axes))[-1] + 1)
                for axes in ((1, 2), (0, 2), (0, 1)))  # fmt: skip
    start = [part.start for part in box[::-1]]
    cut = by_slicerio(tmp_path / "cut.seg.nrrd", {name: mask[box] for name, mask in masks.items()}, stored.image, start)
    larger = {name: np.pad(mask, ((2, 1), (3, 4), (5, 0))) for name, mask in masks.items()}
    larger = by_slicerio(tmp_path / "larger.seg.nrrd", larger, stored.image, (-5, -3, -2))
    for path in (cut, larger):
        volume = read_label_map(path, stored, rank)
        assert np.array_equal(array_of(volume), wanted) and volume.geometry == stored.geometry
        assert {remark.kind for remark in volume.remarks} <= {"overlap"}


@pytest.mark.parametrize("masks", [MASKS, OVERLAPPING])
def test_what_reaches_beyond_the_scan_is_cut_off_with_a_remark(tmp_path, stored, masks):
    path = by_slicerio(tmp_path / "a.seg.nrrd", masks, stored.image)
    sitk.WriteImage(stored.image[4:20, 3:25, 6:10], str(tmp_path / "part.nii.gz"))
    volume = read_label_map(path, read_scan(tmp_path / "part.nii.gz"), rank)
    wanted = DRAWN if masks is OVERLAPPING else BY_VALUE
    assert np.array_equal(array_of(volume), wanted[6:10, 3:25, 4:20])
    assert "beyond" in {remark.kind for remark in volume.remarks}


def test_a_finer_grid_is_resampled_to_the_nearest(tmp_path, stored):
    fine = {name: mask.repeat(3, 0).repeat(3, 1).repeat(3, 2) for name, mask in OVERLAPPING.items()}
    grid = image_like(np.zeros(1, np.uint8).reshape(1, 1, 1), sitk.Image(1, 1, 1, sitk.sitkUInt8))
    grid.SetSpacing([mm / 3 for mm in stored.geometry.spacing_mm_xyz])
    grid.SetOrigin([place - mm / 3 for place, mm in zip(stored.geometry.origin_mm_xyz, (2.0, 1.5, 3.0), strict=True)])
    volume = read_label_map(by_slicerio(tmp_path / "a.seg.nrrd", fine, grid), stored, rank)
    assert np.array_equal(array_of(volume), DRAWN)
    found = [remark.found for remark in volume.remarks if remark.kind == "grid"]
    assert len(found) == 1 and "spacing in mm (2, 1.5, 3) and (0.666667, 0.5, 1)" in found[0]


def grid_of(stored, shift=(0, 0, 0), stretch=1.0, degrees=0.0):
    """The scan's grid, moved by a share of a voxel, with other distances, or turned around its first voxel."""
    grid = sitk.Image(stored.image)
    spacing = np.array(stored.geometry.spacing_mm_xyz)
    grid.SetSpacing((spacing * stretch).tolist())
    grid.SetOrigin((np.array(stored.geometry.origin_mm_xyz) + spacing * shift).tolist())
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    grid.SetDirection((c, -s, 0, s, c, 0, 0, 0, 1))
    return grid


@pytest.mark.parametrize("masks", [MASKS, OVERLAPPING])
@pytest.mark.parametrize(
    ("place", "said"),
    [
        ({"shift": (0.3, 0, 0)}, "origin in mm (5, -7, 11) and (5.6, -7, 11)"),
        ({"stretch": 0.95}, "spacing in mm (2, 1.5, 3) and (1.9, 1.425, 2.85)"),
        ({"degrees": 3}, "direction (1, 0, 0, 0, 1, 0, 0, 0, 1) and (0.99863, -0.052336, 0"),
        ({"shift": (0.05, 0, 0)}, ""),
        ({"shift": (-3, 2, 1)}, ""),
    ],
)
def test_another_grid_is_resampled_with_a_word_and_a_piece_of_the_scan_s_is_not(tmp_path, stored, masks, place, said):
    grid = grid_of(stored, **place)
    path = by_slicerio(tmp_path / "a.seg.nrrd", masks, grid)
    volume = read_label_map(path, stored, rank)
    wanted = sitk.Resample(image_like(DRAWN if masks is OVERLAPPING else BY_VALUE, grid), stored.image,
                           sitk.Transform(), sitk.sitkNearestNeighbor)  # fmt: skip
    assert np.array_equal(array_of(volume), sitk.GetArrayFromImage(wanted))
    found = [remark.found for remark in volume.remarks if remark.kind == "grid"]
    assert len(found) == bool(said) and (not said or said in found[0])


@pytest.mark.parametrize("masks", [MASKS, OVERLAPPING])
def test_segments_of_another_scan_are_refused(tmp_path, stored, masks):
    far = by_slicerio(tmp_path / "far.seg.nrrd", masks, grid_of(stored, shift=(0, 0, 200)))
    with pytest.raises(InputError, match="0% of its voxels there"):
        read_label_map(far, stored, rank)
    # Half of the scan away a piece of its grid is one of a larger scan, another grid is one of another scan.
    shift = (0, 0, 8)
    part = by_slicerio(tmp_path / "part.seg.nrrd", masks, grid_of(stored, shift))
    assert "beyond" in {remark.kind for remark in read_label_map(part, stored, rank).remarks}
    other = by_slicerio(tmp_path / "other.seg.nrrd", masks, grid_of(stored, shift, stretch=1.1))
    with pytest.raises(InputError, match=r"\d+% of its voxels there; another grid.*spacing in mm") as error:
        read_label_map(other, stored, rank)
    assert "give the scan that was segmented" in error.value.remedy


def test_a_scan_stored_along_other_axes(tmp_path, scan):
    labels = np.zeros(scan.geometry.size_xyz[::-1], np.uint8)
    labels[2:5, 3:9, 4:12] = 1
    labels[4:8, 6:11, 2:6] = 3
    turned = sitk.DICOMOrient(image_like(labels, scan.image), "PIR")
    liver, spleen = (sitk.GetArrayFromImage(turned) == label for label in (1, 3))
    path = by_slicerio(tmp_path / "a.seg.nrrd", {"liver": liver, "spleen": spleen, "again": liver}, turned)
    assert np.array_equal(array_of(read_label_map(path, scan, rank)), labels)


def test_one_voxel_is_an_empty_segmentation(tmp_path, stored):
    path = by_slicerio(tmp_path / "a.seg.nrrd", {"liver": np.zeros((1, 1, 1), bool)}, stored.image)
    volume = read_label_map(path, stored, rank)
    assert not array_of(volume).any() and volume.geometry == stored.geometry and volume.names == {1: "liver"}


def test_a_layer_that_is_not_there_is_an_error(tmp_path, stored):
    keys = "".join(f"Segment{number}_ID:=s{number}\nSegment{number}_Name:={name}\nSegment{number}_Layer:={layer}\n"
                   for number, (name, layer) in enumerate((("liver", 0), ("spleen", 2))))  # fmt: skip
    fields = "space: LPS\nspace directions: none (2,0,0) (0,2,0) (0,0,3)\nkinds: list domain domain domain\n"
    fields += keys.strip()
    path = write_nrrd(tmp_path / "a.nrrd", bytes(2 * 60), fields, sizes="2 5 4 3", kind="uchar")
    with pytest.raises(InputError, match="a segment in layer 2 of 2"):
        read_label_map(path, stored, rank)


@pytest.mark.parametrize("axis", range(4))
@pytest.mark.parametrize("encoding", ["raw", "gzip", "ascii"])
def test_layers_may_be_any_axis_of_the_file(tmp_path, stored, axis, encoding):
    """3D Slicer writes them as the first one, pynrrd where its user's array has them."""
    axes = [("(2,0,0)", "domain"), ("(0,1.5,0)", "domain"), ("(0,0,3)", "domain")]
    axes.insert(axis, ("none", "list"))
    directions, kinds = map(" ".join, zip(*axes, strict=True))
    sizes = [str(size) for size in stored.geometry.size_xyz]
    sizes.insert(axis, str(len(OVERLAPPING)))
    layers = np.moveaxis(np.stack([*OVERLAPPING.values()]).astype(np.uint8), 0, 3 - axis)
    voxels = {"raw": layers.tobytes(), "gzip": gzip.compress(layers.tobytes())}
    text = " ".join(map(str, layers.ravel())).encode()
    keys = "".join(f"\nSegment{number}_ID:=s{number}\nSegment{number}_Name:={name}"
                   for number, name in enumerate(OVERLAPPING))  # fmt: skip
    fields = f"space: LPS\nspace directions: {directions}\nkinds: {kinds}\nspace origin: (5,-7,11){keys}"
    path = tmp_path / "a.seg.nrrd"
    write_nrrd(path, voxels.get(encoding, text), fields, encoding, " ".join(sizes), kind="uchar")
    assert np.array_equal(array_of(read_label_map(path, stored, rank)), DRAWN)


def test_layers_need_a_scan(tmp_path, stored):
    with pytest.raises(InputError, match="2 layers of segments that overlap") as error:
        read_label_map(by_slicerio(tmp_path / "a.seg.nrrd", OVERLAPPING, stored.image))
    assert "Segmentations" in error.value.remedy


def by_mitk(path, layers_zyx, keys, like):
    """What MITK writes: a component for each group of labels; `keys` has the labels, or is the one that has them."""
    images = [image_like(layer.astype(np.uint16), like) for layer in layers_zyx]
    image = sitk.Compose(images) if len(images) > 1 else images[0]
    if isinstance(keys, str):
        keys = {"modality": SEGMENTATION, f"{SEGMENTATION}.labelgroups": keys}
    for key, value in keys.items():
        image.SetMetaData(key, value)
    sitk.WriteImage(image, str(path), True)
    return path


def groups_of(*names):
    """Groups of labels (number → name) as MITK writes them, the last one without any."""
    labels = [[{"color": {"type": "ColorProperty"}, "name": name, "value": value} for value, name in group.items()]
              for group in names]  # fmt: skip
    return json.dumps([*({"labels": group} for group in labels), {"labels": None}], separators=(",", ":"))


def keys_of(*names):
    """Layers of labels (number → name) as older versions of MITK write them, each with the exterior."""
    keys = {"modality": "org.mitk.image.multilabel", "layers": str(len(names))}
    for layer, own in enumerate(names):
        keys[f"layer_{layer:03}"] = str(len(own) + 1)
        for place, (value, name) in enumerate({0: "Exterior", **own}.items()):
            keys[f"org.mitk.label_{layer:03}_{place:05}"] = (
                '<?xml version="1.0" encoding="UTF-8"?>\n<Label>\n    <property key="color" type="ColorProperty">\n'
                '        <color r="1" g="0" b="0"/>\n    </property>\n    <property key="name" type="StringProperty">\n'
                f'        <string value="{html.escape(name)}"/>\n    </property>\n'
                f'    <property key="value" type="UShortProperty">\n        <unsigned value="{value}"/>\n'
                "    </property>\n</Label>\n"
            )
    return keys


def test_one_layer_of_older_mitks_labels_keeps_its_numbers_and_has_their_names(tmp_path, stored):
    names = VALUES | {4: 'liver & "veins"'}
    path = by_mitk(tmp_path / "a.nrrd", [BY_VALUE], keys_of(names), stored.image)
    for volume in (read_label_map(path), read_label_map(path, stored, rank)):
        assert np.array_equal(array_of(volume), BY_VALUE) and volume.names == names and not volume.is_by_name


def test_one_group_of_mitks_labels_keeps_its_numbers_and_has_their_names(tmp_path, stored):
    path = by_mitk(tmp_path / "a.nrrd", [BY_VALUE], groups_of(VALUES), stored.image)
    for volume in (read_label_map(path), read_label_map(path, stored, rank)):
        assert np.array_equal(array_of(volume), BY_VALUE) and volume.names == VALUES and not volume.is_by_name


@pytest.mark.parametrize("form", [groups_of, keys_of])
def test_several_groups_of_mitks_labels_become_one_label_map(tmp_path, stored, form):
    layers, names = [2 * MASKS["liver"], 2 * MASKS["spleen"] + 5 * MASKS["pancreas"]], ({2: "liver"}, {2: "spleen"})
    path = by_mitk(tmp_path / "a.nrrd", layers, form(names[0], names[1] | {5: "pancreas"}), stored.image)
    volume = read_label_map(path, stored, rank)
    assert np.array_equal(array_of(volume), DRAWN) and volume.is_by_name and volume.remarks == ()
    with pytest.raises(InputError, match="2 layers of segments") as error:
        read_label_map(path)
    assert "MITK" in error.value.remedy


@pytest.mark.parametrize("groups", ["[]", "{", '{"labels": 1}', "[1, {}]", '[{"labels": [{"value": "x"}, 1]}]'])
def test_several_values_without_names_are_refused_with_a_label_map_s_remedy(tmp_path, stored, groups):
    path = by_mitk(tmp_path / "a.nrrd", [MASKS["liver"], MASKS["spleen"]], groups, stored.image)
    with pytest.raises(InputError, match=r"2 value\(s\) per voxel") as error:
        read_label_map(path, stored, rank)
    assert "one label map" in error.value.remedy and "series" not in error.value.remedy
