"""The list of tables that a scheduler reads is that of the jobs."""

import json
from pathlib import Path

from socare_spark.configuration.job_tables import job_tables
from socare_spark.registry import JOBS

CONF = Path(__file__).parents[2] / "conf"


def test_the_shipped_list_is_that_of_the_jobs():
    tables = job_tables(CONF)
    assert json.loads((CONF / "airflow" / "tables.json").read_text()) == tables
    assert [*tables] == [job.name for job in JOBS]
    assert "restricted/tenancies" in tables["ingest"]
