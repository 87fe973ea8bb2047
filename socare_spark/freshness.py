"""Freshness of results: whether the tables of a job are those of the same inputs and code.

The commits of a job carry a fingerprint of its inputs. A job whose tables have its fingerprint does
not run again.
"""

import hashlib
import json
from collections.abc import Sequence

from socare_spark.lake.lake import Lake
from socare_spark.lake.table import TableSpec
from socare_spark.tracking.run import Run

FINGERPRINT = "fingerprint"


def fingerprint_of(run: Run, *inputs: object) -> str:
    """Digest of the code, the configuration and the inputs of a run.

    Args:
        run: The run.
        inputs: Values that JSON can represent.
    """
    text = json.dumps([run.job, run.code, run.configuration, *inputs], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def are_fresh(lake: Lake, tables: Sequence[TableSpec], fingerprint: str) -> bool:
    """Whether the last commit of each table has a fingerprint."""
    commits = [lake.last_commit(table) for table in tables]
    return all(c is not None and c.metadata.get(FINGERPRINT) == fingerprint for c in commits)


def record_existing(run: Run, lake: Lake, tables: Sequence[TableSpec]) -> None:
    """Records the existing tables as the outputs of a run that is up to date."""
    run.up_to_date = True
    for table in tables:
        commit = lake.last_commit(table)
        if commit is not None:
            run.outputs[table.path] = {"version": commit.version, "rows": commit.rows}
