"""What may tell who a patient is: the key of case names and the table that leads back, with all that lies beside it.

pacs.tsv               case, patient, study and series of each scan
pacs.left_out.tsv      the series that do not count, and why
pacs.unread.tsv        the files that are of no series, and why
pacs.label_maps.tsv    the label maps, the series that each refers to, and why it is of no scan
pacs.index.jsonl       the header of each file, so that none is read twice
pacs.folders.json      the folders as they were last listed
pacs.series/<case>/    a link to each file of a scan
pacs.series/<case>.dcm a link to its label map
pacs.exported/         DICOM-SEGs, which are of a patient
"""

import csv
import hashlib
import hmac
import os
import shlex
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from noisy_student.errors import InputError
from noisy_student.files import UNFINISHED, whole_file

OWN_ALONE = 0o600
SHORTEST_KEY = 32
NAME_LENGTH = 16
MAKE_KEY = "(umask 077 && mkdir -p {} && python3 -c 'import secrets; print(secrets.token_hex(32))' > {})"
# File names of an archive may be in any encoding.
AS_ON_DISK = {"encoding": "utf-8", "errors": "surrogateescape"}
Row = Mapping[str, object]


@dataclass(frozen=True)
class Private:
    """Where everything lies, by the path of the table."""

    names: Path

    def beside(self, ending: str) -> Path:
        """A file of the table's name with another ending."""
        return self.names.with_name(f"{self.names.stem}.{ending}")

    @property
    def left_out(self) -> Path:
        """The table of series that do not count."""
        return self.beside("left_out.tsv")

    @property
    def unread(self) -> Path:
        """The table of files that are of no series."""
        return self.beside("unread.tsv")

    @property
    def label_maps(self) -> Path:
        """The table of label maps."""
        return self.beside("label_maps.tsv")

    @property
    def index(self) -> Path:
        """The headers of all files."""
        return self.beside("index.jsonl")

    @property
    def folders(self) -> Path:
        """The folders as they were last listed."""
        return self.beside("folders.json")

    @property
    def exported(self) -> Path:
        """The label maps in files that name the patient."""
        return self.beside("exported")

    @property
    def series(self) -> Path:
        """The links to the files of each scan."""
        return self.beside("series")


def archive_of(scan: Path, names: Iterable[str]) -> Private | None:
    """What is private of the archive of a scan, as the case table has it; `names`: the tables, as configured."""
    archives = (Private(Path(table).absolute()) for table in names)
    return next((own for own in archives if scan.resolve().is_relative_to(own.series.resolve())), None)


def key_problem(path: Path, names: Path) -> str:
    """Why a file cannot be the key; empty if it can."""
    if path.is_dir():
        return "a folder; the key is a file"
    if not path.exists():
        if names.exists():
            return f"no such file; the names in {names} were made with it: bring it back"
        return f"no such file; make it once, and keep it: {_making(path)}"
    if not os.access(path, os.R_OK):
        return "may not be read"
    if len(path.read_bytes().strip()) < SHORTEST_KEY:
        return f"shorter than {SHORTEST_KEY} characters, so that names could be guessed"
    return ""


def _making(path: Path) -> str:
    """The command that makes a key, wherever it is called."""
    return MAKE_KEY.format(shlex.quote(str(path.absolute().parent)), shlex.quote(str(path.absolute())))


def read_key(path: Path, names: Path) -> bytes:
    """The key of case names. Raises InputError for one that is not there, or too short."""
    if problem := key_problem(path, names):
        raise InputError(f"a key for case names, {path}", problem, "correct `key` of the archive")
    return path.read_bytes().strip()


def case_of(key: bytes, series: str) -> str:
    """The name of a series: nobody without the key can tell which series it is (HMAC-SHA-256, 64 bits of it)."""
    return f"s{hmac.new(key, series.encode(), hashlib.sha256).hexdigest()[:NAME_LENGTH]}"


@contextmanager
def private_file(path: Path) -> Iterator[Path]:
    """`whole_file`, readable by its owner alone."""
    with whole_file(path) as temporary:
        temporary.touch(OWN_ALONE)
        yield temporary


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Write a tab-separated table for its owner alone."""
    with private_file(path) as temporary, temporary.open("w", newline="", **AS_ON_DISK) as stream:
        writer = csv.DictWriter(stream, columns, delimiter="\t", lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def add_names(path: Path, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Write the table that leads back; a case that is no longer in the archive stays in it, as results name it."""
    known: dict[object, Row] = {}
    if path.exists():
        with path.open(newline="", **AS_ON_DISK) as stream:
            known = {row["case"]: row for row in csv.DictReader(stream, delimiter="\t")}
    write_rows(path, columns, (known | {row["case"]: row for row in rows}).values())


def link_files(folder: Path, files: Sequence[Path]) -> None:
    """Make a folder that has a link to each file and nothing else, `000001.dcm` and so on; one that is so stays."""
    wanted = {f"{number:06}.dcm": str(file) for number, file in enumerate(files, 1)}
    if folder.is_dir() and wanted == {name: _target(f"{folder}/{name}") for name in os.listdir(folder)}:  # noqa: PTH208
        return
    temporary = folder.with_name(f"{UNFINISHED}{folder.name}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(mode=0o700)
    for name, file in wanted.items():
        link_file(temporary / name, Path(file))
    shutil.rmtree(folder, ignore_errors=True)
    temporary.rename(folder)


def link_file(path: Path, file: Path) -> None:
    """Make `path` a link to a file, whatever it was before. Raises InputError on a disk that has no links."""
    if _target(str(path)) == str(file):
        return
    path.unlink(missing_ok=True)
    try:
        path.symlink_to(file)
    except OSError as error:
        wanted = f"a disk that has symbolic links, for {path.parent}"
        raise InputError(wanted, error.strerror or str(error), "name `names` of the archive on another disk") from error


def _target(path: str) -> str:
    return os.readlink(path) if os.path.islink(path) else ""  # noqa: PTH114, PTH115 (fast)
