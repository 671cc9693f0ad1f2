"""Which file or folder is a case's label map, among those of a folder that another program may have written."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from pathlib import Path

from noisy_student.cohort.organ_names import OrganNames
from noisy_student.cohort.pairing import label_map_at, label_maps_in, named_after
from noisy_student.errors import InputError
from noisy_student.organs import FLARE22, Organ
from noisy_student.reading.masks import masks_in
from noisy_student.reading.names import FIRST_CHANNEL, stem_of

NOMINAL = ".nii.gz"


class LabelMaps:
    """The label maps of a folder by their names: of any known format, hidden files left out.

    A folder within it is one if it holds the mask of an organ, or one DICOM file alone.
    """

    def __init__(self, folder: Path, organs: Sequence[Organ] = FLARE22) -> None:
        """Look into the folder. Raises InputError if there is none."""
        if not folder.is_dir():
            missing = "no such folder", "check its name"
            got, remedy = ("a file", f"name its folder: {folder.parent}") if folder.exists() else missing
            raise InputError(f"a folder of label maps, {folder}", got, remedy)
        self.folder = folder
        meaning = OrganNames(organs)
        self.files = [path for path in sorted(label_maps_in(folder)) if not path.is_dir() or _is_of_case(path, meaning)]
        self._by_stem = defaultdict(list)
        for path in self.files:
            self._by_stem[named_after(path)].append(path)

    @property
    def cases(self) -> list[str]:
        """The cases that the files are of, in the order of names, without nnU-Net's number of the first channel."""
        return list(dict.fromkeys(stem.removesuffix(FIRST_CHANNEL) for stem in self._by_stem))

    def of(self, case: str, cases: Collection[str] = ()) -> Path:
        """The case's file or folder, `<case>` or `<case>_0000`; the usual name of a file if there is none.

        `cases`: all that there are, since one may be called `<case>_0000` itself. Raises InputError for two files.
        """
        stems = [case] if f"{case}{FIRST_CHANNEL}" in cases else [case, f"{case}{FIRST_CHANNEL}"]
        found = [path for stem in stems for path in self._by_stem.get(stem, [])]
        if len(found) > 1:
            got = " and ".join(path.name for path in found)
            raise InputError(f"one label map of {case} in {self.folder}", got, "take out all but one of them")
        return found[0] if found else self.folder / f"{case}{NOMINAL}"


def _is_of_case(folder: Path, meaning: OrganNames) -> bool:
    """Whether a folder is the label map of one case, and not one of several cases."""
    if label_map_at(folder).is_file():
        return True
    return any(meaning.rank(stem_of(mask)) is not None for mask in masks_in(folder))
