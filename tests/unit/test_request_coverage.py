"""Days that extracts of requests cover, and what is left out of them."""

from datetime import date, timedelta

import pandas as pd
import pytest

from socare_spark.analyses.forecast.coverage import covered_from, covered_span, covered_until

D = date
NEWEST = D(2019, 12, 31)


def days(first, last, step=1):
    return [first + timedelta(at) for at in range(0, (last - first).days + 1, step)]


def weekdays(first, last):
    return [day for day in days(first, last) if day.weekday() < 5]


def years(first, last):
    return [(D(year, 1, 1), D(year, 12, 31)) for year in range(first, last + 1)]


def span(dates, extracts=(NEWEST,), periods=None):
    counted = pd.Series([*dates], dtype=object).value_counts(dropna=False).rename("records")
    by_day = counted.rename_axis("request_date").reset_index()
    return covered_span(by_day, extracts, periods, "requests")


@pytest.mark.parametrize("periods", [None, years(2018, 2019)])
@pytest.mark.parametrize(
    ("dates", "end"),
    [
        # The file of the year was made in November.
        (weekdays(D(2018, 1, 1), D(2019, 11, 15)), D(2019, 11, 15)),
        (weekdays(D(2018, 1, 1), D(2019, 12, 30)), NEWEST),
        (days(D(2018, 1, 1), D(2019, 12, 22), 30), NEWEST),  # a request in 30 days
        # A day after the extract is an error, and does not reach into the last quarter.
        ([*weekdays(D(2018, 1, 1), D(2019, 11, 15)), D(2091, 1, 1)], D(2019, 11, 15)),
        ([D(2019, 12, 20)], D(2019, 12, 20)),
        ([D(2019, 12, 30)], NEWEST),
        # Requests on every day, and two quiet days at the end of the year.
        (days(D(2018, 1, 1), D(2019, 12, 29)), NEWEST),
    ],
)
def test_requests_reach_to_the_end_of_the_newest_extract(dates, end, periods):
    found, warnings = span(dates, periods=periods)
    assert found is not None
    assert found[1] == end
    reached = [text for text in warnings if f"the last request is of {end}" in text]
    assert len(reached) == (end != NEWEST)


def test_a_weekend_at_the_end_of_a_quarter_is_no_missing_time():
    """The last request is of Friday, and the extract is of Monday."""
    worked = weekdays(D(2018, 9, 3), D(2019, 9, 27))
    assert covered_until(worked, D(2019, 9, 30), "requests") == (D(2019, 9, 30), [])
    end, (warning,) = covered_until(worked, D(2019, 10, 4), "requests")
    assert end == D(2019, 9, 27)
    assert "reach to 2019-10-04, but the last request is of 2019-09-27" in warning


def test_longer_times_without_a_request_count_in_the_year_before_only():
    rare = days(D(2010, 1, 1), D(2015, 1, 1), 90)
    end, _ = covered_until([*rare, *weekdays(D(2018, 1, 1), D(2019, 11, 15))], NEWEST, "requests")
    assert end == D(2019, 11, 15)


def test_requests_in_no_quarter_are_counted():
    worked = days(D(2018, 1, 1), NEWEST)
    found, warnings = span([*worked, None, None, D(2020, 1, 1), D(2091, 1, 1), D(2091, 1, 1)])
    assert found == (D(2018, 1, 1), NEWEST)
    assert warnings == [
        "2 requests of restricted/requests have no day: counted for the order of the "
        "descriptions, and in no quarter.",
        "3 requests of restricted/requests are of a day after the newest extract, 2019-12-31: "
        "counted for the order of the descriptions, and in no quarter.",
    ]


@pytest.mark.parametrize("dates", [[], [None], [None, D(2020, 5, 1)]])
def test_the_newest_snapshot_is_not_replaced_by_the_one_before(dates):
    found, warnings = span(dates, extracts=(D(2018, 12, 31), NEWEST))
    assert found is None
    assert warnings[-1].startswith(
        "No requests are forecast: the newest extract of restricted/requests, to 2019-12-31, has no"
    )
    assert span([], extracts=()) == (None, [])


def test_the_newest_snapshot_begins_before_the_one_before():
    copied = days(D(2018, 1, 1), NEWEST)
    assert span(copied) == ((D(2018, 1, 1), NEWEST), [])
    assert span(copied, extracts=(D(2018, 12, 31), NEWEST))[0] == (D(2018, 1, 1), NEWEST)
    found, (warning,) = span(copied, extracts=(D(2017, 12, 31), NEWEST))
    assert found is None
    assert "It is no whole copy" in warning


@pytest.mark.parametrize(
    ("periods", "begin", "missing"),
    [
        ([], None, ""),
        (years(2016, 2018), D(2016, 1, 1), ""),
        ([*years(2015, 2015), *years(2017, 2018)], D(2017, 1, 1), "2016-01-01 to 2016-12-31"),
        # A file that is named by a day covers the days since the extract before it.
        ([*years(2016, 2017), (D(2018, 12, 31),) * 2], D(2016, 1, 1), ""),
        ([*years(2015, 2015), (D(2016, 12, 31),) * 2, *years(2017, 2018)], D(2015, 1, 1), ""),
        ([(D(2015, 12, 31),) * 2, *years(2016, 2018)], None, ""),
        (
            [*years(2015, 2015), *years(2017, 2018), (D(2019, 3, 31),) * 2],
            D(2017, 1, 1),
            "2016-01-01 to 2016-12-31",
        ),
        (
            [(D(2014, 12, 31),) * 2, *years(2016, 2018)],
            D(2016, 1, 1),
            "2015-01-01 to 2015-12-31",
        ),
    ],
)
def test_missing_periods_are_found_beside_files_that_are_named_by_a_day(periods, begin, missing):
    found, warnings = covered_from(periods, "requests")
    assert found == begin
    assert [missing in text for text in warnings] == [True] * bool(missing)


def test_an_earlier_extract_that_was_made_before_its_end_is_reported():
    dates = [*weekdays(D(2017, 1, 2), D(2018, 11, 15)), *weekdays(D(2019, 1, 1), D(2019, 12, 30))]
    extracts = [D(year, 12, 31) for year in (2017, 2018, 2019)]
    found, (warning,) = span(dates, extracts, years(2017, 2019))
    assert found == (D(2017, 1, 1), NEWEST)
    assert warning.startswith(
        "1 of 3 extracts of restricted/requests has no request for an unusually long time before "
        "the end; the first has none from 2018-11-16 to 2018-12-31."
    )
    assert span(weekdays(D(2017, 1, 2), NEWEST), extracts, years(2017, 2019))[1] == []


def test_early_files_of_the_years_before_do_not_hide_that_of_this_year():
    dates = [d for year in (2014, 2015, 2016) for d in days(D(year, 1, 1), D(year, 11, 30))]
    extracts = [D(year, 12, 31) for year in (2014, 2015, 2016)]
    found, warnings = span(dates, extracts, years(2014, 2016))
    assert found == (D(2014, 1, 1), D(2016, 11, 30))
    early, end = warnings
    assert early.startswith("2 of 3 extracts of restricted/requests have no request")
    assert "the first has none from 2014-12-01 to 2014-12-31" in early
    assert "the last request is of 2016-11-30" in end
    # The newest snapshot has all records: its gaps are gaps of the service.
    assert span(dates, extracts)[0] == (D(2014, 1, 1), D(2016, 12, 31))


def test_rare_requests_in_extracts_of_a_month_are_not_early():
    rare = [D(2019, month, 15) for month in range(1, 13)]
    ends = [first - timedelta(1) for first in (D(2019, month, 1) for month in range(2, 13))]
    assert covered_until(rare, NEWEST, "requests", [*ends, NEWEST]) == (NEWEST, [])


def test_one_request_in_no_quarter_is_in_the_singular():
    _, (warning,) = span([*days(D(2018, 1, 1), NEWEST), None])
    assert warning.startswith("1 request of restricted/requests has no day: counted")


def test_requests_before_the_first_period_are_counted():
    worked = days(D(2018, 1, 1), NEWEST)
    extracts = [D(2018, 12, 31), NEWEST]
    found, warnings = span([D(2010, 5, 1), D(2011, 5, 1), *worked], extracts, years(2018, 2019))
    assert found == (D(2018, 1, 1), NEWEST)
    assert warnings == [
        "2 requests of restricted/requests are of a day before the first period, which begins on "
        "2018-01-01: counted for the order of the descriptions, and in no quarter.",
    ]


def test_newest_extracts_without_a_request_are_named_in_the_plural():
    found, warnings = span([None], (D(2018, 12, 31), NEWEST), years(2018, 2019))
    assert found is None
    assert "the newest extracts of restricted/requests, to 2019-12-31, have no" in warnings[-1]


@pytest.mark.parametrize("periods", [None, years(2018, 2019)])
def test_a_column_of_years_has_no_quarters(periods):
    yearly = [D(year, 1, 1) for year in (2018, 2018, 2019)]
    found, warnings = span(yearly, (D(2018, 12, 31), NEWEST), periods)
    assert found is None
    (fault,) = warnings
    assert "the role time" in fault
    assert "a column of years has no quarters" in fault
    assert span([*yearly, D(2019, 1, 2)])[0] is not None


@pytest.mark.parametrize("periods", [None, [], [(D(2018, 12, 31),) * 2, *years(2019, 2019)]])
@pytest.mark.parametrize(
    "early",
    [
        [D(1900, 1, 1)],
        [D(1900, 1, 1), D(1901, 7, 3), D(2008, 2, 29)],
        [D(1970, 1, 1)] * 500,  # the default day of a system
        [D(2017, 1, 3)],  # last year's number, in January
        days(D(2014, 1, 1), D(2014, 1, 31)),  # a trial four years before
    ],
)
def test_isolated_requests_far_before_the_others_do_not_begin_the_series(early, periods):
    worked = weekdays(D(2018, 1, 3), NEWEST)
    found, warnings = span([*early, *worked], (D(2018, 12, 31), NEWEST), periods)
    assert found == (D(2018, 1, 3), NEWEST)
    requests, are = ("1 request", "is") if len(early) == 1 else (f"{len(early)} requests", "are")
    assert warnings == [
        f"{requests} of restricted/requests {are} of a day long before the others, which begin on "
        "2018-01-03: counted for the order of the descriptions, and in no quarter. If the day is "
        "wrong, correct it in the source system and replace the file.",
    ]


@pytest.mark.parametrize(
    "dates",
    [
        # A closure of four months after a year.
        [*weekdays(D(2016, 1, 4), D(2016, 12, 30)), *weekdays(D(2017, 5, 1), NEWEST)],
        [D(2016, 1, 4), *weekdays(D(2016, 3, 1), NEWEST)],  # eight weeks
        [D(2010, 1, 4), *(D(year, 6, 1) for year in range(2011, 2019)), NEWEST],  # rare requests
    ],
)
def test_requests_before_a_time_that_is_not_unusual_begin_the_series(dates):
    found, warnings = span(dates)
    assert found == (dates[0], NEWEST)
    assert warnings == []


def test_periods_of_files_are_complete_whatever_their_first_requests():
    rare = [D(year, month, 1) for year in range(2015, 2020) for month in (3, 9)]
    worked = weekdays(D(2020, 3, 2), D(2023, 12, 29))
    extracts = tuple(D(year, 12, 31) for year in range(2015, 2024))
    found, warnings = span([*rare, *worked], extracts, years(2015, 2023))
    assert found == (D(2015, 1, 1), D(2023, 12, 31))
    assert not [text for text in warnings if "long before" in text]


def test_a_copy_by_isolated_requests_alone_is_reported():
    dates = [D(1900, 1, 1), *weekdays(D(2018, 1, 3), NEWEST)]
    found, warnings = span(dates, extracts=(D(2017, 12, 31), NEWEST))
    assert found == (D(2018, 1, 3), NEWEST)
    assert "begins after the day of the extract before it, 2017-12-31" in warnings[-1]
