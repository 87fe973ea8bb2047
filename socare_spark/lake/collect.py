"""Collects small results of Spark to the driver as pandas frames.

A frame has nullable columns: `Int64` for integers and `boolean` for booleans. Dates and decimals
are Python objects. Null is `pd.NA`, None or NaN.
"""

from collections.abc import Mapping

import pandas as pd
import pyarrow as pa
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from socare_spark.errors import DataError
from socare_spark.lake.pool import worker_pool

# Rows of a result that the driver collects: some hundred megabytes as Arrow.
DRIVER_MAX_RESULT_ROWS = 1_000_000
_QUERIES = 4
_NULLABLE = {
    pa.int32(): pd.Int64Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
}


def collect(frames: Mapping[str, DataFrame]) -> dict[str, pd.DataFrame]:
    """Collects several frames; their queries run side by side.

    Args:
        frames: Path of the result that needs a frame, or another name for messages -> the frame.

    Raises:
        DataError: a frame has more rows than the driver collects.
    """

    def collected(name: str) -> pd.DataFrame:
        frames[name].sparkSession.sparkContext.setJobDescription(name)
        return to_pandas(collect_arrow(name, frames[name]))

    with worker_pool(_QUERIES) as pool:
        return dict(zip(frames, pool.map(collected, frames), strict=True))


def collect_one(name: str, frame: DataFrame) -> pd.DataFrame:
    """Collects one frame.

    Args:
        name: Path of the result that needs the frame, or another name for messages.
        frame: The frame.

    Raises:
        DataError: the frame has more rows than the driver collects.
    """
    return collect({name: frame})[name]


def collect_arrow(name: str, frame: DataFrame) -> pa.Table:
    """Collects a frame as Arrow.

    Raises:
        DataError: the frame has more rows than the driver collects.
    """
    try:
        rows = frame.toArrow()
    except (PySparkException, Py4JError) as error:
        if "spark.driver.maxResultSize" not in str(error):
            raise
        raise DataError(
            f"{name} is larger than spark.driver.maxResultSize, the size of results that the "
            "driver collects: its configuration names too many periods, areas, bands or codes. "
            "Name fewer, or set a larger size in the Spark configuration."
        ) from None
    check_size(name, len(rows))
    return rows


def check_size(name: str, rows: int) -> None:
    """Refuses a result that is too large for the driver.

    Raises:
        DataError: it has more rows than the driver collects.
    """
    if rows > DRIVER_MAX_RESULT_ROWS:
        raise DataError(
            f"{name} has {rows} rows, and at most {DRIVER_MAX_RESULT_ROWS} are allowed: "
            "its configuration names too many periods, areas, bands or codes. Name fewer."
        )


def to_spark(spark: SparkSession, rows: pd.DataFrame, schema: pa.Schema) -> DataFrame:
    """A small frame of Spark with the columns of a schema."""
    return spark.createDataFrame(pa.Table.from_pandas(rows, schema, preserve_index=False))


def to_pandas(rows: pa.Table) -> pd.DataFrame:
    """Rows of Arrow as a pandas frame with nullable columns."""
    frame: pd.DataFrame = rows.to_pandas(types_mapper=_NULLABLE.get, date_as_object=True)
    return frame
