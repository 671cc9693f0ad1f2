"""Plots as SVG text, each about as wide as a phone, so that a page can set them side by side or one below another."""

import io
import re
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK, GREY, GRID = "#1c2733", "#5a6673", "#dfe4e9"
ROLE_COLOURS = {"test": "#1f4e79", "validation": "#b3541e"}
ROLE_MARKERS = {"test": "o", "validation": "s"}
# Dark enough for thin lines on white; the markers tell them apart in any kind of colour blindness.
EXPERIMENT_COLOURS = (
    *("#1f4e79", "#b3541e", "#176243", "#8e3a9d", "#b3262e", "#0e8aa8", "#7d6608", "#d0508f", "#5a6673", "#5b4fc4"),
)
EXPERIMENT_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
KEPT_COLOUR, DROPPED_COLOUR = "#1f4e79", "#d08a1d"
STYLE = {
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "text.color": INK,
}
WIDTH_INCH = 4.3
# Of a plot with a line for each organ: what stands around the lines, and what a line takes to be read.
AROUND_INCH, LINE_INCH = 0.9, 0.2
LONGEST_ORGAN = 34


@dataclass(frozen=True)
class Plot:
    """A drawn figure: file name without extension, caption, what it shows for those who cannot see it, SVG text."""

    name: str
    caption: str
    description: str
    svg: str

    @property
    def inline(self) -> str:
        """The SVG as an element of a page: no XML header, its own ids, and named for screen readers."""
        element = self.svg[self.svg.index("<svg") :]
        element = re.sub(r'(\bid="|href="#|url\(#)', rf"\1{self.name}-", element)
        label = self.description.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
        return element.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)


@contextmanager
def canvas(height_inch: float, rows: int = 1) -> Iterator[tuple[Figure, list[Axes]]]:
    """A figure in the report's style with its axes, top to bottom."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_INCH, height_inch), layout="constrained")
        axes = figure.subplots(rows, 1, squeeze=False, sharex=True)[:, 0]
        yield figure, list(axes)


def height_of(lines: int, least_inch: float) -> float:
    """The height of a plot with so many named lines: the least one, or what keeps names from covering each other."""
    return max(least_inch, AROUND_INCH + LINE_INCH * lines)


def legend_below(figure: Figure, axes: Axes) -> None:
    """Name what is drawn below the axes, where it covers nothing."""
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower left", ncols=2)


def svg_text(figure: Figure) -> str:
    """The figure as SVG; the same figure gives the same text. Call it inside `canvas`."""
    stream = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "report"}):
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return stream.getvalue()


def in_plot(text: str, longest: int) -> str:
    """A text as matplotlib draws it: in lines of so many letters, and no formula."""
    return "\n".join(textwrap.wrap(text, longest)).replace("$", r"\$")
