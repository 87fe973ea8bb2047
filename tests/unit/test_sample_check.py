"""The first records of a file are copied as they are, without a cut within a record."""

import gzip

import pytest

from socare_spark.contracts.contract import Contract
from socare_spark.ingest.discovery import inspect_file
from socare_spark.ingest.landed_file import LandedFile
from socare_spark.ingest.sample_check import DatasetSample, FileSample, first_records, sample_lines

ROWS = 'ID,NOTE\n1,"a\nb"\n2,é\n3,c\n4,d\n'
BOM = b"\xef\xbb\xbf"
FIRST = 'ID,NOTE\n1,"a\nb"\n2,é\n'


def landed(path, encoding="utf-8"):
    fields = [{"name": name, "socare": {"keep": "as_is"}} for name in ("ID", "NOTE")]
    contract = Contract.model_validate(
        {
            "name": "visits",
            "encoding": encoding,
            "schema": {"primaryKey": "none", "fields": fields},
            "socare": {"files": r"(?P<period>\d+)\..*"},
        }
    )
    return LandedFile(contract, path, path.name, "2015", "", 0)


@pytest.mark.parametrize(
    ("name", "encoding", "written", "copied"),
    [
        ("2015.csv", "utf-8", ROWS.encode(), FIRST.encode()),
        ("2015.csv", "windows-1252", ROWS.encode("cp1252"), FIRST.encode("cp1252")),
        ("2015.csv", "windows-1252", BOM + ROWS.encode(), BOM + FIRST.encode()),
        ("2015.csv", "utf-16", ROWS.encode("utf-16"), FIRST.encode("utf-16")),
        ("2015.csv", "utf-16be", ROWS.encode("utf-16be"), FIRST.encode("utf-16be")),
        ("2015.csv.gz", "utf-8", gzip.compress(ROWS.encode(), mtime=0), FIRST.encode()),
        ("2015.csv", "utf-8", FIRST.encode(), FIRST.encode()),
    ],
)  # fmt: skip
def test_first_records_keep_their_bytes(tmp_path, name, encoding, written, copied):
    path = tmp_path / name
    path.write_bytes(written)
    sample, is_part = first_records(landed(path, encoding), tmp_path / "copy.csv", 2)
    assert is_part is (written != copied)
    assert sample.path.read_bytes() == copied
    assert (sample.name, sample.period) == (name, "2015")
    assert inspect_file(sample, tmp_path).profile.records == 2


@pytest.mark.parametrize("content", [b"", b'ID,NOTE\n1,"a"b\n', b"PK\x03\x04xl/"])
def test_a_file_without_records_is_not_copied_and_is_refused(tmp_path, content):
    path = tmp_path / "2015.csv"
    path.write_bytes(content)
    file = landed(path)
    assert first_records(file, tmp_path / "copy.csv", 2) == (file, False)
    assert not hasattr(inspect_file(file, tmp_path), "profile")


def test_outcome_names_rows_reasons_and_columns():
    files = [
        FileSample(
            "a.csv", "", 10_000, 9_990, 2, {("type", "COST"): 3, ("missing", "DAY"): 7}, True
        ),
        FileSample("b.csv", "is empty"),
        FileSample("c.csv", "50 of 100 rows", 100, 50, 0, {("row_shape", ""): 50}),
    ]
    assert sample_lines(DatasetSample("visits", files, ["A note."])) == [
        "a.csv: first 10,000 rows: 9,990 kept, 8 quarantined, 2 with the key of a later row",
        "  7 missing DAY",
        "  3 type COST",
        "c.csv: 100 rows: 50 kept, 50 quarantined",
        "  50 row_shape",
        "b.csv: refused: is empty",
        "c.csv: refused: 50 of 100 rows",
        "note: A note.",
    ]
    assert sample_lines(DatasetSample("visits", [])) == ["no file"]


def test_outcomes_of_many_files_are_added_up():
    files = [
        FileSample(f"{n}.csv", "too many", 10, 8, 0, {("type", "COST"): 2, ("missing", "DAY"): 1})
        for n in range(158)
    ]
    lines = sample_lines(DatasetSample("visits", files))
    assert lines[:4] == [
        "158 files: 1,580 rows: 1,264 kept, 316 quarantined",
        "  316 type COST",
        "  158 missing DAY",
        "0.csv: refused: too many",
    ]
    assert lines[-1] == "refused: 138 more files"
    assert len(lines) == 24
