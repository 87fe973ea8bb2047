"""Codes of elements: those mended by a declared list, and those that the vocabulary does not have.

What looks like a known code and is not on the list is reported, never guessed. Source: thesis
4.2.1, which spells one code three ways.
"""

import difflib
from collections.abc import Mapping, Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.lake.tables import Column, working
from socare_spark.measures.cells import cells

_ALIKE = 0.8

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
