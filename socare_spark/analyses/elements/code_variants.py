"""Codes of elements that the vocabulary does not have, with corrections and similar codes.

Codes are corrected only by the declared list. A code that resembles a known code is reported and
not corrected. Source: thesis 4.2.1, where one code has three spellings.
"""

import difflib
from collections.abc import Callable, Mapping, Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.element_codes import canonical_code
from socare_spark.analyses.vocabulary import MOST_COMPARED
from socare_spark.lake.table import ColumnSpec, cell_table
from socare_spark.measures.person_counts import count_people

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


def element_variants(
    written: DataFrame,
    known: Sequence[str],
    corrections: Mapping[str, str],
    warn: Callable[[str], None],
) -> DataFrame:
    """Lists the codes that the vocabulary does not have.

    Args:
        written: code (as written), person, cost.
        known: Codes of the vocabulary.
        corrections: Spelling -> canonical code.
        warn: Receives a warning if codes are not compared.

    Returns:
        One row per unknown code. Columns as in ELEMENT_VARIANTS.
    """
    rows = written.select(F.col("code").alias("element"), "person", "cost")
    counted = count_people(rows, ["element"], cost="cost")
    unknown = counted.where(~F.upper("element").isin(*known)).persist()
    upper = F.upper("element")
    correction = F.when(upper.isin(*corrections), canonical_code(upper, corrections))
    named = unknown.withColumn("_meant", correction)
    alike = written.sparkSession.createDataFrame(
        _look_alikes(named.where("_meant IS NULL"), known, warn), "element string, _near string"
    )
    return named.join(F.broadcast(alike), "element", "left").select(
        *unknown.columns,
        F.coalesce("_meant", "_near").alias("look_alike"),
        F.col("_meant").isNotNull().alias("mended"),
    )


def _look_alikes(
    unknown: DataFrame, known: Sequence[str], warn: Callable[[str], None]
) -> list[tuple[str, str]]:
    """Pairs of an unknown code and the known code that it resembles, for the most common codes."""
    common = unknown.orderBy(F.desc("records"), "element").limit(MOST_COMPARED + 1)
    codes = [row["element"] for row in common.select("element").collect()]
    if len(codes) > MOST_COMPARED:
        warn(
            f"The vocabulary lacks more than {MOST_COMPARED:,} codes of elements. "
            f"{ELEMENT_VARIANTS.path} has look-alikes of the {MOST_COMPARED:,} most common codes "
            "only. Check that the column of elements has codes and not free text."
        )
    pairs: list[tuple[str, str]] = []
    for code in codes[:MOST_COMPARED]:
        near = difflib.get_close_matches(code.upper(), known, n=1, cutoff=_ALIKE)
        pairs.extend((code, known_code) for known_code in near)
    return pairs
