"""Style of all charts: colours, fonts, titles and small print.

Every chart of exact figures carries the words `EXACT`, its source and its colour scale. The same
data give the same bytes: a file contains no date, machine name or library version.
"""

from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

EXACT = "Exact figures - not for release"

# The colour scales can be read in grey and with the common kinds of colour blindness.
SEQUENTIAL = "cividis_r"
SEQUENTIAL_SCALE = "Colour scale: cividis, reversed (darker = more)"
DIVERGING = "PuOr_r"
DIVERGING_SCALE = "Colour scale: ColorBrewer PuOr (orange = more, purple = fewer)"
# The qualitative palette of Okabe and Ito, black last.
CATEGORIES = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000",
)  # fmt: skip

INK, QUIET, HAIRLINE, EMPTY = "#222222", "#666666", "#BBBBBB", "#FFFFFF"

STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.edgecolor": HAIRLINE,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "figure.facecolor": "white",
    "hatch.linewidth": 0.4,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "svg.hashsalt": "socare",
    "text.color": INK,
    "text.parse_math": False,  # a dollar sign is text, not mathematics
    "xtick.color": QUIET,
    "ytick.color": QUIET,
}

_INCH = 0.16  # height of a line of small print
_DPI = 130


def new_figure(width: float, height: float) -> Figure:
    """An empty figure in inches. It needs no display and shares no state between threads."""
    with rc_context(STYLE):
        return Figure(figsize=(width, height), dpi=_DPI)


def headline(figure: Figure, title: str, subtitle: str = "") -> None:
    """Adds a title and, in smaller type, a subtitle at the top left."""
    height = figure.get_figheight()
    figure.text(0.02, 1 - 0.12 / height, title, va="top", fontsize=13, fontweight="bold", color=INK)
    if subtitle:
        figure.text(0.02, 1 - 0.40 / height, subtitle, va="top", fontsize=9, color=QUIET)


def small_print(figure: Figure, source: str, scale: str = "") -> None:
    """Adds the lines at the foot: `EXACT`, the source of the figures and the colour scale.

    Args:
        figure: The figure.
        source: Source of the figures.
        scale: Colour scale or other notes, of one or more lines.
    """
    height = figure.get_figheight()
    lines = [*scale.splitlines(), f"Source: {source}"]
    for place, line in enumerate(reversed(lines)):
        figure.text(0.02, (0.08 + place * _INCH) / height, line, fontsize=7, color=QUIET)
    figure.text(
        0.98, 0.08 / height, EXACT, ha="right", fontsize=8, fontweight="bold", color="#B2182B"
    )


def save(figure: Figure, path: Path) -> Path:
    """Writes a PNG without a date or a version, and returns the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with rc_context(STYLE):
        figure.savefig(path, format="png", metadata={"Software": None})
    return path
