"""`maintain` erases what no kept version needs, and changes no row, figure or freshness."""

import io
import json
import os
import sys
from contextlib import redirect_stdout
from datetime import date

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from council import Council
from deltalake import DeltaTable
from rich.console import Console
from studies import run_here

from socare_spark.analysis import Analysis, Context, Result
from socare_spark.errors import ConfigurationError, ExitCode
from socare_spark.lake import transaction
from socare_spark.lake.table import ColumnSpec, TableSpec, Zone
from socare_spark.maintenance.job import JOB
from socare_spark.storage.landing import Landing
from socare_spark.tracking.progress import Progress
from socare_spark.tracking.run import Run

EVERY = TableSpec(
    Zone.WORKING, "every", "A record.", (ColumnSpec("person", "bigint", "A person."),),
)  # fmt: skip


@pytest.fixture
def council(spark, tmp_path):
    return Council(spark, tmp_path)


def row(number, person, year=2013, sex="F"):
    return f"{number},{person},1950-01-02,{year}-02-03,,10.00,{sex},B1 1AA,,X"


def configure(council, **settings):
    (council.conf / "maintenance.yaml").write_text(yaml.safe_dump(settings))


def maintain(council, **settings):
    """Runs the job; returns its run record."""
    configure(council, **{"versions_days": 0, "small_files": 2, "runs_days": 0} | settings)
    run = Run("maintain", council.lake.storage, {})
    run.save()
    quiet = Progress(Console(quiet=True))
    JOB.run(
        Context(
            council.spark, council.lake, council.conf, Landing(council.landing), None, run, quiet
        )
    )
    return run


def files_with(council, token):
    """Files of the lake that hold a person's token: in Parquet as a value, elsewhere as bytes."""
    found = []
    for path in council.lake.storage.root.rglob("*"):
        if path.suffix == ".parquet" and not path.name.startswith("."):
            table = pq.ParquetFile(path).read()
            columns = [c for c in table.columns if pa.types.is_int64(c.type)]
            held = any(token in c.to_pylist() for c in columns)
        else:
            data = path.read_bytes() if path.is_file() else b""
            held = str(token).encode() in data or token.to_bytes(8, "little", signed=True) in data
        if held:
            found.append(path)
    return found


def everything(council, engine):
    """The rows of each restricted table, by one engine."""
    names = [n for n in council.versions() if n.startswith("restricted")]
    found = {}
    for name in names:
        folder = str(council.lake.storage.path(name))
        if engine == "spark":
            frame = council.lake.read(council.spark, name)
            rows = [tuple(r) for r in frame.select(sorted(frame.columns)).collect()]
        else:
            table = DeltaTable(folder).to_pyarrow_table()
            if engine == "duckdb":
                table = duckdb.from_arrow(table).to_arrow_table()
            columns = [table[c].to_pylist() for c in sorted(table.column_names)]
            rows = list(zip(*columns, strict=True))
        found[name] = len(rows), sorted(str(r) for r in rows) if engine != "spark" else None
    return found


def corrected(council, monkeypatch):
    """A council whose corrected file lacks a person; returns the token of that person."""
    council.lands("2013.csv", row(1, 11), row(2, 22), row(3, 33))
    assert council.ingests(monkeypatch) == ""
    tokens = dict(council.rows("id", "person"))
    council.lands("2013.csv", row(1, 11), row(3, 33))
    assert council.ingests(monkeypatch) == ""
    return tokens["2"]


def test_a_person_removed_by_a_correction_is_in_no_file(council, monkeypatch):
    token = corrected(council, monkeypatch)
    assert files_with(council, token)
    rows = council.rows("id", "person", "source_file")
    run = maintain(council)
    assert files_with(council, token) == []
    assert run.counts["maintain/people_removed"] == 1
    assert len(council.rows("person", table="restricted/people")) == 2
    assert council.rows("id", "person", "source_file") == rows
    assert council.ingests(monkeypatch) == ""


def test_old_versions_stay_for_the_declared_time(council, monkeypatch):
    token = corrected(council, monkeypatch)
    maintain(council, versions_days=7)
    assert token not in [r[0] for r in council.rows("person", table="restricted/people")]
    old = council.lake.read(council.spark, "restricted/visits", 0)
    assert token in [r["person"] for r in old.collect()]


def test_a_superseded_record_keeps_its_person(council, monkeypatch):
    council.lands("2013.csv", row(1, 11), row(2, 22))
    council.lands("2014.csv", row(2, 33, 2014))
    assert council.ingests(monkeypatch) == ""
    assert len(council.rows("person", table="restricted/people")) == 3
    assert maintain(council).counts["maintain/people_removed"] == 0
    assert len(council.rows("person", table="restricted/people")) == 3


def test_every_engine_reads_the_same_rows(council, monkeypatch):
    for month in range(1, 5):
        council.lands(f"2013-0{month}.csv", row(month, month, 2012), row(99, month, 2012))
        council.ingests(monkeypatch)
    before = {engine: everything(council, engine) for engine in ("spark", "deltars", "duckdb")}
    run = maintain(council)
    assert run.counts["maintain/tables_compacted"] > 0
    assert {e: everything(council, e) for e in before} == before
    for name in council.versions():
        log = council.lake.storage.path(name) / "_delta_log"
        assert len([p for p in log.iterdir() if p.suffix == ".json"]) == 1
        assert council.lake.last_commit(name).metadata["run_id"]


def test_a_second_run_changes_nothing(council, monkeypatch):
    corrected(council, monkeypatch)
    maintain(council)
    before, versions = council.fingerprint(), council.versions()
    run = maintain(council)
    assert council.fingerprint() == before
    assert council.versions() == versions
    assert run.counts["maintain/tables_compacted"] == run.counts["maintain/people_removed"] == 0


def test_an_analysis_stays_up_to_date(council, monkeypatch):
    made = []

    def build(inputs, _):
        made.append(1)
        return Result({EVERY: inputs.read("restricted/visits").select("person")})

    analysis = Analysis(
        "every", "All.", lambda _: None, lambda *_: ["restricted/visits"], (EVERY,), build
    ).job()
    for number in (1, 2, 3):
        council.lands(f"2013_{'abc'[number - 1]}.csv", row(number, number))
        council.ingests(monkeypatch)
    before = council.lake.version("restricted/visits")
    analysis.run(council.context())
    maintain(council)
    assert council.lake.version("restricted/visits") > before
    again = council.context()
    analysis.run(again)
    assert made == [1]
    assert again.run.outputs[EVERY.path]["rows"] == 3
    council.lands("2013_d.csv", row(4, 4))
    council.ingests(monkeypatch)
    analysis.run(council.context())
    assert made == [1, 1]


def test_a_run_that_breaks_off_is_undone(council, monkeypatch):
    token = corrected(council, monkeypatch)
    rows, people = council.rows("id", "person"), council.rows("person", table="restricted/people")

    def broken(*_, **__):
        raise RuntimeError("broken off")

    with monkeypatch.context() as patch:
        patch.setattr("socare_spark.maintenance.tables.compact", broken)
        with pytest.raises(RuntimeError, match="broken off"):
            maintain(council)
    assert not transaction.has_unfinished_commits(council.lake)
    assert council.rows("id", "person") == rows
    assert council.rows("person", table="restricted/people") == people
    maintain(council)
    assert files_with(council, token) == []


def test_data_files_go_only_after_the_group_is_whole(council, monkeypatch):
    corrected(council, monkeypatch)
    seen = []

    def killed(*_, **__):
        seen.append(transaction.has_unfinished_commits(council.lake))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("socare_spark.maintenance.tables.remove_data_files", killed)
        with pytest.raises(KeyboardInterrupt):
            maintain(council)
    assert seen == [False]
    assert council.rows("id") == [("1",), ("3",)]


def test_pictures_that_no_analysis_names_go(council, monkeypatch):
    corrected(council, monkeypatch)
    council.lake.pictures.mkdir(parents=True)
    council.lake.maps.mkdir(parents=True)
    for path in ("pictures/kept.png", "pictures/old.png", "maps/old.geojson"):
        (council.lake.storage.root / "working" / path).write_text("x")
    state = {"fingerprint": "", "pictures": ["working/pictures/kept.png"], "lacking": {}}
    (council.lake.storage.root / "working" / ".use.json").write_text(json.dumps(state))
    assert maintain(council).counts["maintain/pictures_removed"] == 2
    assert [p.name for p in council.lake.pictures.iterdir()] == ["kept.png"]


def test_pictures_stay_where_a_state_is_unreadable(council, monkeypatch):
    corrected(council, monkeypatch)
    council.lake.pictures.mkdir(parents=True)
    (council.lake.pictures / "some.png").write_text("x")
    (council.lake.storage.root / "working" / ".use.json").write_text("{")
    run = maintain(council)
    assert (council.lake.pictures / "some.png").exists()
    assert "no picture was removed" in " ".join(run.warnings)


def test_rejected_lines_without_a_source_go(council, monkeypatch):
    council.lands("2013.csv", row(1, 11), row(2, 22, sex="Q"))
    council.lands("2014.csv", row(3, 33, 2014, sex="Q"))
    council.lands("2015.csv", row(4, 44, 2015, sex="Q"))
    assert "refused" in council.ingests(monkeypatch)
    (council.landing / "visits" / "2013.csv").unlink()
    (council.landing / "visits" / "2014.csv").unlink()
    # Of another landing folder beside this one.
    other = council.root / "rejected" / "visits" / "other.csv.visits.rejected.csv"
    other.write_text("line,reasons\n")
    run = maintain(council)
    left = {p.name for p in (council.root / "rejected" / "visits").iterdir()}
    # 2013 is in the lake; 2014 is in neither place; 2015 waits in landing.
    of_2015 = {"2015.csv.visits.rejected.csv", "2015.csv.visits.refused.txt"}
    assert left == {"2013.csv.visits.rejected.csv", *of_2015, other.name}
    assert run.counts["maintain/rejected_removed"] == 2


def test_runs_past_their_retention_go(council):
    runs = council.lake.storage.root / "runs"
    for name in ("20200101T000000-0123abcd", "notes"):
        (runs / name).mkdir(parents=True)
    today = Run("ingest", council.lake.storage, {})
    today.save()
    maintain(council, runs_days=1)
    assert not (runs / "20200101T000000-0123abcd").exists()
    assert (runs / "notes").exists()
    assert council.lake.storage.is_file(today.record)


def test_dry_run_reports_the_planned_changes_without_making_them(council, monkeypatch):
    corrected(council, monkeypatch)
    configure(council, versions_days=0, small_files=2)
    before = council.fingerprint()
    said = io.StringIO()
    with redirect_stdout(said):
        arguments = ("--conf", str(council.conf), "--landing", str(council.landing))
        ending = run_here(
            council.spark, council.root, [JOB], "--dry-run", *arguments, key="", console=None
        )
    assert ending == ExitCode.DONE
    assert "removes people without records from restricted/people" in said.getvalue()
    assert "unused files of restricted/visits" in said.getvalue()
    assert council.fingerprint() == before


def test_a_wrong_setting_is_refused(council):
    configure(council, versions_day=3)
    with pytest.raises(ConfigurationError, match="versions_day"):
        JOB.run(council.context())


def test_lake_grows_by_at_most_half_over_monthly_runs(council, monkeypatch, tmp_path_factory):
    """Months of new rows, each with a corrected copy of the month before."""
    months = [
        date(2013 + m // 12, m % 12 + 1, 1) for m in range(int(os.environ.get("MONTHS", "4")))
    ]

    def land(where, month, *, final):
        rows = [
            row(f"{month:%Y%m}{i:04}", i * 7 + month.month, month.year - 1)
            for i in range(1500 + 10 * final)
        ]
        where.lands(f"{month:%Y-%m}.csv", *rows)

    for month, last in zip(months, [None, *months], strict=False):
        land(council, month, final=month == months[-1])
        if last is not None:
            land(council, last, final=True)
        assert council.ingests(monkeypatch) == ""
        maintain(council, runs_days=0)
    once = Council(council.spark, tmp_path_factory.mktemp("once"))
    for month in months:
        land(once, month, final=True)
    assert once.ingests(monkeypatch) == ""
    assert council.rows("id", "person") == once.rows("id", "person")
    sizes = [
        sum(p.stat().st_size for p in c.lake.storage.root.rglob("*") if p.is_file())
        for c in (council, once)
    ]
    sys.stdout.write(f"{len(months)} months: {sizes[0]:,} bytes; one run: {sizes[1]:,} bytes\n")
    assert sizes[0] <= 1.5 * sizes[1]
