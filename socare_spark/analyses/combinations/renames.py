"""Renamed reasons: pairs of reasons with similar texts where one is used after the other.

The similarity of two texts is the share of words that they have in common (Dice, 1945, on bags of
words). Longer words that differ by a single edit count as the same word. The thesis observes that
texts are often changed slightly, which leaves most words unchanged.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import NamedTuple

import pandas as pd

from socare_spark.analyses.combinations.groups import members_of
from socare_spark.analyses.combinations.reasons import Reason
from socare_spark.analyses.combinations.settings import Renames
from socare_spark.lake.table import ColumnSpec, cell_table
from socare_spark.measures.text_clusters import text_clusters, words

COMBINATION_RENAMES = cell_table(
    "combination_renames",
    "A reason that probably is the new name of another; people and records are of both together.",
    [
        ColumnSpec("reason_a", "string", "Code of the reason that was used first."),
        ColumnSpec("reason_b", "string", "Code of the reason that took its place."),
    ],
    [
        ColumnSpec("similarity", "double", "Share of words that the texts have in common, 0 to 1."),
        ColumnSpec(
            "gap_days",
            "bigint",
            "Days between the last use of a and the first of b; negative where both were in use.",
        ),
    ],
    source="Thesis 5.8 and 5.9: referral forms before and after MASH, minor changes of texts; "
    "Dice (1945)",
)


class Rename(NamedTuple):
    """A reason, the reason that replaced it, their similarity, and days between their uses."""

    reason_a: str
    reason_b: str
    similarity: float
    gap_days: int


class _Used(NamedTuple):
    """A reason with its words and its first and last day of use."""

    code: str
    words: Counter[str]
    first: date
    last: date


def rename_members(renames: Sequence[Rename], spelled: pd.DataFrame) -> pd.DataFrame:
    """Spellings of both reasons of each rename, for `number_groups`.

    Args:
        renames: Result of `renamed`.
        spelled: The spellings: `reason_text`, `outcome_text`, `reason`.

    Returns:
        One row for each rename and spelling: `reason_text`, `outcome_text`, and the fields of
        `Rename`.
    """
    pairs = pd.DataFrame(renames, columns=list(Rename._fields))
    either = [pairs.assign(reason=pairs[name]) for name in ("reason_a", "reason_b")]
    return members_of(pd.concat(either), spelled, ["reason"], keep=False)


def renamed(reasons: Sequence[Reason], wanted: Renames) -> list[Rename]:
    """Pairs of a reason and a similar reason that begins near its end, in order of codes."""
    bag = _bags(reasons, wanted.shortest)
    in_use = [
        _Used(r.code, bag(r.name), r.first_used, r.last_used)
        for r in reasons
        if r.name and r.first_used and r.last_used
    ]
    renames = []
    for a, b in _handovers(in_use, wanted.days):
        share = similarity(a.words, b.words)
        if share >= wanted.similarity:
            renames.append(Rename(a.code, b.code, share, _gap(a, b)))
    return sorted(renames)


def similarity(a: Counter[str], b: Counter[str]) -> float:
    """Share of words in common, from 0 to 1; 0 if neither text has words."""
    return 2 * (a & b).total() / ((a + b).total() or 1)


def _handovers(reasons: Sequence[_Used], days: int) -> Iterator[tuple[_Used, _Used]]:
    """Pairs where the second begins and ends later, and begins near the end of the first."""
    by_start = sorted(reasons, key=lambda r: (r.first, r.code))
    starts = [r.first.toordinal() for r in by_start]
    for a in reasons:
        # Ordinal days have no upper limit; records can end on the last day of the calendar.
        adjoining = a.last.toordinal() + 1
        low, high = bisect_left(starts, adjoining - days), bisect_right(starts, adjoining + days)
        yield from ((a, b) for b in by_start[low:high] if b.first > a.first and b.last > a.last)


def _gap(a: _Used, b: _Used) -> int:
    return (b.first - a.last).days - 1


def _bags(reasons: Sequence[Reason], shortest: int) -> Callable[[str], Counter[str]]:
    """Function from a text to its bag of words, in the most common spelling of each word."""
    number = Counter(word for r in reasons for word in words(r.name or ""))
    usual = text_clusters(number, shortest)
    return lambda text: Counter(usual.get(word, word) for word in words(text))
