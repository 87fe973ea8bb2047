"""People in one stage only, on cases small enough to count by hand."""

from datetime import date

import pytest

from socare_spark.analyses.flow.parts import SingleStage
from socare_spark.analyses.flow.settings import Flow
from socare_spark.analyses.flow.single_stage import (
    cases_only_in,
    count_single_stage,
    single_stage,
    stage_records,
)
from socare_spark.analyses.flow.stages import visits
from socare_spark.lake.collect import collect

RECORDS = {"dataset": "d", "time": "first", "column": "step", "codes": ["CA"]}
SINGLE = SingleStage(stage="CA", end="last", outcome="outcome", postcode="postcode", layer="ward")
FLOW = Flow.model_validate(
    {
        "flow": "f",
        "title": "F",
        "stages": [
            {"code": "CA", "name": "Contact", "records": RECORDS},
            {"code": "AS", "name": "Assessment", "records": RECORDS | {"codes": ["AS"]}},
        ],
        "single_stage": SINGLE.model_dump(),
    }
)
ENDS = {"d": date(2015, 12, 31)}
SEEN = ["measure", "value", "outcome_category", "people", "records"]


@pytest.fixture
def rows(spark):
    return spark.createDataFrame(
        [
            (1, "CA - x", "2015-01-01", "2015-01-01", "C - close", "B1 1AA"),
            (2, "CA - x", "2015-01-01", "2015-02-01", "P - go on", "B1 1AB"),
            (3, "CA - x", "2015-01-01", "2015-01-09", "P - go on", "B9 9ZZ"),
            (3, "CA - x", "2015-03-01", "2015-03-09", "C - close", "B9 9ZZ"),
            (4, "CA - x", "2015-01-01", "2015-01-09", "P - go on", "B1 1AA"),
            (4, "AS - y", "2015-01-10", "2015-01-11", "C - close", "B1 1AA"),
            (5, "CA - x", "2015-01-05", "2015-01-05", "never heard of", None),
            # After the last day of the dataset, and without a time: not counted.
            (1, "CA - x", "2016-01-01", "2016-01-04", "P - go on", "B1 1AA"),
            (2, "CA - x", None, "2015-02-01", "C - close", "B1 1AB"),
        ],
        "person int, step string, first string, last string, outcome string, postcode string",
    ).selectExpr("person", "step", "date(first) first", "date(last) last", "outcome", "postcode")


def made(rows, places):
    events = rows.where("first <= '2015-12-31'").selectExpr(
        "person as case", "left(step, 2) as activity"
    )
    only = cases_only_in(visits(events, rows.selectExpr("person as case")), "CA")
    records = stage_records(FLOW, SINGLE, lambda _: rows, ENDS)
    counted = count_single_stage(SINGLE, only, records, {"C": "Close", "P": "Proceed"}, places)
    return single_stage(collect({"single_stage": counted})["single_stage"], "CA")


def test_single_stage_people_are_counted_by_four_measures(spark, rows):
    places = spark.createDataFrame(
        [("B1 1AA", "ward", "W1"), ("B1 1AB", "ward", "W2"), ("B1 1AA", "city", "C")],
        "postcode string, layer string, code string",
    )
    expected = [
        ("assessments", "1", None, 3, 3),
        ("assessments", "2", None, 1, 2),
        ("length_days", "0", None, 2, 2),
        ("length_days", "31", None, 1, 1),
        ("outcome_category", "Close", None, 1, 1),
        ("outcome_category", "Proceed", None, 1, 1),
        ("outcome_category", "Unknown", None, 1, 1),
        ("ward", "W1", "Close", 1, 1),
        ("ward", "W2", "Proceed", 1, 1),
        ("ward", None, "Unknown", 1, 1),
    ]
    found = made(rows, places)
    assert {*found["stage"]} == {"CA"}
    assert {*found[SEEN].itertuples(index=False, name=None)} == {*expected}
    assert len(found) == len(expected)


def test_without_places_there_are_no_wards(spark, rows):
    assert {*made(rows, None)["measure"]} == {
        "assessments",
        "length_days",
        "outcome_category",
    }


def test_a_stage_that_is_not_declared_is_refused():
    with pytest.raises(ValueError, match="not in 'stages'"):
        Flow.model_validate(
            FLOW.model_dump() | {"single_stage": {**SINGLE.model_dump(), "stage": "XX"}}
        )
