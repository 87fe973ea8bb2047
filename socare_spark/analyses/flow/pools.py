"""Pools of rare transitions and rare variants, for flows with `limits`.

People of a pool are counted again, because a case can have several pooled transitions.
"""

from collections.abc import Iterable

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.flow.bounds import Report
from socare_spark.analyses.flow.graph import EDGE, FLOW_EDGES, FLOW_VARIANTS
from socare_spark.analyses.flow.parts import Limits
from socare_spark.analyses.flow.settings import Flow
from socare_spark.errors import ConfigurationError
from socare_spark.lake.collect import collect_one
from socare_spark.plurals import agreeing, counted


def check_pool(flow: Flow, activities: Iterable[str]) -> None:
    """Refuses a pool whose name is an activity.

    Args:
        flow: The flow.
        activities: Its activities.

    Raises:
        ConfigurationError: an activity has the name of the pool.
    """
    limits = flow.limits
    if (limits.pool_edges or limits.pool_variants) and limits.pool in {*activities}:
        raise ConfigurationError(
            f"Flow {flow.flow} has an activity with the name of the pool, {limits.pool}. Set "
            "'limits.pool' of the flow in conf/flows to a name that no activity has."
        )


def pool_edges(rows: DataFrame, limits: Limits, records: str | None = None) -> DataFrame:
    """Replaces both activities of rare transitions by the name of the pool.

    Args:
        rows: from_activity, to_activity (null for an event that nothing follows), and others.
        limits: Limits of the flow.
        records: Column of the number of records that a row represents; None means 1.

    Returns:
        The rows. Of equally frequent transitions the first by text are kept.
    """
    if not limits.pool_edges:
        return rows
    follows = F.col("to_activity").isNotNull()
    times = F.count(F.lit(1)) if records is None else F.sum(records)
    counted = rows.where(follows).groupBy(*EDGE).agg(times.alias("_times"))
    kept = counted.where(F.col("_times") >= limits.least)
    if limits.edges is not None:
        kept = kept.orderBy(F.desc("_times"), *EDGE).limit(limits.edges)
    marked = rows.join(F.broadcast(kept.select(*EDGE, F.lit(True).alias("_kept"))), EDGE, "left")
    is_rare = follows & F.col("_kept").isNull()
    pooled = {name: F.when(is_rare, limits.pool).otherwise(F.col(name)) for name in EDGE}
    return marked.withColumns(pooled).drop("_kept")


def count_pooled_edges(rows: DataFrame, limits: Limits) -> DataFrame:
    """Counts the transitions of the pool.

    Args:
        rows: Result of `pool_edges`, with the original activities in `activity` and
            `next_activity`.
        limits: Limits of the flow.

    Returns:
        One row: edges_pooled.
    """
    pooled = rows.where(F.col("from_activity") == limits.pool)
    return pooled.agg(F.count_distinct("activity", "next_activity").alias("edges_pooled"))


def pooled_edges(flow: Flow, edges: pd.DataFrame, rows: DataFrame) -> int:
    """Number of pooled transitions. Spark counts them only if the flow has any.

    Args:
        flow: The flow.
        edges: Rows of FLOW_EDGES.
        rows: Result of `pool_edges`.
    """
    if not flow.limits.pool_edges or not (edges["from_activity"] == flow.limits.pool).any():
        return 0
    found = collect_one("pooled transitions of a flow", count_pooled_edges(rows, flow.limits))
    return int(found["edges_pooled"].iloc[0])


def pool_variants(variants: DataFrame, limits: Limits) -> DataFrame:
    """Adds up the variants beyond the limits in one row without a rank.

    Args:
        variants: Rows of FLOW_VARIANTS, without `flow`.
        limits: Limits of the flow.

    Returns:
        The rows. A case has one variant, so the people of the pool are a sum.
    """
    is_rare = F.col("people") < limits.least
    if limits.variants is not None:
        is_rare = is_rare | (F.col("rank") > limits.variants)
    sums = {"people", "records"}
    others = [name for name in FLOW_VARIANTS.names if name in {*variants.columns} - sums]
    return (
        variants.withColumn("_rare", is_rare)
        .withColumn("rank", F.when(~F.col("_rare"), F.col("rank")))
        .withColumn("variant", F.when(F.col("_rare"), limits.pool).otherwise(F.col("variant")))
        .groupBy("variant")
        .agg(
            *(F.max(name).alias(name) for name in others if name != "variant"),
            *(F.sum(name).alias(name) for name in sorted(sums)),
            F.count_if("_rare").alias("variants_pooled"),
        )
    )


def report_edges(flow: Flow, edges: pd.DataFrame, number: int) -> Report:
    """Reports the pool of transitions.

    Args:
        flow: The flow.
        edges: Rows of FLOW_EDGES.
        number: Number of pooled transitions.
    """
    pool = edges[edges["from_activity"] == flow.limits.pool]
    if not number:
        return [], {}
    records, people = int(pool["records"].sum()), pool["people"].iloc[0]
    cases = "cases" if flow.matrix is not None else flow.nouns.many
    of_people = "" if pd.isna(people) else f" of {people:,} {cases}"
    text = (
        f"Flow {flow.flow}: {number:,} of {counted(number + len(edges) - len(pool), 'transition')} "
        f"{agreeing(number, 'is', 'are')} beyond its limits. {FLOW_EDGES.path} has them in one "
        f"row, `{flow.limits.pool}`, with {counted(records, 'record')}{of_people}."
    )
    return [text], {"edges_pooled": number, "edges_pooled_records": records}


def report_variants(flow: Flow, variants: DataFrame) -> Report:
    """Reports the pool of variants.

    Args:
        flow: The flow.
        variants: Result of `pool_variants`.
    """
    found = variants.where("variants_pooled > 0").select("variants_pooled", "people").collect()
    if not found:
        return [], {}
    number, people = found[0]
    text = (
        f"Flow {flow.flow}: {counted(number, 'variant')} {agreeing(number, 'is', 'are')} "
        f"beyond its limits. {FLOW_VARIANTS.path} has them in one row, `{flow.limits.pool}`, with "
        f"{people:,} {flow.nouns.many}."
    )
    return [text], {"variants_pooled": number, "variants_pooled_people": people}
