"""The whole study, run once: by default on a small city made for it.

`SOCARE_STUDY` names a folder with `landing/` and `lake/` of a study that has been run already, such
as `build/demo`; `SOCARE_STUDY_SCALE` makes the city of another size.
"""

import json
import os
from pathlib import Path

import deltalake
import duckdb
import pytest


class Study:
    """A finished study: its truth and its tables."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.lake = self.folder / "lake"
        self.truth = json.loads((self.folder / "landing" / "truth.json").read_text("utf-8"))
        self.marginals = self.truth["marginals"]

    def frame(self, name):
        """A table of the lake as pandas, read by another engine than Spark."""
        return deltalake.DeltaTable(self.lake / name).to_pandas()

    def query(self, sql):
        """Rows of a DuckDB query; `{zone/name}` stands for a table."""
        names = {part.split("}")[0] for part in sql.split("{")[1:]}
        connection = duckdb.connect()
        for i, name in enumerate(sorted(names)):
            table = deltalake.DeltaTable(self.lake / name).to_pyarrow_table()
            connection.register(f"t{i}", table)
            sql = sql.replace("{" + name + "}", f"t{i}")
        return connection.execute(sql).fetchall()


@pytest.fixture(scope="session")
def study(request, tmp_path_factory):
    given = os.environ.get("SOCARE_STUDY")
    if given:
        return Study(given)
    from studies import run_study

    folder = tmp_path_factory.mktemp("study")
    spark = request.getfixturevalue("spark_session")
    run_study(spark, folder, float(os.environ.get("SOCARE_STUDY_SCALE", "0.02")))
    return Study(folder)
