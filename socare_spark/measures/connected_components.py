"""What belongs together because pairs join it, directly or through others: connected components.

Two phases by turns, each one shuffle of the pairs: large-star joins what is greater than a node to
the least near it, small-star what is not. After a few rounds every node is paired with the least of
its component, and with nothing else. Rounds grow with the logarithm of the longest chain, not with
its length. Source: Kiveris, Lattanzi, Mirrokni, Rastogi and Vassilvitskii (2014), Connected
Components in MapReduce and Beyond, https://doi.org/10.1145/2670979.2670997.
"""

from pyspark import StorageLevel
from pyspark.sql import DataFrame, Row, Window
from pyspark.sql import functions as F


def connected_components(pairs: DataFrame) -> DataFrame:
    """The component of everything that is paired with something else.

    Args:
        pairs: `a`, `b` of one type that can be ordered; a pair may come again, either way round.

    Returns:
        `node`, each once, and `root`, the least node of its component.
    """
    edges = _held(_down(pairs.select(F.col("a").alias("node"), F.col("b").alias("near"))))
    before = None
    while (mark := _mark(edges)) != before:
        before = mark
        edges = _held(_small_star(_large_star(edges)))
    roots = edges.select(F.col("near").alias("node"), "near").distinct()
    return edges.union(roots).withColumnRenamed("near", "root")


def _held(edges: DataFrame) -> DataFrame:
    """The pairs themselves, held twice against the loss of an executor.

    A plan would grow with every round, and the text of a plan of cached plans without bounds.
    """
    return edges.localCheckpoint(eager=True, storageLevel=StorageLevel.MEMORY_AND_DISK_2)


def _down(edges: DataFrame) -> DataFrame:
    """Pairs from the greater to the lesser, each once, none of a node with itself."""
    greater, lesser = F.greatest("node", "near"), F.least("node", "near")
    return edges.where("node <> near").select(
        greater.alias("node"), lesser.alias("near")
    ).distinct()  # fmt: skip


def _large_star(edges: DataFrame) -> DataFrame:
    """What is near a node and greater is paired with the least near the node, or the node."""
    both = edges.union(edges.select("near", "node"))
    least = F.least("node", F.min("near").over(Window.partitionBy("node")))
    found = both.select("node", "near", least.alias("least")).where("near > node")
    return found.select(F.col("near").alias("node"), F.col("least").alias("near")).distinct()


def _small_star(edges: DataFrame) -> DataFrame:
    """A node and what is near it and lesser are paired with the least of these."""
    least = F.min("near").over(Window.partitionBy("node"))
    found = edges.select("node", "near", least.alias("least"))
    ends = F.array_compact(F.array("node", F.when(F.col("near") > F.col("least"), F.col("near"))))
    return found.select(F.explode(ends).alias("node"), F.col("least").alias("near")).distinct()


def _mark(edges: DataFrame) -> Row | None:
    """A row that differs between different sets of pairs."""
    hashed = F.xxhash64("node", "near").cast("decimal(38,0)")
    return edges.agg(F.count(F.lit(1)), F.sum(hashed)).first()
