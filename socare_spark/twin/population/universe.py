"""The people of the twin: one universe from which every dataset takes, so that a person is the same
in all of them.

A person is a position; everything about the person follows from the position and the seed.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from socare_spark.twin.draws import Bools, Draws, Floats, Ints, day, scaled
from socare_spark.twin.population.city import City
from socare_spark.twin.vocabulary import vocabulary

# Cohorts of the case system's 567,119 clients: how many at scale 1 and between which days they were
# born.
COHORTS = {
    "children": (130_000, day(1996), day(2016, 7)),
    "young": (60_000, day(1979), day(1996)),
    "adults": (150_000, day(1938), day(1979)),
    "older": (227_119, day(1914), day(1951)),
}
GENDERS = ("F", "M", "U")
OUTSIDE_SHARE, NOWHERE_SHARE = 0.025, 0.02
TERMINATED_SHARE, UNPLACED_SHARE = 0.006, 0.001
MOVED_SHARE = 0.22
# Contact with services per resident, against the city's mean: where the maps should darken.
HIGH_RATES = {
    "B19": 2.6,
    "B6": 2.1,
    "B21": 1.9,
    "B44": 1.7,
    "B33": 1.5,
    "B35": 1.6,
    "B74": 0.55,
    "B15": 0.6,
    "B1": 0.5,
}
NOWHERE = -2
_INNER_MIX = (27, 2, 0.3, 4, 3, 1, 1.5, 1.2, 7, 20, 5, 1, 4, 5, 7, 3, 2, 2, 4)
_OUTER_MIX = (72, 4, 0.2, 3, 2.5, 0.5, 1, 1, 3.5, 3, 0.7, 0.6, 1, 1, 2, 0.6, 0.4, 0.6, 2.4)
INNER_METRES = 5_500


@dataclass(frozen=True)
class Cohort:
    """People at positions first <= p < first + size."""

    first: int
    size: int

    def part(self, start: float, stop: float) -> Ints:
        """The positions of a slice of the cohort, given by shares of its size."""
        return np.arange(
            self.first + round(start * self.size), self.first + round(stop * self.size)
        )


class Universe:
    """Everybody the case system knows, at a scale."""

    def __init__(self, city: City, draws: Draws, scale: float) -> None:
        """Lays the cohorts out one after the other."""
        self.city = city
        self.draws = draws.scoped("people")
        self.cohorts: dict[str, Cohort] = {}
        first = 0
        for name, (size, _, _) in COHORTS.items():
            self.cohorts[name] = Cohort(first, scaled(size, scale, least=50))
            first += self.cohorts[name].size
        self.size = first

    def perid(self, person: npt.NDArray[np.integer]) -> Ints:
        """The person identifier; identifiers are spread, not consecutive."""
        return (
            210_007
            + 13 * person.astype(np.int64)
            + (self.draws.bits("perid", person) % np.uint64(13)).astype(np.int64)
        )

    def born(self, person: npt.NDArray[np.integer]) -> Ints:
        """The day of birth; in the oldest cohort, earlier births are rarer."""
        u = self.draws.uniform("born", person)
        born = np.zeros(len(person), dtype=np.int64)
        for name, (_, low, high) in COHORTS.items():
            cohort = self.cohorts[name]
            here = (person >= cohort.first) & (person < cohort.first + cohort.size)
            share = np.sqrt(u[here]) if name == "older" else u[here]
            born[here] = low + np.floor(share * (high - low)).astype(np.int64)
        return born

    def gender(self, person: npt.NDArray[np.integer]) -> Ints:
        """Positions in GENDERS; there are more women among the oldest."""
        u = self.draws.uniform("gender", person)
        women = np.where(person >= self.cohorts["older"].first, 0.63, 0.49)
        return np.where(u > 0.996, 2, np.where(u < women, 0, 1))

    def weight(self, person: npt.NDArray[np.integer]) -> Floats:
        """The use that a person makes of services, heavy-tailed."""
        return np.exp(1.25 * near_normal(self.draws.uniform("weight", person)))

    @cached_property
    def _district_weights(self) -> Floats:
        names = self.city.districts["district"]
        rate = np.exp(0.35 * near_normal(self.draws.uniform("rate", np.arange(len(names)))))
        rate *= names.map(HIGH_RATES).fillna(1.0).to_numpy()
        weights: Floats = rate * self.city.districts["postcodes"].to_numpy(dtype=np.float64)
        return weights

    def district(self, person: npt.NDArray[np.integer]) -> Ints:
        """The home district: a position in the city's districts, -1 outside, NOWHERE without a
        postcode.
        """
        u = self.draws.uniform("where", person)
        inside = self.draws.choose("district", person, self._district_weights)
        return np.where(
            u < NOWHERE_SHARE, NOWHERE, np.where(u < NOWHERE_SHARE + OUTSIDE_SHARE, -1, inside)
        )

    def moves(self, person: npt.NDArray[np.integer]) -> Ints:
        """The day of a move within the district, or a day far ahead."""
        moved = self.draws.uniform("moved", person) < MOVED_SHARE
        when = day(2002) + np.floor(
            self.draws.uniform("move day", person) * (day(2019) - day(2002))
        ).astype(np.int64)
        return np.where(moved, when, day(2200))

    def postcode(self, person: npt.NDArray[np.integer], on: npt.NDArray[np.integer]) -> Ints:
        """The position of the postcode where a person lives on a day; -1 where there is none."""
        codes = self.city.postcodes
        district = self.district(person)
        second = on >= self.moves(person)
        u = np.where(
            second, self.draws.uniform("home 2", person), self.draws.uniform("home 1", person)
        )
        inside = np.maximum(district, 0)
        count = codes.starts[inside + 1] - codes.starts[inside]
        home = codes.starts[inside] + np.floor(u * count).astype(np.int64)
        home = self._unlocated(person, inside, home)
        outside = codes.of("outside")
        home = np.where(district == -1, outside[np.floor(u * len(outside)).astype(np.int64)], home)
        return np.where(district == NOWHERE, -1, home)

    def settled(self, person: npt.NDArray[np.integer]) -> Bools:
        """Marks the people who never live at a terminated or unplaced postcode."""
        return self.draws.uniform("odd home", person) >= TERMINATED_SHARE + UNPLACED_SHARE

    def _unlocated(self, person: npt.NDArray[np.integer], district: Ints, home: Ints) -> Ints:
        """Moves a few homes to a terminated or unplaced postcode of the same district, where it has
        one.
        """
        u = self.draws.uniform("odd home", person)
        for status, low, high in (
            ("terminated", 0.0, TERMINATED_SHARE),
            ("unplaced", TERMINATED_SHARE, TERMINATED_SHARE + UNPLACED_SHARE),
        ):
            of_status = self.city.postcodes.of(status)
            of_status = of_status[
                np.argsort(self.city.postcodes.district[of_status], kind="stable")
            ]
            where = self.city.postcodes.district[of_status]
            start = np.searchsorted(where, district)
            count = np.searchsorted(where, district, side="right") - start
            chosen = (u >= low) & (u < high) & (count > 0)
            pick = start + np.floor((u - low) / (high - low) * count).astype(np.int64)
            home = np.where(chosen, of_status[np.clip(pick, 0, len(of_status) - 1)], home)
        return home

    def ethnicity(self, person: npt.NDArray[np.integer]) -> Ints:
        """Positions in the ethnic classes; the inner city has a mix of its own."""
        district = self.district(person)
        centres = self.city.districts[["easting", "northing"]].to_numpy(dtype=float)
        inner = np.hypot(centres[:, 0] - 407_000, centres[:, 1] - 287_000) < INNER_METRES
        here = (district >= 0) & inner[np.maximum(district, 0)]
        return np.where(
            here,
            self.draws.choose("ethnicity", person, _INNER_MIX),
            self.draws.choose("ethnicity", person, _OUTER_MIX),
        )

    @property
    def ethnic_labels(self) -> list[str]:
        """The census classes as they are written."""
        return [entry["label"] for entry in vocabulary("ethnicities")]


def near_normal(u: Floats) -> Floats:
    """Nearly standard normal numbers from uniform ones, by the logistic curve."""
    v = np.clip(u, 1e-12, 1 - 1e-12)
    return np.log(v / (1 - v)) / 1.702
