"""Every table that can be made again by DuckDB is equal to the lake's, on the whole study."""

from pathlib import Path

import pytest

from scripts.bench_duckdb import Study, difference, made_again
from socare_spark.registry import JOBS

CONF = Path(__file__).parents[2] / "conf"


@pytest.fixture(scope="module")
def opened(study):
    return Study(study.lake, CONF)


@pytest.mark.parametrize("job", [job for job in JOBS if made_again(job)], ids=lambda job: job.name)
def test_tables_made_again_by_duckdb(opened, job):
    differing = {}
    with opened.sharing(job):
        for table in made_again(job):
            opened.make(job, table)
            found = difference(opened.database, table, "made", table.path.replace("/", "."))
            if found.differing or not found.rows:
                differing[table.name] = str(found)
    assert differing == {}
