"""Periods in the names of extracts: calendar and financial years, quarters, months, weeks, days."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from socare_spark.contracts.contract import Contract
from socare_spark.contracts.periods import Calendar
from socare_spark.ingest.discovery import discover_files

FINANCIAL = Calendar(3, 31)
BY_START, BY_END = Calendar(3, 31, "start"), Calendar(3, 31, "end")
CONTRACT = """
name: returns
schema:
  primaryKey: [ID]
  fields:
    - {name: ID, constraints: {required: true}, socare: {keep: as_is}}
    - {name: LEGAL_STATUS, socare: {keep: as_is, optional: {to: "2016-17"}}}
socare:
  files: 'returns/(?P<period>[^_]+)(_(?P<team>[a-z]+))?\\.csv'
  year_ends: 03-31
"""


def contract(**keys):
    declared = yaml.safe_load(CONTRACT)
    declared["socare"] |= keys
    return Contract.model_validate(declared)


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [
        ("2017", "2017-01-01", "2017-12-31"),
        ("2017Q1", "2017-01-01", "2017-03-31"),
        ("2016-q4", "2016-10-01", "2016-12-31"),
        ("2017_Q2", "2017-04-01", "2017-06-30"),
        ("2019-1", "2019-01-01", "2019-01-31"),
        ("2016/2", "2016-02-01", "2016-02-29"),
        ("2019.10", "2019-10-01", "2019-10-31"),
        ("2019-1-5", "2019-01-05", "2019-01-05"),
        ("20190105", "2019-01-05", "2019-01-05"),
        ("2020-W53", "2020-12-28", "2021-01-03"),
        ("2021W1", "2021-01-04", "2021-01-10"),
        ("2015-W01", "2014-12-29", "2015-01-04"),
    ],
)
def test_periods_of_calendar_years(period, first, last):
    assert Calendar().days(period) == (date.fromisoformat(first), date.fromisoformat(last))


@pytest.mark.parametrize("name", ["2017-18", "2017/18", "2017_18", "201718", "2017-2018"])
def test_a_financial_year_is_named_by_two_numbers(name):
    expected = (date(2017, 4, 1), date(2018, 3, 31))
    assert FINANCIAL.days(name) == BY_START.days(name) == BY_END.days(name) == expected


def test_a_financial_year_of_one_number_needs_a_declaration():
    assert BY_START.days("2017") == (date(2017, 4, 1), date(2018, 3, 31))
    assert BY_END.days("2017") == (date(2016, 4, 1), date(2017, 3, 31))
    with pytest.raises(ValueError, match=r"declare socare\.years_named_by"):
        FINANCIAL.days("2017")
    with pytest.raises(ValueError, match=r"declare socare\.years_named_by"):
        FINANCIAL.days("2017Q1")


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [
        ("2017-18Q1", "2017-04-01", "2017-06-30"),
        ("2017/18-Q4", "2018-01-01", "2018-03-31"),
        ("201718_q2", "2017-07-01", "2017-09-30"),
        ("1999-00", "1999-04-01", "2000-03-31"),
        ("2017-06-30", "2017-06-30", "2017-06-30"),
        ("2017-W05", "2017-01-30", "2017-02-05"),
    ],
)
def test_periods_of_financial_years(period, first, last):
    assert FINANCIAL.days(period) == (date.fromisoformat(first), date.fromisoformat(last))


def test_quarters_of_a_year_that_ends_within_a_month():
    taxes = Calendar(4, 5)
    quarters = [taxes.days(f"2017-18Q{i}") for i in (1, 2, 3, 4)]
    assert quarters[0] == (date(2017, 4, 6), date(2017, 7, 5))
    assert quarters[3] == (date(2018, 1, 6), date(2018, 4, 5))


@pytest.mark.parametrize(
    "period",
    ["2017-06", "201706", "2017-19", "2017-17", "20172019", "2017-18-Q5", "17-18", "2017-W54"],
)
def test_other_names_are_no_period_of_financial_years(period):
    with pytest.raises(ValueError, match="a period must be a year or a day"):
        FINANCIAL.days(period)


@given(
    st.integers(1901, 2098),
    st.sampled_from([(12, 31), (3, 31), (8, 31), (4, 5), (2, 28), (6, 30)]),
)
def test_quarters_fill_the_year_and_years_follow_each_other(year, end):
    years = Calendar(*end, None if end == (12, 31) else "start")
    first, last = years.days(str(year))
    quarters = [years.days(f"{year}Q{i}") for i in (1, 2, 3, 4)]
    assert (quarters[0][0], quarters[-1][1]) == (first, last)
    for (_, before), (after, _) in pairwise(quarters):
        assert after == before + timedelta(1)
    assert years.days(str(year + 1))[0] == last + timedelta(1)


@given(st.dates(date(1901, 1, 1), date(2099, 12, 31)), st.sampled_from(["-", "_", ".", ""]))
def test_a_day_is_read_in_every_calendar(day, mark):
    name = f"{day:%Y}{mark}{day:%m}{mark}{day:%d}"
    for years in (Calendar(), FINANCIAL, BY_END):
        assert years.days(name) == (day, day)


def landed(folder, declared, *names):
    for name in names:
        path = folder / "returns" / f"{name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"ID\n{name}\n")
    newest, refused, _ = discover_files(folder, declared)
    return {a.period: a.as_of for a in newest}, {r.landed.period: r.reason for r in refused}


def test_files_of_financial_years(tmp_path):
    read, refused = landed(tmp_path, contract(), "2015-16", "2016/17", "201718", "2019", "2018-06")
    assert read == {
        "2015-16": date(2016, 3, 31),
        "2016/17": date(2017, 3, 31),
        "201718": date(2018, 3, 31),
    }
    assert "declare socare.years_named_by (start or end)" in refused.pop("2019")
    assert "a period must be a year or a day" in refused.pop("2018-06")
    assert refused == {}


def test_two_names_of_one_financial_year_are_refused(tmp_path):
    read, refused = landed(tmp_path, contract(years_named_by="end"), "2016-17", "2017")
    assert read == {}
    assert all("claim the same period" in reason for reason in refused.values())
    assert refused.keys() == {"2016-17", "2017"}


def test_a_range_is_read_in_the_years_of_the_contract():
    declared = contract()
    field = declared.field("LEGAL_STATUS")
    days = {date(2017, 3, 31): True, date(2017, 4, 1): False}
    assert {day: declared.may_lack(field, day) for day in days} == days
    # In calendar years this is November 2010.
    november = contract(
        encodings=[{"encoding": "windows-1252", "from": "2010-11", "to": "2010-11"}]
    )
    assert november.encoding_of(date(2011, 3, 31)) == "windows-1252"
    assert (
        november.encoding_of(date(2011, 4, 1)) == november.encoding_of(date(2010, 3, 31)) == "utf-8"
    )


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"year_ends": "31-03"}, "a month and a day of every year"),
        ({"year_ends": "02-29"}, "a month and a day of every year"),
        ({"year_ends": "3-31"}, "a month and a day of every year"),
        ({"year_ends": 331}, "a month and a day of every year"),
        ({"year_ends": "12-31", "years_named_by": "end"}, "years_named_by needs year_ends"),
        ({"encodings": [{"encoding": "utf-8", "from": "2017-06"}]}, "a year or a day"),
        ({"encodings": [{"encoding": "utf-8", "from": "2017"}]}, "declare socare.years_named_by"),
    ],
)
def test_contradictory_years_are_refused(keys, message):
    with pytest.raises(ValueError, match=message):
        contract(**keys)


def test_the_years_do_not_change_the_digest_of_an_extract():
    day = date(2018, 3, 31)
    assert contract(years_named_by="end").digest(day) == contract().digest(day)


def of_calendar_years():
    declared = yaml.safe_load(CONTRACT)
    declared["socare"].pop("year_ends")
    declared["schema"]["fields"].pop()
    return Contract.model_validate(declared)


@pytest.mark.parametrize(
    ("names", "doubtful"),
    [
        (["2017-1", "2017-2", "2017-3", "2017-4"], 4),
        (["2017-1"], 1),
        (["2017-1", "2017-2", "2017-5"], 0),
        (["2017-1", "2016-10"], 0),
        (["2017-1", "2017-02"], 0),
        (["2017-1-5"], 0),
    ],
)
def test_a_month_that_can_be_a_quarter_is_refused(tmp_path, names, doubtful):
    _, refused = landed(tmp_path, of_calendar_years(), *names)
    assert len(refused) == doubtful
    assert all("write 2017-01 for a month, or 2017-Q1 for a quarter" in r for r in refused.values())


@pytest.mark.parametrize("name", ["2017-18", "201718", "2017-2018", "2012-13"])
def test_two_years_in_a_name_need_a_declaration(tmp_path, name):
    _, refused = landed(tmp_path, of_calendar_years(), name)
    assert "declare the last day of a year (socare.year_ends: 03-31)" in refused[name]
