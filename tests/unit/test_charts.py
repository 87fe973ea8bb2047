"""Charts are drawn whatever the data, and the same for the same data."""

from datetime import date

import pandas as pd

from socare_spark.charts.turnover import Turnover, draw_turnover
from socare_spark.charts.use_spans import Bars, draw_bars, draw_ranks

BARS = pd.DataFrame(
    [
        ("S", "A", "X", 12_000, date(2008, 1, 1), date(2016, 12, 31)),
        ("S", "B", "X", 1, date(2010, 5, 5), date(2010, 5, 5)),  # one day
        ("T", "A", "Y", 99, date(2006, 2, 1), date(2018, 3, 1)),
    ],
    columns=["subprocess", "reason", "outcome", "people", "first_used", "last_used"],
)
ENDS = pd.DataFrame(
    [
        ("start", date(2013, 5, 1), 30, 1),
        ("start", date(2013, 6, 1), 2, None),
        ("end", date(2014, 1, 1), 12, 2),
    ],
    columns=["kind", "period", "combinations", "block"],
)
TOP = pd.DataFrame(
    [
        (date(2019, 2, 12), "bins", 1, 9),
        (date(2019, 2, 12), "a $\\frac$ description\nof two lines", 2, 5),
        (date(2019, 8, 12), "trees", 1, 7),
        (date(2019, 8, 12), "bins", 2, 6),
    ],
    columns=["snapshot", "description", "rank", "records"],
)


def test_bars_do_not_depend_on_the_order_of_rows(tmp_path):
    one = draw_bars(Bars("Bars", BARS, "a table", 12_000), tmp_path / "one.png").read_bytes()
    two = draw_bars(Bars("Bars", BARS[::-1], "a table", 12_000), tmp_path / "two.png").read_bytes()
    assert one == two


def test_turnover_does_not_depend_on_the_order_of_rows(tmp_path):
    def drawn(name, rows):
        return draw_turnover(Turnover(rows, "month", 10, "a table"), tmp_path / name).read_bytes()

    assert drawn("one.png", ENDS) == drawn("two.png", ENDS[::-1])
    assert drawn("one.png", ENDS) != drawn("bare.png", ENDS.assign(block=None))


def test_turnover_of_one_kind_alone_is_drawn(tmp_path):
    for window in ("day", "week", "month", "quarter", "year"):
        turnover = Turnover(ENDS[1:2], window, 10, "a table")
        assert draw_turnover(turnover, tmp_path / f"{window}.png").is_file()


def test_ranks_are_drawn_for_one_snapshot_or_several(tmp_path):
    several = draw_ranks(TOP, 2, tmp_path / "several.png", "a table").read_bytes()
    again = draw_ranks(TOP.iloc[[3, 1, 0, 2]], 2, tmp_path / "again.png", "a table").read_bytes()
    assert several == again
    assert draw_ranks(TOP[:2], 2, tmp_path / "one.png", "a table").is_file()
