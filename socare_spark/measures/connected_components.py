"""Connected components of a graph, computed with Spark by large-star and small-star operations.

The two operations alternate; each is one shuffle of the edges. Large-star connects the neighbours
greater than a node to its least neighbour; small-star connects the others. In the end each node has
one edge, to the least node of its component. The number of rounds grows with the logarithm of the
longest path. Source: Kiveris, Lattanzi, Mirrokni, Rastogi and Vassilvitskii (2014), Connected
Components in MapReduce and Beyond, https://doi.org/10.1145/2670979.2670997.
"""

from pyspark import StorageLevel
from pyspark.sql import DataFrame, Row, Window
from pyspark.sql import functions as F


def connected_components(pairs: DataFrame) -> DataFrame:
    """Finds the connected component of each node of a graph.

    Args:
        pairs: The edges: `a`, `b` of one ordered type. Edges can repeat in either direction.

    Returns:
        One row for each node with an edge to another node: `node`, and `root`, the least node of
        its component.
    """
    first = _ordered_edges(pairs.select(F.col("a").alias("node"), F.col("b").alias("near")))
    edges, fingerprint = _checkpointed(first)
    previous = None
    while fingerprint != previous:
        previous = fingerprint
        edges, fingerprint = _checkpointed(_small_star(_large_star(edges)))
    roots = edges.select(F.col("near").alias("node"), "near").distinct()
    return edges.union(roots).withColumnRenamed("near", "root")


def _checkpointed(edges: DataFrame) -> tuple[DataFrame, Row | None]:
    """Computes the edges now, truncates their lineage and stores them on two executors.

    Otherwise the query plan would grow with each round.

    Returns:
        The edges, and their count and hash sum, to detect a change of the set.
    """
    stored = edges.localCheckpoint(eager=True, storageLevel=StorageLevel.MEMORY_AND_DISK_2)
    hashed = F.xxhash64("node", "near").cast("decimal(38,0)")
    return stored, stored.agg(F.count(F.lit(1)), F.sum(hashed)).first()


def _ordered_edges(edges: DataFrame) -> DataFrame:
    """Distinct edges from the greater to the lesser node, without loops."""
    greater, lesser = F.greatest("node", "near"), F.least("node", "near")
    return edges.where("node <> near").select(
        greater.alias("node"), lesser.alias("near")
    ).distinct()  # fmt: skip


def _large_star(edges: DataFrame) -> DataFrame:
    """Connects each neighbour greater than a node to the least of the node and its neighbours."""
    directed = edges.union(edges.select("near", "node"))
    least = F.least("node", F.min("near").over(Window.partitionBy("node")))
    starred = directed.select("node", "near", least.alias("least")).where("near > node")
    return starred.select(F.col("near").alias("node"), F.col("least").alias("near")).distinct()


def _small_star(edges: DataFrame) -> DataFrame:
    """Connects a node and its lesser neighbours to the least of these neighbours."""
    least = F.min("near").over(Window.partitionBy("node"))
    starred = edges.select("node", "near", least.alias("least"))
    ends = F.array_compact(F.array("node", F.when(F.col("near") > F.col("least"), F.col("near"))))
    return starred.select(F.explode(ends).alias("node"), F.col("least").alias("near")).distinct()
