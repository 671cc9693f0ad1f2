"""How much the scans of an embedded cohort differ from one another."""

from dataclasses import dataclass, fields

Range = tuple[float, float]


@dataclass(frozen=True)
class Variation:
    """Ranges that every scan is drawn from uniformly, and standard deviations of its organs' poses.

    Contrast phases: 0 none, 1 arterial, 2 portal venous, 3 late; fractions lie between two of them.
    """

    phase: Range
    noise_hu: Range
    blur_mm: Range
    tissue_sd_hu: float
    oral_contrast: float  # share of scans with a bright stomach and bowel
    body_scale: Range
    fat_mm: Range
    shift_sd_mm: float
    size_sd: float  # of the logarithm of an organ's diameter
    turn_sd_deg: float
    warp_sd_mm: float
    in_plane_mm: Range
    slice_mm: Range
    cropped: float  # share of scans that show only a part of the z range
    lps: float  # share of files stored in LPS instead of RAS


# One clinic: one contrast phase, one kernel, patients of similar build.
NARROW = Variation(
    phase=(1.9, 2.1),
    noise_hu=(8, 12),
    blur_mm=(1.0, 1.4),
    tissue_sd_hu=3,
    oral_contrast=0,
    body_scale=(0.96, 1.03),
    fat_mm=(12, 17),
    shift_sd_mm=1.5,
    size_sd=0.03,
    turn_sd_deg=2,
    warp_sd_mm=2,
    in_plane_mm=(3.3, 3.6),
    slice_mm=(5, 5),
    cropped=0,
    lps=0,
)

# Many clinics.
BROAD = Variation(
    phase=(0.2, 3.0),
    noise_hu=(8, 38),
    blur_mm=(0.8, 3.4),
    tissue_sd_hu=11,
    oral_contrast=0.35,
    body_scale=(0.87, 1.13),
    fat_mm=(5, 42),
    shift_sd_mm=6,
    size_sd=0.09,
    turn_sd_deg=11,
    warp_sd_mm=8,
    in_plane_mm=(3.1, 3.9),
    slice_mm=(4, 6),
    cropped=0.2,
    lps=0.3,
)


def between(narrow: Variation, broad: Variation, strength: float) -> Variation:
    """`narrow` at strength 0, `broad` at 1, in between or beyond in proportion."""
    names = [field.name for field in fields(Variation)]
    return Variation(*(_mix(getattr(narrow, name), getattr(broad, name), strength) for name in names))


def _mix(start: Range | float, end: Range | float, strength: float) -> Range | float:
    if isinstance(start, tuple):
        return tuple(_mix(a, b, strength) for a, b in zip(start, end, strict=True))
    return start + strength * (end - start)
