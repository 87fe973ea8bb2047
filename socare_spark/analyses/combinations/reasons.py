"""Reasons with their name, the period of use in their text, and their observed use.

A reason can have several spellings. There are at most some hundreds of spellings, so they are
collected to the driver and compared there.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from socare_spark.analyses import coded_text
from socare_spark.analyses.combinations.period_text import Period, declared_period


@dataclass(frozen=True)
class Reason:
    """A reason of the records.

    Attributes:
        code: Code of the reason.
        name: Text of most of its records, without a period of use; None without text.
        figures: Whether one of its texts ends with figures in brackets.
        declared: Period of use in its text; of several that of most records.
        first_used: Earliest first day of its records.
        last_used: Latest last day of its records.
    """

    code: str
    name: str | None
    figures: bool
    declared: Period | None
    first_used: date | None
    last_used: date | None


def read_reasons(spelled: DataFrame) -> list[Reason]:
    """Collects all reasons, in order of their codes.

    Args:
        spelled: Result of `spellings`.
    """
    by_text = (
        spelled.where(F.col("reason").isNotNull())
        .groupBy("reason", F.col("reason_description").alias("text"))
        .agg(
            F.sum("records").alias("records"),
            F.min("first_used").alias("first_used"),
            F.max("last_used").alias("last_used"),
        )
        .select("*", coded_text.period(F.col("text")).alias("brackets"))
    )
    by_code: dict[str, list[Row]] = defaultdict(list)
    for row in by_text.collect():
        by_code[row["reason"]].append(row)
    return [_reason(code, by_code[code]) for code in sorted(by_code)]


def _reason(code: str, spellings: Iterable[Row]) -> Reason:
    """Builds a reason from its spellings. Ties in records are broken alphabetically."""
    by_use = sorted(spellings, key=lambda s: (-s["records"], s["text"] or ""))
    figures = [s["brackets"] for s in by_use if s["brackets"] is not None]
    periods = (declared_period(text) for text in figures)
    return Reason(
        code,
        _undated(by_use[0]["text"], by_use[0]["brackets"]),
        bool(figures),
        next((period for period in periods if period is not None), None),
        min((s["first_used"] for s in by_use if s["first_used"]), default=None),
        max((s["last_used"] for s in by_use if s["last_used"]), default=None),
    )


def _undated(text: str | None, brackets: str | None) -> str | None:
    """Text without its period of use. Brackets with other contents are kept."""
    if text is None or brackets is None or declared_period(brackets) is None:
        return text
    return text[: text.rindex("(")].rstrip()
