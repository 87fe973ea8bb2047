"""Every file and record of a landing folder has an outcome; one bad file stops no other."""

import gzip

import pytest
from council import HEADER, Council

from socare_spark.ingest import job as ingest_job

ROW = "{},7,1950-06-15,2015-03-01,,,F,B1 1AA,{},SMITH"


def lines(*notes, start=0, newline="\n"):
    return newline.join([HEADER, *(ROW.format(start + i, n) for i, n in enumerate(notes)), ""])


ACCEPTED = {
    "2015_pipe.csv": (lines('12" pipe', 'x"y"', "a"), 3),
    "2015_break.csv": (lines('"12 High St, Moseley\nBirmingham"', "b"), 2),
    "2015_returns.csv": (lines('"one\r\ntwo"', "b", newline="\r\n"), 2),
    "2015_mac.csv": (lines("a", "b", newline="\r"), 2),
    "2015_mixed.csv": (lines("a", "b") + lines("c", start=5, newline="\r\n"), 3),
    "2015_blank.csv": (",,,,,,,,,\n" + lines("a", "b") + '  \n,,\n"","",,,,,,,,\n', 2),
    "2015_broken.csv": (",,,,,,,,,\n" + lines('"a\nb"', "b") + "\n   \n,,,,,,,,,\n", 2),
    "2015_joined.csv": (lines("a") + lines("b", start=1), 2),
    "2015_bom.csv": ("\ufeff" + lines("a") + "\ufeff" + lines("b", start=1), 2),
    "2015_sep.csv": ("sep=,\n" + lines("a"), 1),
    "2015_empty.csv": (lines(), 0),
    "2015_doubled.csv": (lines('"say ""no"", now"', '""""', '"a,b"'), 3),
}
REFUSED = {
    "2014_open.csv": (lines("a", '"open', "b", "c"), "opens in line 3"),
    "2014_early.csv": (lines('"ends "early, and goes on"'), "opens in line 2"),
    "2014_title.csv": ("Visits of 2014\n" + lines("a"), "row 2, and other text"),
    "2014_semicolon.csv": (lines("a").replace(",", ";"), 'dialect.delimiter ";"'),
    "2014_wide.csv": (lines("a").encode("utf-16le"), "UTF-16"),
    "2014_sheet.csv": (b"PK\x03\x04 xl/workbook.xml", "an Excel workbook"),
    "2014_padded.csv.gz": (gzip.compress(lines("a").encode()) + b"\0" * 64, "bytes follow"),
    "2014-13_month.csv": (lines("a"), "the name has no valid period"),
    "2014_twice.csv": (lines("a"), "claim the same period"),
    "2014_twice.csv.gz": (gzip.compress(lines("a").encode()), "claim the same period"),
    "2014_trailing.csv": (HEADER + "\n" + (ROW.format(1, "a") + ",\n") * 3, "end in a delimiter"),
    "2014_lacking.csv": ("ID,START\n1,2014-01-01\n", "lacks the column PERID"),
}
UNCLAIMED = ["2013.CSV", "2013 (1).csv", "2013.csv.zip", "2013_14.csv"]


@pytest.fixture(scope="module")
def landed(spark_session, tmp_path_factory):
    council = Council(spark_session, tmp_path_factory.mktemp("records"))
    for name, (content, _) in (ACCEPTED | REFUSED).items():
        data = content.encode() if isinstance(content, str) else content
        (council.landing / "visits" / name).write_bytes(data)
    for name in UNCLAIMED:
        (council.landing / "visits" / name).write_text(lines("a"))
    with pytest.MonkeyPatch.context() as patch:
        refused = council.ingests(patch)
    return council, refused


def test_accepted_files_keep_every_record(landed):
    council, _ = landed
    ledger = {n: e[:2] for n, e in council.ledger().items() if e[0] == "accepted"}
    assert ledger == {name: ("accepted", count) for name, (_, count) in ACCEPTED.items()}


def test_line_numbers_are_those_of_the_records(landed):
    council, _ = landed
    rows = council.lake.read(council.spark, "restricted/superseded/visits").unionByName(
        council.lake.read(council.spark, "restricted/visits")
    )
    found = {(r["source_file"], r["line"]) for r in rows.select("source_file", "line").collect()}
    known = {
        (f"visits/{name}", i + 1) for name, (_, count) in ACCEPTED.items() for i in range(count)
    }
    assert found <= known
    assert ("visits/2015_joined.csv", 2) in known


@pytest.mark.parametrize("name", REFUSED)
def test_a_fault_of_a_file_refuses_that_file(landed, name):
    council, refused = landed
    said = [line for line in refused.splitlines() if line.strip().startswith(f"visits/{name}: ")]
    assert len(said) == 1
    assert REFUSED[name][1] in said[0]
    assert council.ledger()[name][0] == "refused"


def test_files_that_no_contract_claims_are_named(landed):
    council, _ = landed
    said = " ".join(council.run.warnings)
    assert all(f"visits/{name}" in said for name in UNCLAIMED)
    assert "upper and lower case" in said
    assert "that of a copy" in said
    assert "an archive: unpack it" in said
    assert {council.run.landing[f"visits/{name}"] for name in UNCLAIMED} == {
        "no contract's pattern matches"
    }


def test_every_file_has_an_outcome(landed):
    council, _ = landed
    names = {p.relative_to(council.landing).as_posix() for p in council.landing.rglob("*.*")}
    assert set(council.run.landing) == names


def test_skipped_lines_are_reported(landed):
    council, _ = landed
    said = " ".join(council.run.warnings)
    assert (
        "2015_blank.csv and 5 more files: lines were skipped (3 before the header, 5 without a "
        "value, 3 that repeat the header)"
    ) in said
    assert "2015_empty.csv: the file contains a header and no record" in said


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16be"])
def test_utf_16_with_tabs_is_read_where_it_is_declared(
    spark_session, tmp_path, monkeypatch, encoding
):
    council = Council(spark_session, tmp_path)
    council.contract |= {"encoding": encoding, "dialect": {"delimiter": "\t"}}
    council.contract["socare"]["encodings"] = []
    text = "\t\t\t\n" + lines("café", '"a\nb"').replace(",", "\t") + "\t\t\n"
    (council.landing / "visits" / "2015.csv").write_bytes(text.encode(encoding))
    assert council.ingests(monkeypatch) == ""
    assert council.rows("id", "note", "line") == [("0", "café", 1), ("1", "a\nb", 2)]


def test_file_damaged_during_the_run_is_refused_alone(spark_session, tmp_path, monkeypatch):
    council = Council(spark_session, tmp_path)
    council.lands("2014.csv", ROW.format("a", "x").replace("2015", "2014"))
    path = council.landing / "visits" / "2015.csv.gz"
    path.write_bytes(gzip.compress(lines(*map(str, range(5_000))).encode()))
    stage = ingest_job.stage_dataset

    def damaged(*arguments):
        path.write_bytes(path.read_bytes()[:900])
        return stage(*arguments)

    monkeypatch.setattr(ingest_job, "stage_dataset", damaged)
    assert "2015.csv.gz: cannot be read to its end" in council.ingests(monkeypatch)
    assert council.rows("id") == [("a",)]
    assert council.run.landing["visits/2015.csv.gz"] == "refused"
