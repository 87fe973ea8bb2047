"""The `requests` analysis: what residents asked for, snapshot by snapshot.

A snapshot is a copy of the whole system, so nothing is added up across snapshots. A description
counts as it is written: a full stop makes another one. Source: thesis 6.2, Tables 24 and 25.
"""

from typing import Annotated

from pydantic import Field
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from socare_spark.analyses.extracts import extract_need, in_snapshots, restricted
from socare_spark.analysis import Analysis, Context, Need
from socare_spark.charts.use_spans import draw_ranks
from socare_spark.config import StrictModel, read_model
from socare_spark.lake.table import ColumnSpec, TableSpec, cell_table
from socare_spark.measures.person_counts import count_people
from socare_spark.measures.text_clusters import fingerprint, text_clusters

SETTINGS = "analyses/requests.yaml"
_SNAPSHOT = ColumnSpec("snapshot", "date", "Day on which the system was copied.")
_DESCRIPTION = ColumnSpec("description", "string", "Service description, as written.")

REQUEST_SNAPSHOTS = cell_table(
    "request_snapshots",
    "A snapshot of the request system.",
    [_SNAPSHOT],
    [ColumnSpec("descriptions", "bigint", "Distinct service descriptions, as written.")],
    source="Thesis 6.2, Table 24",
)
REQUEST_TOP = cell_table(
    "request_top",
    "The service descriptions with most records in a snapshot.",
    [_SNAPSHOT, _DESCRIPTION],
    [
        ColumnSpec("rank", "bigint", "1 has the most records; equal ones rank by description."),
        ColumnSpec(
            "rank_change",
            "bigint",
            "Places risen since the snapshot before, among all its descriptions; null if new.",
        ),
        ColumnSpec(
            "records_change",
            "bigint",
            "Records more than in the snapshot before, where a new description had none; null in "
            "the first snapshot.",
        ),
    ],
    source="Thesis 6.2, Table 25",
)

REQUEST_SINGLE_USE = cell_table(
    "request_single_use",
    "A description that only one record of a snapshot has.",
    [_SNAPSHOT, _DESCRIPTION],
    source="Thesis 6.2, Table 26",
    grows=True,
)
REQUEST_VARIANTS = cell_table(
    "request_variants",
    "Descriptions of the newest snapshot that are probably one service spelled in several ways.",
    [
        ColumnSpec(
            "variant_group", "string", "Words of the canonical spelling, sorted, without marks."
        ),
        _DESCRIPTION,
    ],
    [ColumnSpec("canonical", "string", "The spelling of the group that most records have.")],
    source="Thesis 6.2, Table 26",
    partitions=["description"],
)


class Variants(StrictModel):
    """Which descriptions are compared.

    Attributes:
        shortest: Descriptions of fewer letters are not compared by slips of spelling.
        most: Number of descriptions that are compared, the most used first.
    """

    shortest: Annotated[int, Field(ge=4)] = 10
    most: Annotated[int, Field(ge=2)] = 100_000


class Settings(StrictModel):
    """`conf/analyses/requests.yaml`."""

    dataset: str
    single_use_contains: str = ""
    variants: Variants = Variants()
    top: Annotated[int, Field(ge=1)]
    drawn: Annotated[int, Field(ge=1)]


def gather_requests(rows: DataFrame) -> DataFrame:
    """Gathers requests by snapshot, description and person, and counts the records of each.

    Args:
        rows: snapshot, service_description, person (null where a request has none).
    """
    return rows.groupBy(
        "snapshot", F.col("service_description").alias("description"), "person"
    ).agg(F.count(F.lit(1)).alias("records"))


def request_snapshots(gathered: DataFrame) -> DataFrame:
    """The columns of REQUEST_SNAPSHOTS."""
    distinct = (
        gathered.groupBy("snapshot", "description")
        .agg(F.lit(1))
        .groupBy("snapshot")
        .agg(F.count("description").alias("descriptions"))
    )
    return count_people(gathered, ["snapshot"], records="records").join(distinct, "snapshot")


def by_description(gathered: DataFrame) -> DataFrame:
    """Cells of snapshot and description."""
    return count_people(gathered, ["snapshot", "description"], records="records")


def request_top(counted: DataFrame, number: int) -> DataFrame:
    """The columns of REQUEST_TOP: `number` a snapshot, compared with all of the one before.

    No task sorts a snapshot: a rank is the number of descriptions that come before.

    Args:
        counted: Cells of snapshot and description.
        number: How many a snapshot.
    """
    within = Window.partitionBy("snapshot").orderBy(F.desc("records"), F.asc("description"))
    top = counted.withColumn("rank", F.row_number().over(within)).where(F.col("rank") <= number)
    before = _ranks_before(counted, top)
    records_before = F.when(F.col("_before").isNotNull(), F.coalesce("_records", F.lit(0)))
    return (
        top.join(F.broadcast(_snapshot_before(counted)), "snapshot")
        .join(F.broadcast(before), ["snapshot", "description"], "left")
        .select(
            top["*"],
            (F.col("_rank") - F.col("rank")).alias("rank_change"),
            (F.col("records") - records_before).alias("records_change"),
        )
    )


def request_single_use(counted: DataFrame, contains: str = "") -> DataFrame:
    """The columns of REQUEST_SINGLE_USE.

    Args:
        counted: Cells of snapshot and description.
        contains: Text that a description must hold, in any case; all where it is empty.
    """
    once = counted.where("records = 1")
    return once.where(F.contains(F.lower("description"), F.lit(contains.lower())))


def of_newest(counted: DataFrame) -> DataFrame:
    """The cells of the newest snapshot."""
    return counted.join(F.broadcast(counted.agg(F.max("snapshot").alias("snapshot"))), "snapshot")


def request_variants(newest: DataFrame, shortest: int, most: int) -> DataFrame:
    """The columns of REQUEST_VARIANTS.

    Args:
        newest: Result of `of_newest`.
        shortest: Letters that a description must have to be compared by slips.
        most: Number of descriptions that are compared, the most used first; the driver holds them.
    """
    used = newest.select("description", "records").orderBy(F.desc("records"), "description")
    texts = used.limit(most).toPandas()
    groups = text_clusters(dict(texts.to_numpy().tolist()), shortest)
    rows = [(text, fingerprint(best), best) for text, best in groups.items()]
    known = newest.sparkSession.createDataFrame(
        rows, "description string, variant_group string, canonical string"
    )
    return newest.drop("snapshot").join(F.broadcast(known), "description")


def _snapshot_before(counted: DataFrame) -> DataFrame:
    """Each snapshot with the one before it: snapshot, _before (null for the first)."""
    snapshots = counted.groupBy("snapshot").agg(F.lit(1)).select("snapshot")
    before = F.lag("snapshot").over(Window.orderBy("snapshot"))
    return snapshots.select("snapshot", before.alias("_before"))


def _ranks_before(counted: DataFrame, top: DataFrame) -> DataFrame:
    """Records and rank in the snapshot before, for the descriptions of the top lists.

    Args:
        counted: Cells of snapshot and description.
        top: snapshot, description: few rows.

    Returns:
        snapshot, description, _records and _rank in the snapshot before; no row where it had none.
    """
    wanted = top.select("snapshot", "description").join(
        F.broadcast(_snapshot_before(counted)), "snapshot"
    )
    earlier = counted.select(F.col("snapshot").alias("_before"), "description", "records")
    found = earlier.join(F.broadcast(wanted), ["_before", "description"]).withColumnsRenamed(
        {"description": "_text", "records": "_records"}
    )
    more = (F.col("records") > F.col("_records")) | (
        (F.col("records") == F.col("_records")) & (F.col("description") < F.col("_text"))
    )
    return (
        earlier.join(F.broadcast(found), "_before")
        .groupBy("snapshot", F.col("_text").alias("description"), "_records")
        .agg((F.count_if(more) + 1).cast("int").alias("_rank"))
    )


def tables(context: Context) -> dict[TableSpec, DataFrame]:
    """All tables, from one reading of the requests."""
    settings = _settings(context)
    rows = in_snapshots(context, settings.dataset)
    gathered = gather_requests(rows.where(F.col("service_description").isNotNull())).persist()
    counted = by_description(gathered).persist()
    return {
        REQUEST_SNAPSHOTS: request_snapshots(gathered),
        REQUEST_TOP: request_top(counted, settings.top),
        REQUEST_SINGLE_USE: request_single_use(counted, settings.single_use_contains),
        REQUEST_VARIANTS: variants_within_limit(context, of_newest(counted), settings.variants),
    }


def variants_within_limit(context: Context, newest: DataFrame, wanted: Variants) -> DataFrame:
    """The columns of REQUEST_VARIANTS; reports the limit where descriptions are not compared."""
    number = newest.count()
    if number > wanted.most:
        context.run.warnings.append(
            f"{REQUEST_VARIANTS.path} compares the {wanted.most:,} most used descriptions of "
            f"{number:,}: the others are in no group. 'most' under variants in {SETTINGS} is the "
            "limit; the driver takes about 6 KB for each."
        )
    return request_variants(newest, wanted.shortest, wanted.most)


def draw(context: Context) -> None:
    """The most asked descriptions of the newest snapshot, followed through all of them."""
    frame = context.lake.to_pandas(REQUEST_TOP)
    path = context.lake.pictures / "request_ranks.png"
    if len(frame):
        context.picture(draw_ranks(frame, _settings(context).drawn, path, "working/request_top"))


def _settings(context: Context) -> Settings:
    return read_model(context.conf / SETTINGS, Settings)


_WRITES = (REQUEST_SNAPSHOTS, REQUEST_TOP, REQUEST_SINGLE_USE, REQUEST_VARIANTS)


def _needs(context: Context) -> list[Need]:
    dataset = _settings(context).dataset
    source = restricted(dataset)
    return [
        Need(source, "service_description", "string", _WRITES),
        Need(source, "person", "bigint", without=_WRITES),
        extract_need(context, dataset, *_WRITES),
    ]


ANALYSIS = Analysis(
    name="requests",
    description="Counts service requests by snapshot: totals, top, single use, variants.",
    reads=lambda context: [restricted(_settings(context).dataset)],
    writes=_WRITES,
    needs=_needs,
    tables=tables,
    draw=draw,
)
