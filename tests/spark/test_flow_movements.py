"""Movements from one activity to another: counts, people, months and faults of records."""

from datetime import date, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from frames import rows_of

from socare_spark.analyses.flow import movements
from socare_spark.analyses.flow.graph import FLOW_EDGES
from socare_spark.analyses.flow.movements import (
    FLOW_BALANCE,
    FLOW_EDGES_BY_MONTH,
    all_movements,
    follow_matrix,
)
from socare_spark.analyses.flow.settings import Flow
from socare_spark.errors import ConfigurationError
from socare_spark.lake import collect

MATRIX = {
    "dataset": "moves", "from": "origin", "to": "goal", "time": "day", "count": "items",
    "case": "van",
}  # fmt: skip
COLUMNS = "origin string, goal string, day date, items int, van string"
JANUARY, MAY = date(2020, 1, 31), date(2020, 5, 1)
ROWS = [
    ("A", "B", JANUARY, 2, "x"),
    ("A", "B", JANUARY, 2, "x"),  # an equal row is another movement
    ("A", "B", MAY, 1, "y"),
    ("B", "A", MAY, 1, "x"),
    ("B", "B", MAY, 3, None),
    ("C", "A", None, 1, "y"),
    ("C", "B", MAY, 1, "y"),
    (None, "B", MAY, 1, "x"),
    ("A", None, MAY, 1, "x"),
    ("A", "B", MAY, None, "x"),
    ("A", "B", MAY, -4, "x"),
    ("A", "C", MAY, 0, "x"),
]


def follows(spark, matrix=MATRIX, **keys):
    flow = Flow.model_validate({"flow": "vans", "title": "Vans", "matrix": matrix, **keys})
    moves = spark.createDataFrame(ROWS, COLUMNS)
    inputs = SimpleNamespace(
        read={"restricted/moves": moves}.__getitem__,
        conf=Path("without contracts"),
        exists=lambda _: False,
    )
    return follow_matrix(inputs, flow, flow.matrix)


def test_movements_are_summed_and_people_are_distinct(spark):
    result = follows(spark)
    edges = result.tables[FLOW_EDGES]
    columns = ["flow", "from_activity", "to_activity", "transitions", "records", "people"]
    assert rows_of(edges, *columns) == [
        ("vans", "A", "B", 5, 5, 2),
        ("vans", "B", "A", 1, 1, 1),
        ("vans", "B", "B", 3, 3, 0),
        ("vans", "C", "A", 1, 1, 1),
        ("vans", "C", "B", 1, 1, 1),
    ]
    assert edges[["median_days", "median", "unit"]].isna().all(axis=None)
    balance = result.tables[FLOW_BALANCE]
    figures = ["activity", "departures", "arrivals", "within", "net", "records", "people"]
    assert rows_of(balance, *figures) == [
        ("A", 5, 2, 0, -3, 7, 2),
        ("B", 1, 6, 3, 5, 10, 2),
        ("C", 2, 0, 0, -2, 2, 1),
    ]
    assert balance["net"].sum() == 0
    by_month = result.tables[FLOW_EDGES_BY_MONTH].toPandas()
    assert rows_of(by_month, "from_activity", "to_activity", "month", "transitions") == [
        ("A", "B", date(2020, 1, 1), 4),
        ("A", "B", date(2020, 5, 1), 1),
        ("B", "A", date(2020, 5, 1), 1),
        ("B", "B", date(2020, 5, 1), 3),
        ("C", "B", date(2020, 5, 1), 1),
    ]


def test_records_that_are_not_counted_are_reported(spark):
    result = follows(spark)
    assert result.counts == {
        "vans.records": 12, "vans.without_from": 1, "vans.without_to": 1, "vans.without_count": 1,
        "vans.negative_count": 1, "vans.without_time": 1,
    }  # fmt: skip
    (warning,) = result.warnings
    assert "of 12 records of moves, 1 with no value in " in warning
    assert "1 with no number in items, 1 with a negative number in items are left out" in warning


def test_without_a_case_people_are_not_known(spark):
    matrix = {key: MATRIX[key] for key in ("dataset", "from", "to")}
    result = follows(spark, matrix)
    edges = result.tables[FLOW_EDGES]
    assert rows_of(edges, "from_activity", "to_activity", "transitions", "people")[0] == (
        "A", "B", 5, None,
    )  # fmt: skip
    assert result.tables[FLOW_BALANCE]["people"].isna().all()
    assert result.tables[FLOW_EDGES_BY_MONTH].count() == 0
    assert FLOW_EDGES.to_arrow(edges).column("people").null_count == len(edges)


def test_rare_pairs_are_pooled_in_the_edges_and_the_months(spark):
    result = follows(spark, limits={"edges": 2})
    edges = result.tables[FLOW_EDGES]
    assert rows_of(edges, "from_activity", "to_activity", "transitions", "people") == [
        ("A", "B", 5, 2), ("B", "B", 3, 0), ("other", "other", 3, 2),
    ]  # fmt: skip
    months = result.tables[FLOW_EDGES_BY_MONTH].where("from_activity = 'other'").toPandas()
    assert rows_of(months, "to_activity", "month", "transitions") == [
        ("other", date(2020, 5, 1), 2),
    ]
    assert result.counts["vans.edges_pooled"] == 3
    assert any("`other`, with 3 records of 2 cases" in text for text in result.warnings)
    # The balance has all movements.
    assert result.tables[FLOW_BALANCE]["records"].sum() == 19


@pytest.mark.parametrize(
    ("most", "limits", "says"),
    [
        (4, {}, "goal of dataset moves have more than 4 different pairs. Set 'limits.edges' or"),
        (2, {"edges": 1}, "goal of dataset moves have more than 2 different activities. Set 'fr"),
    ],
)
def test_columns_of_identifiers_are_refused_before_they_are_collected(
    spark, monkeypatch, most, limits, says
):
    monkeypatch.setattr(movements, "MOST_PAIRS", most)
    # No more rows than needed for the message are collected.
    monkeypatch.setattr(collect, "DRIVER_MAX_RESULT_ROWS", most + 1)
    with pytest.raises(ConfigurationError, match=says):
        follows(spark, limits=limits)


def test_the_count_must_be_an_integer(spark):
    flow = Flow.model_validate({"flow": "vans", "title": "Vans", "matrix": MATRIX})
    moves = spark.createDataFrame([], COLUMNS.replace("items int", "items decimal(12,2)"))
    with pytest.raises(ConfigurationError, match=r"its count from items, which is decimal\(12,2\)"):
        all_movements(flow, flow.matrix, lambda _: moves)


def test_the_time_can_be_a_timestamp(spark):
    flow = Flow.model_validate({"flow": "vans", "title": "Vans", "matrix": MATRIX})
    rows = [("A", "B", datetime(2020, 2, 29, 23, 59), 1, "x")]
    moves = spark.createDataFrame(rows, COLUMNS.replace("day date", "day timestamp"))
    found = all_movements(flow, flow.matrix, lambda _: moves).collect()
    assert [row["month"] for row in found] == [date(2020, 2, 1)]
