"""Opens the storage of a folder by the scheme of its location."""

from pathlib import Path

from pyspark.sql import SparkSession

from socare_spark.storage.hadoop import HadoopStorage
from socare_spark.storage.local import LocalStorage
from socare_spark.storage.storage import Storage


def open_storage(location: Path | str, spark: SparkSession, scratch: Path) -> Storage:
    """Opens the storage of a folder.

    Args:
        location: A path of this machine, or a URI.
        spark: The session.
        scratch: Folder of this machine for copies of the files of a URI.

    Raises:
        ConfigurationError: Spark has no classes for the scheme of the URI.
        OSError: the store cannot be reached.
    """
    if isinstance(location, Path):
        return LocalStorage(location)
    return HadoopStorage(spark, location, scratch)
