"""Codes of elements that the vocabulary does not have, with corrections and similar codes.

Codes are corrected only by the declared list. A code that resembles a known code is reported and
not corrected. Source: thesis 4.2.1, where one code has three spellings.
"""

from collections.abc import Mapping, Sequence

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.vocabulary import MOST_COMPARED
from socare_spark.lake.columns import value_of
from socare_spark.lake.table import ColumnSpec, cell_table
from socare_spark.measures.person_counts import count_people
from socare_spark.spelling import closest_names

_ALIKE = 0.8

ELEMENT_VARIANTS = cell_table(
    "element_variants",
    "A code of an element that the vocabulary does not have, as written.",
    [
        ColumnSpec("element", "string", "Code as written."),
        ColumnSpec(
            "look_alike",
            "string",
            "The known code most like it; null where none is near, and for all but the "
            f"{MOST_COMPARED:,} codes with the most records.",
        ),
    ],
    [ColumnSpec("mended", "boolean", "Whether the configuration corrects it.")],
    source="Thesis 4.2.1: spellings of OAEHSGCO",
    grows=True,
)


def unknown_codes_as_written(records: DataFrame, known: Sequence[str]) -> DataFrame:
    """Counts the codes that the vocabulary does not have.

    Args:
        records: `code` (as written), `person`, `cost`.
        known: Codes of the vocabulary, in upper case.

    Returns:
        One row per code: `element` and the measures of `count_people`.
    """
    rows = records.select(F.col("code").alias("element"), "person", "cost")
    return count_people(rows.where(~F.upper("element").isin(*known)), ["element"], cost="cost")


def most_common(unknown: DataFrame, corrections: Mapping[str, str]) -> DataFrame:
    """The most common unknown codes without a correction, as many as are compared and one more.

    Args:
        unknown: Result of `unknown_codes_as_written`.
        corrections: Spelling in upper case -> canonical code.

    Returns:
        One row per code: `element`, `records`.
    """
    without = unknown.where(~F.upper("element").isin(*corrections)).select("element", "records")
    return without.orderBy(F.desc("records"), "element").limit(MOST_COMPARED + 1)


def look_alikes(common: pd.DataFrame, known: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Finds the known code that each common code resembles.

    Args:
        common: Result of `most_common`.
        known: Codes of the vocabulary.

    Returns:
        Code as written -> known code, and a warning if some codes are not compared.
    """
    ordered = common.sort_values(["records", "element"], ascending=[False, True])["element"]
    found: dict[str, str] = {}
    for code in ordered.head(MOST_COMPARED):
        near = closest_names(code.upper(), known, most=1, cutoff=_ALIKE)
        found.update((code, known_code) for known_code in near)
    if len(common) <= MOST_COMPARED:
        return found, []
    warning = (
        f"The vocabulary lacks more than {MOST_COMPARED:,} codes of elements. "
        f"{ELEMENT_VARIANTS.path} has look-alikes of the {MOST_COMPARED:,} most common codes "
        "only. Check that the column of elements has codes and not free text."
    )
    return found, [warning]


def element_variants(
    unknown: DataFrame, alike: Mapping[str, str], corrections: Mapping[str, str]
) -> DataFrame:
    """Adds the known code that each unknown code resembles.

    Args:
        unknown: Result of `unknown_codes_as_written`.
        alike: Result of `look_alikes`.
        corrections: Spelling in upper case -> canonical code.

    Returns:
        One row per unknown code. Columns as in ELEMENT_VARIANTS.
    """
    correction = value_of(F.upper("element"), corrections)
    return unknown.select(
        "*",
        F.coalesce(correction, value_of(F.col("element"), alike)).alias("look_alike"),
        correction.isNotNull().alias("mended"),
    )
