"""The tables that each job of the study writes, for schedulers that know data."""

from pathlib import Path

from socare_spark.contracts.contract import read_contracts
from socare_spark.registry import JOBS


def job_tables(conf: Path) -> dict[str, list[str]]:
    """The tables (`zone/name`) of each job, in the order of the study.

    Args:
        conf: Folder of the configuration, whose datasets are tables of `ingest`.
    """
    tables = {job.name: [table.path for table in job.writes] for job in JOBS}
    tables["ingest"] = [contract.table for contract in read_contracts(conf)] + tables["ingest"]
    return tables
