"""Which file is a case's label map, among those of a folder that another program may have written."""

from collections import defaultdict
from collections.abc import Collection
from pathlib import Path

from noisy_student.errors import InputError
from noisy_student.reading.names import FIRST_CHANNEL, is_named_as_image, stem_of

NOMINAL = ".nii.gz"


class LabelMaps:
    """The label maps of a folder by their names: of any known format, hidden files left out."""

    def __init__(self, folder: Path) -> None:
        """Look into the folder. Raises InputError if there is none."""
        if not folder.is_dir():
            missing = "no such folder", "check its name"
            got, remedy = ("a file", f"name its folder: {folder.parent}") if folder.exists() else missing
            raise InputError(f"a folder of label maps, {folder}", got, remedy)
        self.folder = folder
        self.files = sorted(path for path in folder.iterdir() if is_named_as_image(path))
        self._by_stem = defaultdict(list)
        for path in self.files:
            self._by_stem[stem_of(path)].append(path)

    @property
    def cases(self) -> list[str]:
        """The cases that the files are of, in the order of names, without nnU-Net's number of the first channel."""
        return list(dict.fromkeys(stem.removesuffix(FIRST_CHANNEL) for stem in self._by_stem))

    def of(self, case: str, cases: Collection[str] = ()) -> Path:
        """The case's file, `<case>` or `<case>_0000` with an extension; its usual name if there is none.

        `cases`: all that there are, since one may be called `<case>_0000` itself. Raises InputError for two files.
        """
        stems = [case] if f"{case}{FIRST_CHANNEL}" in cases else [case, f"{case}{FIRST_CHANNEL}"]
        found = [path for stem in stems for path in self._by_stem.get(stem, [])]
        if len(found) > 1:
            got = " and ".join(path.name for path in found)
            raise InputError(f"one label map of {case} in {self.folder}", got, "take out all but one of them")
        return found[0] if found else self.folder / f"{case}{NOMINAL}"
