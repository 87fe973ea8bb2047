"""What a study found, as a page on the terminal: rows read and why some were not kept, the
headline of each analysis, and where everything lies.
"""

from collections.abc import Sequence

from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F
from rich.console import Console
from rich.table import Table as Grid

from socare_spark.lake.zones import Lake
from socare_spark.tracking.record import Run

_WIDTH = 110


def show(spark: SparkSession, lake: Lake, runs: Sequence[Run]) -> None:
    """Prints the page on standard output."""
    console = Console(highlight=False, soft_wrap=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDTH)
    reader = _Reader(spark, lake)
    console.print()
    for grid in (
        _ledger(reader),
        _reasons(reader),
        _totals(reader),
        _stages(reader),
        _completion(reader),
        _bands(reader),
        _combinations(reader),
        _snapshots(reader),
        _top_requests(reader),
        _density(reader),
    ):
        if grid is not None and grid.row_count:
            console.print(grid)
            console.print()
    console.print(_places_of(lake, runs), markup=False)


class _Reader:
    """Reads small tables, and nothing where a table is not there."""

    def __init__(self, spark: SparkSession, lake: Lake) -> None:
        self.spark = spark
        self.lake = lake

    def rows(self, name: str) -> DataFrame | None:
        """The table, or None."""
        return self.lake.read(self.spark, name) if self.lake.exists(name) else None


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


def _last_entries(ledger: DataFrame) -> DataFrame:
    """The last ledger row of each file that stands."""
    identity = ["dataset", "extract", "part"]
    stands = ledger.where("status in ('accepted', 'amended')")
    last = stands.groupBy(*identity).agg(F.max("at").alias("at"))
    return stands.join(last, [*identity, "at"], "left_semi")


def _last_reading(ledger: DataFrame) -> DataFrame:
    """The run that read each file that stands: run_id, file."""
    read = ledger.where("status = 'accepted'")
    last = read.groupBy("file").agg(F.max_by("run_id", "at").alias("run_id"))
    return last.join(_last_entries(ledger), "file", "left_semi")


def _ledger(reader: _Reader) -> Grid | None:
    ledger = reader.rows("restricted/ledger")
    if ledger is None:
        return None
    kinds = ("read", "kept", "quarantined", "duplicate", "superseded", "expired")
    sums = [F.sum(f"rows_{kind}").alias(kind) for kind in kinds]
    rows = _last_entries(ledger).groupBy("dataset").agg(F.count("file").alias("files"), *sums)
    grid = _grid("Rows: what was read and what became of it", "dataset", "files", *kinds)
    for row in rows.orderBy("dataset").collect():
        grid.add_row(*[_number(value) for value in row])
    return grid


def _reasons(reader: _Reader) -> Grid | None:
    quarantine, ledger = reader.rows("restricted/quarantine"), reader.rows("restricted/ledger")
    if quarantine is None or ledger is None:
        return None
    counted = (
        quarantine.join(_last_reading(ledger), ["run_id", "file"], "left_semi")
        .select("dataset", F.explode(F.array_distinct("reasons")).alias("reason"))
        .groupBy("reason")
        .pivot("dataset")
        .count()
        .orderBy("reason")
    )
    names = counted.columns[1:]
    grid = _grid("Quarantined rows by reason", "reason", *names)
    for row in counted.collect():
        grid.add_row(row["reason"], *[_number(row[name]) for name in names])
    return grid


def _totals(reader: _Reader) -> Grid | None:
    totals = reader.rows("working/dataset_totals")
    if totals is None:
        return None
    grid = _grid("Agreements by age", "dataset", "age", "people", "records", left=2)
    for row in totals.orderBy("dataset", F.col("age_band").asc_nulls_last()).collect():
        age = row["age_band"] or "all"
        grid.add_row(row["dataset"], age, _number(row["people"]), _number(row["records"]))
    return grid


def _stages(reader: _Reader) -> Grid | None:
    totals, continuity = (
        reader.rows("working/stage_totals"),
        reader.rows("working/stage_continuity"),
    )
    if totals is None or continuity is None:
        return None
    by = ["flow", "stage"]
    without = continuity.select(*by, "previous", "people_without_previous", "share")
    grid = _grid(
        "Flow: people in each stage, and those never in the stage before",
        "flow", "stage", "people", "records", "without previous", "share", left=2,
    )  # fmt: skip
    for row in totals.join(without, by, "left").orderBy("flow", F.desc("people")).collect():
        grid.add_row(
            row["flow"],
            row["stage"],
            _number(row["people"]),
            _number(row["records"]),
            _number(row["people_without_previous"]),
            _share(row["share"]),
        )
    return grid


def _completion(reader: _Reader) -> Grid | None:
    completion = reader.rows("working/stage_completion")
    if completion is None:
        return None
    grid = _grid(
        "Flow: people who passed a stage and all before it",
        "flow", "stage", "passed all", "of", "share", "of those in the stage", left=2,
    )  # fmt: skip
    for row in completion.orderBy("flow", F.desc("people_all_stages")).collect():
        grid.add_row(
            row["flow"],
            row["stage"],
            _number(row["people_all_stages"]),
            _number(row["people_any"]),
            _share(row["share_any"]),
            _share(row["share_last"]),
        )
    return grid


def _bands(reader: _Reader) -> Grid | None:
    bands = reader.rows("working/combination_bands")
    if bands is None:
        return None
    grid = _grid("Combinations of reason and outcome by people", "people", "combinations")
    for row in bands.orderBy("combinations").collect():
        grid.add_row(row["band"], _number(row["combinations"]))
    return grid


def _combinations(reader: _Reader) -> Grid | None:
    combinations = reader.rows("working/combinations")
    if combinations is None:
        return None
    grid = _grid(
        "Most used combinations",
        "sub-process", "reason", "outcome", "people", "records", "first use", "last use", left=3,
    )  # fmt: skip
    top = combinations.orderBy(F.desc("people"), "reason", "outcome").limit(5)
    for row in top.collect():
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


def _snapshots(reader: _Reader) -> Grid | None:
    snapshots = reader.rows("working/request_snapshots")
    if snapshots is None:
        return None
    grid = _grid("Service requests by snapshot", "snapshot", "records", "descriptions")
    for row in snapshots.orderBy("snapshot").collect():
        grid.add_row(str(row["snapshot"]), _number(row["records"]), _number(row["descriptions"]))
    return grid


def _top_requests(reader: _Reader) -> Grid | None:
    top = reader.rows("working/request_top")
    if top is None:
        return None
    newest = top.orderBy(F.desc("snapshot"), "rank").limit(5)
    grid = _grid(
        "Most asked for in the newest snapshot", "description", "rank", "records", "rank change"
    )
    for row in newest.collect():
        change = "new" if row["rank_change"] is None else f"{row['rank_change']:+d}"
        grid.add_row(row["description"], _number(row["rank"]), _number(row["records"]), change)
    return grid


def _density(reader: _Reader) -> Grid | None:
    density = reader.rows("working/density")
    if density is None:
        return None
    districts = density.where("layer = 'district' and age_band is null")
    grid = _grid(
        "Densest postcode districts", "district", "people", "people per km2", "Gi* z", "adjusted p"
    )
    for row in districts.orderBy(F.desc("people_per_km2"), "code").limit(5).collect():
        grid.add_row(
            row["code"],
            _number(row["people"]),
            _rounded(row, "people_per_km2", 1),
            _rounded(row, "gi_z", 2),
            _rounded(row, "gi_p_adjusted", 4),
        )
    return grid


def _rounded(row: Row, name: str, places: int) -> str:
    return "" if row[name] is None else f"{row[name]:,.{places}f}"


def _places_of(lake: Lake, runs: Sequence[Run]) -> str:
    pictures = sum(len(run.pictures) for run in runs)
    store = lake.root / "mlflow.db"
    lines = [
        "Exact figures, for people who may see them: nothing here is for release.",
        f"  tables    {lake.root}/working/NAME      "
        'spark.read.format("delta").load(...), or deltalake.DeltaTable(...).to_pandas()',
        f"  maps      {lake.maps}  ({pictures} pictures and map files in all)",
        f"  charts    {lake.pictures}",
        f"  records   {lake.root}/runs/*/run_record.json",
    ]
    if store.exists():
        lines.append(f"  runs      mlflow ui --backend-store-uri sqlite:///{store}")
    return "\n".join(lines)
