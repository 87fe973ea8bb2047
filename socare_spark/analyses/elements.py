"""The `elements` analysis: elements of service against each other, by district and person (B1, B3).

Codes of elements are mended by a declared list before anything is counted; what looks like a known
code and is not on the list is reported, never guessed. Source: thesis 4.2.1 and 4.2.2, Table 9,
figures 26, 27 and 29.
"""

import difflib
from collections.abc import Mapping, Sequence
from functools import reduce

from pydantic import Field
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from socare_spark.analyses.agreements import read_bands, restricted
from socare_spark.analyses.matrix import districts_of, or_zero
from socare_spark.analyses.vocabulary import (
    mended,
    read_elements,
    read_mended,
    warn_of_unknown,
)
from socare_spark.contracts.load import Strict, read_model
from socare_spark.errors import ConfigurationError
from socare_spark.job import Analysis, Context
from socare_spark.lake.tables import Column, Table, working
from socare_spark.measures.bands import Band, band_of
from socare_spark.measures.cells import cells
from socare_spark.places.postcodes import district_of
from socare_spark.places.tables import AREAS

SETTINGS = "analyses/elements.yaml"
_ALIKE = 0.8
_DISTRICT = Column("district", "string", "Postcode district of the city.")
_ELEMENT = Column("element", "string", "Code of the service element, mended.")

ELEMENT_COMPARISON = working(
    "element_comparison",
    "Two elements beside each other in a district of the city; the measures are of both together.",
    [
        _DISTRICT,
        Column("element_a", "string", "Code of the first element."),
        Column("element_b", "string", "Code of the second."),
    ],
    [
        Column("count_a", "bigint", "Records of the first element."),
        Column("count_b", "bigint", "Records of the second."),
        Column("total", "bigint", "count_a + count_b."),
        Column("difference", "bigint", "count_b - count_a."),
        Column("rank", "bigint", "1 has the smallest difference; equal ones rank by district."),
    ],
    source="Thesis 4.2.1, Table 9 and figure 26",
    partitions=["district"],
)
ELEMENT_PROFILE = working(
    "element_profile",
    "Who receives a compared element, wherever they live.",
    [
        _ELEMENT,
        Column("characteristic", "string", "A column of the records, or `age_band`."),
        Column("value", "string", "Its value; null where a record has none."),
    ],
    source="Thesis 4.2.1, figure 27",
)
ELEMENT_CONCENTRATION = working(
    "element_concentration",
    "How far a district's agreements are of one element, in the years of the configuration.",
    [_DISTRICT, _ELEMENT],
    [
        Column("share", "double", "Share of the element in the district's records."),
        Column("location_quotient", "double", "share / the element's share in all districts."),
    ],
    source="Thesis 4.2.2, figure 29; location quotient",
)
ELEMENT_VARIANTS = working(
    "element_variants",
    "A code of an element that the vocabulary does not have, as written.",
    [
        Column("element", "string", "Code as written."),
        Column("look_alike", "string", "The known code most like it; null where none is near."),
    ],
    [Column("mended", "boolean", "Whether the configuration mends it.")],
    source="Thesis 4.2.1: spellings of OAEHSGCO",
)


class Comparison(Strict):
    """Two elements."""

    a: str
    b: str


class Concentration(Strict):
    """Elements of agreements that start from the first year to the last."""

    elements: tuple[str, ...] = Field(min_length=1)
    first_year: int
    last_year: int


class Settings(Strict):
    """`conf/analyses/elements.yaml`."""

    dataset: str
    layer: str = "district"
    comparisons: tuple[Comparison, ...] = Field(min_length=1)
    characteristics: tuple[str, ...] = ()
    age_bands: str
    concentration: Concentration


def element_comparison(records: DataFrame, districts: DataFrame, pair: Comparison) -> DataFrame:
    """The columns of ELEMENT_COMPARISON for one pair; one row for every district of the city.

    Args:
        records: element, district, person, cost.
        districts: district.
        pair: The two elements.
    """
    both = records.where(F.col("element").isin(pair.a, pair.b)).join(
        F.broadcast(districts), "district", "left_semi"
    )
    counts = both.groupBy("district").agg(
        F.count_if(F.col("element") == pair.a).alias("count_a"),
        F.count_if(F.col("element") == pair.b).alias("count_b"),
    )
    zero = [F.coalesce(F.col(n), F.lit(0)).alias(n) for n in ("count_a", "count_b")]
    counted = districts.join(cells(both, ["district"], cost="cost"), "district", "left")
    filled = counted.join(counts, "district", "left").select("district", *or_zero(), *zero)
    difference = F.col("count_b") - F.col("count_a")
    return filled.select(
        "*",
        F.lit(pair.a).alias("element_a"),
        F.lit(pair.b).alias("element_b"),
        (F.col("count_a") + F.col("count_b")).alias("total"),
        difference.alias("difference"),
        F.row_number().over(Window.orderBy(difference, "district")).alias("rank"),
    )


def element_profile(
    records: DataFrame, elements: Sequence[str], characteristics: Sequence[str]
) -> DataFrame:
    """The columns of ELEMENT_PROFILE.

    Args:
        records: element, person, cost and the characteristics.
        elements: Codes.
        characteristics: Columns.
    """
    values = [
        F.struct(F.lit(name).alias("characteristic"), F.col(name).cast("string").alias("value"))
        for name in characteristics
    ]
    rows = records.where(F.col("element").isin(*elements)).select(
        "element", "person", "cost", F.inline(F.array(*values))
    )
    return cells(rows, ["element", "characteristic", "value"], cost="cost")


def element_concentration(
    records: DataFrame, districts: DataFrame, wanted: Concentration
) -> DataFrame:
    """The columns of ELEMENT_CONCENTRATION.

    Args:
        records: element, district, year, person, cost.
        districts: district.
        wanted: Elements and years.
    """
    within = records.where(F.col("year").between(wanted.first_year, wanted.last_year)).join(
        F.broadcast(districts), "district", "left_semi"
    )
    by_cell = cells(within, ["district", "element"], cost="cost")
    all_of, everywhere = Window.partitionBy("district"), Window.partitionBy()
    share = F.col("records") / F.sum("records").over(all_of)
    overall = F.sum("records").over(Window.partitionBy("element")) / F.sum("records").over(
        everywhere
    )
    return by_cell.select(
        "*", share.alias("share"), (share / overall).alias("location_quotient")
    ).where(F.col("element").isin(*wanted.elements))


def element_variants(
    written: DataFrame, known: Sequence[str], list_: Mapping[str, str]
) -> DataFrame:
    """The columns of ELEMENT_VARIANTS.

    Args:
        written: code (as written), person, cost.
        known: Codes of the vocabulary.
        list_: Spellings that are mended.
    """
    rows = written.select(F.col("code").alias("element"), "person", "cost")
    counted = cells(rows, ["element"], cost="cost")
    unknown = counted.where(~F.upper("element").isin(*known)).persist()
    found = []
    for row in unknown.select("element").collect():
        code = row["element"]
        meant = list_.get(code.upper())
        near = difflib.get_close_matches(code.upper(), known, n=1, cutoff=_ALIKE)
        found.append((code, meant or (near[0] if near else None), meant is not None))
    alike = written.sparkSession.createDataFrame(
        found, "element string, look_alike string, mended boolean"
    )
    return unknown.join(F.broadcast(alike), "element")


def _settings(context: Context) -> Settings:
    return read_model(context.conf / SETTINGS, Settings)


def _records(context: Context, settings: Settings, bands: Sequence[Band]) -> DataFrame:
    frame = context.read(restricted(settings.dataset))
    missing = sorted({*settings.characteristics} - {*frame.columns})
    if missing:
        raise ConfigurationError(
            f"{SETTINGS} names the characteristic {missing[0]}, which dataset {settings.dataset} "
            f"does not have: it has {', '.join(sorted(frame.columns))}."
        )
    return frame.select(
        F.col("element").alias("code"),
        mended(F.col("element"), read_mended(context.conf)).alias("element"),
        "person",
        F.col("weekly_cost").alias("cost"),
        F.year("agreement_start").alias("year"),
        district_of(F.col("postcode")).alias("district"),
        *settings.characteristics,
        band_of(F.col("age_at_start"), bands).alias("age_band"),
    )


def tables(context: Context) -> Mapping[Table, DataFrame]:
    """All tables, from one reading of the agreements."""
    settings = _settings(context)
    bands = read_bands(context.conf, settings.age_bands)
    records = _records(context, settings, bands).persist()
    known = districts_of(context.read(AREAS), settings.layer, SETTINGS)
    districts = known.withColumnRenamed("code", "district").persist()
    pairs = [code for pair in settings.comparisons for code in (pair.a, pair.b)]
    wanted = settings.concentration
    present = [row["element"] for row in records.select("element").distinct().collect()]
    warn_of_unknown(context, f"{SETTINGS} names the element", [*pairs, *wanted.elements], present)
    compared = [element_comparison(records, districts, pair) for pair in settings.comparisons]
    return {
        ELEMENT_COMPARISON: reduce(DataFrame.unionByName, compared),
        ELEMENT_PROFILE: element_profile(
            records, list(dict.fromkeys(pairs)), [*settings.characteristics, "age_band"]
        ),
        ELEMENT_CONCENTRATION: element_concentration(records, districts, wanted),
        ELEMENT_VARIANTS: element_variants(
            records, read_elements(context.conf), read_mended(context.conf)
        ),
    }


ANALYSIS = Analysis(
    name="elements",
    says="Compares elements of service by district and by person; reports codes it does not know.",
    reads=lambda context: [restricted(_settings(context).dataset), AREAS.path],
    writes=(ELEMENT_COMPARISON, ELEMENT_PROFILE, ELEMENT_CONCENTRATION, ELEMENT_VARIANTS),
    tables=tables,
)
