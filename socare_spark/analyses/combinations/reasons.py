"""What each reason is called, what period of use its text declares, and when it was in use.

A reason may have been spelled in several ways. There are some hundreds of spellings at most, so
they are gathered to the driver, where texts are compared.
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
        code: Its code.
        name: The text that most of its records carry, without a period of use; None without text.
        figures: Whether a text of it ends with brackets that hold figures.
        declared: The period of use in its text; of several the one that most records carry.
        first_used: Earliest first day of its records.
        last_used: Latest last day.
    """

    code: str
    name: str | None
    figures: bool
    declared: Period | None
    first_used: date | None
    last_used: date | None


def read_reasons(spelled: DataFrame) -> list[Reason]:
    """All reasons in the order of their codes.

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
    """Of spellings with as many records the first by alphabet is the usual one."""
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
    """The text without its period of use; brackets that hold something else are part of it."""
    if text is None or brackets is None or declared_period(brackets) is None:
        return text
    return text[: text.rindex("(")].rstrip()
