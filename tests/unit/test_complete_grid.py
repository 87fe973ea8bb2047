"""A row for each requested cell, and quotients of columns."""

from decimal import Decimal

import pandas as pd
import pytest
from frames import count_frame, rows_of

from socare_spark.measures.complete_grid import all_cells, complete_grid, ratio

DIMS = {"place": object, "year": "Int64"}


def test_cells_are_all_combinations_in_order():
    cells = all_cells({"place": ["b", "a", "b"], "year": [2011, None]})
    assert cells.to_numpy().tolist() == [["b", 2011], ["b", None], ["a", 2011], ["a", None]]


def test_no_value_of_a_dimension_gives_no_cell():
    cells = all_cells({"place": [], "year": [2011]})
    assert cells.columns.tolist() == ["place", "year"]
    assert len(cells) == 0


def test_a_cell_without_records_has_zero_people_and_no_cost():
    counted = count_frame([("a", 2011, 2, 3), ("a", None, 2, 4), ("z", 2011, 9, 9)], DIMS)
    counted["cost"] = [Decimal("1.50"), None, None]
    cells = all_cells({"place": ["b", "a"], "year": [2011, None]})
    full = complete_grid(cells, counted)
    assert full.columns.tolist() == counted.columns.tolist()
    found = full[["place", "year", "people", "records", "cost"]].astype(object)
    assert found.where(found.notna(), None).to_numpy().tolist() == [
        ["b", 2011, 0, 0, None],
        ["b", None, 0, 0, None],
        ["a", 2011, 2, 3, Decimal("1.50")],
        ["a", None, 2, 4, None],
    ]
    assert [str(full[name].dtype) for name in ("year", "people")] == ["Int64", "Int64"]


def test_further_sums_are_zero_in_their_own_type():
    counted = count_frame([("a", 2011, 1, 1)], DIMS)
    counted = counted.assign(held=pd.array([1], dtype="Int64"), money=[Decimal("2.00")])
    cells = all_cells({"place": ["a", "b"], "year": [2011]})
    full = complete_grid(cells, counted, ["held", "money"])
    assert rows_of(full, "held", "money") == [(0, Decimal(0)), (1, Decimal("2.00"))]


def test_no_counts_at_all_give_zeros():
    cells = all_cells({"place": ["a"], "year": [2011, None]})
    full = complete_grid(cells, count_frame([], DIMS))
    assert rows_of(full, "place", "year", "people", "records") == [
        ("a", 2011, 0, 0),
        ("a", None, 0, 0),
    ]


def test_quotient_is_nan_without_a_denominator():
    above = pd.Series([1, 2, 0, None, 5], dtype="Int64")
    below = pd.Series([2, 0, 0, 4, None], dtype="Int64")
    found = ratio(above, below)
    assert found.dtype == "float64"
    assert found.tolist() == pytest.approx([0.5] + 4 * [float("nan")], nan_ok=True)


def test_quotient_of_decimals():
    money = pd.Series([Decimal("7.50"), None], dtype=object)
    people = pd.Series([3, 3], dtype="Int64")
    assert ratio(money, people).tolist() == pytest.approx([2.5, float("nan")], nan_ok=True)
