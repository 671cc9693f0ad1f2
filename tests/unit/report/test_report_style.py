"""The page's colours are readable: contrast as WCAG 2.2, level AA, asks of text."""

import re
from pathlib import Path

import pytest

CSS = (Path(__file__).parents[3] / "workflow/report/style.css").read_text()
COLOURS = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", CSS))
TEXT = ("ink", "soft", "accent", "better", "worse", "warn")


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("text", TEXT)
@pytest.mark.parametrize("ground", ["#ffffff", COLOURS["ground"], COLOURS["warn-ground"]])
def test_text_contrast_is_at_least_4_5(text, ground):
    assert contrast(COLOURS[text], ground) >= 4.5
