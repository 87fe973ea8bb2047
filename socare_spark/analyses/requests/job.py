"""The `requests` analysis: service requests by snapshot.

A snapshot is a copy of the whole system, so nothing is added up across snapshots. Descriptions are
compared verbatim: "Bins" and "Bins." are different. Source: thesis 6.2, Tables 24 and 25.
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
    """Limits of the comparison of descriptions.

    Attributes:
        shortest: Smallest number of letters of descriptions that are compared by single edits.
        most: Largest number of descriptions that are compared; the most used are compared.
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
    """Counts requests by snapshot, description and person.

    Args:
        rows: snapshot, service_description, person (null where a request has none).

    Returns:
        One row per snapshot, description and person: snapshot, description, person, records.
    """
    return rows.groupBy(
        "snapshot", F.col("service_description").alias("description"), "person"
    ).agg(F.count(F.lit(1)).alias("records"))


def request_snapshots(gathered: DataFrame) -> DataFrame:
    """One row per snapshot. Columns as in REQUEST_SNAPSHOTS."""
    distinct = (
        gathered.groupBy("snapshot", "description")
        .agg(F.lit(1))
        .groupBy("snapshot")
        .agg(F.count("description").alias("descriptions"))
    )
    return count_people(gathered, ["snapshot"], records="records").join(distinct, "snapshot")


def by_description(gathered: DataFrame) -> DataFrame:
    """One row per snapshot and description, with the measures of `count_people`."""
    return count_people(gathered, ["snapshot", "description"], records="records")


def request_top(counted: DataFrame, number: int) -> DataFrame:
    """Selects the most frequent descriptions of each snapshot.

    Changes are relative to all descriptions of the snapshot before. Its ranks are computed by
    counting the descriptions with a better rank, so that no task sorts a snapshot.

    Args:
        counted: Result of `by_description`.
        number: Number of descriptions per snapshot.

    Returns:
        One row per snapshot and description. Columns as in REQUEST_TOP.
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
    """Selects the descriptions with one record.

    Args:
        counted: Result of `by_description`.
        contains: Text that a description must contain, in upper or lower case; empty means all.

    Returns:
        One row per snapshot and description. Columns as in REQUEST_SINGLE_USE.
    """
    once = counted.where("records = 1")
    return once.where(F.contains(F.lower("description"), F.lit(contains.lower())))


def of_newest(counted: DataFrame) -> DataFrame:
    """Rows of the newest snapshot."""
    return counted.join(F.broadcast(counted.agg(F.max("snapshot").alias("snapshot"))), "snapshot")


def request_variants(newest: DataFrame, shortest: int, most: int) -> DataFrame:
    """Groups descriptions that are probably different spellings of one service.

    Args:
        newest: Result of `of_newest`.
        shortest: Smallest number of letters of descriptions that are compared by single edits.
        most: Largest number of descriptions that are compared. They are collected to the driver.

    Returns:
        One row per description in a group. Columns as in REQUEST_VARIANTS.
    """
    used = newest.select("description", "records").orderBy(F.desc("records"), "description")
    texts = used.limit(most).toPandas()
    groups = text_clusters(dict(texts.to_numpy().tolist()), shortest)
    rows = [(text, fingerprint(best), best) for text, best in groups.items()]
    spellings = newest.sparkSession.createDataFrame(
        rows, "description string, variant_group string, canonical string"
    )
    return newest.drop("snapshot").join(F.broadcast(spellings), "description")


def _snapshot_before(counted: DataFrame) -> DataFrame:
    """One row per snapshot: snapshot, _before (the snapshot before it; null for the first)."""
    snapshots = counted.groupBy("snapshot").agg(F.lit(1)).select("snapshot")
    before = F.lag("snapshot").over(Window.orderBy("snapshot"))
    return snapshots.select("snapshot", before.alias("_before"))


def _ranks_before(counted: DataFrame, top: DataFrame) -> DataFrame:
    """Records and rank in the snapshot before, for the descriptions of the top lists.

    Args:
        counted: Result of `by_description`.
        top: snapshot, description; a small frame.

    Returns:
        One row per description of `top` that the snapshot before has: snapshot, description,
        _records and _rank in the snapshot before.
    """
    wanted = top.select("snapshot", "description").join(
        F.broadcast(_snapshot_before(counted)), "snapshot"
    )
    earlier = counted.select(F.col("snapshot").alias("_before"), "description", "records")
    earlier_top = earlier.join(F.broadcast(wanted), ["_before", "description"]).withColumnsRenamed(
        {"description": "_text", "records": "_records"}
    )
    ranks_higher = (F.col("records") > F.col("_records")) | (
        (F.col("records") == F.col("_records")) & (F.col("description") < F.col("_text"))
    )
    return (
        earlier.join(F.broadcast(earlier_top), "_before")
        .groupBy("snapshot", F.col("_text").alias("description"), "_records")
        .agg((F.count_if(ranks_higher) + 1).cast("int").alias("_rank"))
    )


def tables(context: Context) -> dict[TableSpec, DataFrame]:
    """Builds all tables from one read of the requests."""
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
    """Result of `request_variants`. Warns if there are more descriptions than are compared."""
    number = newest.count()
    if number > wanted.most:
        context.run.warnings.append(
            f"{REQUEST_VARIANTS.path} compares the {wanted.most:,} most used descriptions of "
            f"{number:,}. The others are in no group. To compare more, raise 'most' under variants "
            f"in {SETTINGS}; the driver needs about 6 KB for each."
        )
    return request_variants(newest, wanted.shortest, wanted.most)


def draw(context: Context) -> None:
    """Draws the ranks of the most frequent descriptions by snapshot."""
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
