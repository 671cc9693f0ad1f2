"""What a radiologist reads first."""

from collections.abc import Sequence

TEXT = """{case}: please correct this segmentation
{line}

A network has labelled the organs of this CT scan. Where it was least sure of itself, a person's eyes are worth most.
About {minutes:.0f} minutes.

Look at
{where}

Slices are counted from 1, as the file has them; S is the height in mm that 3D Slicer shows.
Correct other mistakes too if you see them: your label map will count as right in every voxel.
If nothing is wrong, save it unchanged: that is worth something too.
If you looked through some organs alone, say which when you give it back; the others then do not count.

With ITK-SNAP
  1. File > Open workspace: {case}.itksnap. Organs have their names, the window is that for the abdomen.
  2. Correct with the paintbrush or the polygon.
  3. Segmentation > Save segmentation image, as {case}.nii.gz.

With 3D Slicer
  1. Drag {case}_scan.nii.gz and {case}.seg.nrrd into the window (window W{width} L{level}), or start it with
     Slicer --python-script open_in_slicer.py
  2. Correct in the Segment Editor. Keep the segments' names, and add no segments.
  3. File > Save, the segmentation as {case}.seg.nrrd. Do not export it: that may change its numbers.
{dicom}
Give back the one file that you corrected under the same name, {case}.nii.gz or {case}.seg.nrrd. Where the workflow
runs, it goes into the folder of corrections, into its subfolder round_{round}/. Not into this folder: the next list
would stop at it.

This is no medical device's output. The files name no patient.
"""
DICOM = """
With a DICOM viewer
  {case}.dcm is the same as DICOM-SEG. It refers to the scan by its UIDs; what tells of the patient is taken out.
"""


def readme(
    case: str, round_number: int, where: Sequence[str], minutes: float, window: tuple[int, int], has_dicom: bool
) -> str:
    """The text; `where` says what to look at, a line each, `window` is width and level in HU."""
    title = f"{case}: please correct this segmentation"
    width, level = window
    return TEXT.format(
        case=case, line="=" * len(title), minutes=minutes, round=round_number, width=width, level=level,
        where="\n".join(f"  - {line}" for line in where) or "  - nothing in particular",
        dicom=DICOM.format(case=case) if has_dicom else "",
    )  # fmt: skip
