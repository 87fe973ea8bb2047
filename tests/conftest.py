"""One Spark session for all tests; its state is undone after each."""

import os
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

ROOT = Path(__file__).resolve().parents[1]


# The folders of long tests run first: a long test at the end would leave the other process without
# work.
MARKED = ("study", "cluster", "leak", "public", "storage", "spark")
ORDER = (*MARKED, "airflow", "cases", "unit")
# Modules of tests/study that do not share the data of the others.
OWN_DATA = ("test_twin_published.py", "test_little.py")


# The mark must be set before pytest-xdist reads it.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """A test has the mark of its folder; tests that share costly data run in one process."""
    places = {}
    for item in items:
        path = Path(item.path).relative_to(ROOT / "tests")
        kind = path.parts[0]
        places[item] = ORDER.index(kind)
        if kind in MARKED:
            item.add_marker(kind)
        shares = kind == "study" and path.name not in OWN_DATA
        item.add_marker(pytest.mark.xdist_group(kind if shares else str(path)))
    items.sort(key=places.get)


# Small data need no plans that adapt. scripts/test also switches code generation off.
SMALL = {"spark.sql.adaptive.enabled": "false", "spark.sql.shuffle.partitions": "2"}


@pytest.fixture(scope="session")
def spark_session():
    if "PYSPARK_SUBMIT_ARGS" not in os.environ:
        pytest.exit("run scripts/test, or: . scripts/env.sh && use_environment && pytest", 2)
    session = SparkSession.builder.appName("tests").getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    for key, value in SMALL.items():
        session.conf.set(key, value)
    yield session
    session.stop()


@pytest.fixture
def spark(spark_session):
    before = dict(spark_session.conf.getAll)
    yield spark_session
    spark_session.catalog.clearCache()
    after = dict(spark_session.conf.getAll)
    for key, value in after.items():
        if key not in before:
            spark_session.conf.unset(key)
        elif before[key] != value and spark_session.conf.isModifiable(key):
            spark_session.conf.set(key, before[key])


@pytest.fixture(scope="session")
def public_data():
    folder = Path(os.environ.get("SOCARE_PUBLIC_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"the public data are not at {folder}: set SOCARE_PUBLIC_DATA")
    return folder
