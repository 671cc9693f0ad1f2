"""Names of labels in a NIfTI header's extension, as TotalSegmentator (`--ml`) and Connectome Workbench write them.

Format: https://nifti.nimh.nih.gov/nifti-1/documentation/nifti1fields/nifti1fields_pages/extension.html, and the label
table of GIfTI's XML in it.
"""

import re

LABEL = re.compile(rb'<Label\b[^>]*\bKey="(\d+)"[^>]*>\s*(?:<!\[CDATA\[)?\s*([^\]<]*)', re.DOTALL)


def label_names(extension: bytes) -> dict[int, str]:
    """Number → name of every label that a header's extensions name, wherever in them; background left out."""
    if b"<LabelTable" not in extension:
        return {}
    found = {int(key): text.decode(errors="replace").strip() for key, text in LABEL.findall(extension)}
    return {number: name for number, name in found.items() if number and name}
