"""Unusually long times without a request, at the beginning and at the end of a series.

A request long before the others probably has a wrong day. An extract that ends long after its last
request was probably made before the end of its period.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise

_YEAR = timedelta(366)
# Shorter times without a request are no sign of an extract that was made early.
_SHORTEST = timedelta(7)
# Shorter times without a request contain no whole quarter, so no quarter counts as empty.
_QUARTER = timedelta(90)
# Days with a request after a time, for each day before it, that make the earlier days isolated.
_DENSER = 10


def isolated_days(days: Sequence[date]) -> int:
    """Number of days, from the first, that are isolated long before the others.

    Days are isolated if a time of at least 90 days without a request follows, and within as many
    days after it as from the first of them to its end, at least ten times as many days have a
    request. If some days are isolated, the rule is applied to the others in the same way.

    Args:
        days: Days with a request, each once and in order.
    """
    isolated = 0
    for at, (last, later) in enumerate(pairwise(days), start=1):
        until = later + (later - days[isolated])
        after = bisect_right(days, until) - at
        if later - last >= _QUARTER and after >= _DENSER * (at - isolated):
            isolated = at
    return isolated


def ends_early(days: Sequence[date], end: date, parts: Sequence[date]) -> bool:
    """Whether the time from the last request to the end of an extract is unusually long.

    It is if it has at least 7 days, and is longer than each time between two days with requests in
    the year before. The extract was then probably made before the end of its period. A time that
    contains the end of an earlier part is left out, because that part can have been made early too.
    If all times contain such an end, as with rare requests, all count.

    Args:
        days: Days with a request, in order.
        end: Last day of the extract, with at least one day in `days` up to it.
        parts: Days of all extracts, in order, if they are parts.
    """
    after_last = bisect_right(days, end)
    last = days[after_last - 1]
    year = days[bisect_left(days, last - _YEAR) : after_last]
    gaps = [*pairwise(year)]
    within = [
        (day, later) for day, later in gaps if bisect_right(parts, day) == bisect_left(parts, later)
    ]
    longest = max((later - day for day, later in within or gaps), default=timedelta(0))
    return end - last >= _SHORTEST and end - last > longest
