"""What is used most, and how many have how much: order, leftovers, empty cells."""

import numpy as np
import pandas as pd
import pytest

from socare_spark.charts.histograms import Histograms, binned, draw_histograms
from socare_spark.charts.rank_chart import Ranking, draw_ranking, ranked

RECORDS = pd.DataFrame(
    [("B", 2009, 3), ("A", 2009, 1), ("A", 2011, 2), ("C", 2011, 9), ("D", 2010, 1)],
    columns=["name", "year", "records"],
)
RANKING = Ranking("Services", "what it shows", "a source", range(2009, 2012), 2, 3)
PEOPLE = pd.DataFrame(
    [("registered", "all", 1, 5), ("registered", "all", 4, 2), ("registered", "all", 250, 1)],
    columns=["kind", "group", "number", "people"],
)


def test_most_records_first_then_by_name_and_every_year_has_a_column():
    table = ranked(RECORDS, range(2009, 2013), 4)
    assert table.index.tolist() == ["C", "A", "B", "D"]  # A and B have three each
    assert table.columns.tolist() == [2009, 2010, 2011, 2012]
    assert table.loc["A"].tolist() == [1, 0, 2, 0]


def test_entries_below_the_cut_are_summed_as_others():
    table = ranked(RECORDS, range(2009, 2012), 2)
    assert table.index.tolist() == ["C", "A", "others"]
    assert table.loc["others"].tolist() == [3, 1, 0]


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_a_ranking_is_drawn_the_same_for_the_same_records(tmp_path, rows):
    some = RECORDS[:rows]
    one = draw_ranking(RANKING, some, tmp_path / "one.png").read_bytes()
    assert draw_ranking(RANKING, some[::-1], tmp_path / "two.png").read_bytes() == one


def test_the_last_bar_holds_all_that_have_more():
    assert binned(PEOPLE, 4).tolist() == [5, 0, 0, 3]
    assert binned(PEOPLE, 3).tolist() == [5, 0, 3]
    assert binned(PEOPLE[:0], 3).tolist() == [0, 0, 0]


def test_group_without_people_has_an_empty_panel(tmp_path):
    shown = Histograms(
        "Elements", "what it shows", "a source",
        {"registered": "Registered", "distinct": "Distinct"}, {"all": "All", "0-11": "0-11"}, 4,
    )  # fmt: skip
    one = draw_histograms(shown, PEOPLE, tmp_path / "one.png").read_bytes()
    assert draw_histograms(shown, PEOPLE[::-1], tmp_path / "two.png").read_bytes() == one
    assert np.frombuffer(one[:4], np.uint8).tolist() == [137, 80, 78, 71]
