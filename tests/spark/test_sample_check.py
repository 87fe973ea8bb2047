"""A dry run of ingest checks the first records of each file by the rules of ingest."""

from contextlib import nullcontext

import pytest
from council import HEADER, Council

from socare_spark.errors import ConfigurationError, ExitCode
from socare_spark.ingest import sample_check
from socare_spark.ingest.job import plan
from socare_spark.onboarding import check as onboarding_check
from socare_spark.onboarding import command


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
    assert not council.lake.storage.root.exists()


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


@pytest.fixture
def checked(council, monkeypatch, capsys):
    """Runs scripts/onboard --check in the session of the tests; gives exit code and output."""

    def run(*arguments):
        council.context()
        monkeypatch.setattr(onboarding_check, "_session", lambda: nullcontext(council.spark))
        code = command.main(["--check", *arguments, "--conf", str(council.conf)])
        output = capsys.readouterr()
        return code, output.out, output.err

    return run


def test_onboard_checks_the_configuration_and_the_first_rows_of_all_files(council, checked):
    council.lands("2015.csv", row("a"), row("b", sex="X"), row("c"))
    (council.landing / "other.csv").write_text("a\n")
    code, said, _ = checked("--landing", str(council.landing))
    assert code == ExitCode.DONE
    assert "  visits/2015.csv: 3 rows: 2 kept, 1 quarantined\n    1 not_allowed SEX\n" in said
    assert "other.csv was not read" in said
    council.lands("2014-13.csv", row("a"))
    code, said, _ = checked("visits", "--landing", str(council.landing))
    assert code == ExitCode.DATA
    assert "visits/2014-13.csv: refused: the name has no valid period" in said
    assert "other.csv" not in said


def test_onboard_lists_faults_of_the_configuration_and_reads_no_file(council, checked, monkeypatch):
    council.lands("2015.csv", row("a"))
    council.contract["schema"]["fields"][1]["socare"]["pseudonymise"] = "people"
    monkeypatch.setattr(onboarding_check, "check_sample", None)
    code, said, errors = checked("--landing", str(council.landing))
    assert (code, said) == (ExitCode.CONFIGURATION, "")
    assert "scheme people" in errors
    council.contract["schema"]["fields"][1]["socare"]["pseudonymise"] = "person"
    code, _, errors = checked("visit", "--landing", str(council.landing))
    assert code == ExitCode.CONFIGURATION
    assert "Datasets are visits" in errors
    assert checked()[0] == ExitCode.DONE
