"""A dry run of ingest checks the first records of each file by the rules of ingest."""

import pytest
from council import HEADER, Council

from socare_spark.errors import ConfigurationError
from socare_spark.ingest import sample_check
from socare_spark.ingest.job import plan


@pytest.fixture
def council(spark, tmp_path):
    return Council(spark, tmp_path)


def row(key, start="2015-01-01", sex="F"):
    return f"{key},1,1980-01-01,{start},,,{sex},,a secret,"


def test_dry_run_counts_kept_and_quarantined_rows_by_reason_and_column(council, monkeypatch):
    monkeypatch.setattr(sample_check, "SAMPLE_ROWS", 4)
    bad = [row("b", sex="X"), row("c", start="soon"), row("d"), row("e", sex="Y")]
    council.lands("2015.csv", row("a"), *bad)
    council.lands("2016.csv", "x", header=HEADER.replace("ID,", "IDENTIFIER,"))
    lines = plan(council.context())
    assert [line for line in lines if "2015" in line or line.startswith("checks   ")] == [
        "reads  visits/2015.csv (new)",
        "checks visits/2015.csv: first 4 rows: 2 kept, 2 quarantined",
        "checks   1 date_format START",
        "checks   1 not_allowed SEX",
    ]
    (refused,) = [line for line in lines if "2016.csv: refused" in line]
    assert "the header lacks the column" in refused
    assert "secret" not in "\n".join(lines)
    assert not council.lake.root.exists()


def test_dry_run_checks_no_file_that_is_unchanged(council, monkeypatch):
    council.lands("2015.csv", row("a"))
    council.ingests(monkeypatch)
    council.lands("2016.csv", row("b"))
    checked = [line for line in plan(council.context()) if line.startswith("checks ")]
    assert checked == ["checks visits/2016.csv: 1 row: 1 kept, 0 quarantined"]


def test_dry_run_refuses_a_changed_contract_whose_files_are_gone(council, monkeypatch):
    council.lands("2015.csv", row("a"))
    council.ingests(monkeypatch)
    (council.landing / "visits" / "2015.csv").unlink()
    council.contract["schema"]["missingValues"] = ["", "none"]
    with pytest.raises(ConfigurationError, match="no longer in the landing folder"):
        plan(council.context())
