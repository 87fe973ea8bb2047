"""The only place that builds a Spark session.

Everything about size and place (master, memory, packages, extensions) is in `conf/spark` and comes
with `spark-submit --properties-file`: a builder cannot set it once the driver runs. The settings
that keep other users out are set here too, so that no properties file can leave them out.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from pyspark import SparkConf, SparkContext
from pyspark.sql import SparkSession

from socare_spark.errors import InfrastructureError

_NEEDED = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
}
_OWNER_ONLY = {
    "spark.hadoop.fs.permissions.umask-mode": "077",
    "spark.io.encryption.enabled": "true",
}
_LOCAL_DIR = "spark.local.dir"
_NOT_STARTED = (
    "Spark did not start: check that Java 17 is installed and JAVA_HOME names it, "
    "and that the master can be reached and its workers start executors."
)


def local_folders() -> list[Path]:
    """The folders that are configured for temporary data; the system's own by default.

    Raises:
        InfrastructureError: Java does not start.
    """
    try:
        SparkContext._ensure_initialized()
    except Exception as error:
        raise InfrastructureError(_NOT_STARTED) from error
    given = SparkConf().get(_LOCAL_DIR) or tempfile.gettempdir()
    names = [name.strip() for name in given.split(",")]
    return [Path(name).absolute() for name in names if name]


def open_session(name: str, local: Sequence[Path] = ()) -> SparkSession:
    """The session of this process.

    Args:
        name: Name of the job.
        local: Folders for temporary data; those of `spark.local.dir` by default.

    Raises:
        InfrastructureError: the session lacks Delta or Sedona.
    """
    builder = SparkSession.builder.appName(f"socare {name}")
    for key, value in _OWNER_ONLY.items():
        builder = builder.config(key, value)
    if local:
        builder = builder.config(_LOCAL_DIR, ",".join(map(str, local)))
    try:
        spark = builder.getOrCreate()
    except Exception as error:
        if "SPARK_REMOTE" in str(error) or "JAVA" in str(error).upper():
            raise InfrastructureError(_NOT_STARTED) from error
        raise
    missing = [
        key for key, value in _NEEDED.items() if value not in (spark.conf.get(key, "") or "")
    ]
    if missing:
        raise InfrastructureError(
            f"The Spark session lacks {', '.join(missing)}: submit with "
            "--properties-file conf/spark/local.conf or conf/spark/cluster.conf."
        )
    return spark
