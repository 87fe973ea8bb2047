"""Spells of agreements: agreements that overlap or adjoin are one spell."""

from dataclasses import dataclass

import numpy as np

from socare_spark.twin.agreements.agreement_records import Agreements
from socare_spark.twin.draws import Ints

# More than any day number, so that days of one person and element never reach those of the next.
_FAR = 1 << 20


@dataclass(frozen=True)
class Spell:
    """The spell of each agreement.

    `start` is the first day of its spell; `covered` is the last day that earlier agreements of the
    same person and element cover, or a day long ago.
    """

    start: Ints
    covered: Ints


def spells_of(agreements: Agreements, rows: Ints) -> Spell:
    """The spell of each of some rows, which hold all agreements of their elements."""
    person, element, first, last = (
        column[rows]
        for column in (agreements.person, agreements.element, agreements.start, agreements.end)
    )
    order = np.lexsort((last, first, element, person))
    begins = np.ones(len(rows), dtype=bool)
    begins[1:] = (np.diff(person[order]) != 0) | (np.diff(element[order]) != 0)
    key = np.cumsum(begins) * _FAR
    reached = np.maximum.accumulate(key + last[order]) - key
    covered = np.where(begins, -_FAR, np.roll(reached, 1))
    opens = first[order] > covered + 1
    starts = np.maximum.accumulate(np.where(opens, np.arange(len(rows)), 0))
    start = np.empty(len(rows), dtype=np.int64)
    before = np.empty(len(rows), dtype=np.int64)
    start[order], before[order] = first[order][starts], covered
    return Spell(start, before)
