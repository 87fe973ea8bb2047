"""Ingest on a council of ten lines: what is kept, why not, and how files follow one another."""

import gzip
from datetime import date
from decimal import Decimal

import pytest
from council import Council

from socare_spark.ingest import ledger_entries, load_driver, staging
from socare_spark.lake.transaction import has_unfinished_commits, roll_back


@pytest.fixture
def council(spark, tmp_path):
    return Council(spark, tmp_path)


@pytest.fixture(params=["by the driver", "by tasks"])
def either_way(monkeypatch, request):
    """Few rows are brought in by the driver and many by tasks: the outcome must be the same."""
    if request.param == "by tasks":
        monkeypatch.setattr(staging, "DRIVER_MAX_ROWS", 0)


def row(key, person="7", start="2015-03-01", end="", note="", **other):
    given = {"dob": "1950-06-15", "cost": "", "sex": "F", "postcode": "B1 1AA", **other}
    return (
        f"{key},{person},{given['dob']},{start},{end},{given['cost']},{given['sex']},"
        f"{given['postcode']},{note},SMITH"
    )


def reasons(council):
    return dict(council.rows("line", "reasons", table="restricted/quarantine"))


def test_values_are_typed_degraded_and_normalised(council, monkeypatch):
    council.lands("2015.csv", row("a", cost='"£1,234.50"', postcode="b11aa", start="31/01/2015"))
    assert council.ingests(monkeypatch) == ""
    names = ("id", "birth_month", "age_at_start", "start", "end", "cost", "postcode", "extract")
    assert council.rows(*names) == [
        (
            "a",
            date(1950, 6, 1),
            64,
            date(2015, 1, 31),
            None,
            Decimal("1234.50"),
            "B1 1AA",
            date(2015, 12, 31),
        )
    ]


def test_a_dropped_column_is_nowhere_in_the_lake(council, monkeypatch):
    council.lands("2015.csv", row("a"))
    council.ingests(monkeypatch)
    assert "surname" not in council.lake.read(council.spark, "restricted/visits").columns
    held = [
        p
        for p in council.lake.storage.root.rglob("*")
        if p.is_file() and b"SMITH" in p.read_bytes()
    ]
    assert held == []


def test_a_row_lists_all_its_reasons(council, monkeypatch):
    cases = [
        (row("a", person=""), ["person_missing"]),
        (row("a", person="unknown"), ["person_missing"]),
        (row("a", person="000"), ["person_missing"]),
        (row("", person="7"), ["missing"]),
        (row("a", start=""), ["missing"]),
        (row("a", start="2015-02-30"), ["date_format"]),  # no such day
        (row("a", start="1 March 2015"), ["date_format"]),
        (row("a", start="2015-3-1-"), ["date_format"]),
        (row("a", end="2015-02-28"), ["date_order"]),
        (row("a", start="2016-01-01"), ["date_range"]),  # after the extract
        (row("a", start="1899-12-31"), ["date_range"]),
        (row("a", cost="dear"), ["type"]),
        (row("a", sex="X"), ["not_allowed"]),
        (row("a", postcode="BIRMINGHAM"), ["pattern"]),
        ("a,7,,2015-03-01", ["row_shape"]),  # too few cells
        (row("a") + ",more", ["row_shape"]),  # too many
        (row("a", person="", sex="X", start="x"), ["person_missing", "date_format", "not_allowed"]),
    ]
    good = [row(f"good{i}") for i in range(len(cases))]
    council.lands("2015.csv", *good, *[line for line, _ in cases])
    council.ingests(monkeypatch)
    n = len(cases)
    assert reasons(council) == {n + i: found for i, (_, found) in enumerate(cases, 1)}
    assert council.ledger() == {"2015.csv": ("accepted", 2 * n, n, n, 0, 0)}
    rejected = (
        (council.root / "rejected/visits/2015.csv.visits.rejected.csv").read_text().splitlines()
    )
    for i, (line, _) in enumerate(cases, 1):
        assert rejected[i].startswith(f"{n + i},")
        assert rejected[i].endswith(line)


def test_quarantine_holds_no_value(council, monkeypatch):
    council.lands("2015.csv", row("good"), row("a", postcode="JOAN BLOGGS"))
    council.ingests(monkeypatch)
    files = [p for p in (council.lake.storage.root / "restricted").rglob("*") if p.is_file()]
    frame = council.lake.read(council.spark, "restricted/quarantine")
    assert "BLOGGS" not in str(frame.collect())
    assert not any(b"BLOGGS" in p.read_bytes() for p in files)


def test_records_with_line_breaks_quotes_and_commas(council, monkeypatch):
    council.lands("2015.csv", row("a", note='"one\ntwo, ""three"""'), row("b"))
    council.ingests(monkeypatch)
    assert council.rows("id", "note", "line") == [("a", 'one\ntwo, "three"', 1), ("b", None, 2)]


def test_windows_1252_and_gzip(council, monkeypatch):
    council.lands("1999.csv", row("a", note="café – £5 €", start="1999-01-01"), encoding="cp1252")
    text = "\n".join(["ID,PERID,START", "z,8,1998-05-05"]) + "\n"
    (council.landing / "visits/1998.csv.gz").write_bytes(gzip.compress(text.encode()))
    assert council.ingests(monkeypatch) == ""
    assert council.rows("id", "note") == [("a", "café – £5 €"), ("z", None)]


def test_one_identifier_in_every_spelling_is_one_person(council, monkeypatch):
    spellings = ["77", "077", " 77 ", "0077", "７７"]
    council.lands("2015.csv", *[row(str(i), person=p) for i, p in enumerate(spellings)])
    council.ingests(monkeypatch)
    assert len({person for (person,) in council.rows("person")}) == 1
    assert len(council.rows("person", table="restricted/people")) == 1


@pytest.mark.usefixtures("either_way")
def test_the_same_row_again_is_a_duplicate(council, monkeypatch):
    council.lands("2015.csv", row("a"), row("b"), row("a"), row("a"))
    council.ingests(monkeypatch)
    assert council.rows("id") == [("a",), ("b",)]
    assert council.ledger() == {"2015.csv": ("accepted", 4, 2, 0, 2, 0)}


@pytest.mark.usefixtures("either_way")
def test_a_key_again_in_a_file_with_other_content_is_superseded(council, monkeypatch):
    council.lands("2015.csv", row("a", note="first"), row("a", note="then"))
    council.ingests(monkeypatch)
    assert council.rows("id", "note") == [("a", "then")]
    assert council.rows("note", table="restricted/superseded/visits") == [("first",)]


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize(
    ("together", "order"),
    [
        (True, ("2014.csv", "2015.csv")),
        (False, ("2014.csv", "2015.csv")),
        (False, ("2015.csv", "2014.csv")),
    ],
)
def test_the_newest_extract_wins_whatever_came_first(council, monkeypatch, together, order):
    files = {
        "2014.csv": [row("a", note="old", start="2014-01-01"), row("b", start="2014-01-01")],
        "2015.csv": [row("a", note="new", start="2014-01-01"), row("c")],
    }
    for name in order:
        council.lands(name, *files[name])
        if not together:
            council.ingests(monkeypatch)
    council.ingests(monkeypatch)
    assert council.rows("id", "note") == [("a", "new"), ("b", None), ("c", None)]
    assert council.rows("id", "note", table="restricted/superseded/visits") == [("a", "old")]
    ledger = {name: entry[1:] for name, entry in council.ledger().items()}
    assert ledger == {"2014.csv": (2, 1, 0, 0, 1), "2015.csv": (2, 2, 0, 0, 0)}


@pytest.mark.usefixtures("either_way")
def test_a_corrected_file_replaces_its_rows_and_lets_others_come_back(council, monkeypatch):
    council.lands("2014.csv", row("a", note="old", start="2014-01-01"))
    council.lands("2015.csv", row("a", note="new", start="2014-01-01"), row("c"))
    council.ingests(monkeypatch)
    council.lands("2015.csv", row("c", note="mended"), row("d"))
    council.ingests(monkeypatch)
    assert council.rows("id", "note") == [("a", "old"), ("c", "mended"), ("d", None)]
    assert council.rows("id", table="restricted/superseded/visits") == []
    ledger = {name: entry[1:] for name, entry in council.ledger().items()}
    assert ledger == {"2014.csv": (1, 1, 0, 0, 0), "2015.csv": (2, 2, 0, 0, 0)}


def test_the_same_files_again_change_nothing(council, monkeypatch):
    council.lands("2015.csv", row("a"), row("b", sex="X"))
    council.ingests(monkeypatch)
    before = council.fingerprint()
    council.ingests(monkeypatch)
    assert council.fingerprint() == before


def test_a_file_beyond_the_gate_is_refused_and_the_rest_goes_on(council, monkeypatch):
    council.lands("2014.csv", *[row(str(i), sex="X") for i in range(3)])
    council.lands("2015.csv", row("a"))
    said = council.ingests(monkeypatch)
    assert "2014.csv: 3 of 3 rows (100.0%) would be quarantined" in said
    assert council.rows("id") == [("a",)]
    assert council.ledger() == {
        "2014.csv": ("refused", 3, 0, 3, 0, 0),
        "2015.csv": ("accepted", 1, 1, 0, 0, 0),
    }


def test_refused_file_in_the_landing_folder_does_not_stop_the_next_run(council, monkeypatch):
    council.lands("2014.csv", *[row(str(i), sex="X") for i in range(3)])
    council.ingests(monkeypatch)
    council.lands("2015.csv", row("a"))
    assert "2014.csv: 3 of 3 rows" in council.ingests(monkeypatch)
    assert council.rows("id") == [("a",)]


def test_a_reworded_description_changes_nothing(council, monkeypatch):
    council.lands("2014.csv", row("a", start="2014-01-01"))
    council.ingests(monkeypatch)
    council.contract["schema"]["fields"][0]["description"] = "Number of the visit."
    council.lands("2015.csv", row("a"), row("b"))
    assert council.ingests(monkeypatch) == ""
    assert council.rows("id") == [("a",), ("b",)]


def test_first_file_can_be_without_records(council, monkeypatch):
    council.lands("2015.csv")
    assert council.ingests(monkeypatch) == ""
    assert council.ledger() == {"2015.csv": ("accepted", 0, 0, 0, 0, 0)}
    council.lands("2014.csv", row("a", start="2014-01-01"))
    council.ingests(monkeypatch)
    assert council.rows("id") == [("a",)]


def test_file_with_only_superseded_rows_does_not_change_the_table(council, monkeypatch):
    council.lands("2015.csv", row("a"))
    council.ingests(monkeypatch)
    council.lands("2014.csv", row("a", start="2014-01-01"))
    council.ingests(monkeypatch)
    assert council.lake.version("restricted/visits") == 0
    assert council.rows("id", table="restricted/superseded/visits") == [("a",)]


def test_driver_and_spark_loads_alternate_on_one_table(council, monkeypatch):
    council.lands("2013.csv", *[row(key, note="3", start="2013-01-01") for key in "abc"])
    monkeypatch.setattr(staging, "DRIVER_MAX_ROWS", 0)
    council.ingests(monkeypatch)
    council.lands("2014.csv", *[row(key, note="4", start="2013-01-01") for key in "bcd"])
    monkeypatch.setattr(staging, "DRIVER_MAX_ROWS", 100)
    council.ingests(monkeypatch)
    council.lands("2015.csv", *[row(key, note="5", start="2013-01-01") for key in "cde"])
    monkeypatch.setattr(staging, "DRIVER_MAX_ROWS", 0)
    council.ingests(monkeypatch)
    council.lands("2014.csv", *[row(key, note="4 mended", start="2013-01-01") for key in "ab"])
    council.ingests(monkeypatch)
    found = [("a", "4 mended"), ("b", "4 mended"), ("c", "5"), ("d", "5"), ("e", "5")]
    assert council.rows("id", "note") == found
    lost = [("a", "3"), ("b", "3"), ("c", "3")]
    assert council.rows("id", "note", table="restricted/superseded/visits") == lost


def test_small_load_into_large_partitions_is_done_by_spark(council, monkeypatch):
    monkeypatch.setattr(load_driver, "DRIVER_MAX_REWRITE_BYTES", 0)
    council.lands("2014.csv", row("a", note="old", start="2014-01-01"), row("b"))
    council.ingests(monkeypatch)
    council.lands("2015.csv", row("a", note="new", start="2014-01-01"))
    council.ingests(monkeypatch)
    assert council.rows("id", "note") == [("a", "new")]
    last = council.lake.storage.root / "restricted/visits/_delta_log/00000000000000000001.json"
    assert "Apache-Spark" in last.read_text()


def test_a_file_refused_whole(council, monkeypatch):
    refused = {
        "2011.csv": (b"ID,DOB\na,\n", "lacks the column PERID, START"),
        "2012.csv": (b"ID,PERID,START,start\na,1,2015-01-01,\n", "START more than once"),
        "2013.csv": (b"", "empty"),
        "2014.csv": (b"ID,PERID,START,NOTE\na,1,2015-01-01,\xff\n", "not utf-8"),
    }
    for name, (content, _) in refused.items():
        (council.landing / "visits" / name).write_bytes(content)
    council.lands("2015.csv", row("a"))
    said = council.ingests(monkeypatch)
    assert all(f"{name}: " in said and why in said for name, (_, why) in refused.items())
    assert council.rows("id") == [("a",)]
    versions = council.versions()
    assert council.ingests(monkeypatch) == said  # still refused, and no news
    assert council.versions() == versions


def test_a_broken_correction_leaves_the_earlier_file(council, monkeypatch):
    council.lands("2015.csv", row("a"))
    council.ingests(monkeypatch)
    (council.landing / "visits/2015.csv").write_bytes(b"ID\n")
    assert "lacks" in council.ingests(monkeypatch)
    assert council.rows("id") == [("a",)]


def test_file_without_records_does_not_replace_its_period(council, monkeypatch):
    council.lands("2015.csv", row("a"))
    council.ingests(monkeypatch)
    council.lands("2015.csv")
    assert "contains no record" in council.ingests(monkeypatch)
    assert council.rows("id") == [("a",)]


def test_message_about_an_unclosed_header_quote_holds_no_record(council, monkeypatch):
    text = 'ID,PERID,START,"NOTE\na,1234567,2015-01-01,Joan Bloggs\n'
    (council.landing / "visits/2015.csv").write_text(text)
    said = council.ingests(monkeypatch)
    assert "not closed" in said
    assert "Bloggs" not in said + str(council.run)


def test_a_line_of_blanks_is_no_record_beside_a_file_with_line_breaks(council, monkeypatch):
    council.lands("2014.csv", row("a", note='"x\ny"', start="2014-01-01"))
    council.lands("2015.csv", row("b"), "   ", " " * 200, row("c"))
    assert council.ingests(monkeypatch) == ""
    assert council.rows("id") == [("a",), ("b",), ("c",)]


def test_negative_amount_in_brackets_is_not_read_as_positive(council, monkeypatch):
    council.lands("2015.csv", row("a", cost="-5.00"), row("b", cost="(5.00)"), row("c"))
    council.ingests(monkeypatch)
    assert council.rows("id", "cost") == [("a", Decimal("-5.00")), ("c", None)]
    assert reasons(council) == {2: ["type"]}


def test_a_run_that_breaks_off_leaves_nothing(council, monkeypatch):
    council.lands("2014.csv", row("a", start="2014-01-01"))
    council.ingests(monkeypatch)
    before = council.rows("id", "note"), council.ledger()
    council.lands("2015.csv", row("a", note="new"), row("b"))

    def broken(*_):
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(ledger_entries, "ledger_rows", broken)
        with pytest.raises(RuntimeError):
            council.ingests(monkeypatch)
    assert (council.rows("id", "note"), council.ledger()) == before
    assert not has_unfinished_commits(council.lake)
    council.ingests(monkeypatch)
    assert council.rows("id", "note") == [("a", "new"), ("b", None)]


def test_a_run_that_was_killed_is_undone_by_the_next(council, monkeypatch):
    council.lands("2014.csv", row("a", start="2014-01-01"))
    council.ingests(monkeypatch)
    before = council.rows("id", "note")
    council.lands("2015.csv", row("a", note="new"))
    note = (council.lake.storage.root / "unfinished.json").with_name("kept.json")

    def killed(*_):
        (council.lake.storage.root / "unfinished.json").rename(note)  # as if nobody could clean up
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ledger_entries, "ledger_rows", killed)
        with pytest.raises(KeyboardInterrupt):
            council.ingests(monkeypatch)
    note.rename(council.lake.storage.root / "unfinished.json")
    assert council.rows("id", "note") != before
    roll_back(council.spark, council.lake)
    assert council.rows("id", "note") == before


def test_a_changed_contract_reads_all_files_again(council, monkeypatch):
    council.lands("2014.csv", row("a", start="2014-01-01"))
    council.ingests(monkeypatch)
    council.contract["schema"]["fields"][7]["socare"] = {"degrade": "district", "as": "district"}
    council.lands("2015.csv", row("b"))
    council.ingests(monkeypatch)
    assert council.rows("id", "district") == [("a", "B1"), ("b", "B1")]


def test_a_changed_contract_needs_all_files(council, monkeypatch):
    council.lands("2014.csv", row("a", start="2014-01-01"))
    council.ingests(monkeypatch)
    council.contract["schema"]["fields"][7]["socare"] = {"drop": True}
    (council.landing / "visits/2014.csv").unlink()
    with pytest.raises(Exception, match="no longer in the landing folder"):
        council.ingests(monkeypatch)


@pytest.mark.usefixtures("either_way")
def test_snapshots_supersede_nothing(council, monkeypatch):
    council.contract["socare"] |= {"snapshots": True, "extract_column": "snapshot"}
    council.lands("2014.csv", row("a", start="2014-01-01"))
    council.ingests(monkeypatch)
    council.lands("2015.csv", row("a", start="2014-01-01"), row("a", start="2014-01-01"))
    council.ingests(monkeypatch)
    assert council.rows("id", "snapshot") == [("a", date(2014, 12, 31)), ("a", date(2015, 12, 31))]
    assert council.ledger()["2015.csv"] == ("accepted", 2, 1, 0, 1, 0)


def test_quarantine_exists_without_a_row(council, monkeypatch):
    council.lands("2015.csv", row("a"))
    council.ingests(monkeypatch)
    assert council.lake.exists("restricted/quarantine")
    assert council.rows("line", table="restricted/quarantine") == []


def test_undeclared_columns_are_reported_and_not_read(council, monkeypatch):
    council.lands("2015.csv", "a,1,2015-01-01,x", header="ID,PERID,START,NOTES")
    council.ingests(monkeypatch)
    assert council.run.warnings[:2] == [
        "visits/2015.csv: the column 'NOTES', which looks like NOTE, is not in the contract and "
        "was not read.",
        "visits/2015.csv: 6 optional columns are missing: DOB, END, COST, SEX, POSTCODE, NOTE.",
    ]


def test_many_small_files_are_one_commit(council, monkeypatch):
    for i in range(120):
        council.lands(f"2015_{'abcdefghij'[i // 12]}{'abcdefghijkl'[i % 12]}.csv", row(str(i)))
    council.ingests(monkeypatch)
    assert len(council.rows("id")) == 120
    assert council.lake.version("restricted/visits") == 0
