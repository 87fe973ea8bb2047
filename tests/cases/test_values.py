"""What cells mean, from the landing folder to the lake: encodings, keys and odd columns."""

import gzip
import os
from itertools import count

import pytest
from council import HEADER, Council

from socare_spark.ingest import admission
from socare_spark.ingest import job as ingest_job

IDS = count()


def lines(*notes, header=HEADER, end="", ids=IDS):
    pairs = zip(notes, ids, strict=False)
    rows = [f"{i},7,1950-06-15,1999-03-01,,,F,B1 1AA,{n},SMITH{end}" for n, i in pairs]
    return "\n".join([header, *rows, ""])


AGAIN = lines("again")
READ = {
    "1999_marked.csv": ("\ufeff" + lines("Day care – older £", "b")).encode(),
    "1999_zipped.csv.gz": gzip.compress(("\ufeff" + lines("café")).encode()),
    "1999_page.csv": lines("café – £").encode("cp1252"),
    "2015_wide.csv": lines("café").encode("utf-16"),
    "2015_mojibake.csv": lines("cafÃ©", "Day care â€“ older", "Â£5", "café").encode(),
    "2013.csv": AGAIN.encode(),
    "2014.csv": AGAIN.encode(),
    "2015_repeats.csv": lines("a", "b", "b", "c", ids=[900, 901, 901, 901]).encode(),
    "2015_once.csv": lines(*"abcdefghij" * 15, ids=[*range(10_000, 10_149), 10_000]).encode(),
    "2015_more.csv": lines("x", header=HEADER + ",A,NOTES", end=",1,2").encode(),
}
REFUSED = {
    "2015_twice.csv.gz": (gzip.compress(gzip.compress(lines("a").encode())), "gzipped twice"),
    "2015_zero.csv.gz": (b"", "the file is empty"),
    "2015_sparse.csv": (b"\0" * 4_096, "NUL"),
    "2015_trail.csv": (lines("a", "b", end=",,").encode(), "socare.trailing_delimiter: true"),
    "2015_head.csv": (lines("a", "b", header=HEADER + ",").encode(), "header ends in a delimiter"),
    "2015_wider.csv": (lines("a,b", "b,c").encode(), "11 cells, and the header has 10"),
    "2015_alias.csv": (None, "are links to one file"),
    "2015_target.csv": (lines("a").encode(), "are links to one file"),
    "1999_latin.csv.gz": (b"x", "rename it"),
    "1999_plain.csv": (lines("Day care – older £").encode(), "declare the encoding utf-8"),
    "2015_rounded.csv": (lines(*"abcdefgh", ids=[9] * 7 + [10]).encode(), "75.0%"),
    "1999_late.csv.gz": (gzip.compress(lines(*["a"] * 99, "é").encode()), "declare the encoding"),
}


ODD_NAMES = {
    b"2015_\xff.csv": r"visits/2015_\xff.csv: the name contains control characters or bytes",
    b"2015_\t.csv": r"visits/2015_\x09.csv: the name contains control characters or bytes",
    b"_2015.csv": "visits/_2015.csv: Spark does not read files whose names begin with _ or .",
    b"2015_a:b.csv": "visits/2015_a:b.csv: Spark does not read files whose names contain a colon",
    b".2015.csv": "visits/.2015.csv: Spark does not read files whose names begin with _ or .",
}


@pytest.fixture(scope="module")
def landed(spark_session, tmp_path_factory):
    council = Council(spark_session, tmp_path_factory.mktemp("values"))
    council.contract["socare"]["repeated_keys_gate"] = 0.5
    files = r"visits/[_.]?(?P<period>\d{4}(-\d{2})?)(_(?P<area>[^.]+))?\.csv(\.gz)?"
    council.contract["socare"]["files"] = files
    visits = council.landing / "visits"
    files = READ | {name: data for name, (data, _) in REFUSED.items()}
    for name, data in files.items():
        if data is not None:
            (visits / name).write_bytes(data)
    (visits / "2015_alias.csv").symlink_to("2015_target.csv")
    (visits / "2015_gone.csv").symlink_to("nowhere.csv")
    (council.landing / "shared").symlink_to(visits)
    for name in ODD_NAMES:
        (visits / os.fsdecode(name)).write_text(lines("odd"))
    os.mkfifo(visits / "2015_pipe.csv")
    outside = council.root / "outside.csv"
    outside.write_text(lines("from outside"))
    (visits / "2015_outside.csv").symlink_to(outside)
    with pytest.MonkeyPatch.context() as patch:
        refused = council.ingests(patch)
    return council, refused


def notes_of(council, name):
    rows = council.lake.read(council.spark, "restricted/visits")
    return [r["note"] for r in rows.where(f"source_file = 'visits/{name}'").sort("line").collect()]


def test_byte_order_mark_takes_precedence_over_the_declared_encoding(landed):
    council, _ = landed
    assert notes_of(council, "1999_marked.csv") == ["Day care – older £", "b"]
    assert notes_of(council, "1999_zipped.csv.gz") == ["café"]
    assert notes_of(council, "1999_page.csv") == ["café – £"]
    assert notes_of(council, "2015_wide.csv") == ["café"]
    said = "\n".join(council.run.warnings)
    assert "1999_marked.csv and 1 more file: read as utf-8, which the byte order mark names" in said
    assert "2015_wide.csv: read as utf-16le" in said
    assert "1999_page.csv: read as" not in said


@pytest.mark.parametrize("name", REFUSED)
def test_file_with_a_contradictory_encoding_is_refused(landed, name):
    council, refused = landed
    assert any(name in line and REFUSED[name][1] in line for line in refused.splitlines())
    assert notes_of(council, name) == []


@pytest.mark.parametrize("name", ODD_NAMES)
def test_file_with_an_unusable_name_is_refused(landed, name):
    council, refused = landed
    assert ODD_NAMES[name] in refused
    assert ODD_NAMES[name].partition(": ")[0] in council.run.landing


def test_links_and_pipes_are_reported(landed):
    council, _ = landed
    said = "\n".join(council.run.warnings)
    assert "visits/2015_gone.csv was not read: the target of the link does not exist" in said
    assert "shared was not read: a link to a folder is not followed" in said
    assert "visits/2015_pipe.csv was not read: neither a file nor a folder" in said
    assert notes_of(council, "2015_outside.csv") == ["from outside"]


def test_mojibake_is_kept_and_counted_by_file_and_column(landed):
    council, _ = landed
    assert notes_of(council, "2015_mojibake.csv")[0] == "cafÃ©"
    (said,) = [w for w in council.run.warnings if "wrong encoding" in w]
    assert said.startswith("visits/2015_mojibake.csv: the column NOTE has 3 cells")


def test_undeclared_columns_of_all_files_are_one_sentence(landed):
    council, _ = landed
    said = [w for w in council.run.warnings if "read" in w and "column" in w]
    assert said == [
        "visits: 3 columns of 2 files are not in the contract and were not read: one without a "
        "name, 'A', 'NOTES'.",
    ]


def test_the_same_content_for_two_periods_is_reported(landed):
    council, _ = landed
    said = [w for w in council.run.warnings if "same content" in w]
    assert said == [
        "visits/2013.csv, visits/2014.csv: these files have the same content, so one may have the "
        "wrong name or may be a duplicate: compare them and ask for the right file."
    ]


def test_keys_that_repeat_in_a_file_are_reported(landed):
    council, _ = landed
    (said,) = [w for w in council.run.warnings if "of a later row" in w]
    assert said.startswith(
        "visits/2015_repeats.csv: 2 of 4 rows (50.0%) have the key (ID) of a later row of the file "
        "and were not kept; 1 of them equals a later row in all columns"
    )
    assert council.ledger()["2015_repeats.csv"] == ("accepted", 4, 2, 0, 1, 1)
    assert council.ledger()["2015_once.csv"] == ("accepted", 150, 149, 0, 0, 1)


def test_a_file_that_vanishes_after_it_was_read_does_not_end_the_run(
    spark_session, tmp_path, monkeypatch
):
    council = Council(spark_session, tmp_path)
    council.lands(
        "2015.csv", "1,7,2015-01-01", "2,7,2015-01-01", "3,7,soon", header="ID,PERID,START"
    )
    path, stage = council.landing / "visits" / "2015.csv", ingest_job.stage_dataset

    def vanishing(*arguments):
        staged = stage(*arguments)
        path.unlink()
        return staged

    monkeypatch.setattr(ingest_job, "stage_dataset", vanishing)
    assert council.ingests(monkeypatch) == ""
    assert council.ledger()["2015.csv"] == ("accepted", 3, 2, 1, 0, 0)
    said = " ".join(council.run.warnings)
    assert "visits/2015.csv: its rejected lines were not written" in said


def test_file_that_grows_during_the_run_is_reported(spark_session, tmp_path, monkeypatch):
    council = Council(spark_session, tmp_path)
    council.lands("2015.csv", "1,7,2015-01-01", header="ID,PERID,START")
    path, examine = council.landing / "visits" / "2015.csv", admission.inspect_file

    def growing(arrival, folder):
        seen = examine(arrival, folder)
        path.write_text(path.read_text() + "2,7,2015-01-01\n")
        return seen

    monkeypatch.setattr(admission, "inspect_file", growing)
    assert "2015.csv: cannot be read to its end, or has changed" in council.ingests(monkeypatch)


def test_without_a_key_every_record_counts(spark_session, tmp_path, monkeypatch):
    council = Council(spark_session, tmp_path)
    council.contract["schema"]["primaryKey"] = "none"
    council.lands("2014.csv", *["1,7,2014-01-01"] * 3, header="ID,PERID,START")
    council.lands("2015.csv", *["1,7,2014-01-01"] * 2, header="ID,PERID,START")
    assert council.ingests(monkeypatch) == ""
    place = ("source_file", "line")
    names = [("visits/2014.csv", i) for i in (1, 2, 3)] + [("visits/2015.csv", i) for i in (1, 2)]
    assert council.rows(*place) == names
    (warning,) = [w for w in council.run.warnings if "a later row" in w]
    assert warning.startswith("visits: 3 of 5 rows (60.0%) equal a later row of the same file")
    assert "(in 2 files, most of them in visits/2014.csv). All rows were kept" in warning
    council.lands("2014.csv", *["1,7,2014-01-01"] * 2, header="ID,PERID,START")
    assert council.ingests(monkeypatch) == ""
    assert council.rows(*place) == [n for n in names if n != ("visits/2014.csv", 3)]
    assert council.ledger()["2014.csv"] == ("accepted", 2, 2, 0, 0, 0)


def test_a_boolean_is_a_column_of_the_table(spark_session, tmp_path, monkeypatch):
    council = Council(spark_session, tmp_path)
    flag = {"name": "FLAG", "type": "boolean", "socare": {"keep": "as_is"}}
    council.contract["schema"]["fields"].append(flag)
    cells = ["true", "0", "", "yes"]
    rows = [f"{i},7,2014-01-01,{cell}" for i, cell in enumerate(cells)]
    council.lands("2014.csv", *rows, header="ID,PERID,START,FLAG")
    assert council.ingests(monkeypatch) == ""
    assert council.rows("id", "flag") == [("0", True), ("1", False), ("2", None)]
    assert council.rows("reasons", "columns", table="restricted/quarantine") == [
        (["type"], ["FLAG"])
    ]


def test_the_meaning_of_a_missing_value_is_kept(spark_session, tmp_path, monkeypatch):
    council = Council(spark_session, tmp_path)
    count = {
        "name": "COUNT",
        "type": "integer",
        "missingValues": {"*": "suppressed", "": "unknown", "n/a": "not applicable"},
        "socare": {"keep": "as_is", "status": "count_status", "optional": True},
    }
    council.contract["schema"]["fields"].append(count)
    cells = ["5", "*", " ", "n/a", "NULL"]
    rows = [f"{i},7,2014-01-01,{cell}" for i, cell in enumerate(cells)]
    council.lands("2014.csv", *rows, header="ID,PERID,START,COUNT")
    council.lands("2015.csv", "9,7,2015-01-01", header="ID,PERID,START")
    assert council.ingests(monkeypatch) == ""
    assert council.rows("id", "count", "count_status") == [
        ("0", 5, None),
        ("1", None, "suppressed"),
        ("2", None, "unknown"),
        ("3", None, "not applicable"),
        ("9", None, None),
    ]
    # The column has its own list, so NULL is a text.
    assert council.rows("reasons", table="restricted/quarantine") == [(["type"],)]
