"""The CRM's service requests: three whole copies of the system, most of whose records are the same.

Guarantee: at scale 1 each snapshot has the published records and distinct descriptions (Table 24)
and the printed top (Table 25), with ranks 29 and 30 below it. A description's records are numbered;
a snapshot holds a stretch of the numbers, so that older ones are purged, newer ones added, and what
stays keeps identifier, date and all else.
"""

from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from socare_spark.twin.draws import EPOCH, Calendar, Draws, Ints, apportion, day, scaled
from socare_spark.twin.requests import request_descriptions

SNAPSHOTS = ("2019-02-12", "2019-08-12", "2020-02-25")
RECORDS = (1_170_517, 1_185_728, 1_189_511)
DESCRIPTIONS = (23_334, 23_066, 23_004)
# Ranks 29 and 30, which are not printed: descriptions that fell out of the printed list or are not
# yet in it, and one more.
RANK_29, RANK_30 = (6_612, 6_540, 6_498), (6_397, 6_402, 6_418)
SINGLE_SHARE, DROPPED_SHARE = 0.55, 0.03
FIRST_DAY = day(2010)
YEARS = {
    2010: 0.5, 2011: 0.7, 2012: 0.9, 2013: 1.1, 2014: 1.4, 2015: 1.8, 2016: 2.3, 2017: 2.9,
    2018: 3.4, 2019: 3.6, 2020: 3.6,
}  # fmt: skip
PURGED_SHARE = 0.01


@dataclass
class Requests:
    """All records of all snapshots in the order of their dates, which is that of their identifiers.

    `held` has bit s set where snapshot s holds the record; `counts` is descriptions x snapshots.
    """

    texts: list[str]
    counts: Ints
    description: npt.NDArray[np.int32]
    date: npt.NDArray[np.int16]
    held: npt.NDArray[np.uint8]

    def in_snapshot(self, snapshot: str) -> Ints:
        """The rows that a snapshot holds."""
        return np.flatnonzero(self.held & (1 << SNAPSHOTS.index(snapshot)))


def requests(draws: Draws, scale: float, awkward: bool) -> Requests:
    """Draws the records of the three snapshots."""
    own = draws.scoped("requests")
    texts, counts = _counts(own, scale, awkward)
    first, last = _stretches(counts)
    size = last[:, -1]
    description = np.repeat(np.arange(len(texts), dtype=np.int32), size)
    number = np.arange(int(size.sum())) - np.repeat(np.cumsum(size) - size, size)
    held = np.zeros(len(number), dtype=np.uint8)
    for s in range(len(SNAPSHOTS)):
        inside = (number >= first[description, s]) & (number < last[description, s])
        held |= inside.astype(np.uint8) << np.uint8(s)
    asked = _dates(own, description, number, last)
    order = np.argsort(asked, kind="stable")
    return Requests(texts, counts, description[order], asked[order], held[order])


def _counts(own: Draws, scale: float, awkward: bool) -> tuple[list[str], Ints]:
    """The descriptions and the records of each in each snapshot.

    The tail has four parts: used again, used once, added by the second snapshot, added by the
    third. A description that disappears from a snapshot had been used once; the descriptions of
    Table 26 stay.
    """
    top_texts, top = _top(scale)
    once = request_descriptions.ONCE if scale >= 0.01 else ((), (), ())
    # Above the study's size descriptions grow with the root of the records, as the words of a
    # language do.
    growth = min(scale, scale**0.5)
    in_tail = [max(round(n * growth), 120) - len(top_texts) for n in DESCRIPTIONS]
    added = [len(once[s]) + 2 + round(DROPPED_SHARE * in_tail[s]) for s in (1, 2)]
    gone = [in_tail[s - 1] + added[s - 1] - in_tail[s] for s in (1, 2)]
    again = round((1 - SINGLE_SHARE) * in_tail[0])
    sizes = (again, in_tail[0] - again, *added)
    named = ((), *once)
    texts = _tail_texts(sizes, named, set(top_texts), awkward)
    present = np.ones((sum(sizes), 3), dtype=bool)
    present[in_tail[0] :, 0] = False
    present[in_tail[0] + added[0] :, 1] = False
    present[again : again + gone[0], 1:] = False
    present[again + gone[0] : again + sum(gone), 2] = False
    counts = np.ones((len(texts), 3), dtype=np.int64) * present
    for s in range(3):
        rest = scaled(RECORDS[s], scale) - int(top[:, s].sum()) - int(present[:, s].sum())
        noise = 1 + 0.06 * (own.uniform(f"tail {s}", np.arange(again)) - 0.5)
        counts[:again, s] += _below(
            rest, noise * (np.arange(again) + 30.0) ** -1.15, int(top[:, s].min()) - 2
        )
    return [*top_texts, *texts], np.concatenate([top, counts])


def _tail_texts(
    sizes: tuple[int, ...], named: tuple[tuple[str, ...], ...], taken: set[str], awkward: bool
) -> list[str]:
    """The texts of the tail, part after part; a part's named ones come last in it."""
    ours = [text for part in named for text in part]
    words = iter(request_descriptions.tail(sum(sizes) - len(ours), {*taken, *ours}, awkward))
    return [
        text
        for size, part in zip(sizes, named, strict=True)
        for text in (*(next(words) for _ in range(size - len(part))), *part)
    ]


def _top(scale: float) -> tuple[list[str], Ints]:
    """The thirty commonest descriptions and their records; a snapshot's unprinted two are ranks 29
    and 30.
    """
    table = request_descriptions.printed()
    texts = [*dict.fromkeys(table["description"]), request_descriptions.BELOW_TOP]
    counts = np.zeros((len(texts), 3), dtype=np.int64)
    for s, snapshot in enumerate(SNAPSHOTS):
        shown = table[table["snapshot"] == snapshot].set_index("description")["records"]
        values = [int(shown.get(t, RANK_29[s])) for t in texts[:-1]]
        counts[:, s] = _decreasing(np.array([scaled(n, scale) for n in (*values, RANK_30[s])]))
    return texts, counts


def _decreasing(counts: Ints) -> Ints:
    """Parts counts that rounding made equal, from the smallest upwards, so that ranks stay as
    printed.
    """
    order = np.lexsort((-np.arange(len(counts)), counts))
    counts = counts.copy()
    for lower, upper in pairwise(order):
        counts[upper] = max(counts[upper], counts[lower] + 1)
    return counts


def _below(total: int, weights: npt.NDArray[np.float64], limit: int) -> Ints:
    """Splits a total by weights with no part above a limit (as far as there is room below it)."""
    parts = np.zeros(len(weights), dtype=np.int64)
    limit = max(limit, -(-total // len(weights)))
    while (rest := total - int(parts.sum())) > 0:
        room = parts < limit
        more = np.zeros(len(weights), dtype=np.int64)
        more[room] = apportion(rest, weights[room])
        parts = np.minimum(parts + more, limit)
    return parts


def _stretches(counts: Ints) -> tuple[Ints, Ints]:
    """For each description, the first number that a snapshot holds and the one after the last.

    From snapshot to snapshot both only rise: some of the oldest go, new ones come.
    """
    first, last = np.zeros_like(counts), np.zeros_like(counts)
    last[:, 0] = counts[:, 0]
    for s in (1, 2):
        before, now = counts[:, s - 1], counts[:, s]
        purged = np.maximum(
            before - now, np.floor(PURGED_SHARE * np.minimum(before, now)).astype(np.int64)
        )
        first[:, s] = np.where(now > 0, first[:, s - 1] + purged, last[:, s - 1])
        last[:, s] = np.where(now > 0, first[:, s] + now, last[:, s - 1])
    return first, last


def _dates(
    own: Draws, description: npt.NDArray[np.int32], number: Ints, last: Ints
) -> npt.NDArray[np.int16]:
    """The day of each request: before the first snapshot that can hold it, after the one before."""
    calendar = Calendar(YEARS)
    days = [FIRST_DAY, *((date.fromisoformat(s) - EPOCH).days + 1 for s in SNAPSHOTS)]
    result = np.empty(len(number), dtype=np.int16)
    for low in range(0, len(number), 2_000_000):
        part = slice(low, low + 2_000_000)
        index = np.arange(low, min(low + 2_000_000, len(number)))
        ends = last[description[part]]
        era = (number[part, None] >= ends).sum(axis=1)
        begin = np.where(
            era == 0, 0, np.take_along_axis(ends, np.maximum(era - 1, 0)[:, None], axis=1)[:, 0]
        )
        size = np.take_along_axis(ends, era[:, None], axis=1)[:, 0] - begin
        # Lower numbers are older, with some disorder, so that purging takes the oldest.
        u = np.clip(
            (number[part] - begin + own.uniform("day", index) * (1 + size // 8))
            / (size + size // 8 + 1),
            0,
            1,
        )
        edges = np.array(days)
        result[part] = calendar.draw(np.minimum(u, 1 - 1e-9), edges[era], edges[era + 1])
    return result
