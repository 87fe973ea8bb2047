"""Pictures of bars and of matrices: what they must say, and the same bytes for the same data."""

import numpy as np
import pytest
from matplotlib.colors import Normalize
from matplotlib.ticker import PercentFormatter

from socare_spark.charts import bar_panels, shaded_tables, style
from socare_spark.charts.bar_panels import Panel, Panels, draw_panels
from socare_spark.charts.shaded_tables import MARKS, Block, Matrices, draw_matrices, natural

UP = Panel("People", ["Q1", "Q2", "Q3"], [3, 0, 5], ["3", "0", "5"], [1, 0, 5])
DOWN = Panel("Change", ["Q1", "Q2", "Q3"], [float("nan"), -1.0, 0.25], ["", "-100%", "+25%"])
NOBODY = Panel("Nobody", ["Q1", "Q2", "Q3"], [0, 0, 0], ["0", "0", "0"])


@pytest.fixture
def figures(monkeypatch):
    """The figures that are saved."""
    saved = []

    def listen(figure, path):
        saved.append(figure)
        return style.save(figure, path)

    monkeypatch.setattr(bar_panels, "save", listen)
    monkeypatch.setattr(shaded_tables, "save", listen)
    return saved


def texts_of(figure):
    found = []

    def look(artist):
        if hasattr(artist, "get_text"):
            found.append(artist.get_text())
        for child in artist.get_children():
            look(child)

    look(figure)
    return found


def matrix(flags=((None, "high"), ("low", None))):
    block = Block(
        "All", ["2010", "2011"], np.array([[0.2, 0.9], [np.nan, 0.5]]),
        np.array([["20", "90"], ["-", "50"]], dtype=object), np.array(flags, dtype=object),
    )  # fmt: skip
    return Matrices(
        "A title", "what it shows", "a source", ["B2", "B10"], [block, block], "PuOr_r",
        Normalize(0, 1), "Colour scale: some", "Share", PercentFormatter(1), ("much", "little"),
    )  # fmt: skip


def test_panels_carry_source_and_exactness_note(tmp_path, figures):
    shown = Panels("A title", "what it shows", "a source", [[UP, NOBODY], [DOWN, NOBODY]], "Grey")
    one = draw_panels(shown, tmp_path / "one.png").read_bytes()
    assert {style.EXACT, "Source: a source", "Grey", "People", "-100%"} <= set(texts_of(figures[0]))
    assert draw_panels(shown, tmp_path / "two.png").read_bytes() == one


def test_bars_have_stacked_parts_and_missing_values_have_no_bar(tmp_path, figures):
    draw_panels(Panels("t", "s", "source", [[UP], [DOWN]]), tmp_path / "a.png")
    up, down = figures[0].axes
    heights = [bar.get_height() for bar in up.patches]
    assert heights == [3, 0, 5, 1, 0, 5]
    fills = [bar.get_facecolor() for bar in down.patches]
    assert np.isnan(down.patches[0].get_height())
    assert fills[1] != fills[2]  # a fall is told from a rise
    low, high = down.get_ylim()
    assert low < -1 and high > 0.25


def test_matrices_carry_source_and_exactness_note(tmp_path, figures):
    one = draw_matrices(matrix(), tmp_path / "one.png").read_bytes()
    said = texts_of(figures[0])
    assert {style.EXACT, "Source: a source", "Colour scale: some", "Share", "B10"} <= set(said)
    assert said.count(MARKS["high"]) == said.count(MARKS["low"]) == 2
    assert any(f"{MARKS['low']} little" in text for text in said)
    assert draw_matrices(matrix(), tmp_path / "two.png").read_bytes() == one


def test_text_colour_contrasts_with_the_cell(tmp_path, figures):
    draw_matrices(matrix(), tmp_path / "a.png")
    inks = {text.get_text(): text.get_color() for text in figures[0].axes[0].texts}
    assert inks["90"] == "white"
    assert inks["-"] == inks["50"] == style.INK


def test_area_codes_sort_by_number():
    assert sorted(["B10", "WS1", "B2", "W1A"], key=natural) == ["B2", "B10", "W1A", "WS1"]
