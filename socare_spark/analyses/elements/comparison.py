"""Comparison of elements of service by district and by people, and their concentration.

Source: thesis 4.2.1 and 4.2.3, Table 9, figures 26, 27 and 29 (B1, B3).
"""

from collections.abc import Sequence

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from socare_spark.analyses.elements.settings import Comparison, Concentration
from socare_spark.lake.table import ColumnSpec, cell_table
from socare_spark.measures.complete_grid import zero_filled
from socare_spark.measures.person_counts import count_people

_DISTRICT = ColumnSpec("district", "string", "Postcode district of the city.")
_ELEMENT = ColumnSpec("element", "string", "Code of the service element, corrected.")

ELEMENT_COMPARISON = cell_table(
    "element_comparison",
    "Two elements beside each other in a district of the city; the measures are of both together.",
    [
        _DISTRICT,
        ColumnSpec("element_a", "string", "Code of the first element."),
        ColumnSpec("element_b", "string", "Code of the second."),
    ],
    [
        ColumnSpec("count_a", "bigint", "Records of the first element."),
        ColumnSpec("count_b", "bigint", "Records of the second."),
        ColumnSpec("total", "bigint", "count_a + count_b."),
        ColumnSpec("difference", "bigint", "count_b - count_a."),
        ColumnSpec("rank", "bigint", "1 has the smallest difference; equal ones rank by district."),
    ],
    source="Thesis 4.2.1, Table 9 and figure 26",
    partitions=["district"],
)
ELEMENT_PROFILE = cell_table(
    "element_profile",
    "Who receives a compared element, wherever they live.",
    [
        _ELEMENT,
        ColumnSpec("characteristic", "string", "A column of the records, or `age_band`."),
        ColumnSpec("value", "string", "Its value; null where a record has none."),
    ],
    source="Thesis 4.2.1, figure 27",
    grows=True,
)
ELEMENT_CONCENTRATION = cell_table(
    "element_concentration",
    "How far a district's agreements are of one element, in the years of the configuration.",
    [_DISTRICT, _ELEMENT],
    [
        ColumnSpec("share", "double", "Share of the element in the district's records."),
        ColumnSpec("location_quotient", "double", "share / the element's share in all districts."),
    ],
    source="Thesis 4.2.3, figure 29; location quotient",
)


def element_comparison(records: DataFrame, districts: DataFrame, pair: Comparison) -> DataFrame:
    """Counts the records of two elements by district.

    Args:
        records: element, district, person, cost.
        districts: district.
        pair: The two elements.

    Returns:
        One row per district of the city, including districts without records. Columns as in
        ELEMENT_COMPARISON.
    """
    both = records.where(F.col("element").isin(pair.a, pair.b)).join(
        F.broadcast(districts), "district", "left_semi"
    )
    counts = both.groupBy("district").agg(
        F.count_if(F.col("element") == pair.a).alias("count_a"),
        F.count_if(F.col("element") == pair.b).alias("count_b"),
    )
    zero = [F.coalesce(F.col(n), F.lit(0)).alias(n) for n in ("count_a", "count_b")]
    counted = districts.join(count_people(both, ["district"], cost="cost"), "district", "left")
    filled = counted.join(counts, "district", "left").select("district", *zero_filled(), *zero)
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
    """Counts the people of each element by each characteristic.

    Args:
        records: element, person, cost and the characteristics.
        elements: Codes of the elements.
        characteristics: Columns of the characteristics.

    Returns:
        One row per element, characteristic and value. Columns as in ELEMENT_PROFILE.
    """
    values = [
        F.struct(F.lit(name).alias("characteristic"), F.col(name).cast("string").alias("value"))
        for name in characteristics
    ]
    rows = records.where(F.col("element").isin(*elements)).select(
        "element", "person", "cost", F.inline(F.array(*values))
    )
    return count_people(rows, ["element", "characteristic", "value"], cost="cost")


def element_concentration(
    records: DataFrame, districts: DataFrame, wanted: Concentration
) -> DataFrame:
    """Computes the share and the location quotient of elements by district.

    Args:
        records: element, district, year, person, cost.
        districts: district.
        wanted: Elements and years.

    Returns:
        One row per district and element with records. Columns as in ELEMENT_CONCENTRATION.
    """
    within = records.where(F.col("year").between(wanted.first_year, wanted.last_year)).join(
        F.broadcast(districts), "district", "left_semi"
    )
    named = within.where(F.col("element").isin(*wanted.elements))
    number = F.count(F.lit(1))
    of_district = within.groupBy("district").agg(number.alias("_of_district"))
    of_element = named.groupBy("element").agg(number.alias("_of_element"))
    everywhere = within.agg(number.alias("_everywhere"))
    share = F.col("records") / F.col("_of_district")
    overall = F.col("_of_element") / F.col("_everywhere")
    counted = count_people(named, ["district", "element"], cost="cost")
    return (
        counted.join(F.broadcast(of_district), "district")
        .join(F.broadcast(of_element), "element")
        .join(F.broadcast(everywhere))
        .select(counted["*"], share.alias("share"), (share / overall).alias("location_quotient"))
    )
