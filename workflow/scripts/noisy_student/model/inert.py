"""What a checkpoint says of itself, read without torch and without running anything that it names.

A checkpoint is a zip with a pickle, beside which the tensors lie. A pickle may name any function to be called; here
each name stands for one that does nothing.
"""

import pickle
import zipfile
from collections import OrderedDict
from typing import IO, Any

PICKLE = "/data.pkl"


class Inert:
    """Stands for whatever a pickle names or makes: may be called and filled, and does nothing."""

    def __init__(self, *_: Any, **__: Any) -> None:
        """Take anything."""

    def __call__(self, *_: Any, **__: Any) -> "Inert":
        """Be a function that was made."""
        return Inert()

    def __setitem__(self, *_: Any) -> None:
        """Be a mapping."""

    def __setstate__(self, _: Any) -> None:
        """Be an object with a state."""

    append = extend = add = __setstate__


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        return OrderedDict if (module, name) == ("collections", "OrderedDict") else Inert

    def persistent_load(self, _: Any) -> Inert:
        return Inert()


def said_by(checkpoint: IO[bytes]) -> Any:
    """Plain values of a checkpoint as they are, everything else as `Inert`. Raises whatever a damaged file causes."""
    with zipfile.ZipFile(checkpoint) as archive:
        name = next(name for name in archive.namelist() if name.endswith(PICKLE))
        with archive.open(name) as stream:
            return _Reader(stream).load()
