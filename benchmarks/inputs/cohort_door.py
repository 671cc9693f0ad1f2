"""Scans and label maps through the checks of the cohort, as `snakemake check` runs them, then through the conversion.

What is in error is taken out, as the remedies say, so that the others' voxels can be compared with their truth.
"""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import SimpleITK as sitk

from known_truth import difference, truth_of
from scripts import Ended, ending, run, short

# The key of what came of a cohort as a whole, among names of its scans.
WHOLE = ""
# A network of 8 mm, so that a scan thinner than 4 mm is refused.
NETWORK_SPACINGS = "[[8, 8, 8]]"


def check_each(scan: Path, beside: dict[str, str], work: Path) -> dict[str, str]:
    """A scan alone, with its label map if the folder labels/ beside its own has one: name → what came of it."""
    labels = _labels_of(scan.parent, scan.name.split(".")[0])
    for source, folder in ((scan, "images"), *((path, "labels") for path in labels)):
        (work / "given" / folder).mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, work / "given" / folder / source.name)
    return CohortDoor(work / "given", scan.parent, beside, work).outcomes()


def check_together(folder: Path, beside: dict[str, str], work: Path) -> dict[str, str]:
    """A folder of images/ and perhaps labels/: name → what came of it, and what was said of the whole."""
    shutil.copytree(folder, work / "given")
    return CohortDoor(work / "given", folder / "images", beside, work, is_whole=True).outcomes()


@dataclass
class CohortDoor:
    """A cohort of one folder, copied from `originals`; scans without label maps stand `beside` a labelled folder."""

    folder: Path
    originals: Path
    beside: dict[str, str]
    work: Path
    is_whole: bool = False
    refused: dict[str, str] = field(default_factory=dict)

    def outcomes(self) -> dict[str, str]:
        """What came of each entry of images/."""
        names = [entry.name for entry in self._entries()]
        while self._entries():
            checked, findings = self._check()
            if not self._take_out(findings[findings.severity == "error"]):
                rest = self._passed(findings) if checked.returncode == 0 else {WHOLE: ending(checked)}
                return {name: self.refused.get(name) or rest.get(name, rest[WHOLE]) for name in [*names, WHOLE]}
        return self.refused | {WHOLE: "nothing is left"}

    def _entries(self) -> list[Path]:
        return sorted(path for path in (self.folder / "images").iterdir() if not path.name.startswith("."))

    def _check(self) -> tuple[Ended, pd.DataFrame]:
        given = {path.name: str(path) for path in self.folder.iterdir()}
        roles = (
            {"labelled": [{"images": given["images"], "label_maps": given["labels"]}]}
            if "labels" in given
            else {"labelled": [self.beside], "unlabelled": [{"images": given["images"]}]}
        )
        findings = self.work / "findings.tsv"
        findings.unlink(missing_ok=True)
        checked = run(
            *("make_case_table.py", "--cohort", json.dumps({"kind": "folders", "folders": roles})),
            *("--embedded", self.work, "--renumbered", self.work / "renumbered", "--spacings", NETWORK_SPACINGS),
            *("--findings", findings, "--output", self.work / "cases.tsv"),
        )
        if findings.exists():
            return checked, pd.read_csv(findings, sep="\t", dtype=str)
        return checked, pd.DataFrame(columns=["case", "severity", "found"])

    def _take_out(self, errors: pd.DataFrame) -> bool:
        """Move what is in error out of the folder; whether there was anything."""
        before = len(self.refused)
        for error in errors.itertuples():
            for entry in filter(lambda entry, case=error.case: _is_of(entry, case), self._entries()):
                self.refused[entry.name] = f"refused: {short(error.found)}"
                for path in (entry, *_labels_of(entry.parent, error.case)):
                    path.rename(self.work / f"{path.parent.name}_{len(self.refused)}_{path.name}")
        return len(self.refused) > before

    def _passed(self, findings: pd.DataFrame) -> dict[str, str]:
        """What came of the entries that passed the checks or were passed over."""
        shard = ("--shard", 0, "--shards", 1, "--output", self.work / "converted.tsv")
        converted = run("convert.py", "--cases", self.work / "cases.tsv", "--folder", self.work, *shard)
        table = pd.read_csv(self.work / "cases.tsv", sep="\t", dtype=str)
        shown = self._shown() if self.is_whole else ""
        outcomes = {WHOLE: "; ".join(map(short, shown.splitlines()[-2:]))}
        for entry in self._entries():
            taken = [row.case for row in table.itertuples() if entry in (Path(row.image), *Path(row.image).parents)]
            if not taken:
                outcomes[entry.name] = f"passed over, {'named' if entry.name in shown else 'without a word'}"
                continue
            result = ending(converted) if converted.returncode else self._compared(entry, taken[0])
            warnings = dict.fromkeys("warning: " + findings.found[findings.case == taken[0]].map(short))
            outcomes[entry.name] = "; ".join([result, *warnings])
        return outcomes

    def _shown(self) -> str:
        tables = ("--cases", self.work / "cases.tsv", "--findings", self.work / "findings.tsv")
        return run("show_findings.py", *tables).stdout

    def _compared(self, entry: Path, case: str) -> str:
        """Whether the converted scan and label map hold what they should, where they should."""
        original = self.originals / entry.name
        given = {self.work / f"images/{case}_0000.nii.gz": original}
        given |= {self.work / f"label_maps/{case}.nii.gz": path for path in _labels_of(self.originals, case)}
        truths = {made: truth_of(path) for made, path in given.items() if made.exists()}
        found = [difference(sitk.ReadImage(str(made)), truth) for made, truth in truths.items() if truth]
        if any(found):
            return f"read WRONG: {'; '.join(filter(None, found))}"
        return "read right" if found else "read"


def _is_of(entry: Path, case: str) -> bool:
    return entry.name == case or entry.name.startswith((f"{case}.", f"{case}_0000."))


def _labels_of(images: Path, case: str) -> list[Path]:
    return sorted((images.parent / "labels").glob(f"{case}.*"))
