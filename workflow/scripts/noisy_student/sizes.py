"""Bytes and seconds as people write them."""

UNITS = ((1e9, "GB", 1), (1e6, "MB", 0), (1e3, "kB", 0))


def size_in_words(count: float) -> str:
    """`4.2 GB`, `350 MB`, `12 kB`, `7 bytes`: the largest unit of which there is at least one."""
    for unit, name, digits in UNITS:
        if count >= unit:
            return f"{count / unit:.{digits}f} {name}"
    return f"{count:.0f} bytes"


def time_in_words(seconds: float) -> str:
    """`45 s`, `12 min`, `3.5 h`, `4.2 days`: in a unit of which there are at least two."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 172_800 else f"{seconds / 86_400:.1f} days"


def three_digits(value: float) -> str:
    """Three digits, or all before the point where these are more; no power of ten for what is large."""
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
