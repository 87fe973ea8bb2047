"""The records of an agreement dataset: their columns, order, lengths and cost."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from socare_spark.twin.agreements.service_elements import elements
from socare_spark.twin.draws import Draws, Floats, Ints, ages, day
from socare_spark.twin.population.universe import Universe, near_normal

# Typical length in days (median) and its spread, by service.
LENGTHS = {
    "FOST": (240, 1.1), "RESC": (210, 1.0), "RESP": (45, 1.0), "HOME": (85, 1.1),
    "DAYC": (170, 1.0), "TRAN": (120, 1.0), "LEAV": (160, 0.9), "DIRP": (260, 0.9),
    "SUPL": (300, 1.0), "RESA": (320, 1.1), "NURS": (280, 1.1), "INTC": (32, 0.6),
    "ENAB": (29, 0.45), "MEAL": (140, 1.0), "EQUI": (60, 1.2), "COUN": (50, 0.8),
}  # fmt: skip
ADJOIN_SHARE = 0.45
NO_COST_SHARE = 0.03


@dataclass
class Agreements:
    """Compact columns of one agreement dataset, a row per kept record, ordered by identifier.

    `rates` makes an element dearer or cheaper in this dataset; by default all are 1.
    """

    dataset: str
    person: Ints
    element: Ints
    start: Ints
    end: Ints
    band: Ints
    open: npt.NDArray[np.bool_]
    rates: Floats = field(default_factory=lambda: np.ones(len(elements())))

    def __len__(self) -> int:
        """The number of records."""
        return len(self.person)


@dataclass(frozen=True)
class Laid:
    """Columns of records that a plan of their own has laid out, a row per record."""

    person: Ints
    element: Ints
    start: Ints
    end: Ints

    @classmethod
    def together(cls, parts: Sequence["Laid"]) -> "Laid":
        """The records of several plans one after the other."""
        return cls(
            np.concatenate([p.person for p in parts]),
            np.concatenate([p.element for p in parts]),
            np.concatenate([p.start for p in parts]),
            np.concatenate([p.end for p in parts]),
        )

    def take(self, order: Ints) -> "Laid":
        """The records in another order."""
        return Laid(self.person[order], self.element[order], self.start[order], self.end[order])


def in_order(
    universe: Universe, dataset: str, age_bands: Sequence[tuple[str, int, int]], laid: Laid
) -> Agreements:
    """Closed records as a dataset, by start, each with its age band."""
    laid = laid.take(np.argsort(laid.start, kind="stable"))
    return Agreements(
        dataset,
        laid.person,
        laid.element,
        laid.start,
        laid.end,
        band_of(universe, laid, age_bands),
        np.zeros(len(laid.person), dtype=bool),
    )


def band_of(universe: Universe, laid: Laid, age_bands: Sequence[tuple[str, int, int]]) -> Ints:
    """The position of each record's age band, by the age at its start."""
    age = ages(universe.born(laid.person), laid.start)
    return np.digitize(age, [first for _, first, _ in age_bands[1:]]).astype(np.int64)


def lengths(own: Draws, element: Ints, index: Ints) -> Ints:
    """Draws the days from start to end by the element's service."""
    every = [LENGTHS[e.service] for e in elements()]
    median, spread = (np.array(column)[element] for column in zip(*every, strict=True))
    days: Ints = np.floor(
        median * np.exp(spread * near_normal(own.uniform("length", index)))
    ).astype(np.int64)
    return days


def joined_ends(
    own: Draws, person: Ints, element: Ints, *, start: Ints, end: Ints, first_end: int
) -> Ints:
    """Makes many agreements end the day before the person's next one of the same element begins."""
    order = np.lexsort((start, element, person))
    now, after = order[:-1], order[1:]
    same = (
        (person[now] == person[after])
        & (element[now] == element[after])
        & (start[after] > start[now])
    )
    joined = same & (own.uniform("adjoin", now) < ADJOIN_SHARE) & (start[after] - 1 >= first_end)
    end = end.copy()
    end[now[joined]] = start[after[joined]] - 1
    return end


def weekly_pence(universe: Universe, agreements: Agreements, own: Draws, rows: Ints) -> Ints:
    """The weekly cost in pence, -1 where none is recorded: the element's range, dearer year by
    year.
    """
    low, high = (
        np.array([getattr(e, side) for e in elements()])[agreements.element[rows]]
        for side in ("low", "high")
    )
    person = agreements.person[rows]
    level = 0.7 * universe.draws.uniform("cost", person) + 0.3 * own.uniform("cost", rows)
    dearer = 1 + 0.018 * ((agreements.start[rows] - day(2001)) / 365.25 - 14)
    rate = agreements.rates[agreements.element[rows]]
    pounds = (low + level**1.5 * (high - low)) * dearer * rate
    pence = np.round(pounds * 20).astype(np.int64) * 5
    return np.where(own.uniform("no cost", rows) < NO_COST_SHARE, -1, pence)
