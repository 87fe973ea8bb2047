"""Counts of people and sums of their records, recounted by DuckDB; several results in one pass."""

import random
from datetime import date
from decimal import Decimal

import duckdb
import pandas as pd
import pytest
from frames import counts_of, rows_of
from pyspark.sql import functions as F

from socare_spark.lake.collect import to_pandas
from socare_spark.lake.table import ColumnSpec, cell_table
from socare_spark.measures.person_counts import Grouping, count_people

COLUMNS = "place string, kind string, person bigint, cost decimal(12,2), weight int, held boolean"


@pytest.fixture
def rows():
    draw = random.Random(11)
    return [
        (
            draw.choice(["x", "y", None]),
            draw.choice(["k", "l"]),
            draw.choice([None, *range(12)]),
            draw.choice([None, Decimal(draw.randrange(10_000)) / 100]),
            draw.choice([None, 0, 1, 5]),
            draw.choice([True, False, None]),
        )
        for _ in range(200)
    ]


def found(frame, *columns):
    return sorted((tuple(row[c] for c in columns) for row in frame.collect()), key=str)


def recount(rows, dims):
    given = pd.DataFrame(rows, columns=[c.split()[0] for c in COLUMNS.split(", ")], dtype=object)
    assert len(given) == len(rows)
    return sorted(
        duckdb.sql(
            f"""SELECT {dims}, count(DISTINCT person), count(*), sum(cost::DECIMAL(12,2)),
                sum(weight::INT), count(DISTINCT person) FILTER (held::BOOLEAN)
            FROM given WHERE {"place IS NOT NULL" if "place" in dims else "true"} GROUP BY ALL"""
        ).fetchall(),
        key=str,
    )


MEASURES = ("people", "records", "cost", "weight", "held")


def test_measures_equal_a_plain_recount(spark, rows):
    frame = spark.createDataFrame(rows, COLUMNS)
    made = count_people(frame, ["kind"], cost="cost", sums=["weight"], people_with=["held"])
    assert found(made, "kind", *MEASURES) == recount(rows, "kind")
    assert made.columns[-3:] == ["providers", "weight", "held"]


def test_measures_without_a_cost_differ_in_cost_only(spark, rows):
    frame = spark.createDataFrame(rows, COLUMNS)
    made = count_people(frame, ["kind"], sums=["weight"], people_with=["held"])
    expected = [(*row[:3], None, *row[4:]) for row in recount(rows, "kind")]
    assert found(made, "kind", *MEASURES) == expected


def test_rows_of_all_values_of_several_dimensions(spark, rows):
    """A record without a place is in the row of all places alone."""
    frame = spark.createDataFrame(rows, COLUMNS)
    made = count_people(
        frame,
        ["place", "kind"],
        cost="cost",
        totals=["place", "kind"],
        sums=["weight"],
        people_with=["held"],
    )
    expected = [
        row
        for dims in ("place, kind", "place, NULL", "NULL, kind", "NULL, NULL")
        for row in recount(rows, dims)
    ]
    assert found(made, "place", "kind", *MEASURES) == sorted(expected, key=str)


def test_a_cell_of_one_person_has_no_number_of_that_person(spark):
    rows = spark.createDataFrame([("a", 7_000_000_000_007)], "place string, person bigint")
    (row,) = count_people(rows, ["place"]).collect()
    assert row.asDict() == {
        "place": "a", "people": 1, "records": 1, "cost": None, "cost_top1": None,
        "cost_top2": None, "providers": None,
    }  # fmt: skip


def declared(name, **dims):
    return cell_table(name, "A cell.", [ColumnSpec(n, t, f"Says {n}.") for n, t in dims.items()])


BY_PLACE = declared("by_place", place="string")
BY_BOTH = declared("by_both", kind="string", place="string")
BY_WEIGHT = declared("by_weight", heavy="int", kept="boolean", label="string")
COUNTED = ("people", "records", "cost", "cost_top1", "cost_top2", "providers")


def alone(frame, grouping, **measures):
    """Counts of one grouping by `count_people`."""
    if grouping.where is not None:
        frame = frame.where(grouping.where)
    rows = frame.withColumns(dict(grouping.dims))
    counted = count_people(rows, list(grouping.dims), totals=grouping.totals, **measures)
    return rows_of(to_pandas(counted.toArrow()), *counted.columns)


def of_all(frame, groupings, **measures):
    """Counts of groupings of different tables in one pass; checks that they are those of each."""
    counts = counts_of(frame, *groupings, **measures)
    assert list(counts) == [grouping.table for grouping in groupings]
    for grouping in groupings:
        found = counts[grouping.table]
        more = [*measures.get("sums", ()), *measures.get("people_with", ())]
        assert found.columns.tolist() == [*grouping.dims, *COUNTED, *more]
        assert rows_of(found, *found.columns) == alone(frame, grouping, **measures)
    return counts


@pytest.mark.parametrize(
    "measures",
    [
        {},
        {"cost": "cost", "records": "weight"},
        {"cost": "cost", "sums": ["weight"], "people_with": ["held"]},
    ],
)
def test_groupings_in_one_pass_equal_each_alone(spark, rows, measures):
    frame = spark.createDataFrame(rows, COLUMNS)
    place, kind = F.col("place"), F.col("kind")
    counts = of_all(
        frame,
        [
            Grouping(BY_PLACE, {"place": place}, totals=("place",)),
            Grouping(BY_BOTH, {"kind": kind, "place": place}, totals=("kind", "place")),
            Grouping(
                BY_WEIGHT,
                {"heavy": F.col("weight"), "kept": F.col("held"), "label": F.lit("x")},
                where=(kind == "k") & F.col("person").isNotNull(),
                totals=("kept",),
            ),
        ],
        **measures,
    )
    assert [len(counts[table]) for table in (BY_PLACE, BY_BOTH)] == [3, 9]
    assert len(counts[BY_WEIGHT]) == 12


def test_a_record_without_a_value_counts_in_the_total_alone(spark):
    rows = [("x", "k", 1, None, None, None), (None, "k", 2, None, None, None)]
    frame = spark.createDataFrame(rows, COLUMNS)
    place = {"place": F.col("place")}
    total = counts_of(frame, Grouping(BY_PLACE, place, totals=("place",)))[BY_PLACE]
    assert rows_of(total, "place", "people") == [("x", 1), (None, 2)]
    # In a dimension without a total null is a value.
    value = counts_of(frame, Grouping(BY_PLACE, place))[BY_PLACE]
    assert rows_of(value, "place", "people") == [("x", 1), (None, 1)]


def test_a_record_for_which_the_condition_is_null_does_not_count(spark, rows):
    frame = spark.createDataFrame(rows, COLUMNS)
    grouping = Grouping(BY_PLACE, {"place": F.lit("all")}, where=F.col("held"))
    held = sum(row[-1] is True for row in rows)
    assert rows_of(counts_of(frame, grouping)[BY_PLACE], "place", "records") == [("all", held)]


def test_groupings_of_one_table_are_its_rows_in_order(spark, rows):
    frame = spark.createDataFrame(rows, COLUMNS)
    named = [
        Grouping(BY_PLACE, {"place": F.lit(name)}, where=F.col("kind") == kind)
        for name, kind in (("two", "l"), ("none", "m"), ("one", "k"))
    ]
    other = Grouping(BY_BOTH, {"kind": F.col("kind"), "place": F.lit(None)})
    counts = counts_of(frame, named[0], other, *named[1:])
    assert list(counts) == [BY_PLACE, BY_BOTH]
    assert counts[BY_PLACE]["place"].tolist() == ["two", "one"]
    by_kind = counts[BY_BOTH].set_index("kind")["records"]
    assert counts[BY_PLACE]["records"].tolist() == by_kind[["l", "k"]].tolist()


def test_dimensions_have_their_declared_types(spark):
    types = {
        "text": "string", "number": "int", "large": "bigint", "day": "date", "yes": "boolean",
        "price": "decimal(20,2)", "share": "double",
    }  # fmt: skip
    values = ("", -3, 2**53 + 1, date(2012, 2, 29), False, Decimal("-0.50"), 0.1)
    schema = "person bigint, " + ", ".join(f"{name} {type_}" for name, type_ in types.items())
    frame = spark.createDataFrame([(1, *values), (1, *[None] * len(values))], schema)
    table = declared("typed", **types)
    found = counts_of(frame, Grouping(table, {name: F.col(name) for name in types}))[table]
    assert rows_of(found, *types) == sorted([values, (None,) * len(values)], key=str)
    assert [str(found[name].dtype) for name in types] == [
        "object", "Int64", "Int64", "object", "boolean", "object", "float64",
    ]  # fmt: skip
    assert len(table.to_arrow(found)) == 2


def test_no_records_give_every_table_without_rows(spark):
    frame = spark.createDataFrame([], COLUMNS)
    place = Grouping(BY_PLACE, {"place": F.col("place")}, totals=("place",))
    weight = Grouping(
        BY_WEIGHT, {"heavy": F.col("weight"), "kept": F.col("held"), "label": F.col("kind")}
    )
    counts = counts_of(frame, place, weight, cost="cost")
    assert {table: len(found) for table, found in counts.items()} == {BY_PLACE: 0, BY_WEIGHT: 0}
    assert str(counts[BY_WEIGHT]["heavy"].dtype) == "Int64"
