"""Checks of Python, Java, Spark, Delta and Sedona."""

import platform
import re
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import pyspark
from py4j.protocol import Py4JError
from pyspark.sql import SparkSession

from socare_spark.doctor.finding import Finding
from socare_spark.errors import ExitCode
from socare_spark.places.geometry import GRID, in_grid
from socare_spark.tracking.run import code_version

_JAVA = ("17", "21")
# Python distribution -> class of its jar.
_JARS = {
    "delta-spark": "io.delta.tables.DeltaTable",
    "apache-sedona": "org.apache.sedona.sql.SedonaSqlExtensions",
}
_JAR_VERSION = re.compile(r"-(\d+(?:\.\d+)+)\.jar$")
# A position in London as longitude and latitude, and its easting and northing.
_POSITION, _METRES = (-0.1276, 51.5072), (530_043, 180_358)
_TOLERANCE_METRES = 5


def versions(spark: SparkSession) -> Iterator[Finding]:
    """Versions of the package, of Python, Java and Spark, and of the jars."""
    yield Finding("package", f"socare_spark {code_version()}")
    yield Finding("python", f"{platform.python_version()} on the driver")
    yield _java(spark)
    yield _versions("spark", pyspark.__version__, spark.version)
    for name, class_name in _JARS.items():
        yield _versions(name, version(name), _jar_version(spark, class_name))


def _java(spark: SparkSession) -> Finding:
    found = _jvm(spark).java.lang.System.getProperty("java.version")
    if found.partition(".")[0] in _JAVA:
        return Finding("java", found)
    return Finding("java", f"{found}: use Java {' or '.join(_JAVA)}", ExitCode.CONFIGURATION)


def _versions(name: str, python: str, java: str | None) -> Finding:
    """Compares the version of a Python package with that of its Java classes."""
    if java is None:
        return Finding(name, f"{python} (Python); the name of its jar has no version")
    if java == python:
        return Finding(name, python)
    return Finding(
        name,
        f"{python} in Python and {java} in Java: use the versions of constraints.txt for both",
        ExitCode.CONFIGURATION,
    )


def _jar_version(spark: SparkSession, class_name: str) -> str | None:
    """The version at the end of the name of the jar that contains a class; None without one."""
    java = _jvm(spark).java.lang
    loader = java.Thread.currentThread().getContextClassLoader()
    found = java.Class.forName(class_name, False, loader)
    source = found.getProtectionDomain().getCodeSource()
    location = "" if source is None else str(source.getLocation())
    match = _JAR_VERSION.search(location)
    return match[1] if match else None


def sedona(spark: SparkSession) -> Iterator[Finding]:
    """Whether Sedona's functions transform a position to the national grid."""
    longitude, latitude = _POSITION
    point = in_grid(f"ST_Point({longitude}D, {latitude}D)", "EPSG:4326")
    try:
        row = spark.sql(f"SELECT ST_X(p), ST_Y(p) FROM (SELECT {point} AS p)").collect()[0]  # noqa: S608
    except Exception:
        yield Finding(
            "sedona",
            "its functions do not work: check spark.sql.extensions, and that the jars of Sedona "
            "and GeoTools are on the class path",
            ExitCode.CONFIGURATION,
        )
        return
    wrong = [abs(a - b) > _TOLERANCE_METRES for a, b in zip(row, _METRES, strict=True)]
    if any(wrong):
        yield Finding(
            "sedona", f"a position in {GRID} is wrong: check its version", ExitCode.CONFIGURATION
        )
    else:
        yield Finding("sedona", f"transforms positions to {GRID}")


def _jvm(spark: SparkSession) -> Any:  # noqa: ANN401 - a Java object
    jvm = spark.sparkContext._jvm
    if jvm is None:
        raise Py4JError("no Java process")
    return jvm
