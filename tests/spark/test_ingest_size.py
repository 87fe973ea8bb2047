"""What is done by the driver for few rows and by tasks for many: the outcome is the same."""

import pyarrow as pa
import pytest
from council import HEADER, Council

from socare_spark.ingest import ledger_entries, people, staging
from socare_spark.ingest.ledger import QUARANTINE
from socare_spark.ingest.people import CollisionError
from socare_spark.lake import lake
from socare_spark.lake.lake import Lake
from socare_spark.report import summary

BAD = {
    "{},7,,2015-02-30,,,F,,,": (["date_format"], ["START"]),
    "{},,,2015-03-01,,dear,X,,,": (
        ["person_missing", "type", "not_allowed"],
        ["PERID", "COST", "SEX"],
    ),
    "{},7": (["row_shape"], [""]),
    '{},7,,2015-03-01,,,X,,"one\ntwo",': (["not_allowed"], ["SEX"]),
}
GOOD = "{},7,,2015-03-01,,,F,,,"


def lines(first, size):
    """Records of a file: of three, one is bad, in ways that follow one another."""
    kinds = list(BAD)
    texts = [GOOD if i % 3 else kinds[i // 3 % len(kinds)] for i in range(size)]
    return [text.format(first + i) for i, text in enumerate(texts)], texts


@pytest.fixture(params=["few", "many"])
def many(monkeypatch, request):
    """Constants so small that tasks do what the driver does else, and pieces of two rows."""
    many = request.param == "many"
    if many:
        monkeypatch.setattr(staging, "DRIVER_MAX_ROWS", 0)
        monkeypatch.setattr(ledger_entries, "_DRIVER_MAX_QUARANTINED", 0)
        monkeypatch.setattr(people, "_DRIVER_MAX_PEOPLE", 0)
        monkeypatch.setitem(lake.READ_IN_BATCHES, "batch_size", 2)
    return many


def test_driver_and_spark_quarantine_the_same_rows(spark, tmp_path, monkeypatch, many):
    council = Council(spark, tmp_path)
    texts = {name: lines(first, 40) for name, first in (("2015.csv", 0), ("2016.csv", 100))}
    for name, (rows, _) in texts.items():
        council.lands(name, *rows)
    assert council.ingests(monkeypatch) == ""
    expected = [
        (f"visits/{name}", line, *BAD[kind])
        for name, (_, kinds) in texts.items()
        for line, kind in enumerate(kinds, 1)
        if kind in BAD
    ]
    found = council.rows("file", "line", "reasons", "columns", table="restricted/quarantine")
    assert found == sorted(expected, key=str)
    assert council.ledger() == {name: ("accepted", 40, 26, 14, 0, 0) for name in texts}
    for name, (rows, kinds) in texts.items():
        path = tmp_path / "rejected" / "visits" / f"{name}.visits.rejected.csv"
        rejected = [f"line,reasons,{HEADER}"]
        for line, (row, kind) in enumerate(zip(rows, kinds, strict=True), 1):
            if kind in BAD:
                named = zip(*BAD[kind], strict=True)
                reasons = " ".join(f"{code}:{column}" if column else code for code, column in named)
                rejected.append(f"{line},{reasons},{row}")
        assert path.read_text().splitlines() == "\n".join(rejected).splitlines()
    log = council.lake.storage.root / "restricted/quarantine/_delta_log/00000000000000000000.json"
    assert ("Apache-Spark" in log.read_text()) == many


def test_a_file_that_is_refused_for_its_bad_rows_is_counted_too(spark, tmp_path, monkeypatch, many):
    council = Council(spark, tmp_path)
    council.contract["socare"]["gate"] = 0.1
    council.lands("2015.csv", *lines(0, 9)[0])
    council.lands("2016.csv", *[GOOD.format(i) for i in range(20)])
    said = council.ingests(monkeypatch)
    assert "3 of 9 rows" in said
    assert len(council.rows("line", table="restricted/quarantine")) == 3
    assert council.ledger() == {
        "2015.csv": ("refused", 9, 0, 9, 0, 0),
        "2016.csv": ("accepted", 20, 20, 0, 0, 0),
    }


@pytest.mark.usefixtures("many")
def test_token_collision_is_found_by_spark(spark, tmp_path, monkeypatch):
    council = Council(spark, tmp_path)
    council.lands("2015.csv", GOOD.format(1), GOOD.format(2))
    council.ingests(monkeypatch)
    known = council.lake.to_pandas(people.PEOPLE)
    known["digest"] = [b"0" * 32]
    council.lake.append_arrow(people.PEOPLE, pa.Table.from_pandas(known, preserve_index=False), {})
    council.lands("2016.csv", GOOD.replace(",7,", ",8,").format(3))
    with pytest.raises(CollisionError, match="1 token collides"):
        council.ingests(monkeypatch)


def test_large_table_is_not_read_by_the_driver(spark, tmp_path, monkeypatch):
    council = Council(spark, tmp_path)
    council.lands("2015.csv", GOOD.format(1), GOOD.format(2))
    council.ingests(monkeypatch)
    for module in ("load_driver", "people"):
        monkeypatch.setattr(f"socare_spark.ingest.{module}.DRIVER_MAX_SCAN_BYTES", 0)
    monkeypatch.setattr(Lake, "lookup", lambda *_: pytest.fail("the driver read a large table"))
    council.lands("2016.csv", GOOD.replace(",7,", ",8,").format(2), GOOD.format(3))
    assert council.ingests(monkeypatch) == ""
    assert council.rows("id", "source_file") == [
        ("1", "visits/2015.csv"),
        ("2", "visits/2016.csv"),
        ("3", "visits/2016.csv"),
    ]
    assert len(council.rows("person", table="restricted/people")) == 2


def test_reasons_are_counted_in_batches(spark, tmp_path, monkeypatch):
    council = Council(spark, tmp_path)
    council.lands("2015.csv", *lines(0, 40)[0])
    council.ingests(monkeypatch)
    every = Lake.to_dicts

    def rows(self, table, *columns, **how):
        assert table != QUARANTINE.path, "all of quarantine was read at once"
        return every(self, table, *columns, **how)

    monkeypatch.setattr(Lake, "to_dicts", rows)
    monkeypatch.setitem(lake.READ_IN_BATCHES, "batch_size", 2)
    grid = summary._reasons(council.lake)
    cells = [list(column.cells) for column in grid.columns]
    assert dict(zip(*cells, strict=True)) == {
        "date_format": "4",
        "not_allowed": "7",
        "person_missing": "4",
        "row_shape": "3",
        "type": "4",
    }
