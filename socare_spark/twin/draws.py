"""Random draws by arithmetic: the same number for the same seed, purpose and index, in whatever
order it is asked for.

Nothing here keeps state, so a file can be written in parts, alone or again, and comes out the same
to the byte.
"""

import zlib
from datetime import date

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_A = np.uint64(0xBF58476D1CE4E5B9)
_MIX_B = np.uint64(0x94D049BB133111EB)
EPOCH = date(1970, 1, 1)


def day(year: int, month: int = 1, day_of_month: int = 1) -> int:
    """The days from 1970-01-01 to a date."""
    return (date(year, month, day_of_month) - EPOCH).days


def years(days: npt.NDArray[np.integer]) -> Ints:
    """The calendar year of each day number."""
    return days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970


def ages(born: npt.NDArray[np.integer], on: npt.NDArray[np.integer]) -> Ints:
    """Completed years of age on a day (29 February counts from 1 March in common years)."""
    first, then = born.astype("datetime64[D]"), on.astype("datetime64[D]")
    months = then.astype("datetime64[M]").astype(np.int64) - first.astype("datetime64[M]").astype(
        np.int64
    )
    of_month = (then - then.astype("datetime64[M]")).astype(np.int64)
    born_of_month = (first - first.astype("datetime64[M]")).astype(np.int64)
    completed: Ints = (months - (of_month < born_of_month)) // 12
    return completed


def birthday(born: npt.NDArray[np.integer], age: int | Ints) -> Ints:
    """The first day on which each person is `age` years old."""
    first = born.astype("datetime64[D]")
    month = first.astype("datetime64[M]")
    of_month = (first - month).astype(np.int64)
    reached: Ints = (month + 12 * age).astype("datetime64[D]").astype(np.int64) + of_month
    return reached


class Draws:
    """Independent uniform draws, named by purpose and numbered by index."""

    def __init__(self, seed: int, scope: str = "") -> None:
        """Ties the draws to a seed and to a scope such as the dataset's name."""
        self.seed = seed
        self.scope = scope

    def scoped(self, scope: str) -> "Draws":
        """Draws of the same seed for another scope."""
        return Draws(self.seed, scope)

    def generator(self, purpose: str) -> np.random.Generator:
        """A numpy generator for draws that need no index (shuffles, choices)."""
        return np.random.Generator(np.random.PCG64([self.seed, self._salt(purpose)]))

    def _salt(self, purpose: str) -> int:
        return zlib.crc32(f"{self.scope}/{purpose}".encode())

    def bits(self, purpose: str, index: npt.NDArray[np.integer]) -> npt.NDArray[np.uint64]:
        """64 mixed bits for each index (the SplitMix64 finaliser on a keyed counter)."""
        key = np.uint64(
            (self.seed * 0x2545F4914F6CDD1D + (self._salt(purpose) << 20)) & (2**64 - 1)
        )
        mixed = index.astype(np.uint64)
        mixed = (mixed + np.uint64(1)) * _GOLDEN + key
        mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIX_A
        mixed = (mixed ^ (mixed >> np.uint64(27))) * _MIX_B
        return mixed ^ (mixed >> np.uint64(31))

    def uniform(self, purpose: str, index: npt.NDArray[np.integer]) -> Floats:
        """A number in [0, 1) for each index."""
        return (self.bits(purpose, index) >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def exponential(
        self, purpose: str, index: npt.NDArray[np.integer], mean: float | Floats
    ) -> Floats:
        """Exponential numbers of the given mean, one for each index."""
        return -np.log1p(-self.uniform(purpose, index)) * mean

    def choose(self, purpose: str, index: npt.NDArray[np.integer], weights: npt.ArrayLike) -> Ints:
        """For each index, a position in `weights`, with probabilities in proportion."""
        edges = np.cumsum(np.asarray(weights, dtype=np.float64))
        found = np.searchsorted(edges, self.uniform(purpose, index) * edges[-1], side="right")
        chosen: Ints = np.minimum(found, len(edges) - 1)
        return chosen


def apportion(total: int, weights: npt.ArrayLike) -> Ints:
    """Splits a total into whole parts in proportion to weights, by largest remainder."""
    share: Floats = np.asarray(weights, dtype=np.float64)
    exact = share * (total / share.sum())
    parts = np.floor(exact).astype(np.int64)
    order = np.argsort(-(exact - parts), kind="stable")
    parts[order[: total - int(parts.sum())]] += 1
    result: Ints = parts
    return result


def scaled(count: int, scale: float, least: int = 1) -> int:
    """A published count at another scale, never below `least`."""
    return max(least, round(count * scale))


class Calendar:
    """A daily pattern: years by weight, within them months, weekdays and the quiet days of
    Christmas.
    """

    MONTHS = (1.02, 1.01, 1.12, 0.92, 0.97, 1.0, 1.03, 0.88, 1.06, 1.09, 1.07, 0.78)
    WEEKDAYS = (1.25, 1.18, 1.14, 1.1, 1.0, 0.22, 0.13)

    def __init__(
        self, year_weights: dict[int, float], first: int | None = None, last: int | None = None
    ) -> None:
        """Builds the cumulative pattern over the given years, cut to [first, last]."""
        self.start = day(min(year_weights))
        days = np.arange(self.start, day(max(year_weights) + 1))
        dates = days.astype("datetime64[D]")
        months = dates.astype("datetime64[M]").astype(np.int64) % 12
        weekdays = (days + 3) % 7
        weight = np.take(self.MONTHS, months) * np.take(self.WEEKDAYS, weekdays)
        of_month = (dates - dates.astype("datetime64[M]")).astype(np.int64)
        weight[(months == 11) & (of_month >= 23)] *= 0.3
        weight[(weekdays == 0) & (of_month == 0)] *= 1.6
        in_year = years(days)
        for year, share in year_weights.items():
            here = in_year == year
            weight[here] *= share / weight[here].sum()
        if first is not None:
            weight[days < first] = 0
        if last is not None:
            weight[days > last] = 0
        self.cumulative = np.concatenate([[0.0], np.cumsum(weight)])
        self.cumulative /= self.cumulative[-1]

    def mass(self, until: npt.NDArray[np.integer]) -> Floats:
        """The share of the pattern before each day."""
        position = np.clip(until - self.start, 0, len(self.cumulative) - 1)
        share: Floats = self.cumulative[position]
        return share

    def draw(self, u: Floats, low: npt.NDArray[np.integer], high: npt.NDArray[np.integer]) -> Ints:
        """A day in [low, high) for each u in [0, 1), following the pattern."""
        below = self.mass(low)
        target = below + u * (self.mass(high) - below)
        found = np.searchsorted(self.cumulative, target, side="right") - 1 + self.start
        return np.clip(found, low, high - 1)
