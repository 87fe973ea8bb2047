"""The only place that builds a Spark session.

Everything about size and place (master, memory, packages, extensions) stands in `conf/spark` and
comes with `spark-submit --properties-file`: a builder cannot set it once the driver runs.
"""

from pyspark.sql import SparkSession

from socare_spark.errors import InfrastructureError

_NEEDED = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
}


def open_session(name: str) -> SparkSession:
    """The session of this process.

    Raises:
        InfrastructureError: the session lacks Delta or Sedona.
    """
    try:
        spark = SparkSession.builder.appName(f"socare {name}").getOrCreate()
    except Exception as error:
        if "SPARK_REMOTE" in str(error) or "JAVA" in str(error).upper():
            raise InfrastructureError(
                "Spark did not start: check that Java 17 is installed and JAVA_HOME names it, "
                "and that the master can be reached and its workers start executors."
            ) from error
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
