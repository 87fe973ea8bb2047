"""Months that are cut from the end of a source."""

from datetime import date

import pytest

from socare_spark.analyses.completeness import months_before


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2015, 12, 31), 12, date(2014, 12, 31)),
        (date(2015, 12, 31), 0, date(2015, 12, 31)),
        (date(2015, 6, 30), 3, date(2015, 3, 31)),  # the last day of a month
        (date(2016, 2, 29), 12, date(2015, 2, 28)),
        (date(2016, 3, 30), 1, date(2016, 2, 28)),
        (date(2016, 2, 10), 3, date(2015, 11, 10)),
    ],
)
def test_months_before_a_day(day, months, expected):
    assert months_before(day, months) == expected
