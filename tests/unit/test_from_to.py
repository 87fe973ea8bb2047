"""The matrix of movements: its cells, what is added up, and its notes."""

import pandas as pd
import pytest
from pictures import texts_of

from socare_spark.charts import from_to
from socare_spark.charts.from_to import FromTo, draw_from_to

EDGES = pd.DataFrame(
    [("A", "B", 1500), ("B", "A", 40), ("B", "B", 7), ("C", "A", 5), ("C", "D", 3), ("D", "B", 2)],
    columns=["from_activity", "to_activity", "transitions"],
)
BALANCE = pd.DataFrame(
    [("A", 1545, -1455), ("B", 1549, 1455), ("C", 8, -8), ("D", 5, 8)],
    columns=["activity", "records", "net"],
)


@pytest.fixture
def said(monkeypatch):
    return texts_of(monkeypatch, from_to)


def test_cells_are_movements_and_others_are_added_up(tmp_path, said):
    draw_from_to(EDGES, BALANCE, FromTo("Loans", "items", "a table", 2), tmp_path / "a.png")
    assert {"1,500", "40", "7", "5", "2", "3", "all others", "-1,455", "+1,455"} <= set(said)
    assert not {"C", "D"} & set(said)
    assert "Number of items from (rows) to (columns); net: arrivals less departures" in said
    assert any("none. The 2 of 4 with most items; the rest together." in text for text in said)


def test_every_activity_is_drawn_within_the_limit(tmp_path, said):
    draw_from_to(EDGES, BALANCE, FromTo("Loans", "items", "a table", 20), tmp_path / "a.png")
    assert {"A", "B", "C", "D", "-8", "+8"} <= set(said)
    assert not [text for text in said if "all others" in text or "the rest" in text]


def test_the_pool_of_rare_pairs_is_named(tmp_path, said):
    matrix = FromTo("Loans", "items", "a table", 20, pooled=43)
    draw_from_to(EDGES, BALANCE, matrix, tmp_path / "a.png")
    note = " ".join(" ".join(said).split())
    assert "none, or a pooled pair." in note
    assert "43 of 1,600 items are of rare pairs" in note


def test_the_same_rows_give_the_same_picture(tmp_path):
    matrix = FromTo("Loans", "items", "a table", 3)
    one = draw_from_to(EDGES, BALANCE, matrix, tmp_path / "a.png").read_bytes()
    two = draw_from_to(EDGES[::-1], BALANCE[::-1], matrix, tmp_path / "b.png").read_bytes()
    assert one == two
