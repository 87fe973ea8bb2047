"""Survival curves of right-censored durations."""

from statistics import NormalDist

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

# Normal quantile of a 95 % interval.
_Z = NormalDist().inv_cdf(0.975)


def kaplan_meier(counted: DataFrame) -> DataFrame:
    """Estimates the cumulative incidence (1 - Kaplan-Meier) of each transition.

    Args:
        counted: One row for each transition and duration: `transition`, `days`, `records` (records
            with this duration, events and censored) and `events`.

    Returns:
        The rows with `at_risk`, `censored`, `cumulative_incidence`, and `lower` and `upper`, the
        limits of the 95 % log-log interval (null if undefined).
    """
    onward = Window.partitionBy("transition").orderBy("days")
    from_here = onward.rowsBetween(Window.currentRow, Window.unboundedFollowing)
    so_far = onward.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    risk, events = F.col("at_risk"), F.col("events")
    # Once all records at risk have the event, survival is 0 and its logarithm is undefined.
    none_left = F.max((risk == events).cast("int")).over(so_far) == 1
    step = F.when(risk > events, F.log1p(-events / risk)).otherwise(0.0)
    spread = F.when(risk > events, events / (risk * (risk - events))).otherwise(0.0)
    table = (
        counted.withColumn("at_risk", F.sum("records").over(from_here))
        .withColumn("_log", F.when(~none_left, F.sum(step).over(so_far)))
        .withColumn("_greenwood", F.sum(spread).over(so_far))
    )
    log = F.col("_log")
    width = _Z * F.sqrt("_greenwood") / F.abs(log)

    def limit(sign: int) -> Column:
        return F.when(log < 0, 1 - F.exp(log * F.exp(sign * width)))

    return table.select(
        "*",
        (F.col("records") - events).alias("censored"),
        (1 - F.coalesce(F.exp(log), F.lit(0.0))).alias("cumulative_incidence"),
        limit(-1).alias("lower"),
        limit(1).alias("upper"),
    )
