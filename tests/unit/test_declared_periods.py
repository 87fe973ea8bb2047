"""Periods of use as texts declare them, in the spellings that are understood and in some that are
not.
"""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socare_spark.analyses.combinations.period_text import Period, declared_period

OCT_12, FEB_15 = date(2012, 10, 1), date(2015, 2, 28)


@pytest.mark.parametrize(
    "text",
    [
        "Oct 12 - Feb 15",
        "Oct 12 \u2013 Feb 15",  # en dash
        "oct 12-feb 15",
        "Oct12 - Feb15",
        "Oct. 2012 to Feb. 2015",
        "October 2012 until February 2015",
        "from Oct 12 to Feb 15",
        "From October \u201912 - February \u201915",
        "Oct-12 - Feb-15",
        "10/12 - 02/15",
        "10/2012 - 2/2015",
    ],
)
def test_a_period_with_both_ends(text):
    assert declared_period(text) == Period(OCT_12, FEB_15)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("from Mar 14", date(2014, 3, 1), None),
        ("since March 2014", date(2014, 3, 1), None),
        ("Mar 14 -", date(2014, 3, 1), None),
        ("Mar 2014 onwards", date(2014, 3, 1), None),
        ("- Feb 15", None, FEB_15),
        ("until Feb 15", None, FEB_15),
        ("up to Feb 15", None, FEB_15),
        ("2015", date(2015, 1, 1), date(2015, 12, 31)),
        ("2013 - 2015", date(2013, 1, 1), date(2015, 12, 31)),
        ("Sept 09", date(2009, 9, 1), date(2009, 9, 30)),  # one month
        ("Jan 98 - Feb 16", date(1998, 1, 1), date(2016, 2, 29)),  # another century, a leap year
        ("May 69 - May 70", None, None),  # 2069 to 1970: it would end before it began
    ],
)
def test_period_can_be_open_and_years_mean_whole_years(text, first, last):
    expected = Period(first, last) if first or last else None
    assert declared_period(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "0-18", "16-18", "v2 12", "Section 47", "Decision 12", "2015/16", "12", "Oct 12 Feb 15",
        "01/10/2012 - 28/02/2015", "13/12", "Oct 12, Feb 15", "Form Oct 12", "@ - Oct 12",
        "12 - Oct", "",
    ],
)  # fmt: skip
def test_other_numbers_in_brackets_are_not_a_period(text):
    assert declared_period(text) is None


@given(st.text(alphabet="octfebmay0123456789-/ '.@fromsincewards", max_size=24))
def test_any_text_has_a_period_in_order_or_none(text):
    period = declared_period(text)
    assert period is None or (period.first or period.last) is not None
    if period and period.first and period.last:
        assert period.first <= period.last
