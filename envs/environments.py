"""Write envs/*.yaml: for each kind of work, what its scripts import and all that this brings, pinned as in the lock.

`requirements.lock` is the one source. Run this in the environment that was installed from it (`make envs`); with
`--lock`, which `make lock` uses, it prints the lock of the environment that it runs in.
"""

import sys
from importlib.metadata import distributions, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# What pydicom decodes compressed frames with (JPEG 2000, JPEG-LS); it alone imports them.
DECODERS = ["pillow", "pyjpegls"]
# The formats of scans and label maps.
READING = ["SimpleITK", "nibabel", "pydicom", *DECODERS]
# The formats of segmentations that are written for others.
WRITING = ["highdicom"]
ENVIRONMENTS = {
    "imaging": ["numpy", "scipy", "pandas", *READING, *WRITING, "connected-components-3d", "pydantic"],
    "nnunet": [
        "torch",
        "nnunetv2",
        "numpy",
        "pandas",
        *READING,
        *WRITING,
        "blosc2",
        "pydantic",
        "psutil",
        "nvidia-ml-py",
        # How a trained network leaves.
        "onnx",
        "openvino",
    ],
    "evaluation": ["numpy", "scipy", "pandas", *READING, "surface-distance", "pydantic"],
    "report": ["numpy", "scipy", "pandas", "matplotlib", "jinja2"],
}
PYTHON = "3.11"
HEADER = "# Made from requirements.lock by envs/environments.py (`make envs`); do not edit.\n"


def make_lock() -> str:
    """Every installed package but pip, pinned; `pip freeze` would leave out setuptools and argparse."""
    pins = {f"{package.name}=={package.version.split('+')[0]}" for package in distributions() if package.name != "pip"}
    head = "# Every package of the project, pinned: made from requirements.in by `make lock`."
    return "\n".join([head, *sorted(pins, key=str.lower)])


def read_lock(path: Path) -> dict[str, str]:
    """Pinned version of every package, by normalised name."""
    lines = [line.split("#")[0].strip() for line in path.read_text().splitlines()]
    return {canonicalize_name(name): version for name, version in (line.split("==") for line in lines if line)}


def closure(roots: list[str], lock: dict[str, str]) -> list[str]:
    """The roots and everything they bring on this platform, as far as the lock has it."""
    found: set[str] = set()
    todo = [Requirement(root) for root in roots]
    while todo:
        requirement = todo.pop()
        name = canonicalize_name(requirement.name)
        if name in found or name not in lock:
            continue
        found.add(name)
        for text in requires(name) or []:
            needed = Requirement(text)
            if needed.marker is None or any(needed.marker.evaluate({"extra": e}) for e in (*requirement.extras, "")):
                todo.append(needed)
    return sorted(found)


def environment(roots: list[str], lock: dict[str, str]) -> str:
    """A conda environment: Python and pip from conda-forge, the rest pinned from PyPI."""
    pins = "".join(f"      - {name}=={lock[name]}\n" for name in closure(roots, lock))
    return f"{HEADER}channels:\n  - conda-forge\ndependencies:\n  - python={PYTHON}\n  - pip\n  - pip:\n{pins}"


def environments(root: Path) -> dict[Path, str]:
    """The text of every file of `envs/`."""
    lock = read_lock(root / "requirements.lock")
    return {root / "envs" / f"{name}.yaml": environment(roots, lock) for name, roots in ENVIRONMENTS.items()}


if __name__ == "__main__":
    if "--lock" in sys.argv:
        print(make_lock())
        sys.exit()
    for path, text in environments(Path(__file__).parent.parent).items():
        path.write_text(text)
