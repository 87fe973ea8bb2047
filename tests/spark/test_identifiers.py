"""Identifiers as spreadsheets write them: one person or none, and the same in Spark."""

import random

import pytest
from pyspark.sql import functions as F

from socare_spark.contracts.project import Scheme
from socare_spark.ingest.pseudonym import has_shape, normalise_columns, normalise_text, placeholders
from socare_spark.ingest.whitespace import strip_whitespace

NUMBER = Scheme(
    strip_leading_zeros=True, placeholders=("0", "999999999", "NA", "N/A", "null", "None", "-")
)
ONE = [
    "4000001", "04000001", "4000001.0", "4000001.00", "'4000001", '="4000001"', '"4000001"',
    "４０００００１", "\u200b4000001", "4000001\u200d", "40000\u00ad01", "\ufeff4000001",
    "\u202a4000001\u202c", "٤٠٠٠٠٠١", "’4000001",
]  # fmt: skip
NOBODY = ["", "000000", "0.0", "na", "n/a", "NULL", "none", "'-", '="0"', "\u200b", "999999999.0"]
MANGLED = [
    "4.000001E+06", "4e6", "1,23457E+09", "4,000,001", "4 000 001", "4000001.5", "-4000001",
    "+4000001", "#N/A", "#REF!", "=A1", "?", "--", "4\xa0000\xa0001", "40\t01", "4000001.",
    "(4000001)", "4000001-", "4000001;", "4000001?", "4.0E6", "1E400", "—", "–", "…", "\ufffd",
]  # fmt: skip
SOUND = [
    "AB12",
    "PX7731904",
    "AB 12",
    "2014/00123",
    "12-34",
    "É1",
    "E12",
    "A1E5",
    "201906E138182",
    "Ö",
    "12*A",
    "(AB)12",
]


def read(spark, texts, scheme=NUMBER):
    """Text -> normalised identifier and whether it has the shape."""
    rows = spark.createDataFrame(list(enumerate(texts)), "i int, raw string")
    cells = rows.select("i", strip_whitespace(F.col("raw")).alias("v"))
    found = normalise_columns(cells, {"v": scheme}, ascii_only=False)
    made = found.select("i", "v", has_shape(F.col("v"), scheme).alias("s")).collect()
    return {texts[r["i"]]: (r["v"], r["s"]) for r in made}


def test_spellings_of_one_number_are_one_person(spark):
    assert read(spark, ONE) == dict.fromkeys(ONE, ("4000001", True))


def test_placeholders_in_any_spelling_have_no_token(spark):
    assert read(spark, NOBODY) == dict.fromkeys(NOBODY, (None, None))


def test_numbers_changed_by_a_spreadsheet_are_not_identifiers(spark):
    found = read(spark, [*MANGLED, *SOUND])
    assert [text for text in MANGLED if found[text][1]] == []
    assert [text for text in SOUND if not found[text][1]] == []


def test_a_scheme_may_declare_its_shape(spark):
    scheme = Scheme(shape="[0-9]{7}|P[0-9]+", remove=",")
    found = read(spark, ["4,000,001", "P1", "40", "p12 "], scheme)
    assert [shape for _, shape in found.values()] == [True, True, False, True]


@pytest.mark.parametrize("remove", ["", "-", ". -"])
def test_spark_and_python_agree_on_any_text(spark, remove):
    draw = random.Random(11)
    alphabet = "0019AEe+-.,'\"= #\t\u200b\u00ad\u00a0７’é"
    texts = sorted({"".join(draw.choices(alphabet, k=draw.randrange(7))) for _ in range(3_000)})
    scheme = NUMBER.model_copy(update={"remove": remove})
    found = read(spark, texts, scheme)
    nobody = set(placeholders(scheme))
    expected = {t: normalise_text(t, scheme) for t in texts}
    wrong = [t for t in texts if found[t][0] != (None if expected[t] in nobody else expected[t])]
    assert wrong == []
