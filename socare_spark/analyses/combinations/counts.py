"""Counts of combinations of reason and outcome: people, records and time of use.

A combination is a pair of codes, independent of the texts. Spark counts the spellings, and the
people of groups of spellings. The rest is computed from these counts. Source: thesis 5.8, 5.10 and
5.11, Tables 19 to 23, figures 40 to 46; docs/definitions.md, sections 9.1, 9.2, 9.6 and 9.7.
"""

from collections.abc import Iterable, Sequence
from datetime import date

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses import coded_text
from socare_spark.analyses.combinations.groups import TEXTS, members_of
from socare_spark.analyses.vocabulary import UNMAPPED, Claim
from socare_spark.lake.table import ColumnSpec, cell_table
from socare_spark.measures.bands import Band, label_of

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


_CODES = ["reason", "outcome"]
_COMBINATION = ["subprocess", *_CODES]
_DESCRIPTIONS = ["reason_description", "outcome_description"]


def spellings(records: DataFrame) -> DataFrame:
    """Parses and counts the spellings of combinations; some hundreds of rows.

    Args:
        records: `reason_text`, `outcome_text` (as written, not null), `first_day`, `last_day` (null
            if not known).

    Returns:
        One row for each spelling: `reason_text`, `outcome_text`, `records`, `first_used`,
        `last_used`, `reason`, `outcome`, `reason_description`, `outcome_description`, `brackets`
        (period of use in brackets of the reason's description).
    """
    reason, outcome = (F.col(name) for name in TEXTS)
    described = coded_text.description(reason)
    return (
        records.groupBy(*TEXTS)
        .agg(
            F.count(F.lit(1)).alias("records"),
            F.min("first_day").alias("first_used"),
            F.max(F.coalesce("last_day", "first_day")).alias("last_used"),
        )
        .select(
            "*",
            coded_text.code(reason).alias("reason"),
            coded_text.code(outcome).alias("outcome"),
            described.alias("reason_description"),
            coded_text.description(outcome).alias("outcome_description"),
            coded_text.period(described).alias("brackets"),
        )
    )


def with_subprocess(spelled: pd.DataFrame, claims: Iterable[Claim]) -> pd.DataFrame:
    """Adds `subprocess`, which claims the combination, or otherwise its reason.

    Args:
        spelled: Collected result of `spellings`.
        claims: Claims of the sub-processes.
    """
    claimed = {(reason, outcome): subprocess for reason, outcome, subprocess in claims}
    names = [
        claimed.get((reason, outcome)) or claimed.get((reason, None), UNMAPPED)
        for reason, outcome in spelled[_CODES].itertuples(index=False)
    ]
    return spelled.assign(subprocess=pd.Series(names, spelled.index, dtype=object))


def combinations_in_use(spelled: pd.DataFrame) -> pd.DataFrame:
    """The combinations with their most common pair of texts, and their first and last use.

    Ties in records are broken alphabetically.

    Args:
        spelled: Result of `with_subprocess`. Spellings without a code are left out.

    Returns:
        One row for each combination: `subprocess`, `reason`, `outcome`, `reason_description`,
        `outcome_description`, `first_used`, `last_used`.
    """
    coded = spelled.dropna(subset=_CODES)
    texts = [*_COMBINATION, *_DESCRIPTIONS]
    by_text: pd.DataFrame = coded.groupby(texts, dropna=False, as_index=False).agg(
        {"records": "sum"}
    )
    by_use = by_text.sort_values(
        ["records", *_DESCRIPTIONS], ascending=[False, True, True], na_position="first"
    )
    usual = by_use.drop_duplicates(_COMBINATION)[texts]
    days: pd.DataFrame = coded.groupby(_COMBINATION, as_index=False).agg(
        {"first_used": first_of, "last_used": last_of}
    )
    return usual.merge(days, on=_COMBINATION)


def first_of(days: pd.Series) -> date | None:
    """The earliest of some days; None if none is known."""
    return min(days.dropna(), default=None)


def last_of(days: pd.Series) -> date | None:
    """The latest of some days; None if none is known."""
    return max(days.dropna(), default=None)


def combination_members(in_use: pd.DataFrame, spelled: pd.DataFrame) -> pd.DataFrame:
    """Spellings of each combination, for `number_groups`."""
    return members_of(in_use, spelled, _CODES, keep=True)


def total_members(spelled: pd.DataFrame) -> pd.DataFrame:
    """Spellings of each sub-process and of each of its reasons, for `number_groups`.

    A spelling without a code of a reason is only in the sub-process.
    """
    of_reasons = spelled.loc[spelled["reason"].notna(), [*TEXTS, "subprocess", "reason"]]
    whole = spelled[[*TEXTS, "subprocess"]].assign(reason=None)
    return pd.concat([of_reasons, whole], ignore_index=True)


def band_members(
    counted: pd.DataFrame, spelled: pd.DataFrame, bands: Sequence[Band]
) -> pd.DataFrame:
    """Spellings of the combinations of each band, for `number_groups`.

    Args:
        counted: Rows of COMBINATIONS.
        spelled: Result of `with_subprocess`.
        bands: Bands of people.

    Returns:
        One row for each band and spelling: `reason_text`, `outcome_text`, `band`, `combinations`
        (number in the band).
    """
    labels = [label_of(people, bands) for people in counted["people"]]
    banded = counted[_CODES].assign(band=pd.Series(labels, counted.index, dtype=object))
    number = banded.groupby("band")["reason"].transform("size")
    return members_of(banded.assign(combinations=number), spelled, _CODES, keep=False)


def subprocess_extremes(counted: pd.DataFrame, number: int) -> pd.DataFrame:
    """The most and least used combinations of each sub-process.

    Args:
        counted: Rows of COMBINATIONS.
        number: Number of combinations of each kind. Ties are broken alphabetically.

    Returns:
        One row for each sub-process, kind and rank. Columns as in SUBPROCESS_EXTREMES.
    """
    kinds = []
    for kind, ascending in (("most", False), ("least", True)):
        ranked = counted.sort_values(["people", *_CODES], ascending=[ascending, True, True])
        rank = ranked.groupby("subprocess").cumcount() + 1
        kinds.append(ranked.assign(kind=kind, rank=rank)[rank <= number])
    return pd.concat(kinds, ignore_index=True)
