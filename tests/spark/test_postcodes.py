"""One rule normalises the postcodes of extracts and of reference sources."""

import pytest
from pyspark.sql import functions as F

from socare_spark.postcode_columns import (
    district_of,
    is_unit_postcode,
    normalise_postcode,
    sector_of,
)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("B1 1AA", ("B1 1AA", "B1", "B1 1")),
        ("b11aa", ("B1 1AA", "B1", "B1 1")),
        ("B1-1AA.", ("B1 1AA", "B1", "B1 1")),
        ("  ec1a  1bb ", ("EC1A 1BB", "EC1A", "EC1A 1")),
        ("B21 OAA", ("B21 0AA", "B21", "B21 0")),
        ("B1 1AA\n", ("B1 1AA", "B1", "B1 1")),
        ("W1M 1AA", ("W1M 1AA", "W1M", "W1M 1")),  # a district until 2000
        ("QQ1 1AA", (None, None, None)),  # no area begins with Q
        ("B1 1CC", (None, None, None)),  # no inward code has a C
        ("B1 1A", (None, None, None)),
        ("GIR 0AA", (None, None, None)),
        (None, (None, None, None)),
    ],
)
def test_unit_postcode_has_one_form(spark, text, wanted):
    row = spark.createDataFrame([(text,)], "text string").select(
        normalise_postcode(F.col("text")).alias("postcode")
    )
    found = row.select("postcode", district_of(F.col("postcode")), sector_of(F.col("postcode")))
    assert tuple(found.collect()[0]) == wanted
    assert row.where(is_unit_postcode(F.col("postcode"))).count() == (wanted[0] is not None)
