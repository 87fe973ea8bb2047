"""The book of tables is what the declarations and the study say."""

import os
from pathlib import Path

import pytest

from socare_spark.lake.lake import Lake
from socare_spark.registry import JOBS
from socare_spark.report.data_dictionary import data_dictionary

BOOK = Path(__file__).resolve().parents[2] / "docs" / "tables.md"


def test_every_column_has_a_sentence():
    tables = [table for job in JOBS for table in job.writes]
    assert len({table.path for table in tables}) == len(tables)
    for table in tables:
        assert table.description.endswith("."), table.path
        assert table.source, table.path
        assert all(column.description.endswith(".") for column in table.columns), table.path


@pytest.mark.skipif("SOCARE_STUDY" in os.environ, reason="its examples are of scale 0.02")
def test_the_book_is_up_to_date(study):
    assert BOOK.read_text("utf-8") == data_dictionary(JOBS, Lake(study.lake)), "run scripts/tables"
