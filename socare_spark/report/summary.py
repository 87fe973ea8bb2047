"""Summary of a study on the terminal: rows read, reasons of quarantine, main results and paths.

The page has exact figures with small counts. Output that is not a terminal may be stored in a log.
It gets one line per job instead, unless the operator asks for the page.
"""

import os
import shlex
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import SparkSession
from rich.console import Console
from rich.table import Table as Grid

from socare_spark.lake.lake import MAPS, PICTURES, Lake
from socare_spark.tracking.mirror import DATABASE, local_uri
from socare_spark.tracking.run import RUNS, Run

_WIDTH = 110
_FILE_COLUMNS = ["run_id", "file", "dataset"]
_Rows = list[dict[str, Any]]


def show(_: SparkSession, lake: Lake, runs: Sequence[Run], always: bool) -> None:
    """Prints the page on standard output. Tables are read without Spark.

    Args:
        _: The session.
        lake: The lake.
        runs: The runs of the study's jobs.
        always: Whether to print the page if standard output is not a terminal.
    """
    console = Console(highlight=False, soft_wrap=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDTH)
    console.print()
    if always or _on_a_terminal():
        _print_page(console, lake)
    else:
        for run in runs:
            console.print(_line(run), markup=False, soft_wrap=True)
        console.print("Output is not a terminal, so no figures are printed. Use --show for them.")
    console.print(_locations(lake, runs), markup=False)


def _on_a_terminal() -> bool:
    """Whether a person reads standard output. For a pipe, scripts/submit sets TTY_INTERACTIVE."""
    return sys.stdout.isatty() or os.environ.get("TTY_INTERACTIVE") == "1"


def _line(run: Run) -> str:
    return f"{run.job}: {run.status}; tables: {len(run.outputs)}, pictures: {len(run.pictures)}"


def _print_page(console: Console, lake: Lake) -> None:
    for grid in (
        _ledger(lake),
        _reasons(lake),
        _totals(lake),
        _stages(lake),
        _completion(lake),
        _bands(lake),
        _combinations(lake),
        _snapshots(lake),
        _top_requests(lake),
        _density(lake),
    ):
        if grid is not None and grid.row_count:
            console.print(grid)
            console.print()


def _read(lake: Lake, name: str, *columns: str) -> _Rows | None:
    """Rows of a small table, with all columns or some; None if the table does not exist."""
    return lake.to_dicts(name, *columns) if lake.exists(name) else None


def _grid(title: str, *columns: str, left: int = 1) -> Grid:
    grid = Grid(title=title, title_justify="left", title_style="bold", header_style="dim")
    for i, name in enumerate(columns):
        grid.add_column(name, justify="left" if i < left else "right", overflow="fold")
    return grid


def _number(value: object) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else str(value)


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.2%}"


def _last(entries: _Rows, *statuses: str) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Last ledger row with one of the statuses, for each file that was not removed later."""
    last_rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in sorted(entries, key=lambda row: (row["sequence"], row["status"] != "replaced")):
        file = (row["dataset"], row["extract"], row["part"])
        if row["status"] in statuses:
            last_rows[file] = row
        elif row["status"] in ("withdrawn", "replaced"):
            last_rows.pop(file, None)
    return last_rows


def _ledger(lake: Lake) -> Grid | None:
    ledger = _read(lake, "restricted/ledger")
    if ledger is None:
        return None
    kinds = ("read", "kept", "quarantined", "duplicate", "superseded")
    files, sums = Counter[str](), {kind: Counter[str]() for kind in kinds}
    for row in _last(ledger, "accepted", "amended").values():
        files[row["dataset"]] += 1
        for kind in kinds:
            sums[kind][row["dataset"]] += row[f"rows_{kind}"]
    grid = _grid("Rows: what was read and what became of it", "dataset", "files", *kinds)
    for name in sorted(files):
        grid.add_row(name, _number(files[name]), *(_number(sums[kind][name]) for kind in kinds))
    return grid


def _reasons(lake: Lake) -> Grid | None:
    ledger = _read(lake, "restricted/ledger")
    if ledger is None or not lake.exists("restricted/quarantine"):
        return None
    current_files = {(row["run_id"], row["file"]) for row in _last(ledger, "accepted").values()}
    counts = Counter[tuple[str, str]]()
    for piece in lake.iter_arrow("restricted/quarantine", *_FILE_COLUMNS, "reasons"):
        for row in _by_reason(piece).to_pylist():
            if (row["run_id"], row["file"]) in current_files:
                counts[row["reason"], row["dataset"]] += row["count_all"]
    names = sorted({name for _, name in counts})
    grid = _grid("Quarantined rows by reason", "reason", *names)
    for reason in sorted({reason for reason, _ in counts}):
        grid.add_row(reason, *(_number(counts.get((reason, name))) for name in names))
    return grid


def _by_reason(rows: pa.Table) -> pa.Table:
    """Counts quarantined rows by run, file, dataset and reason. A row counts once per reason."""
    rows = rows.combine_chunks()
    reasons = {
        "at": pc.list_parent_indices(rows["reasons"]),
        "reason": pc.list_flatten(rows["reasons"]),
    }
    pairs = pa.table(reasons).group_by(["at", "reason"]).aggregate([])
    by_reason = (
        rows.select(_FILE_COLUMNS).take(pairs["at"]).append_column("reason", pairs["reason"])
    )
    return by_reason.group_by([*_FILE_COLUMNS, "reason"]).aggregate([([], "count_all")])


def _totals(lake: Lake) -> Grid | None:
    totals = _read(lake, "working/dataset_totals")
    if totals is None:
        return None
    grid = _grid("Agreements by age", "dataset", "age", "people", "records", left=2)

    def place(row: dict[str, Any]) -> tuple[str, bool, str]:
        return row["dataset"], row["age_band"] is None, row["age_band"] or ""

    for row in sorted(totals, key=place):
        age = row["age_band"] or "all"
        grid.add_row(row["dataset"], age, _number(row["people"]), _number(row["records"]))
    return grid


def _stages(lake: Lake) -> Grid | None:
    totals, continuity = (
        _read(lake, "working/stage_totals"),
        _read(lake, "working/stage_continuity"),
    )
    if totals is None or continuity is None:
        return None
    without = {(row["flow"], row["stage"]): row for row in continuity}
    grid = _grid(
        "Flow: people in each stage, and those never in the stage before",
        "flow", "stage", "people", "records", "without previous", "share", left=2,
    )  # fmt: skip
    for row in sorted(totals, key=lambda row: (row["flow"], -row["people"])):
        before = without.get((row["flow"], row["stage"]), {})
        grid.add_row(
            row["flow"],
            row["stage"],
            _number(row["people"]),
            _number(row["records"]),
            _number(before.get("people_without_previous")),
            _share(before.get("share")),
        )
    return grid


def _completion(lake: Lake) -> Grid | None:
    completion = _read(lake, "working/stage_completion")
    if completion is None:
        return None
    grid = _grid(
        "Flow: people who passed a stage and all before it",
        "flow", "stage", "passed all", "of", "share", "of those in the stage", left=2,
    )  # fmt: skip
    for row in sorted(completion, key=lambda row: (row["flow"], -row["people_all_stages"])):
        grid.add_row(
            row["flow"],
            row["stage"],
            _number(row["people_all_stages"]),
            _number(row["people_any"]),
            _share(row["share_any"]),
            _share(row["share_last"]),
        )
    return grid


def _bands(lake: Lake) -> Grid | None:
    bands = _read(lake, "working/combination_bands")
    if bands is None:
        return None
    grid = _grid("Combinations of reason and outcome by people", "people", "combinations")
    for row in sorted(bands, key=lambda row: int(row["combinations"])):
        grid.add_row(row["band"], _number(row["combinations"]))
    return grid


def _combinations(lake: Lake) -> Grid | None:
    combinations = _read(lake, "working/combinations")
    if combinations is None:
        return None
    grid = _grid(
        "Most used combinations",
        "sub-process", "reason", "outcome", "people", "records", "first use", "last use", left=3,
    )  # fmt: skip
    most = sorted(combinations, key=lambda row: (-row["people"], row["reason"], row["outcome"]))
    for row in most[:5]:
        grid.add_row(
            row["subprocess"],
            row["reason"],
            row["outcome"],
            _number(row["people"]),
            _number(row["records"]),
            str(row["first_used"]),
            str(row["last_used"]),
        )
    return grid


def _snapshots(lake: Lake) -> Grid | None:
    snapshots = _read(lake, "working/request_snapshots")
    if snapshots is None:
        return None
    grid = _grid("Service requests by snapshot", "snapshot", "records", "descriptions")
    for row in sorted(snapshots, key=lambda row: str(row["snapshot"])):
        grid.add_row(str(row["snapshot"]), _number(row["records"]), _number(row["descriptions"]))
    return grid


def _top_requests(lake: Lake) -> Grid | None:
    top = _read(lake, "working/request_top")
    if top is None:
        return None
    last = max((row["snapshot"] for row in top), default=None)
    newest = sorted((row for row in top if row["snapshot"] == last), key=lambda row: row["rank"])
    grid = _grid(
        "Most asked for in the newest snapshot", "description", "rank", "records", "rank change"
    )
    for row in newest[:5]:
        change = "new" if row["rank_change"] is None else f"{row['rank_change']:+d}"
        grid.add_row(row["description"], _number(row["rank"]), _number(row["records"]), change)
    return grid


def _density(lake: Lake) -> Grid | None:
    density = _read(lake, "working/density")
    if density is None:
        return None
    districts = [r for r in density if r["layer"] == "district" and r["age_band"] is None]
    grid = _grid(
        "Densest postcode districts", "district", "people", "people per km2", "Gi* z", "adjusted p"
    )
    for row in sorted(districts, key=lambda row: (-row["people_per_km2"], row["code"]))[:5]:
        grid.add_row(
            row["code"],
            _number(row["people"]),
            _rounded(row, "people_per_km2", 1),
            _rounded(row, "gi_z", 2),
            _rounded(row, "gi_p_adjusted", 4),
        )
    return grid


def _rounded(row: dict[str, Any], name: str, places: int) -> str:
    return "" if row[name] is None else f"{row[name]:,.{places}f}"


def _locations(lake: Lake, runs: Sequence[Run]) -> str:
    pictures = sum(len(run.pictures) for run in runs)
    place = lake.storage.location
    lines = [
        "Exact figures, for people who may see them: nothing here is for release.",
        f"  tables    {place}/working/NAME      "
        'spark.read.format("delta").load(...), or deltalake.DeltaTable(...).to_pandas()',
        f"  maps      {place}/{MAPS}  (pictures and map files in all: {pictures})",
        f"  charts    {place}/{PICTURES}",
        f"  records   {place}/{RUNS}/*/run_record.json",
    ]
    if lake.storage.is_file(DATABASE):
        lines.append(f"  runs      mlflow ui --backend-store-uri {shlex.quote(local_uri(lake))}")
    return "\n".join(lines)
