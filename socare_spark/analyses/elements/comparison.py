"""Comparison of elements of service by district and by people, and their concentration.

Source: thesis 4.2.1 and 4.2.3, Table 9, figures 26, 27 and 29 (B1, B3).
"""

from collections.abc import Mapping, Sequence

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.elements.settings import Comparison, Concentration
from socare_spark.lake.table import ColumnSpec, cell_table
from socare_spark.measures.complete_grid import complete_grid, ratio
from socare_spark.measures.person_counts import Grouping, count_people

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


def comparison_groupings(pairs: Sequence[Comparison], districts: Sequence[str]) -> list[Grouping]:
    """Cells of ELEMENT_COMPARISON by district. A pair of equal elements counts one element.

    Args:
        pairs: The pairs of elements.
        districts: Codes of the city's districts.
    """
    in_city = F.col("district").isin(*districts)
    elements = dict.fromkeys(code for pair in pairs for code in (pair.a, pair.b))
    of_one = [(element, element) for element in elements]
    return [
        Grouping(
            ELEMENT_COMPARISON,
            {"district": F.col("district"), "element_a": F.lit(a), "element_b": F.lit(b)},
            where=in_city & F.col("element").isin(a, b),
        )
        for a, b in dict.fromkeys([*((pair.a, pair.b) for pair in pairs), *of_one])
    ]


def element_comparison(
    counted: pd.DataFrame, pairs: Sequence[Comparison], districts: Sequence[str]
) -> pd.DataFrame:
    """Compares the records of the two elements of each pair by district.

    Args:
        counted: Counts of `comparison_groupings`.
        pairs: The pairs of elements.
        districts: Codes of the city's districts.

    Returns:
        One row per pair and district of the city, including districts without records. Columns as
        in ELEMENT_COMPARISON.
    """
    rows = [(at, pair.a, pair.b) for pair in dict.fromkeys(pairs) for at in districts]
    cells = pd.DataFrame(rows, columns=["district", "element_a", "element_b"], dtype=object)
    full = complete_grid(cells, counted)
    count_a, count_b = (
        _records_of(full["district"], full[name], counted) for name in ("element_a", "element_b")
    )
    compared = full.assign(
        count_a=count_a, count_b=count_b, total=count_a + count_b, difference=count_b - count_a
    )
    by_pair = compared.sort_values("district").groupby(["element_a", "element_b"])["difference"]
    return compared.assign(rank=by_pair.rank(method="first").astype("Int64"))


def _records_of(district: pd.Series, element: pd.Series, counted: pd.DataFrame) -> pd.Series:
    """Records of an element in a district, from the pairs of equal elements; 0 without records."""
    keys = pd.DataFrame({"district": district, "element_a": element, "element_b": element})
    records: pd.Series = complete_grid(keys, counted)["records"]
    return records


def element_profile(
    records: DataFrame, elements: Sequence[str], characteristics: Mapping[str, str]
) -> DataFrame:
    """Counts the people of each element by each characteristic.

    Args:
        records: element, person, cost and the columns of the characteristics.
        elements: Codes of the elements.
        characteristics: Name of a characteristic -> its column.

    Returns:
        One row per element, characteristic and value. Columns as in ELEMENT_PROFILE.
    """
    values = [
        F.struct(F.lit(name).alias("characteristic"), F.col(column).cast("string").alias("value"))
        for name, column in characteristics.items()
    ]
    rows = records.where(F.col("element").isin(*elements)).select(
        "element", "person", "cost", F.inline(F.array(*values))
    )
    return count_people(rows, ["element", "characteristic", "value"], cost="cost")


def concentration_grouping(wanted: Concentration, districts: Sequence[str]) -> Grouping:
    """Cells of ELEMENT_CONCENTRATION, and the totals of all elements by district.

    Args:
        wanted: Elements and years.
        districts: Codes of the city's districts.
    """
    element, district = F.col("element"), F.col("district")
    return Grouping(
        ELEMENT_CONCENTRATION,
        {"district": district, "element": F.when(element.isin(*wanted.elements), element)},
        where=F.col("year").between(wanted.first_year, wanted.last_year)
        & district.isin(*districts),
        totals=("element",),
    )


def element_concentration(counted: pd.DataFrame) -> pd.DataFrame:
    """Computes the share and the location quotient of elements by district.

    Args:
        counted: Counts of `concentration_grouping`.

    Returns:
        One row per district and element with records. Columns as in ELEMENT_CONCENTRATION.
    """
    is_total = counted["element"].isna()
    of_district = counted[is_total].set_index("district")["records"]
    named = counted[~is_total]
    share = ratio(named["records"], named["district"].map(of_district))
    of_element = named.groupby("element")["records"].transform("sum")
    overall = of_element.astype("float64") / float(of_district.sum())
    return named.assign(share=share, location_quotient=ratio(share, overall))
