"""The `combinations` analysis: which reason went with which outcome, for whom, how often and when.

A combination is a pair of codes, whatever its texts say of them. Rows are read once and gathered by
combination and person; everything after works on that. Source: thesis chapter 5, Tables 19 to 23,
figures 40 to 46; ranks as section 5 of the domain reference settles them.
"""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from socare_spark.analyses import codes
from socare_spark.analyses.vocabulary import UNMAPPED, read_subprocesses
from socare_spark.contracts.load import Strict, read_model
from socare_spark.job import Analysis, Context
from socare_spark.lake.tables import Column, Table, working
from socare_spark.measures.bands import Band, band_of
from socare_spark.measures.cells import cells
from socare_spark.report.charts import Bars, draw_bars

_SUBPROCESS = Column("subprocess", "string", f"Sub-process; `{UNMAPPED}` where none is declared.")
_REASON = Column("reason", "string", "Code of the assessment's reason.")
_OUTCOME = Column("outcome", "string", "Code of the assessment's outcome.")

COMBINATIONS = working(
    "combinations",
    "Every reason x outcome that occurs, with its people, its records and its time of use.",
    [_SUBPROCESS, _REASON, _OUTCOME],
    [
        Column(
            "reason_description", "string", "Text of the reason that most of the records carry."
        ),
        Column("outcome_description", "string", "Text of the outcome that most of them carry."),
        Column("first_used", "date", "Earliest first day of its records."),
        Column("last_used", "date", "Latest last day of its records."),
    ],
    source="Thesis 5.8 and 5.10, figures 40 to 46, Table 20",
)
COMBINATION_TOTALS = working(
    "combination_totals",
    "A sub-process, and each of its reasons whatever the outcome; people are distinct in each row.",
    [_SUBPROCESS, Column("reason", "string", "Code of the reason; null is the whole sub-process.")],
    source="Thesis 5.11",
)
COMBINATION_BANDS = working(
    "combination_bands",
    "Combinations by how many people have them in their records.",
    [Column("band", "string", "Band of people, half-open, from conf/analyses/combinations.yaml.")],
    [Column("combinations", "bigint", "Combinations in the band.")],
    source="Thesis 5.8, figures 41 to 43",
)
SUBPROCESS_EXTREMES = working(
    "subprocess_extremes",
    "The combinations of a sub-process that most and fewest people have.",
    [
        _SUBPROCESS,
        Column("kind", "string", "`most` or `least`."),
        Column("rank", "bigint", "From 1; by people, then reason, then outcome."),
        _REASON,
        _OUTCOME,
    ],
    source="Thesis 5.10.2, Tables 21 to 23 (`Sum` is people, `Frequency` is records)",
)


_SOURCE = "working/combinations"


class Settings(Strict):
    """`conf/analyses/combinations.yaml`."""

    dataset: str
    reason: str
    outcome: str
    first_day: str
    last_day: str
    bands: tuple[Band, ...]
    extremes: Annotated[int, Field(ge=1)]


def uses(rows: DataFrame, subprocesses: DataFrame) -> DataFrame:
    """Who used which combination, in which words, how often and when.

    Args:
        rows: person, reason and outcome as written, first_day, last_day (DATE, may be null).
        subprocesses: reason, outcome (codes; a null outcome claims any), subprocess.

    Returns:
        subprocess, reason, outcome, reason_description, outcome_description, person, records,
        first_used, last_used.
    """
    gathered = rows.groupBy("reason", "outcome", "person").agg(
        F.count(F.lit(1)).alias("records"),
        F.min("first_day").alias("first_used"),
        F.max(F.coalesce("last_day", "first_day")).alias("last_used"),
    )
    # Texts are taken apart after gathering: there are fewer of them then.
    parted = gathered.select(
        codes.code(F.col("reason")).alias("reason"),
        codes.code(F.col("outcome")).alias("outcome"),
        codes.description(F.col("reason")).alias("reason_description"),
        codes.description(F.col("outcome")).alias("outcome_description"),
        "person",
        "records",
        "first_used",
        "last_used",
    )
    return _claimed(parted, subprocesses)


def _claimed(gathered: DataFrame, subprocesses: DataFrame) -> DataFrame:
    """Adds the sub-process: the one that claims the combination, else the one with its reason."""
    single = subprocesses.where(F.col("outcome").isNotNull()).select(
        "reason", "outcome", F.col("subprocess").alias("_single")
    )
    whole = subprocesses.where(F.col("outcome").isNull()).select(
        "reason", F.col("subprocess").alias("_whole")
    )
    return (
        gathered.join(F.broadcast(single), ["reason", "outcome"], "left")
        .join(F.broadcast(whole), "reason", "left")
        .select(F.coalesce("_single", "_whole", F.lit(UNMAPPED)).alias("subprocess"), gathered["*"])
    )


def combinations(used: DataFrame) -> DataFrame:
    """The columns of COMBINATIONS."""
    key = ["subprocess", "reason", "outcome"]
    return cells(used, key, records="records").join(F.broadcast(_words(used, key)), key)


def _words(used: DataFrame, key: Sequence[str]) -> DataFrame:
    """The two texts that most records of a combination carry together, and its time of use.

    Of texts with as many records the first by alphabet is taken.
    """
    texts = ["reason_description", "outcome_description"]
    spelled = used.groupBy(*key, *texts).agg(
        F.sum("records").alias("_records"),
        F.min("first_used").alias("first_used"),
        F.max("last_used").alias("last_used"),
    )
    usual = F.min_by(F.struct(*texts), F.struct(-F.col("_records"), *texts))
    return (
        spelled.groupBy(*key)
        .agg(
            usual.alias("_usual"),
            F.min("first_used").alias("first_used"),
            F.max("last_used").alias("last_used"),
        )
        .select(*key, "_usual.*", "first_used", "last_used")
    )


def combination_totals(used: DataFrame) -> DataFrame:
    """The columns of COMBINATION_TOTALS."""
    return cells(used, ["subprocess", "reason"], records="records", totals=["reason"])


def combination_bands(used: DataFrame, counted: DataFrame, bands: Sequence[Band]) -> DataFrame:
    """The columns of COMBINATION_BANDS.

    Args:
        used: Result of `uses`.
        counted: Result of `combinations`.
        bands: Bands of people.
    """
    banded = counted.select("reason", "outcome", band_of(F.col("people"), bands).alias("band"))
    people = cells(
        used.join(F.broadcast(banded), ["reason", "outcome"]), ["band"], records="records"
    )
    return people.join(banded.groupBy("band").agg(F.count(F.lit(1)).alias("combinations")), "band")


def subprocess_extremes(counted: DataFrame, number: int) -> DataFrame:
    """The columns of SUBPROCESS_EXTREMES: `number` most and least used, ties by the alphabet."""
    code = [F.asc("reason"), F.asc("outcome")]
    ranked = {
        "most": Window.partitionBy("subprocess").orderBy(F.desc("people"), *code),
        "least": Window.partitionBy("subprocess").orderBy(F.asc("people"), *code),
    }
    kinds = [
        counted.select("*", F.lit(kind).alias("kind"), F.row_number().over(order).alias("rank"))
        for kind, order in ranked.items()
    ]
    return kinds[0].unionByName(kinds[1]).where(F.col("rank") <= number)


def tables(context: Context) -> dict[Table, DataFrame]:
    """All tables; combinations that no sub-process claims are counted in the run record."""
    settings = _settings(context)
    rows = context.read(f"restricted/{settings.dataset}").select(
        "person",
        F.col(settings.reason).alias("reason"),
        F.col(settings.outcome).alias("outcome"),
        F.col(settings.first_day).alias("first_day"),
        F.col(settings.last_day).alias("last_day"),
    )
    whole = rows.dropna(subset=["reason", "outcome"])
    used = uses(whole, read_subprocesses(context.spark, context.conf)).persist()
    counted = combinations(used).persist()
    unmapped = counted.where(F.col("subprocess") == UNMAPPED).count()
    context.run.counts["combinations.unmapped"] = unmapped
    if unmapped:
        context.run.warnings.append(
            f"{unmapped} combinations stand in no sub-process of vocabulary/subprocesses.yaml: "
            f"they are in `{UNMAPPED}`."
        )
    return {
        COMBINATIONS: counted,
        COMBINATION_TOTALS: combination_totals(used),
        COMBINATION_BANDS: combination_bands(used, counted, settings.bands),
        SUBPROCESS_EXTREMES: subprocess_extremes(counted, settings.extremes),
    }


def draw(context: Context) -> None:
    """A bar for every combination, and the same for each band of people that has any."""
    frame = context.lake.read(context.spark, COMBINATIONS).toPandas()
    pictures = {"combinations": Bars("Combinations of reason and outcome", frame, _SOURCE)}
    for place, band in enumerate(_settings(context).bands, start=1):
        within = frame["people"].between(band.start, band.end or float("inf"), inclusive="left")
        title = f"Combinations in the records of {band.label} people"
        pictures[f"combinations_band_{place}"] = Bars(title, frame[within], _SOURCE)
    for name, bars in pictures.items():
        if len(bars.rows):
            context.picture(draw_bars(bars, context.lake.pictures / f"{name}.png"))


def _settings(context: Context) -> Settings:
    return read_model(context.conf / "analyses" / "combinations.yaml", Settings)


ANALYSIS = Analysis(
    name="combinations",
    says="Which reason goes with which outcome: people, records, time of use, by sub-process.",
    reads=lambda context: [f"restricted/{_settings(context).dataset}"],
    writes=(COMBINATIONS, COMBINATION_TOTALS, COMBINATION_BANDS, SUBPROCESS_EXTREMES),
    tables=tables,
    draw=draw,
)
