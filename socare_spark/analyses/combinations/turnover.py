"""Combinations that come into use together, or go out of use together.

Where the records begin and where they end every combination seems to begin or to end: a start in
the first window of all, and an end in the last, are no recording requirement and make no block. The
thesis does not count them either: it calls what is used from 2006 on "only a fraction".
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
    """The columns of COMBINATION_BLOCKS.

    Args:
        used: Result of `uses`.
        counted: Result of `combinations`.
        wanted: The window, and how many combinations make a block.
    """
    members = _members(counted, wanted)
    in_blocks = used.join(F.broadcast(members), ["reason", "outcome"])
    return count_people(in_blocks, ["block", "kind", "period", "combinations"], records="records")


def starts_and_ends(counted: DataFrame, window: str) -> DataFrame:
    """When each combination starts and ends: reason, outcome, kind, period.

    Args:
        counted: Result of `combinations`; one that no record dates is left out.
        window: A calendar period, as `month`.
    """
    days = {"start": "first_used", "end": "last_used"}
    dated = [
        F.struct(F.lit(kind).alias("kind"), F.date_trunc(window, day).cast("date").alias("period"))
        for kind, day in days.items()
    ]
    both = counted.select("reason", "outcome", F.inline(F.array(*dated)))
    return both.where(F.col("period").isNotNull())


def _members(counted: DataFrame, wanted: Blocks) -> DataFrame:
    """reason, outcome, block, kind, period, combinations; a combination may be in two blocks."""
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
