"""Every column that an analysis needs is in the documentation, under the job that needs it."""

from pathlib import Path

import pytest
from rich.console import Console

from socare_spark.analyses import requests
from socare_spark.analyses.combinations import job as combinations
from socare_spark.analyses.cross_service import job as cross_service
from socare_spark.analyses.elements import job as elements
from socare_spark.analyses.forecast import job as forecast
from socare_spark.analyses.provision import job as provision
from socare_spark.analyses.use import job as use
from socare_spark.job import Context
from socare_spark.lake.zones import Lake
from socare_spark.tracking.progress import Progress
from socare_spark.tracking.record import Run

ROOT = Path(__file__).parents[2]
MODULES = [combinations, cross_service, elements, forecast, provision, requests, use]
# `ingest` adds the day of an extract.
OF_INGEST = {"extract", "snapshot", "tenant"}


@pytest.mark.parametrize("module", MODULES, ids=[m.ANALYSIS.name for m in MODULES])
def test_needed_columns_are_documented(module, tmp_path):
    run, quiet = Run("some", tmp_path, {}), Progress(Console(quiet=True))
    context = Context(None, Lake(tmp_path), ROOT / "conf", None, None, run, quiet)
    named = {need.column for need in module.ANALYSIS.needs(context)} - OF_INGEST
    text = (ROOT / "docs" / "contracts.md").read_text("utf-8")
    (row,) = (
        line for line in text.splitlines() if line.startswith(f"| `{module.ANALYSIS.name}` |")
    )
    assert named
    assert {column for column in named if f"`{column}`" not in row} == set()
