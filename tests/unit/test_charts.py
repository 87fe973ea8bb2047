"""Charts are drawn whatever the data, and the same for the same data."""

from datetime import date

import pandas as pd

from socare_spark.report.charts import Bars, draw_bars, draw_ranks

BARS = pd.DataFrame(
    [
        ("S", "A", "X", 12_000, date(2008, 1, 1), date(2016, 12, 31)),
        ("S", "B", "X", 1, date(2010, 5, 5), date(2010, 5, 5)),  # one day
        ("T", "A", "Y", 99, date(2006, 2, 1), date(2018, 3, 1)),
    ],
    columns=["subprocess", "reason", "outcome", "people", "first_used", "last_used"],
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
    one = draw_bars(Bars("Bars", BARS, "a table"), tmp_path / "one.png").read_bytes()
    two = draw_bars(Bars("Bars", BARS[::-1], "a table"), tmp_path / "two.png").read_bytes()
    assert one == two


def test_ranks_are_drawn_for_one_snapshot_or_several(tmp_path):
    several = draw_ranks(TOP, 2, tmp_path / "several.png", "a table").read_bytes()
    again = draw_ranks(TOP.iloc[[3, 1, 0, 2]], 2, tmp_path / "again.png", "a table").read_bytes()
    assert several == again
    assert draw_ranks(TOP[:2], 2, tmp_path / "one.png", "a table").is_file()
