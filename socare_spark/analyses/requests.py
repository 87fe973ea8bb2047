"""The `requests` analysis: what residents asked for, snapshot by snapshot.

A snapshot is a copy of the whole system, so nothing is added up across snapshots. A description
counts as it is written: a full stop makes another one. Source: thesis 6.2, Tables 24 and 25.
"""

from typing import Annotated

from pydantic import Field
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from socare_spark.analyses.extracts import extract_need, in_snapshots, restricted
from socare_spark.contracts.load import Strict, read_model
from socare_spark.job import Analysis, Context, Need
from socare_spark.lake.tables import Column, Table, working
from socare_spark.measures.cells import cells
from socare_spark.measures.spelling import fingerprint, spelling_groups
from socare_spark.report.charts import draw_ranks

_SNAPSHOT = Column("snapshot", "date", "Day on which the system was copied.")
_DESCRIPTION = Column("description", "string", "Service description, as written.")

REQUEST_SNAPSHOTS = working(
    "request_snapshots",
    "A snapshot of the request system.",
    [_SNAPSHOT],
    [Column("descriptions", "bigint", "Distinct service descriptions, as written.")],
    source="Thesis 6.2, Table 24",
)
REQUEST_TOP = working(
    "request_top",
    "The service descriptions with most records in a snapshot.",
    [_SNAPSHOT, _DESCRIPTION],
    [
        Column("rank", "bigint", "1 has the most records; equal ones rank by description."),
        Column(
            "rank_change",
            "bigint",
            "Places risen since the snapshot before, among all its descriptions; null if new.",
        ),
        Column(
            "records_change",
            "bigint",
            "Records more than in the snapshot before, where a new description had none; null in "
            "the first snapshot.",
        ),
    ],
    source="Thesis 6.2, Table 25",
)

REQUEST_SINGLE_USE = working(
    "request_single_use",
    "A description that only one record of a snapshot has.",
    [_SNAPSHOT, _DESCRIPTION],
    source="Thesis 6.2, Table 26",
    grows=True,
)
REQUEST_VARIANTS = working(
    "request_variants",
    "Descriptions of the newest snapshot that are probably one service spelled in several ways.",
    [
        Column(
            "variant_group", "string", "Words of the canonical spelling, sorted, without marks."
        ),
        _DESCRIPTION,
    ],
    [Column("canonical", "string", "The spelling of the group that most records have.")],
    source="Thesis 6.2, Table 26",
    partitions=["description"],
)


class Variants(Strict):
    """Descriptions of fewer letters are not compared by slips of spelling."""

    shortest: Annotated[int, Field(ge=4)] = 10


class Settings(Strict):
    """`conf/analyses/requests.yaml`."""

    dataset: str
    single_use_contains: str = ""
    variants: Variants = Variants()
    top: Annotated[int, Field(ge=1)]
    drawn: Annotated[int, Field(ge=1)]


def asked(rows: DataFrame) -> DataFrame:
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
    return cells(gathered, ["snapshot"], records="records").join(distinct, "snapshot")


def by_description(gathered: DataFrame) -> DataFrame:
    """Cells of snapshot and description."""
    return cells(gathered, ["snapshot", "description"], records="records")


def request_top(counted: DataFrame, number: int) -> DataFrame:
    """The columns of REQUEST_TOP: `number` a snapshot, compared with all of the one before.

    Args:
        counted: Cells of snapshot and description.
        number: How many a snapshot.
    """
    ranked = _ranked(counted)
    before = ranked.select(
        F.col("description"),
        (F.col("place") + 1).alias("place"),
        F.col("rank").alias("_rank"),
        F.col("records").alias("_records"),
    )
    top = ranked.where(F.col("rank") <= number).join(before, ["place", "description"], "left")
    records_before = F.when(F.col("place") > 1, F.coalesce("_records", F.lit(0)))
    return top.select(
        ranked["*"],
        (F.col("_rank") - F.col("rank")).alias("rank_change"),
        (F.col("records") - records_before).alias("records_change"),
    )


def request_single_use(counted: DataFrame, contains: str = "") -> DataFrame:
    """The columns of REQUEST_SINGLE_USE.

    Args:
        counted: Cells of snapshot and description.
        contains: Text that a description must hold, in any case; all where it is empty.
    """
    once = counted.where("records = 1")
    return once.where(F.contains(F.lower("description"), F.lit(contains.lower())))


def request_variants(counted: DataFrame, shortest: int) -> DataFrame:
    """The columns of REQUEST_VARIANTS.

    Args:
        counted: Cells of snapshot and description.
        shortest: Letters that a description must have to be compared by slips.
    """
    newest = counted.join(F.broadcast(counted.agg(F.max("snapshot").alias("snapshot"))), "snapshot")
    texts = newest.select("description", "records").toPandas()
    groups = spelling_groups(dict(texts.to_numpy().tolist()), shortest)
    rows = [(text, fingerprint(best), best) for text, best in groups.items()]
    known = counted.sparkSession.createDataFrame(
        rows, "description string, variant_group string, canonical string"
    )
    return newest.drop("snapshot").join(F.broadcast(known), "description")


def _ranked(counted: DataFrame) -> DataFrame:
    """Adds the place of the snapshot among snapshots and the rank within it."""
    snapshots = counted.groupBy("snapshot").agg(F.lit(1))
    placed = snapshots.select(
        "snapshot", F.row_number().over(Window.orderBy("snapshot")).alias("place")
    )
    within = Window.partitionBy("snapshot").orderBy(F.desc("records"), F.asc("description"))
    return counted.join(F.broadcast(placed), "snapshot").withColumn(
        "rank", F.row_number().over(within)
    )


def tables(context: Context) -> dict[Table, DataFrame]:
    """All tables, from one reading of the requests."""
    settings = _settings(context)
    rows = in_snapshots(context, settings.dataset)
    gathered = asked(rows.where(F.col("service_description").isNotNull())).persist()
    counted = by_description(gathered).persist()
    return {
        REQUEST_SNAPSHOTS: request_snapshots(gathered),
        REQUEST_TOP: request_top(counted, settings.top),
        REQUEST_SINGLE_USE: request_single_use(counted, settings.single_use_contains),
        REQUEST_VARIANTS: request_variants(counted, settings.variants.shortest),
    }


def draw(context: Context) -> None:
    """The most asked descriptions of the newest snapshot, followed through all of them."""
    frame = context.lake.frame(REQUEST_TOP)
    path = context.lake.pictures / "request_ranks.png"
    if len(frame):
        context.picture(draw_ranks(frame, _settings(context).drawn, path, "working/request_top"))


def _settings(context: Context) -> Settings:
    return read_model(context.conf / "analyses" / "requests.yaml", Settings)


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
    says="Service requests by snapshot: totals, the most asked, what was used once or misspelt.",
    reads=lambda context: [restricted(_settings(context).dataset)],
    writes=_WRITES,
    needs=_needs,
    tables=tables,
    draw=draw,
)
