"""Counts of combinations of reason and outcome: people, records and time of use.

A combination is a pair of codes, independent of the texts. All tables of the job are computed from
`spellings` (texts and dates) and `uses` (persons and months). Source: thesis
5.8, 5.10 and 5.11, Tables 19 to 23, figures 40 to 46; docs/definitions.md, sections 9.1, 9.2, 9.6
and 9.7.
"""

from collections.abc import Sequence

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from socare_spark.analyses import coded_text
from socare_spark.analyses.vocabulary import UNMAPPED, Claim
from socare_spark.lake.table import ColumnSpec, cell_table
from socare_spark.measures.bands import Band, band_of
from socare_spark.measures.person_counts import count_people

SUBPROCESS = ColumnSpec(
    "subprocess", "string", f"Sub-process; `{UNMAPPED}` where none is declared."
)
REASON = ColumnSpec("reason", "string", "Code of the assessment's reason.")
OUTCOME = ColumnSpec("outcome", "string", "Code of the assessment's outcome.")

COMBINATIONS = cell_table(
    "combinations",
    "Every reason x outcome that occurs, with its people, its records and its time of use.",
    [SUBPROCESS, REASON, OUTCOME],
    [
        ColumnSpec(
            "reason_description", "string", "Text of the reason that most of the records carry."
        ),
        ColumnSpec("outcome_description", "string", "Text of the outcome that most of them carry."),
        ColumnSpec("first_used", "date", "Earliest first day of its records."),
        ColumnSpec("last_used", "date", "Latest last day of its records."),
    ],
    source="Thesis 5.8 and 5.10, figures 40 to 46, Table 20",
)
COMBINATION_TOTALS = cell_table(
    "combination_totals",
    "A sub-process, and each of its reasons whatever the outcome; people are distinct in each row.",
    [
        SUBPROCESS,
        ColumnSpec("reason", "string", "Code of the reason; null is the whole sub-process."),
    ],
    source="Thesis 5.11",
)
COMBINATION_BANDS = cell_table(
    "combination_bands",
    "Combinations by how many people have them in their records.",
    [
        ColumnSpec(
            "band", "string", "Band of people, half-open, from conf/analyses/combinations.yaml."
        )
    ],
    [ColumnSpec("combinations", "bigint", "Combinations in the band.")],
    source="Thesis 5.8, figures 41 to 43",
)
SUBPROCESS_EXTREMES = cell_table(
    "subprocess_extremes",
    "The combinations of a sub-process that most and fewest people have.",
    [
        SUBPROCESS,
        ColumnSpec("kind", "string", "`most` or `least`."),
        ColumnSpec("rank", "bigint", "From 1; by people, then reason, then outcome."),
        REASON,
        OUTCOME,
    ],
    source="Thesis 5.10.2, Tables 21 to 23 (`Sum` is people, `Frequency` is records)",
)


def spellings(rows: DataFrame, claims: Sequence[Claim]) -> DataFrame:
    """Parses and counts the spellings of combinations; some hundreds of rows.

    Args:
        rows: reason and outcome as written, neither null, first_day, last_day (DATE, may be null).
        claims: Claims of the sub-processes.

    Returns:
        One row per spelling: reason_text and outcome_text as written, subprocess, reason, outcome,
        reason_description, outcome_description, records, first_used, last_used.
    """
    reason, outcome = F.col("reason_text"), F.col("outcome_text")
    written = (
        rows.groupBy(F.col("reason").alias("reason_text"), F.col("outcome").alias("outcome_text"))
        .agg(
            F.count(F.lit(1)).alias("records"),
            F.min("first_day").alias("first_used"),
            F.max(F.coalesce("last_day", "first_day")).alias("last_used"),
        )
        .select(
            "*",
            coded_text.code(reason).alias("reason"),
            coded_text.code(outcome).alias("outcome"),
            coded_text.description(reason).alias("reason_description"),
            coded_text.description(outcome).alias("outcome_description"),
        )
    )
    return _claimed(written, claims)


def _claimed(written: DataFrame, claims: Sequence[Claim]) -> DataFrame:
    """Adds the sub-process that claims the combination, or otherwise its reason."""
    subprocesses = written.sparkSession.createDataFrame(
        list(claims), "reason string, outcome string, subprocess string"
    )
    single = subprocesses.where(F.col("outcome").isNotNull()).select(
        "reason", "outcome", F.col("subprocess").alias("_single")
    )
    whole = subprocesses.where(F.col("outcome").isNull()).select(
        "reason", F.col("subprocess").alias("_whole")
    )
    return (
        written.join(F.broadcast(single), ["reason", "outcome"], "left")
        .join(F.broadcast(whole), "reason", "left")
        .select(F.coalesce("_single", "_whole", F.lit(UNMAPPED)).alias("subprocess"), written["*"])
    )


def uses(rows: DataFrame, spelled: DataFrame) -> DataFrame:
    """Counts records by combination, person and month.

    Args:
        rows: person, reason and outcome as written, first_day.
        spelled: Result of `spellings`, which parses each text once.

    Returns:
        One row per spelling, person and month: subprocess, reason, outcome, person, month (DATE,
        first day of the month of `first_day`), records.
    """
    gathered = rows.groupBy(
        F.col("reason").alias("reason_text"),
        F.col("outcome").alias("outcome_text"),
        "person",
        F.trunc("first_day", "month").alias("month"),
    ).agg(F.count(F.lit(1)).alias("records"))
    texts = ["reason_text", "outcome_text"]
    codes = spelled.select(*texts, "subprocess", "reason", "outcome")
    return gathered.join(F.broadcast(codes), texts).drop(*texts)


def combinations(used: DataFrame, spelled: DataFrame) -> DataFrame:
    """One row per combination. Columns as in COMBINATIONS."""
    key = ["subprocess", "reason", "outcome"]
    return count_people(used, key, records="records").join(F.broadcast(_words(spelled, key)), key)


def _words(spelled: DataFrame, key: Sequence[str]) -> DataFrame:
    """The most common pair of texts of each combination, and its first and last use.

    Ties in records are broken alphabetically.
    """
    texts = ["reason_description", "outcome_description"]
    by_text = spelled.groupBy(*key, *texts).agg(
        F.sum("records").alias("_records"),
        F.min("first_used").alias("first_used"),
        F.max("last_used").alias("last_used"),
    )
    usual = F.min_by(F.struct(*texts), F.struct(-F.col("_records"), *texts))
    return (
        by_text.groupBy(*key)
        .agg(
            usual.alias("_usual"),
            F.min("first_used").alias("first_used"),
            F.max("last_used").alias("last_used"),
        )
        .select(*key, "_usual.*", "first_used", "last_used")
    )


def combination_totals(used: DataFrame) -> DataFrame:
    """One row per sub-process and reason, with totals. Columns as in COMBINATION_TOTALS."""
    return count_people(used, ["subprocess", "reason"], records="records", totals=["reason"])


def combination_bands(used: DataFrame, counted: DataFrame, bands: Sequence[Band]) -> DataFrame:
    """Counts combinations by number of people.

    Args:
        used: Result of `uses`.
        counted: Result of `combinations`.
        bands: Bands of people.

    Returns:
        One row per band with combinations. Columns as in COMBINATION_BANDS.
    """
    banded = counted.select("reason", "outcome", band_of(F.col("people"), bands).alias("band"))
    people = count_people(
        used.join(F.broadcast(banded), ["reason", "outcome"]), ["band"], records="records"
    )
    return people.join(banded.groupBy("band").agg(F.count(F.lit(1)).alias("combinations")), "band")


def subprocess_extremes(counted: DataFrame, number: int) -> DataFrame:
    """The most and least used combinations of each sub-process. Columns as in SUBPROCESS_EXTREMES.

    Args:
        counted: Result of `combinations`.
        number: Number of combinations of each kind. Ties are broken alphabetically.
    """
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
