"""Bytes as people write them."""

UNITS = ((1e9, "GB", 1), (1e6, "MB", 0), (1e3, "kB", 0))


def size_in_words(count: float) -> str:
    """`4.2 GB`, `350 MB`, `12 kB`, `7 bytes`: the largest unit of which there is at least one."""
    for unit, name, digits in UNITS:
        if count >= unit:
            return f"{count / unit:.{digits}f} {name}"
    return f"{count:.0f} bytes"
