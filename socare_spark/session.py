"""Builds the Spark session of a job.

Resources and environment (master, memory, packages, extensions) are set in `conf/spark` and passed
with `spark-submit --properties-file`, because a builder cannot set them once the driver runs. The
settings that protect data from other users are also set here, so a properties file cannot omit
them.
"""

import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pyspark import SparkConf, SparkContext
from pyspark.sql import SparkSession

from socare_spark.errors import InfrastructureError

_REQUIRED_SETTINGS = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
}
_OWNER_ONLY_SETTINGS = {
    "spark.hadoop.fs.permissions.umask-mode": "077",
    "spark.io.encryption.enabled": "true",
}
# These loggers print failed SQL, which can contain cell values.
_LEAKY_LOGGERS = ("py4j", "SQLQueryContextLogger", "DataFrameQueryContextLogger")
_LOCAL_DIR = "spark.local.dir"
_NOT_STARTED_MESSAGE = (
    "Spark did not start: check that Java 17 is installed and JAVA_HOME names it, "
    "and that the master can be reached and its workers start executors."
)


def local_folders() -> list[Path]:
    """The folders of `spark.local.dir` for temporary data; the system's folder by default.

    Raises:
        InfrastructureError: Java cannot be started.
    """
    try:
        SparkContext._ensure_initialized()
    except Exception as error:
        raise InfrastructureError(_NOT_STARTED_MESSAGE) from error
    configured = SparkConf().get(_LOCAL_DIR) or tempfile.gettempdir()
    names = [name.strip() for name in configured.split(",")]
    return [Path(name).absolute() for name in names if name]


def hadoop_configuration() -> Any:  # noqa: ANN401 - a Java object
    """Hadoop's configuration of the session of this process; None without a session."""
    context = SparkContext._active_spark_context
    return None if context is None else context._jsc.hadoopConfiguration()


def open_session(name: str, local: Sequence[Path] = ()) -> SparkSession:
    """Creates or returns the Spark session of this process.

    Args:
        name: Name of the job.
        local: Folders for temporary data; those of `spark.local.dir` by default.

    Raises:
        InfrastructureError: Spark cannot be started, or the session lacks the Delta extensions.
    """
    for logger in _LEAKY_LOGGERS:
        logging.getLogger(logger).setLevel(logging.CRITICAL)
    builder = SparkSession.builder.appName(f"socare {name}")
    for key, value in _OWNER_ONLY_SETTINGS.items():
        builder = builder.config(key, value)
    if local:
        builder = builder.config(_LOCAL_DIR, ",".join(map(str, local)))
    try:
        spark = builder.getOrCreate()
    except Exception as error:
        if "SPARK_REMOTE" in str(error) or "JAVA" in str(error).upper():
            raise InfrastructureError(_NOT_STARTED_MESSAGE) from error
        raise
    missing = [
        key
        for key, value in _REQUIRED_SETTINGS.items()
        if value not in (spark.conf.get(key, "") or "")
    ]
    if missing:
        raise InfrastructureError(
            f"The Spark session lacks {', '.join(missing)}: submit with "
            "--properties-file and a file of conf/spark, such as conf/spark/local.conf."
        )
    return spark
