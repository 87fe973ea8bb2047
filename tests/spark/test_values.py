"""Numbers, dates and places as their fields declare them; anything else is no value."""

from datetime import date
from decimal import Decimal

import pytest
from pyspark.sql import functions as F

from socare_spark.contracts.contract import Contract
from socare_spark.contracts.field import Field
from socare_spark.ingest.conversion import age, convert, rules
from socare_spark.postcode_columns import is_unit_postcode


def read(spark, texts, *, keep="as_is", socare=None, **declared):
    """Value of each text in a field of this kind."""
    treatment = {"keep": keep, **(socare or {})}
    field = Field.model_validate({"name": "X", "socare": treatment, **declared})
    rows = spark.createDataFrame(list(enumerate(texts)), "i int, text string")
    value = convert(field, F.col("text"))
    if field.is_date:
        value = F.date_format(value, "yyyy-MM-dd HH:mm:ss.SSS")
    found = {r["i"]: r["v"] for r in rows.select("i", value.alias("v")).collect()}
    return {text: found[i] for i, text in enumerate(texts)}


def number(text):
    return None if text is None else Decimal(text)


ENGLISH = {
    "1,234.50": "1234.50", "1,234,567": "1234567", "1234.5": "1234.50", "-12": "-12", "+1": "1",
    "12.": "12", ".5": "0.50", "12.3400": "12.34", "9999999999.99": "9999999999.99",
    "12,50": None, "1234,50": None, "1.234,50": None, "12.345": None, "1,2345.00": None,
    "1234,567": None, ",123": None, "1,,234": None, "99999999999": None, "1e3": None, "NaN": None,
    "£5": None, "(5)": None, "5-": None, "1 234": None, "": None,
}  # fmt: skip
GERMAN = {
    "1.234,50": "1234.50", "1.234": "1234", "12,5": "12.50", "12.5": None, "1,234.50": None,
    "12,345": None, "1.23": None,
}  # fmt: skip
MONEY = {
    "£1,234.50": "1234.50", "1,234.50 £": "1234.50", "-£5": "-5", "£-5": "-5", "(£5.00)": "-5",
    "£(5.00)": "-5", "(5": None, "(-5)": None, "$5": None, "£": None, "£12,50": None,
}  # fmt: skip
SPACED = {"1 234,5": "1234.50", "1\u00a0234": "1234", "1\u202f234": "1234", "12 34": None}


@pytest.mark.parametrize(
    ("expected", "declared"),
    [
        (ENGLISH, {"groupChar": ","}),
        (GERMAN, {"groupChar": ".", "decimalChar": ","}),
        (MONEY, {"groupChar": ",", "socare": {"currency": ["£"], "brackets": True}}),
        (SPACED, {"groupChar": " ", "decimalChar": ","}),
        ({"£5": "5", "€ 1.5": "1.50", "GBP 5": None}, {"bareNumber": False}),
    ],
)
def test_numbers(spark, expected, declared):
    found = read(spark, list(expected), type="number", **declared)
    assert found == {text: number(value) for text, value in expected.items()}


def test_whole_numbers(spark):
    expected = {"12": 12, "1,234": 1234, "12.0": 12, "12.5": None, "12,5": None, "1" * 30: None}
    assert read(spark, list(expected), type="integer", groupChar=",") == expected


DAYS = {
    "12/03/99": "1999-03-12", "12/03/70": "1970-03-12", "12/03/69": "1969-03-12",
    "12/03/68": "2068-03-12", "1/3/12": "2012-03-01", "12/03/1999": "1999-03-12",
    "1/3/2012": "2012-03-01", "29/02/2012": "2012-02-29", "2012-3-1": "2012-03-01",
    "31/02/2012": None, "29/02/2011": None, "00/01/2012": None, "1/13/2012": None,
    "12/03/999": None, "12/03/0000": None, "01/03/2012 x": None, "2012-03-01T10:00:00": None,
    "001/03/2012": None, "12-03-1999": None,
}  # fmt: skip


def test_days(spark):
    found = read(spark, list(DAYS), type="date", alsoFormats=["%d/%m/%Y", "%d/%m/%y"])
    assert found == {text: day and f"{day} 00:00:00.000" for text, day in DAYS.items()}


WRITTEN = [
    ("%d %b %Y", {"1 Mar 2012": "2012-03-01", "01 MAR 2012": "2012-03-01", "1 Mrz 2012": None}),
    ("%d %B %Y", {"1 March 2012": "2012-03-01", "1 Mar 2012": None}),
    ("%Y%m%d", {"20120301": "2012-03-01", "2012301": None, "20120231": None}),
    ("%Y-%j", {"2012-366": "2012-12-31", "2011-366": None, "2012-000": None}),
    ("%d–%m–%Y", {"1–3–2012": "2012-03-01"}),
]


@pytest.mark.parametrize(("form", "expected"), WRITTEN)
def test_days_in_other_forms(spark, form, expected):
    found = read(spark, list(expected), type="date", format=form)
    assert found == {text: day and f"{day} 00:00:00.000" for text, day in expected.items()}


TIMES = [
    (
        "%Y-%m-%dT%H:%M:%S%z",
        {
            "2012-06-01T00:30:00+01:00": "2012-05-31 23:30:00.000",
            "2012-06-01T00:30:00+0100": "2012-05-31 23:30:00.000",
            "2012-06-01T00:30:00Z": "2012-06-01 00:30:00.000",
            "2012-06-01T00:30:00": None,
            "2012-06-01T25:30:00Z": None,
        },
    ),
    (
        "%d/%m/%Y %I:%M %p",
        {
            "1/6/2012 12:05 am": "2012-06-01 00:05:00.000",
            "01/06/2012 1:05 PM": "2012-06-01 13:05:00.000",
            "01/06/2012 13:05 PM": None,
        },
    ),
    ("%Y-%m-%d %H:%M:%S.%f", {"2012-06-01 00:30:00.25": "2012-06-01 00:30:00.250"}),
]


@pytest.mark.parametrize(("form", "expected"), TIMES)
def test_times_are_kept_in_utc(spark, form, expected):
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    assert read(spark, list(expected), type="datetime", format=form) == expected


def test_open_ended_dates_are_null(spark):
    found = read(
        spark,
        ["9999-12-31", "31/12/9999", "2012-01-01"],
        type="date",
        alsoFormats=["%d/%m/%Y"],
        socare={"open_ended": ["9999-12-31"]},
    )
    assert [v and v[:10] for v in found.values()] == [None, None, "2012-01-01"]


PLACES = {
    "B1 1AA": "B1 1AA", "b11aa": "B1 1AA", "EC1A 1BB": "EC1A 1BB", "W1A 0AX": "W1A 0AX",
    "QB1 1AA": None, "BI1 1AA": None, "B1 1CA": None, "GIR 0AA": "GIR 0AA", "gir0aa": "GIR 0AA",
    "BFPO 12": "BFPO", "no fixed  abode": "NO FIXED ABODE", "NO FIXED": None,
}  # fmt: skip


def test_postcodes_and_texts_that_are_no_place(spark):
    declared = {"no_place": ["GIR 0AA", "BFPO*", "NO FIXED ABODE"]}
    assert read(spark, list(PLACES), keep="postcode", socare=declared) == PLACES
    wide = {"no_place": ["B*"]}
    found = {"B1 1AA": "B1 1AA", "b11aa": "B1 1AA", "BFPO 12": "B", "X": None}
    assert read(spark, list(found), keep="postcode", socare=wide) == found
    rows = spark.createDataFrame([("B1 1AA",), ("BFPO",)], "v string")
    assert [r[0] for r in rows.select(is_unit_postcode(F.col("v"))).collect()] == [True, False]


def test_ages_in_steps(spark):
    born = [date(2000, 2, 29), date(1990, 1, 1), date(1930, 1, 1), date(2020, 1, 1)]
    rows = spark.createDataFrame([(b, date(2018, 2, 28)) for b in born], "b date, a date")
    found = rows.select(age(F.col("b"), F.col("a"), (0, 18, 65)), age(F.col("b"), F.col("a")))
    assert [tuple(r) for r in found.collect()] == [(0, 17), (18, 28), (65, 88), (None, None)]


def test_dropped_columns_are_checked_and_absent_where_no_rule_reads_them(spark):
    dropped = [
        {"name": "FREE", "type": "number"},
        {"name": "DAY", "type": "date"},
        {"name": "NEED", "constraints": {"required": True}},
        {"name": "KIND", "constraints": {"enum": ["A"]}},
        {"name": "COUNT", "type": "integer", "constraints": {"minimum": 1}},
        {"name": "LATE", "type": "date"},
    ]
    fields = [{**field, "socare": {"drop": True}} for field in dropped]
    kept = {"name": "KEPT", "socare": {"keep": "as_is"}}
    contract = Contract.model_validate(
        {
            "name": "x",
            "schema": {"primaryKey": [], "fields": [*fields, kept]},
            "socare": {"files": "(?P<period>.*)", "not_after_extract": ["LATE"]},
        }
    )
    read = [f.name for f in contract.fields if contract.is_read(f)]
    assert read == ["NEED", "KIND", "COUNT", "LATE", "KEPT"]
    rows = spark.createDataFrame(
        [["x"] * 7, [None] * 7], ", ".join(f"{f.name} string" for f in contract.fields)
    )
    texts = {f.name: F.col(f.name) for f in contract.fields}
    values = {f.name: convert(f, F.col(f.name)) for f in contract.fields}
    found = rules(contract, texts, values, F.lit(date(2015, 1, 1)), F.lit(False), schemes={})
    seen = rows.select(
        [F.coalesce(r.failed, F.lit(False)).alias(f"{r.code} {r.column}") for r in found]
    )
    broken = [sorted(k for k, v in r.asDict().items() if v) for r in seen.collect()]
    assert broken == [
        ["date_format DAY", "date_format LATE", "not_allowed KIND", "type COUNT", "type FREE"],
        ["missing NEED"],
    ]


def test_booleans_are_read_in_their_declared_spelling(spark):
    field = Field.model_validate(
        {
            "name": "FLAG",
            "type": "boolean",
            "trueValues": ["Y", "Yes"],
            "falseValues": ["N"],
            "socare": {"keep": "as_is"},
        }
    )
    rows = spark.createDataFrame([(t,) for t in ("Y", "Yes", "N", "y", "1", None)], "FLAG string")
    read = rows.select(convert(field, F.col("FLAG")).alias("flag"))
    assert read.schema["flag"].dataType.simpleString() == "boolean"
    assert [r[0] for r in read.collect()] == [True, True, False, None, None, None]
