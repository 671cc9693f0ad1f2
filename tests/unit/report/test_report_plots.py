"""Plots with a line for each organ."""

import pandas as pd
import pytest

from noisy_student.report.plots import canvas, height_of, svg_text
from noisy_student.report.result_plots import draw_differences

ROW = pd.Series({"ci_low": 0.1, "difference": 0.2, "ci_high": 0.3})


def test_many_organs_have_room_for_their_names():
    """TotalSegmentator's 104: names of 9 points would lie over each other in the height that thirteen have."""
    assert height_of(13, 3.6) == 3.6 and height_of(1, 3.6) == 3.6
    assert 72 * (height_of(104, 3.6) - height_of(0, 0)) / 104 == pytest.approx(14.4)


def test_names_are_drawn_as_they_are():
    with canvas(2) as (figure, (axes,)):
        said = draw_differences(axes, [("node $N_1$ and $", "#123456", ROW), ("a $x_$ b", "#123456", ROW)], 34)
        text = svg_text(figure)
    assert ">a $x_$ b<" in text and ">node $N_1$ and $<" in text
    assert said == "node $N_1$ and $ +0.200, a $x_$ b +0.200"
