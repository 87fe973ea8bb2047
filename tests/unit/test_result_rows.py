"""Rows of a result as Arrow: types, nulls and order; and the limits of collected results."""

from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException

from socare_spark import analysis
from socare_spark.errors import DataError
from socare_spark.lake import collect
from socare_spark.lake.columns import data_type
from socare_spark.lake.table import ColumnSpec, TableSpec, Zone

TYPES = {
    "place": "string",
    "year": "int",
    "people": "bigint",
    "share": "double",
    "cost": "decimal(20,2)",
    "day": "date",
    "held": "boolean",
}
COLUMNS = tuple(ColumnSpec(name, type_, f"Says {name}.") for name, type_ in TYPES.items())
TABLE = TableSpec(Zone.WORKING, "t", "A row.", COLUMNS[:2], COLUMNS[2:])
ROW = ("a", 2011, 3, 0.5, Decimal("1.50"), date(2011, 1, 2), True)


def frame(*rows):
    return pd.DataFrame(rows, columns=list(TYPES), dtype=object)


def test_columns_have_their_declared_types_and_descriptions():
    rows = TABLE.to_arrow(frame(ROW))
    assert rows.schema.names == list(TYPES)
    assert rows.schema.types == [
        pa.string(), pa.int32(), pa.int64(), pa.float64(), pa.decimal128(20, 2), pa.date32(),
        pa.bool_(),
    ]  # fmt: skip
    assert rows.schema.field("cost").metadata == {b"comment": b"Says cost."}
    assert rows.to_pylist() == [dict(zip(TYPES, ROW, strict=True))]


def test_types_have_their_names_in_sql():
    names = ["string", "int", "bigint", "double", "boolean", "binary", "date", "timestamp"]
    for name in [*names, "decimal(14,2)", "array<string>", "array<array<int>>", "smallint"]:
        assert data_type(name).simpleString() == name
    with pytest.raises(PySparkException):
        data_type("number")


def test_columns_are_selected_by_name():
    shuffled = frame(ROW).assign(more=1)[["more", *reversed(TYPES)]]
    assert TABLE.to_arrow(shuffled).equals(TABLE.to_arrow(frame(ROW)))
    with pytest.raises(KeyError, match="share"):
        TABLE.to_arrow(frame(ROW).drop(columns="share"))


@pytest.mark.parametrize("null", [None, np.nan, pd.NA], ids=str)
def test_every_kind_of_null_is_null(null):
    rows = TABLE.to_arrow(frame([null] * len(TYPES))).to_pylist()
    assert rows == [dict.fromkeys(TYPES)]


def test_columns_without_values_can_have_any_type():
    for rows in (frame(), frame([None] * len(TYPES))):
        expected = TABLE.to_arrow(rows.astype(object))
        assert TABLE.to_arrow(rows.astype(float)).equals(expected)


def test_nan_of_a_float_column_is_null():
    given = frame(ROW).assign(share=np.array([np.nan]), year=np.array([2011.0]))
    (row,) = TABLE.to_arrow(given).to_pylist()
    assert (row["share"], row["year"]) == (None, 2011)


def test_rows_are_in_order_of_the_dimensions_with_null_last():
    given = frame(*((place, year, *ROW[2:]) for place, year in [
        ("b", 2010), ("a", None), ("a", 2012), (None, 2010), ("a", 2009),
    ]))  # fmt: skip
    rows = TABLE.to_arrow(given).select(["place", "year"]).to_pylist()
    assert [tuple(row.values()) for row in rows] == [
        ("a", 2009), ("a", 2012), ("a", None), ("b", 2010), (None, 2010),
    ]  # fmt: skip


def test_collected_rows_keep_their_values():
    rows = TABLE.to_arrow(frame(ROW, [None] * len(TYPES)))
    collected = collect.to_pandas(rows)
    assert [str(t) for t in collected.dtypes] == [
        "object", "Int64", "Int64", "float64", "object", "object", "boolean",
    ]  # fmt: skip
    assert TABLE.to_arrow(collected).equals(rows)


@pytest.mark.parametrize(
    ("column", "value"), [("people", 1.5), ("cost", Decimal("1.005")), ("place", 7)]
)
def test_a_value_is_not_changed_to_fit_its_type(column, value):
    with pytest.raises(pa.ArrowException):
        TABLE.to_arrow(frame(ROW).assign(**{column: [value]}))


def test_a_result_of_too_many_rows_is_refused(monkeypatch):
    monkeypatch.setattr(collect, "DRIVER_MAX_RESULT_ROWS", 2)
    assert len(analysis.result_rows(TABLE, frame(ROW, ROW))) == 2
    with pytest.raises(DataError, match="working/t has 3 rows, and at most 2 are allowed"):
        analysis.result_rows(TABLE, frame(ROW, ROW, ROW))


class _Failing:
    def __init__(self, message):
        self.message = message

    def toArrow(self):
        raise Py4JError(self.message)


def test_a_result_larger_than_spark_collects_is_refused_with_the_option():
    large = _Failing("Total size is bigger than spark.driver.maxResultSize (1024.0 MiB)")
    with pytest.raises(DataError, match=r"working/t is larger than spark\.driver\.maxResultSize"):
        collect.collect_arrow("working/t", large)
    with pytest.raises(Py4JError, match="gone"):
        collect.collect_arrow("working/t", _Failing("The gateway is gone"))
