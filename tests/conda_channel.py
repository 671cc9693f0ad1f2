"""A conda channel in a folder: this Python and its pip, packed as conda packages, in place of conda-forge.

What conda-forge gives to the files of envs/ is `python` and `pip`; all else comes from PyPI. Both are on every machine
that can run these tests, so nothing is downloaded to build the channel.
"""

import ensurepip
import hashlib
import io
import json
import platform
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SUBDIR = {"x86_64": "linux-64", "aarch64": "linux-aarch64"}.get(platform.machine(), "unsupported")
VERSION = ".".join(map(str, sys.version_info[:3]))
SHORT = ".".join(map(str, sys.version_info[:2]))
# Parts of the standard library that no script needs.
LEFT_OUT = {"__pycache__", "site-packages", "test", "tests", "idlelib", "tkinter", "turtledemo", "lib2to3", "ensurepip"}


@dataclass(frozen=True)
class Member:
    """A file of a package, or a link to another of its files."""

    path: str
    content: bytes = b""
    executable: bool = False
    link: str = ""

    def add_to(self, archive: tarfile.TarFile) -> dict:
        """Add to an archive and return what `paths.json` says of it."""
        entry = tarfile.TarInfo(self.path)
        entry.mode = 0o755 if self.executable else 0o644
        if self.link:
            entry.type, entry.linkname = tarfile.SYMTYPE, self.link
            archive.addfile(entry)
            return {"_path": self.path, "path_type": "softlink"}
        entry.size = len(self.content)
        archive.addfile(entry, io.BytesIO(self.content))
        digest = hashlib.sha256(self.content).hexdigest()
        return {"_path": self.path, "path_type": "hardlink", "sha256": digest, "size_in_bytes": entry.size}


def python_members() -> Iterator[Member]:
    """The interpreter, its shared library if it has one, and its standard library."""
    yield Member(f"bin/python{SHORT}", Path(sys._base_executable).resolve().read_bytes(), executable=True)
    for name in ("python", "python3"):
        yield Member(f"bin/{name}", link=f"python{SHORT}")
    if sysconfig.get_config_var("Py_ENABLE_SHARED"):
        library = sysconfig.get_config_var("INSTSONAME")
        yield Member(f"lib/{library}", (Path(sysconfig.get_config_var("LIBDIR")) / library).read_bytes())
    standard = Path(sysconfig.get_path("stdlib"))
    for path in sorted(standard.rglob("*")):
        inside = path.relative_to(standard)
        if path.is_file() and not LEFT_OUT & set(inside.parts) and not inside.parts[0].startswith("config-"):
            yield Member(f"lib/python{SHORT}/{inside}", path.read_bytes())
    yield Member(f"lib/python{SHORT}/site-packages/README.txt")


def pip_members() -> tuple[str, list[Member]]:
    """The version of the pip that comes with Python, and its files."""
    wheel = next(Path(ensurepip.__file__).parent.glob("_bundled/pip-*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        return wheel.name.split("-")[1], [Member(f"site-packages/{name}", archive.read(name)) for name in names]


def write_package(folder: Path, record: dict, members: list[Member], link: dict | None = None) -> None:
    """Write one package and return the path of its archive."""
    folder.mkdir(parents=True, exist_ok=True)
    record = {"build_number": 0, "subdir": folder.name, **record}
    name = f"{record['name']}-{record['version']}-{record['build']}.tar.bz2"
    with tarfile.open(folder / name, "w:bz2", compresslevel=1) as archive:
        paths = [member.add_to(archive) for member in members]
        about = {
            "index.json": record,
            "paths.json": {"paths": paths, "paths_version": 1},
            **({"link.json": link} if link else {}),
        }
        for file, content in about.items():
            Member(f"info/{file}", json.dumps(content).encode()).add_to(archive)
    blob = (folder / name).read_bytes()
    checksums = {"md5": hashlib.md5(blob).hexdigest(), "sha256": hashlib.sha256(blob).hexdigest(), "size": len(blob)}
    index = {"info": {"subdir": folder.name}, "packages": {name: record | checksums}, "packages.conda": {}}
    (folder / "repodata.json").write_text(json.dumps(index | {"repodata_version": 1}))


def build_channel(channel: Path) -> None:
    """Write the channel: `python` for this platform, `pip` for any."""
    python = {"name": "python", "version": VERSION, "build": "0_cpython", "depends": []}
    write_package(channel / SUBDIR, python, list(python_members()))
    version, members = pip_members()
    pip = {"name": "pip", "version": version, "build": "py_0", "depends": ["python"], "noarch": "python"}
    scripts = {"noarch": {"type": "python", "entry_points": ["pip = pip._internal.cli.main:main"]}}
    write_package(channel / "noarch", pip, members, scripts | {"package_metadata_version": 1})
