"""Combinations of reason and outcome, counted: people, records, time of use, by sub-process.

A combination is a pair of codes, whatever its texts say of them. Records are gathered once, by
combination, person and month; every table of the job works on that. Source: thesis 5.8, 5.10 and
5.11, Tables 19 to 23, figures 40 to 46; ranks as section 5 of the domain reference settles them.
"""

from collections.abc import Sequence

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from socare_spark.analyses import codes
from socare_spark.analyses.vocabulary import UNMAPPED
from socare_spark.lake.tables import Column, working
from socare_spark.measures.bands import Band, band_of
from socare_spark.measures.cells import cells

SUBPROCESS = Column("subprocess", "string", f"Sub-process; `{UNMAPPED}` where none is declared.")
REASON = Column("reason", "string", "Code of the assessment's reason.")
OUTCOME = Column("outcome", "string", "Code of the assessment's outcome.")

COMBINATIONS = working(
    "combinations",
    "Every reason x outcome that occurs, with its people, its records and its time of use.",
    [SUBPROCESS, REASON, OUTCOME],
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
    [SUBPROCESS, Column("reason", "string", "Code of the reason; null is the whole sub-process.")],
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
        SUBPROCESS,
        Column("kind", "string", "`most` or `least`."),
        Column("rank", "bigint", "From 1; by people, then reason, then outcome."),
        REASON,
        OUTCOME,
    ],
    source="Thesis 5.10.2, Tables 21 to 23 (`Sum` is people, `Frequency` is records)",
)


def uses(rows: DataFrame, subprocesses: DataFrame) -> DataFrame:
    """Who used which combination, in which words, how often and when.

    Args:
        rows: person, reason and outcome as written, first_day, last_day (DATE, may be null).
        subprocesses: reason, outcome (codes; a null outcome claims any), subprocess.

    Returns:
        subprocess, reason, outcome, reason_description, outcome_description, person, month (DATE,
        the first of the month of the first days), records, first_used, last_used.
    """
    month = F.trunc("first_day", "month").alias("month")
    gathered = rows.groupBy("reason", "outcome", "person", month).agg(
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
        "month",
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
