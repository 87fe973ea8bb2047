"""Forecasts of a small council: what is counted, what is left out, and what it does without."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pandas as pd
import pytest
import yaml
from rich.console import Console

from socare_spark.analyses.forecast.job import ANALYSIS, FORECAST, FORECAST_BACKTEST
from socare_spark.analyses.forecast.sources import request_quarters
from socare_spark.analyses.use.quarters import USERS_BY_QUARTER
from socare_spark.analysis import Context
from socare_spark.errors import MissingInputError
from socare_spark.lake.lake import Lake
from socare_spark.lake.table import ColumnSpec, TableSpec, Zone
from socare_spark.measures.time_series import forecast
from socare_spark.storage.local import LocalStorage
from socare_spark.tracking.progress import Progress
from socare_spark.tracking.run import Run

CONF = Path(__file__).parents[2] / "conf"
NEWEST = date(2016, 2, 10)
AGREEMENTS = TableSpec(
    Zone.RESTRICTED, "agreements", "Agreements.", (ColumnSpec("extract", "date", "Its day."),)
)
REQUESTS = TableSpec(
    Zone.RESTRICTED,
    "requests",
    "Requests.",
    (
        ColumnSpec("snapshot", "date", "Its day."),
        ColumnSpec("service_description", "string", "What."),
        ColumnSpec("request_date", "date", "When."),
        ColumnSpec("person", "bigint", "Who."),
    ),
)
QUARTERS = [f"{year}Q{place}" for year in range(2010, 2016) for place in range(1, 5)]


def users(element, people):
    """Rows of `users_by_quarter` from 2010Q1."""
    return [
        (element, quarter, None, n, 2 * n, Decimal(n * 10), Decimal(9), Decimal(8), None)
        for quarter, n in zip(QUARTERS, people, strict=False)
    ]


def asked(description, *, of_a_quarter, first=date(2010, 1, 1), snapshot=NEWEST):
    """Requests on days spread over the quarters to the snapshot, every other by somebody."""
    rows, day, number = [], first, 0
    while day <= snapshot:
        person = 100 + number % 37 if number % 2 else None
        rows.append((snapshot, description, day, person))
        day += timedelta(days=90 / of_a_quarter)
        number += 1
    return rows


REQUEST_ROWS = [
    *asked("bins", of_a_quarter=15),
    *asked("trees", of_a_quarter=11, first=date(2012, 5, 1)),  # too short
    *asked("pests", of_a_quarter=3),  # too few
    (NEWEST, None, date(2012, 1, 1), 5),
    *asked("old", of_a_quarter=40, snapshot=date(2014, 1, 1)),  # not in the newest
]
USER_ROWS = [
    *users("RESPITE", [40 + at % 4 * 3 + at // 2 for at in range(24)]),
    *users("ENABLE", [0, 0, *(20 + at % 5 for at in range(22))]),
    *users("RARE", [3] * 24),
    *users("OTHER", [50] * 24),
]


class Council:
    """A lake with what a test puts in it, and runs of the job on it."""

    def __init__(self, spark, folder):
        self.spark, self.folder = spark, folder
        self.settings = {
            "horizon": 2, "shortest": 20, "origins": 1, "least_people": 10,
            "agreements": "agreements", "elements": ["RESPITE", "ENABLE", "RARE", "RESPIT"],
            "requests": {"dataset": "requests", "descriptions": ["pest"], "top": 3},
        }  # fmt: skip

    def context(self, as_of=None):
        conf = self.folder / "conf"
        (conf / "analyses").mkdir(parents=True, exist_ok=True)
        (conf / "analyses" / "forecast.yaml").write_text(yaml.safe_dump(self.settings), "utf-8")
        run = Run("forecast", LocalStorage(self.folder), {})
        run.configuration = str([self.settings, sorted(map(str, conf.rglob("*.yaml")))])
        lake, quiet = Lake(self.folder / "lake"), Progress(Console(quiet=True))
        return Context(self.spark, lake, conf, None, as_of, run, quiet)

    def declare_parts(self, kind):
        """Declares extracts that are parts, with files of years or months."""
        contract = yaml.safe_load((CONF / "datasets" / "requests.yaml").read_text("utf-8"))
        period = {"yearly": r"\d{4}", "monthly": r"\d{4}-\d{2}"}[kind]
        contract["socare"] |= {"snapshots": False, "files": rf"requests/(?P<period>{period})\.csv"}
        folder = self.folder / "conf" / "datasets"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "requests.yaml").write_text(yaml.safe_dump(contract), "utf-8")

    def put(self, table, rows):
        self.context().write(table, self.spark.createDataFrame(rows, table.schema))

    def put_elements(self):
        self.put(USERS_BY_QUARTER, USER_ROWS)
        self.put(AGREEMENTS, [(date(2015, 12, 31),), (date(2014, 12, 31),)])

    def put_requests(self):
        self.put(REQUESTS, REQUEST_ROWS)

    def run(self, **more):
        context = self.context(**more)
        ANALYSIS.job().run(context)
        self.warnings, self.pictures = context.run.warnings, context.run.pictures
        return self.read(FORECAST)

    def read(self, table):
        """Series -> its rows in order."""
        frame = self.context().lake.read(self.spark, table)
        order = ["series", "period"] if table is FORECAST else ["series", "horizon", "method"]
        found = {}
        for row in frame.orderBy(*order).collect():
            found.setdefault(row["series"], []).append(row)
        return found


@pytest.fixture
def council(spark, tmp_path):
    return Council(spark, tmp_path)


def test_requests_by_quarter_are_those_that_duckdb_counts(spark):
    rows = [r for r in REQUEST_ROWS if r[0] == NEWEST]
    frame = spark.createDataFrame(rows, REQUESTS.schema)
    made = request_quarters(frame, ["bins", "pests", "nothing"]).orderBy("counted", "period")
    found = made.select("counted", "period", "people", "records", "unnamed", "cost").collect()
    plain = duckdb.connect()
    plain.execute("CREATE TABLE r (snapshot date, d varchar, day date, person bigint)")
    plain.executemany("INSERT INTO r VALUES (?, ?, ?, ?)", rows)
    expected = plain.execute(
        """SELECT d, year(day) || 'Q' || quarter(day) AS q, count(DISTINCT person), count(*),
            count(*) - count(person), NULL
        FROM r WHERE d IN ('bins', 'pests') GROUP BY d, q ORDER BY d, q"""
    ).fetchall()
    assert [tuple(row) for row in found] == expected


def test_a_council_with_agreements_and_requests(council):
    council.put_elements()
    council.put_requests()
    made = council.run()
    assert set(made) == {
        "RESPITE, people", "RESPITE, cost", "ENABLE, people", "ENABLE, cost",
        "bins, records", "trees, records",
    }  # fmt: skip
    assert council.warnings == [
        "analyses/forecast.yaml names RESPIT, which working/users_by_quarter does not have: name "
        "them in 'quarters' of analyses/use.yaml too.",
        "analyses/forecast.yaml names the description pest, which no record has; the nearest are "
        "pests.",
        "working/forecast leaves out RARE, people; RARE, cost; the description of rank 3, records: "
        "there are fewer than 10 people in a quarter, on average.",
        "working/forecast has only the past of the description of rank 2, records: it has 14 "
        "periods, and a forecast needs 20.",
    ]
    assert council.pictures == ["working/pictures/forecast.png"]

    cost = made["RESPITE, cost"]
    given = {row[1]: row for row in USER_ROWS if row[0] == "RESPITE"}
    assert [row["period"] for row in cost] == [*QUARTERS, "2016Q1", "2016Q2"]
    for row in cost[:24]:
        _, _, _, people, records, pounds, top1, top2, providers = given[row["period"]]
        assert row["actual"] == float(pounds)
        assert tuple(row)[-6:] == (people, records, pounds, top1, top2, providers)
    expected = forecast([row["actual"] for row in cost[:24]], horizon=2, origins=1)
    assert tuple(row["forecast"] for row in cost[24:]) == expected.forecast
    assert tuple(row["upper_95"] for row in cost[24:]) == expected.upper_95
    assert {row["method"] for row in cost} == {expected.method}

    # It began in 2010Q3, of which nobody knows whether it is whole.
    assert made["ENABLE, people"][0]["period"] == "2010Q4"
    # The snapshot's own quarter is not whole; the first day of the first one is there.
    bins = [row for row in made["bins, records"] if row["actual"] is not None]
    assert [row["period"] for row in bins] == QUARTERS
    trees = made["trees, records"]
    assert [row["period"] for row in trees] == QUARTERS[10:]
    assert {row["method"] for row in trees} == {None}

    trials = council.read(FORECAST_BACKTEST)
    assert set(trials) == set(made) - {"trees, records"}
    for name, tried in trials.items():
        assert [(row["horizon"], row["method"]) for row in tried] == [
            (horizon, method) for horizon in (1, 2) for method in ("ets", "seasonal_naive", "trend")
        ]
        chosen = {row["method"] for row in tried if row["chosen"]}
        assert chosen == {made[name][0]["method"]}


def test_a_quarter_whose_end_the_agreements_do_not_reach_is_left_out(council):
    council.settings.update(elements=["RESPITE"])
    council.put_elements()
    made = council.run(as_of=date(2015, 12, 30))
    assert [r["period"] for r in made["RESPITE, people"] if r["actual"] is not None][-1] == "2015Q3"


def yearly():
    """Requests of six years, each in the extract of its year."""
    years = [date(year, 12, 31) for year in range(2010, 2016)]
    return [
        row
        for day in years
        for row in asked("bins", of_a_quarter=15, first=date(day.year, 1, 1), snapshot=day)
    ]


def counted(rows):
    return [row["period"] for row in rows if row["actual"] is not None]


def test_request_extracts_are_read_as_snapshots_or_as_parts(council):
    council.settings.update(elements=[], requests={"dataset": "requests", "top": 1})
    # A copy of the last day of a quarter holds the quarter.
    council.put(REQUESTS, asked("bins", of_a_quarter=15, snapshot=date(2015, 12, 31)))
    assert counted(council.run()["bins, records"]) == QUARTERS
    council.put(REQUESTS, yearly())
    assert council.run() == {}
    assert council.warnings == [
        "No requests are forecast: the extract of restricted/requests of 2015-12-31 begins with "
        "2015-01-01, after the day of the extract before it, 2014-12-31. It is no whole copy: "
        "remove snapshots: true from conf/datasets/requests.yaml."
    ]
    council.declare_parts("yearly")
    assert counted(council.run()["bins, records"]) == QUARTERS
    # The contract says that the extracts are parts.
    assert council.warnings == []


FILED = TableSpec(
    Zone.RESTRICTED,
    "requests",
    "Requests.",
    (*REQUESTS.dims, ColumnSpec("source_file", "string", "Its file.")),
)


def in_files(rows, name):
    """Requests with the file of their extract."""
    return [(*row, f"requests/{row[0].strftime(name)}.csv") for row in rows]


def test_periods_of_files_are_the_span_of_the_requests(council):
    """The first request is of 5 January, and the first quarter is whole all the same."""
    council.settings.update(elements=[], requests={"dataset": "requests", "top": 1})
    council.declare_parts("yearly")
    late = [row for row in yearly() if row[2] >= date(2010, 1, 5)]
    council.put(FILED, in_files(late, "%Y"))
    assert counted(council.run()["bins, records"]) == QUARTERS
    assert council.warnings == []


def test_requests_are_forecast_after_a_year_without_an_extract(council):
    council.settings.update(elements=[], requests={"dataset": "requests", "top": 1})
    council.declare_parts("yearly")
    council.put(FILED, in_files([row for row in yearly() if row[0].year != 2011], "%Y"))
    assert counted(council.run()["bins, records"]) == QUARTERS[8:]
    assert council.warnings[0] == (
        "No extract of restricted/requests has the days from 2011-01-01 to 2011-12-31. Requests "
        "are forecast from the quarters after them."
    )


def test_quarters_without_any_request_at_the_end_are_not_counted(council):
    council.settings.update(elements=[], requests={"dataset": "requests", "top": 1})
    council.declare_parts("yearly")
    early = [row for row in yearly() if row[2] < date(2015, 5, 20)]
    council.put(FILED, in_files(early, "%Y"))
    assert counted(council.run()["bins, records"]) == QUARTERS[:21]
    assert "reach to 2015-12-31, but the last request is of 2015-05-" in council.warnings[0]


def test_requests_without_a_day_have_the_quarter_of_their_monthly_extract(council):
    requests = {"dataset": "requests", "top": 1, "roles": {"time": None}}
    council.settings.update(elements=[], requests=requests)
    council.declare_parts("monthly")
    days = [d.date() for d in pd.date_range("2010-01-01", "2015-12-31", freq="ME")]
    monthly = [(day, "bins", None, None) for day in days for _ in range(day.month)]
    council.put(FILED, in_files(monthly, "%Y-%m"))
    rows = council.run()["bins, records"]
    assert counted(rows) == QUARTERS
    assert [row["actual"] for row in rows[:4]] == [6, 15, 24, 33]
    assert council.warnings[0] == (
        "Requests are counted in the quarter of their extract, without the role time of "
        "restricted/requests in analyses/forecast.yaml."
    )


def test_requests_without_a_day_in_yearly_extracts_are_not_forecast(council):
    requests = {"dataset": "requests", "top": 1, "roles": {"time": None}}
    council.settings.update(elements=[], requests=requests)
    council.declare_parts("yearly")
    council.put(FILED, in_files(yearly(), "%Y"))
    assert council.run() == {}
    assert council.warnings[0] == (
        "No requests are forecast without the role time of restricted/requests in "
        "analyses/forecast.yaml, because an extract can have requests of several quarters. Map it "
        "to a column with the day of the request."
    )


def test_rows_that_represent_several_requests_are_summed(council):
    """A row without a person counts as its number of people, for the smallest number of people."""
    requests = {"dataset": "requests", "top": 1, "roles": {"count": "number"}}
    council.settings.update(elements=[], requests=requests, least_people=40)
    number = ColumnSpec("number", "bigint", "Requests of the row.")
    table = TableSpec(Zone.RESTRICTED, "requests", "Requests.", (*REQUESTS.dims, number))
    days = [d.date() for d in pd.date_range("2010-01-01", NEWEST, freq="QS")]
    rows = [(NEWEST, "bins", day, None, 40 + at) for at, day in enumerate(days)]
    council.put(
        table, [*rows, (NEWEST, "bins", days[0], None, -5), (NEWEST, "b", days[0], 1, None)]
    )
    made = council.run()["bins, records"]
    assert [row["actual"] for row in made if row["actual"] is not None] == [*range(40, 64)]
    assert (
        "Rows of restricted/requests do not count: 1 have no number in the column number, and 1 "
        "have a negative one." in council.warnings
    )


def test_closed_agreements_are_forecast_from_complete_quarters(council):
    """No agreement of a quarter's end is in the extracts while it is open."""
    council.settings.update(elements=["RESPITE"], shortest=16)
    people = [277] * 20 + [277, 277, 248, 174]
    council.put(USERS_BY_QUARTER, users("RESPITE", people))
    end = ColumnSpec("agreement_end", "date", "Its last day.")
    closed = TableSpec(Zone.RESTRICTED, "agreements", "Agreements.", (*AGREEMENTS.dims, end))
    council.put(closed, [(date(2015, 12, 31), date(2015, 12, 31)), (None, date(2012, 1, 1))])
    rows = council.run()["RESPITE, people"]
    assert [row["actual"] for row in rows if row["complete"] is False] == people[20:]
    assert {row["forecast"] for row in rows[20:]} == {277.0}
    said = "\n".join(council.warnings)
    assert "the newest 12 months incomplete" in said
    assert "restricted/agreements is complete until 2014-12-31" in said
    council.settings.update(incomplete_months={"agreements": 6})
    rows = council.run()["RESPITE, people"]
    assert [row["period"] for row in rows if row["complete"] is False] == ["2015Q3", "2015Q4"]
    # One agreement without an end is an error of the source.
    del council.settings["incomplete_months"]
    day = date(2015, 12, 31)
    council.put(closed, [(day, day)] * 99 + [(day, None)])
    rows = council.run()["RESPITE, people"]
    assert [row["actual"] for row in rows if row["complete"] is False] == people[20:]
    assert "Fewer than 5% of the agreements" in "\n".join(council.warnings)
    # Agreements that are open make it another source.
    council.put(closed, [(day, day)] * 9 + [(day, None)])
    rows = council.run()["RESPITE, people"]
    assert {row["complete"] for row in rows if row["actual"] is not None} == {True}


def test_a_council_with_one_source_gets_the_forecasts_of_that_one(council):
    council.settings.update(elements=["RESPITE"], requests={"dataset": "requests", "top": 1})
    council.put_requests()
    assert set(council.run()) == {"bins, records"}
    lacks = "working/users_by_quarter and restricted/agreements"
    assert council.warnings == [
        f"working/forecast has no elements: the lake does not have {lacks}."
    ]
    council.put_elements()
    assert set(council.run()) == {"bins, records", "RESPITE, people", "RESPITE, cost"}
    del council.settings["requests"]
    assert set(council.run()) == {"RESPITE, people", "RESPITE, cost"}
    assert council.warnings == [
        "working/forecast has no requests: conf/analyses/forecast.yaml does not have the key "
        "'requests'."
    ]


def test_missing_agreements_and_requests_are_named(council):
    with pytest.raises(
        MissingInputError, match=r"restricted/agreements or restricted/requests, which"
    ):
        council.run()


def test_empty_inputs_give_empty_forecasts(council):
    council.put(USERS_BY_QUARTER, [])
    council.put(AGREEMENTS, [])
    council.put(REQUESTS, [])
    assert council.run() == {}
    assert council.read(FORECAST_BACKTEST) == {}
    assert council.pictures == []
    # The snapshot before the newest one is not forecast in its place.
    older = asked("bins", of_a_quarter=15, snapshot=date(2015, 12, 31))
    council.put(REQUESTS, [*older, (NEWEST, None, date(2012, 1, 1), 5), (NEWEST, "a", None, 5)])
    assert council.run() == {}
    assert council.warnings[2:] == [
        "No requests are forecast: the newest extract of restricted/requests, to 2016-02-10, has "
        "no request with a description and a day up to that day."
    ]
