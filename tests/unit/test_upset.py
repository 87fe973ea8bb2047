"""Combinations are drawn most frequent first, as many as wanted, and the same for the same data."""

import pandas as pd
import pytest

from socare_spark.charts import upset
from socare_spark.charts.upset import draw_overlaps

ROWS = pd.DataFrame(
    [("b", 70), ("a+c", 7), ("a", 7), ("a+b+c", 1)], columns=["combination", "people"]
)


@pytest.fixture
def draw(tmp_path, monkeypatch):
    """Draws; returns the bytes of the file, the figure's texts, and where dots are dark by row."""
    figures = []

    def kept(figure, path):
        figures.append(figure)
        return path

    save = upset.save
    monkeypatch.setattr(upset, "save", lambda f, p: save(kept(f, p) and f, p))

    def drawn(rows, number=9):
        path = draw_overlaps(
            rows, ["a", "b", "c"], number, tmp_path / "x.png", title="T", source="a table"
        )
        dots, bars = figures[-1].axes
        dark = [c.get_offsets().tolist() for c in dots.collections[1::2]]
        return path.read_bytes(), [t.get_text().strip() for t in bars.texts], dark

    return drawn


def test_dots_and_bars_are_those_of_the_rows(draw):
    _, texts, dark = draw(ROWS)
    assert texts == ["70  (82.4%)", "7  (8.2%)", "7  (8.2%)", "1  (1.2%)"]
    assert dark == [[[1, 0]], [[0, 1]], [[0, 2], [2, 2]], [[0, 3], [1, 3], [2, 3]]]


def test_shares_are_of_all_people_though_not_all_are_shown(draw):
    assert draw(ROWS, 1)[1] == ["70  (82.4%)"]


def test_the_order_of_rows_does_not_matter(draw):
    assert draw(ROWS)[0] == draw(ROWS[::-1])[0]
