"""Units of the durations of a flow."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.flow.events import MICROSECONDS_A_DAY
from socare_spark.analyses.flow.parts import Unit
from socare_spark.lake.table import ColumnSpec

MICROSECONDS: dict[Unit, int] = {
    "days": MICROSECONDS_A_DAY,
    "hours": MICROSECONDS_A_DAY // 24,
    "minutes": MICROSECONDS_A_DAY // 1440,
    "seconds": MICROSECONDS_A_DAY // 86_400,
}
UNIT = ColumnSpec("unit", "string", "Unit of durations: `days`, `hours`, `minutes` or `seconds`.")


def fitting_unit(traced: DataFrame) -> Unit:
    """The largest unit in which at least half of the times between two events are 1 or more.

    Events at the same time do not count. Without other events the unit is the day.

    Args:
        traced: Result of `traces`.
    """
    between = F.col("next_at") - F.col("at")
    reached = [F.count_if(between >= size).alias(unit) for unit, size in MICROSECONDS.items()]
    row = traced.where(between > 0).agg(F.count(F.lit(1)).alias("all"), *reached).collect()[0]
    return next((unit for unit in MICROSECONDS if 2 * row[unit] >= row["all"]), "seconds")


def per_day(unit: Unit) -> int:
    """Number of units in a day."""
    return MICROSECONDS_A_DAY // MICROSECONDS[unit]
