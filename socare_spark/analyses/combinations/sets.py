"""Combinations of any number of columns and flags, in the order of the configuration.

A combination is a text: its parts joined by ` + `. A column contributes its value, and a flag (a
yes/no column) its name if it is true. A record without a value in a flag has no combination, unless
`empty_flags` says that the flag is not true.
"""

from functools import reduce

import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses import coded_text
from socare_spark.analyses.combinations.groups import TEXTS
from socare_spark.analyses.combinations.settings import Combinations
from socare_spark.analyses.vocabulary import UNMAPPED
from socare_spark.lake.table import ColumnSpec, cell_table

SEPARATOR = " + "
MISSING, NO_PART = "(missing)", "(none)"

COMBINATION_SETS = cell_table(
    "combination_sets",
    "Every combination that occurs of the configured columns and flags; without any, of reason and "
    "outcome.",
    [
        ColumnSpec(
            "combination",
            "string",
            f"Values of columns and names of true flags, joined by `{SEPARATOR.strip()}`; "
            f"`{MISSING}` where a column has no value, `{NO_PART}` without any part. A `+` in a "
            "value is written `\\+`. A record with an unknown flag is in no row.",
        )
    ],
    [
        ColumnSpec("parts", "bigint", "Number of its parts."),
        ColumnSpec("first_used", "date", "Earliest first day of its records."),
        ColumnSpec("last_used", "date", "Latest last day of its records."),
    ],
    source="Thesis 5.8, for any number of columns",
)


def with_combination(rows: DataFrame, wanted: Combinations) -> DataFrame:
    """Adds the combination of each record as a pair of texts, for `count_groups`.

    Args:
        rows: The columns and flags of the settings, `person`, `first_day`, `last_day`.
        wanted: The settings.

    Returns:
        One row for each record: `person`, `reason_text` (the combination), `outcome_text` (empty),
        `parts`, `first_day`, `last_day`. The combination and its parts are null if it is not known
        whether a flag is true.
    """
    coded = (wanted.reason, wanted.outcome)
    values = [_value(F.col(f"`{name}`"), coded=name in coded) for name in wanted.columns]
    parts = [
        *(F.coalesce(value, F.lit(MISSING)) for value in values),
        *(F.when(F.col(f"`{name}`"), F.lit(name)) for name in wanted.flags),
    ]
    number = reduce(Column.__add__, [part.isNotNull().cast("bigint") for part in parts])
    text = F.coalesce(F.nullif(F.concat_ws(SEPARATOR, *parts), F.lit("")), F.lit(NO_PART))
    needed = wanted.flags if wanted.empty_flags == "not_known" else ()
    has_value = [F.col(f"`{name}`").isNotNull() for name in needed]
    is_known = reduce(Column.__and__, has_value, F.lit(True))
    return rows.select(
        "person",
        F.when(is_known, text).alias(TEXTS[0]),
        F.lit("").alias(TEXTS[1]),
        F.when(is_known, number).alias("parts"),
        "first_day",
        "last_day",
    )


def _value(column: Column, *, coded: bool) -> Column:
    """Value of a column as a part: as written, or the code of a reason or an outcome."""
    text = column.cast("string")
    value = coded_text.code(text) if coded else F.nullif(coded_text.trimmed(text), F.lit(""))
    return escaped(value)


def escaped(value: Column) -> Column:
    r"""A value with `+` written `\+`, so that different combinations have different texts."""
    return F.replace(value, F.lit("+"), F.lit("\\+"))


def set_spellings(records: DataFrame) -> DataFrame:
    """Counts the records of each combination, as `counts.spellings` does for pairs.

    Args:
        records: Result of `with_combination`.

    Returns:
        One row for each combination: `reason_text`, `outcome_text`, `parts`, `records`,
        `first_used`, `last_used`. The text and the parts of one row can be null.
    """
    return records.groupBy(*TEXTS, "parts").agg(
        F.count(F.lit(1)).alias("records"),
        F.min("first_day").alias("first_used"),
        F.max(F.coalesce("last_day", "first_day")).alias("last_used"),
    )


def without_unknown(spelled: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """The known combinations, and the number of records without a known one.

    Args:
        spelled: Collected result of `set_spellings`.
    """
    is_known = spelled[TEXTS[0]].notna()
    return spelled[is_known], int(spelled.loc[~is_known, "records"].sum())


def sets_in_use(spelled: pd.DataFrame) -> pd.DataFrame:
    """Combinations of sets in the form of pairs, for bands and blocks.

    Args:
        spelled: Combinations that are known.

    Returns:
        The rows with `reason` (the combination), `outcome` (empty) and `subprocess`.
    """
    return spelled.assign(reason=spelled[TEXTS[0]], outcome="", subprocess=UNMAPPED)


def set_members(spelled: pd.DataFrame) -> pd.DataFrame:
    """The text of each combination, for `number_groups`.

    Args:
        spelled: Combinations that are known.
    """
    columns = [*TEXTS, "parts", "first_used", "last_used"]
    return spelled[columns].assign(combination=spelled[TEXTS[0]])


def pair_members(members: pd.DataFrame) -> pd.DataFrame:
    """The spellings of each pair of reason and outcome as a set, for `number_groups`.

    Args:
        members: Result of `counts.combination_members`.
    """
    codes = [members[name].str.replace("+", "\\+", regex=False) for name in ("reason", "outcome")]
    columns = [*TEXTS, "first_used", "last_used"]
    return members[columns].assign(combination=codes[0] + SEPARATOR + codes[1], parts=2)
