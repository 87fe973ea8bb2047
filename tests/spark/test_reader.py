"""The scan of records against Spark's reader: the same records and cells, on files of all sorts."""

import csv
import io
import random

import pytest
from council import Council

from socare_spark.contracts.contract import Contract
from socare_spark.ingest.discovery import ReadableFile, discover_files, inspect_file
from socare_spark.ingest.reader import group_by_layout, scan

TOKENS = ["a", "7", ",", ",", ",", '"', '""', '","', "\n", "\n", " ", 'x"', "\u00e9"]


def texts(newline):
    rng = random.Random(newline)
    for _ in range(150):
        body = "".join(rng.choice(TOKENS) for _ in range(rng.randint(4, 30)))
        yield ("A,B\nq,w\n" + body).replace("\n", newline)


def cells_of(text):
    """The records that hold a value and are not the header, by the standard library."""
    rows = csv.reader(io.StringIO(text, newline=""))
    found = [[cell.replace("\r\n", "\n").replace("\r", "\n") for cell in row] for row in rows]
    some = [r for r in found if any(c.strip() for c in r[:2]) or any(c.strip(' ,"\n') for c in r)]
    return [r for r in some if [c.lower() for c in r] != ["a", "b"]]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_spark_reads_the_records_that_the_scan_counts(spark, tmp_path, newline):
    council = Council(spark, tmp_path)
    fields = [{"name": n, "socare": {"keep": "as_is"}} for n in "AB"]
    fields[0]["constraints"] = {"required": True}
    schema = {"primaryKey": ["A"], "fields": fields}
    files = r"visits/(?P<period>\d{4})_(?P<part>\d+)\.csv"
    contract = Contract.model_validate(
        {"name": "visits", "schema": schema, "socare": {"files": files}}
    )
    wanted = {}
    for i, text in enumerate(texts(newline)):
        (council.landing / "visits" / f"2015_{i}.csv").write_bytes(text.encode())
        wanted[f"2015_{i}.csv"] = text
    seen = [
        inspect_file(arrival, tmp_path) for arrival in discover_files(council.landing, contract)[0]
    ]
    files = [file for file in seen if isinstance(file, ReadableFile)]
    assert len(files) > 40
    found = {file.landed.path.name: [] for file in files}
    for group in group_by_layout(files):
        for file in group:
            rows = scan(spark, [file]).drop("_path", "_block").collect()
            found[file.landed.path.name] = [tuple(row) for row in rows]
    for file in files:
        name = file.landed.path.name
        expected = cells_of(wanted[name])
        assert len(found[name]) == len(expected) == file.profile.records, repr(wanted[name])
        whole = [[c or "" for c in row[:2]] for row in found[name] if row[2] is None]
        assert whole == [row for row in expected if len(row) == 2], repr(wanted[name])
