"""A script by which 3D Slicer opens a scan and its segmentation in the abdominal window, and makes it ready to edit."""

from noisy_student.report.montage import WINDOW_LEVEL_HU, WINDOW_WIDTH_HU

SCRIPT = '''"""Open the scan and its segmentation: Slicer --python-script open_in_slicer.py

Or in Slicer: View > Python console, then  exec(open(r"<this file>").read(), {{"__file__": r"<this file>"}})
"""

import os

import slicer

folder = os.path.dirname(os.path.abspath(__file__))
scan = slicer.util.loadVolume(os.path.join(folder, {scan!r}))
display = scan.GetDisplayNode()
display.AutoWindowLevelOff()
display.SetWindowLevel({width}, {level})
segmentation = slicer.util.loadSegmentation(os.path.join(folder, {segmentation!r}))
segmentation.SetReferenceImageGeometryParameterFromVolumeNode(scan)
slicer.util.setSliceViewerLayers(background=scan, fit=True)
slicer.util.selectModule("SegmentEditor")
editor = slicer.modules.segmenteditor.widgetRepresentation().self().editor
editor.setSegmentationNode(segmentation)
editor.setSourceVolumeNode(scan)
'''


def script(scan: str, segmentation: str) -> str:
    """The script, for files of these names beside it."""
    return SCRIPT.format(scan=scan, segmentation=segmentation, width=WINDOW_WIDTH_HU, level=WINDOW_LEVEL_HU)
