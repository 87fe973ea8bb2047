"""Blocks of combinations that come into use, or go out of use, in the same window.

Starts in the first window of the records and ends in the last are caused by the limits of the
records and not by a change of recording. They make no block. The thesis does not count them either:
it calls the combinations in use from 2006 on "only a fraction".
"""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from socare_spark.analyses.combinations.settings import Blocks
from socare_spark.lake.table import ColumnSpec, cell_table
from socare_spark.measures.person_counts import count_people

COMBINATION_BLOCKS = cell_table(
    "combination_blocks",
    "Combinations whose first (or last) uses fall in one window, where they are many: people and "
    "records are of all of them together.",
    [
        ColumnSpec(
            "block", "bigint", "From 1 in the order of time; of one window starts come first."
        ),
        ColumnSpec("kind", "string", "`start` (of use) or `end`."),
        ColumnSpec("period", "date", "First day of the window, in which they start (end)."),
    ],
    [ColumnSpec("combinations", "bigint", "Combinations in the block.")],
    source="Thesis 5.8 and 5.9, figures 40 to 43",
)


def combination_blocks(used: DataFrame, counted: DataFrame, wanted: Blocks) -> DataFrame:
    """Counts people and records of each block.

    Args:
        used: Result of `uses`.
        counted: Result of `combinations`.
        wanted: The window, and the smallest number of combinations in a block.

    Returns:
        One row per block. Columns as in COMBINATION_BLOCKS.
    """
    members = _members(counted, wanted)
    in_blocks = used.join(F.broadcast(members), ["reason", "outcome"])
    return count_people(in_blocks, ["block", "kind", "period", "combinations"], records="records")


def starts_and_ends(counted: DataFrame, window: str) -> DataFrame:
    """Windows in which combinations start and end.

    Args:
        counted: Result of `combinations`. Combinations without dates are left out.
        window: A calendar period, such as `month`.

    Returns:
        One row per combination and kind: reason, outcome, kind (`start` or `end`), period (first
        day of the window).
    """
    days = {"start": "first_used", "end": "last_used"}
    dated = [
        F.struct(F.lit(kind).alias("kind"), F.date_trunc(window, day).cast("date").alias("period"))
        for kind, day in days.items()
    ]
    both = counted.select("reason", "outcome", F.inline(F.array(*dated)))
    return both.where(F.col("period").isNotNull())


def _members(counted: DataFrame, wanted: Blocks) -> DataFrame:
    """One row per combination and block: reason, outcome, block, kind, period, combinations."""
    everywhere = Window.partitionBy()
    together = Window.partitionBy("kind", "period")
    placed = starts_and_ends(counted, wanted.window).select(
        "*",
        F.min("period").over(everywhere).alias("_first"),
        F.max("period").over(everywhere).alias("_last"),
        F.count(F.lit(1)).over(together).alias("combinations"),
    )
    edge = F.when(F.col("kind") == "start", F.col("_first")).otherwise(F.col("_last"))
    many = F.col("combinations") >= wanted.combinations
    return placed.where((F.col("period") != edge) & many).select(
        "reason",
        "outcome",
        F.dense_rank().over(Window.orderBy("period", F.desc("kind"))).alias("block"),
        "kind",
        "period",
        "combinations",
    )
