"""What ITK-SNAP opens: a description of labels, and a workspace with scan, label map, window and label names.

Formats as its own `ColorLabelTable.cxx` and `WorkspaceAPI.cxx` read them. A workspace names its files by absolute paths
and where it was saved; one that lies elsewhere looks for them in the same place beside it. So the folder it is said to
have been saved in need not exist.
"""

from collections.abc import Sequence
from xml.sax.saxutils import quoteattr

from noisy_student.organs import Organ
from noisy_student.report.montage import WINDOW_LEVEL_HU, WINDOW_WIDTH_HU
from noisy_student.writing.segmentation import rgb_of

SAVED_IN = "/review"
OPAQUE = 255
HEADER = """<?xml version="1.0" encoding="UTF-8" ?>
<!DOCTYPE registry [
<!ELEMENT registry (entry*,folder*)>
<!ELEMENT folder (entry*,folder*)>
<!ELEMENT entry EMPTY>
<!ATTLIST folder key CDATA #REQUIRED>
<!ATTLIST entry key CDATA #REQUIRED>
<!ATTLIST entry value CDATA #REQUIRED>
]>
"""
Tree = dict[str, "str | Tree"]


def label_description(organs: Sequence[Organ]) -> str:
    """The file that `Segmentation > Import label descriptions` takes."""
    rows = [(0, (0, 0, 0), 0, 0, "Clear Label"), *((o.label, _bytes(o), 1, 1, o.name) for o in organs)]
    lines = [
        f"{label:5} {red:5} {green:4} {blue:4} {shown:8} {shown:2} {mesh:2}    \"{name}\"\n"
        for label, (red, green, blue), shown, mesh, name in rows
    ]  # fmt: skip
    return "# ITK-SnAP Label Description File\n# IDX   -R-  -G-  -B-  -A--  VIS MSH  LABEL\n" + "".join(lines)


def workspace(scan: str, label_map: str, organs: Sequence[Organ], range_hu: tuple[float, float]) -> str:
    """A workspace beside a scan and its label map, by their file names. `range_hu`: the scan's least and most."""
    low, width = range_hu[0], max(range_hu[1] - range_hu[0], 1.0)
    middle = (WINDOW_LEVEL_HU - low) / width
    half = WINDOW_WIDTH_HU / 2 / width
    points = ((middle - half, 0.0), (middle, 0.5), (middle + half, 1.0))
    curve: Tree = {"NumberOfControlPoints": "3"}
    for number, (place, grey) in enumerate(points):
        curve[f"ControlPoint[{number}]"] = {"tValue": f"{place:.6f}", "xValue": f"{grey:g}"}
    names: Tree = {"NumberOfElements": str(len(organs))}
    for number, organ in enumerate(organs):
        names[f"Element[{number}]"] = {
            "Index": str(organ.label), "Label": organ.name, "Color": " ".join(map(str, _bytes(organ))),
            "Alpha": str(OPAQUE), "Flags": "1 1",
        }  # fmt: skip
    tree: Tree = {
        "SaveLocation": SAVED_IN,
        "Version": "20190612",
        "IRIS": {"LabelTable": names},
        "Layers": {
            "Layer[000]": _layer(scan, "MainRole") | {"LayerMetaData": {"DisplayMapping": {"Curve": curve}}},
            "Layer[001]": _layer(label_map, "SegmentationRole"),
        },
    }
    return f"{HEADER}<registry>\n{_xml(tree)}</registry>\n"


def _layer(name: str, role: str) -> Tree:
    return {"AbsolutePath": f"{SAVED_IN}/{name}", "Role": role, "Tags": ""}


def _xml(tree: Tree, indent: str = "  ") -> str:
    """Entries before folders, as the format has them."""
    lines = []
    for key, value in sorted(tree.items(), key=lambda item: isinstance(item[1], dict)):
        if isinstance(value, dict):
            lines.append(f"{indent}<folder key={quoteattr(key)}>\n{_xml(value, indent + '  ')}{indent}</folder>\n")
        else:
            lines.append(f"{indent}<entry key={quoteattr(key)} value={quoteattr(value)} />\n")
    return "".join(lines)


def _bytes(organ: Organ) -> tuple[int, ...]:
    return tuple(round(255 * part) for part in rgb_of(organ))
