"""Reasons with their name, the period of use in their text, and their observed use.

A reason can have several spellings.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date

import pandas as pd

from socare_spark.analyses.combinations.counts import first_of, last_of
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


def reasons_of(spelled: pd.DataFrame) -> list[Reason]:
    """All reasons, in order of their codes.

    Args:
        spelled: Collected result of `spellings`. Spellings without a code are left out.
    """
    return [_reason(str(code), rows) for code, rows in spelled.groupby("reason")]


def _reason(code: str, spelled: pd.DataFrame) -> Reason:
    """Builds a reason from its spellings. Ties in records are broken alphabetically."""
    records: Counter[tuple[str | None, str | None]] = Counter()
    columns = spelled[["reason_description", "brackets", "records"]]
    for text, brackets, number in columns.itertuples(index=False):
        records[text, brackets] += number
    by_use = sorted(records, key=lambda each: (-records[each], each[0] or ""))
    figures = [brackets for _, brackets in by_use if brackets is not None]
    periods = (declared_period(brackets) for brackets in figures)
    return Reason(
        code,
        _undated(*by_use[0]),
        bool(figures),
        next((period for period in periods if period is not None), None),
        first_of(spelled["first_used"]),
        last_of(spelled["last_used"]),
    )


def _undated(text: str | None, brackets: str | None) -> str | None:
    """Text without its period of use. Brackets with other contents are kept."""
    if text is None or brackets is None or declared_period(brackets) is None:
        return text
    return text[: text.rindex("(")].rstrip()
