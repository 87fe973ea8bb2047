"""From records of any dataset to the events of a flow."""

from datetime import date, datetime

import pytest
from pyspark.testing import assertDataFrameEqual

from socare_spark.analyses.flow.events import (
    all_events,
    assessed_cases,
    complete_events,
    count_events,
    count_later,
    incomplete_events,
    last_days,
)
from socare_spark.analyses.flow.settings import Flow
from socare_spark.errors import ConfigurationError
from socare_spark.lake.collect import collect

DAY = 86_400_000_000
EVENT = "activity string, at bigint, tie int"
ADULTS = Flow.model_validate(
    {
        "flow": "adults",
        "title": "Adults",
        "stages": [
            {"code": "CA", "name": "Contact", "records": {
                "dataset": "asm", "time": "start", "column": "grp", "codes": ["ca"]}},
            {"code": "SP", "name": "Plan", "records": {
                "dataset": "asm", "time": "start", "column": "grp", "values": ["Support plan"]}},
            {"code": "AG", "name": "Agreement", "records": {"dataset": "agr", "time": "begins"}},
        ],
        "assessed": {"dataset": "asm", "time": "start"},
    }
)  # fmt: skip


@pytest.fixture
def lake(spark):
    asm = [
        (1, date(1970, 1, 2), "CA - Contact"),
        (1, date(1970, 1, 3), "Support plan"),
        (2, date(1970, 1, 4), "RV - Review"),  # no stage, but assessed
        (None, date(1970, 1, 5), "CA"),
        (3, None, "CA"),
    ]
    agr = [(1, date(1969, 12, 31))]
    frames = {
        "asm": spark.createDataFrame(asm, "person bigint, start date, grp string"),
        "agr": spark.createDataFrame(agr, "person bigint, begins date"),
    }
    return frames.__getitem__


def test_stages_take_their_records_from_several_datasets(spark, lake):
    expected = [
        ("asm", 1, "CA", DAY, 0),
        ("asm", 1, "SP", 2 * DAY, 1),
        ("agr", 1, "AG", -DAY, 2),
    ]
    assertDataFrameEqual(
        complete_events(all_events(ADULTS, lake)),
        spark.createDataFrame(expected, f"dataset string, case bigint, {EVENT}"),
    )
    assert assessed_cases(ADULTS, lake, {}).count() == 5


def test_events_after_the_last_day_of_their_dataset_are_counted(lake):
    """Another dataset has another last day, or none."""
    ends = {"asm": date(1970, 1, 2), "agr": None}
    later = collect({"later": count_later(all_events(ADULTS, lake), ends)})["later"]
    assert later.to_numpy().tolist() == [["asm", 1]]
    # Assessments of later days are left out; those without a day are not later.
    assert assessed_cases(ADULTS, lake, ends).count() == 2


def test_events_that_cannot_be_followed_are_counted(lake):
    counted = collect({"adults": count_events(all_events(ADULTS, lake))})["adults"]
    assert incomplete_events(counted) == {
        "events": 5, "without_case": 1, "without_time": 1, "without_activity": 0,
    }  # fmt: skip
    assert last_days(counted) == {"asm": date(1970, 1, 3), "agr": date(1969, 12, 31)}


def test_any_log_is_a_flow_whatever_its_columns_are_called(spark):
    flow = Flow.model_validate(
        {
            "flow": "repairs",
            "title": "Repairs",
            "log": {"dataset": "log", "case": "job", "time": "at", "activity": "what", "key": "no"},
        }
    )
    rows = [
        ("J1", "open", datetime(1970, 1, 1, 0, 0, 1), 9),
        (
            "J1",
            "close",
            datetime(1970, 1, 1, 0, 0, 1),
            10,
        ),  # 10 comes after 9: a number, not a text
        ("J2", None, datetime(1970, 1, 1), 11),
    ]
    for kind in ("timestamp", "timestamp_ntz"):
        log = spark.createDataFrame(rows, "job string, what string, at timestamp_ntz, no int")
        log = log.withColumn("at", log["at"].cast(kind))
        events = all_events(flow, lambda _, log=log: log)
        expected = [
            ("log", "J1", "open", 1_000_000, 9),
            ("log", "J1", "close", 1_000_000, 10),
        ]
        assertDataFrameEqual(
            complete_events(events),
            spark.createDataFrame(expected, f"dataset string, case string, {EVENT}"),
        )
        counted = collect({"log": count_events(events)})["log"]
        assert incomplete_events(counted)["without_activity"] == 1
        assert counted["activities"].tolist() == [2]


def test_missing_column_of_a_flow_is_a_configuration_error(spark):
    there = spark.createDataFrame([], "person bigint, begun date")
    with pytest.raises(ConfigurationError, match="adults names column start, which dataset asm"):
        all_events(ADULTS, lambda _: there)


def test_time_column_must_be_a_date_or_a_timestamp(spark):
    text = spark.createDataFrame([], "person bigint, start string, grp string")
    with pytest.raises(ConfigurationError, match="takes its time from start, which is string"):
        all_events(ADULTS, lambda _: text)
