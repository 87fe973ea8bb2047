"""Calendar periods by their labels."""

from datetime import date

import pytest
from pydantic import TypeAdapter, ValidationError

from socare_spark.measures.periods import (
    FinancialYear,
    Quarter,
    financial_year,
    quarter,
    quarters,
    quarters_after,
    whole_quarters,
    window_start,
    with_total,
    years,
)


@pytest.mark.parametrize(
    ("label", "first", "last"),
    [
        ("2010Q1", date(2010, 1, 1), date(2010, 3, 31)),
        ("2012Q1", date(2012, 1, 1), date(2012, 3, 31)),
        ("2010Q2", date(2010, 4, 1), date(2010, 6, 30)),
        ("2010Q3", date(2010, 7, 1), date(2010, 9, 30)),
        ("2010Q4", date(2010, 10, 1), date(2010, 12, 31)),
    ],
)
def test_a_quarter_has_all_its_days(label, first, last):
    found = quarter(label)
    assert (found.label, found.first, found.last) == (label, first, last)


def test_quarters_follow_one_another_over_the_turn_of_the_year():
    found = quarters(date(2010, 8, 15), date(2011, 4, 1))
    assert [one.label for one in found] == ["2010Q3", "2010Q4", "2011Q1", "2011Q2"]
    assert quarters(date(2010, 8, 15), date(2010, 8, 1))[0].label == "2010Q3"
    assert quarters(date(2010, 8, 15), date(2010, 6, 30)) == []


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (date(2010, 1, 1), date(2010, 6, 30), ["2010Q1", "2010Q2"]),
        (date(2010, 1, 2), date(2010, 6, 30), ["2010Q2"]),  # the first day is missing
        (date(2010, 1, 1), date(2010, 6, 29), ["2010Q1"]),  # the last one is
        (date(2009, 12, 31), date(2010, 4, 1), ["2010Q1"]),
        (date(2010, 2, 1), date(2010, 3, 31), []),
        (date(2010, 2, 1), date(2010, 5, 31), []),
        (date(2020, 1, 1), date(2019, 1, 1), []),
    ],
)
def test_a_quarter_is_whole_from_its_first_day_to_its_last(first, last, expected):
    assert whole_quarters(first, last) == expected


def test_quarters_go_on_into_the_next_year():
    assert quarters_after("2019Q3", 3) == ["2019Q4", "2020Q1", "2020Q2"]
    assert quarters_after("2019Q3", 0) == []


@pytest.mark.parametrize(
    ("window", "first"),
    [
        ("day", date(2014, 5, 1)),
        ("week", date(2014, 4, 28)),  # Monday; 1 May 2014 is a Thursday
        ("month", date(2014, 5, 1)),
        ("quarter", date(2014, 4, 1)),
        ("year", date(2014, 1, 1)),
    ],
)
def test_a_window_begins_on_its_first_day(window, first):
    assert window_start(date(2014, 5, 1), window) == first
    assert window_start(first, window) == first


def test_a_financial_year_is_four_quarters_from_april():
    found = financial_year("1999/00")
    assert (found.first, found.last) == (date(1999, 4, 1), date(2000, 3, 31))
    labels = [one.label for one in quarters(found.first, found.last)]
    assert labels == ["1999Q2", "1999Q3", "1999Q4", "2000Q1"]


def test_total_of_all_periods_has_no_label():
    assert with_total([]) == []
    whole = with_total(years(2010, 2012))
    assert [one.label for one in whole] == [2010, 2011, 2012, None]
    assert (whole[-1].first, whole[-1].last) == (date(2010, 1, 1), date(2012, 12, 31))


@pytest.mark.parametrize(
    ("kind", "label"),
    [
        (Quarter, "2010Q5"),
        (Quarter, "2010-Q1"),
        (Quarter, "10Q1"),
        (FinancialYear, "2016/18"),
        (FinancialYear, "2016/2017"),
        (FinancialYear, "2016"),
    ],
)
def test_labels_of_no_period_are_refused(kind, label):
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(label)


def test_the_century_turns_within_a_financial_year():
    assert TypeAdapter(FinancialYear).validate_python("2099/00") == "2099/00"
