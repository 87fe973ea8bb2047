"""The crosswalk from the housing system's tenants to the people of the case system.

Some people have two identifiers in the case system; some tenants are not in the crosswalk.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from socare_spark.twin.draws import Draws, Ints
from socare_spark.twin.housing.tenancies import Tenants
from socare_spark.twin.population.universe import Universe

# Of the identifiers of tenants whom the case system knows: in the crosswalk; joined to a second
# person besides; new since the copy before; joined to somebody else in the copy before.
LINKED_SHARE, HELD_TWICE_SHARE, NEW_SHARE, WITHDRAWN_SHARE = 0.82, 0.015, 0.06, 0.012
COPIES = ("2019-08-12", "2020-02-25")


@dataclass(frozen=True)
class Crosswalk:
    """Pairs of a person of the universe and a position in the tenants' identifiers.

    `held` has bit c set where copy c holds the pair.
    """

    tenants: Tenants
    person: Ints
    tenant: Ints
    held: npt.NDArray[np.uint8]

    def in_copy(self, copy: str) -> Ints:
        """The rows that a copy holds."""
        return np.flatnonzero(self.held >> COPIES.index(copy) & 1)

    @property
    def newest(self) -> tuple[Ints, Ints]:
        """The pairs of the last copy."""
        rows = self.in_copy(COPIES[-1])
        return self.person[rows], self.tenant[rows]


def crosswalk(universe: Universe, draws: Draws, rented: Tenants) -> Crosswalk:
    """Draws the pairs of the copies; those of the last copy are right except for people held
    twice.
    """
    own = draws.scoped("crosswalk")
    index = np.arange(len(rented.number))
    known = rented.person < universe.size
    linked = index[known & (own.uniform("linked", index) < LINKED_SHARE)]
    twice = linked[own.uniform("held twice", linked) < HELD_TWICE_SHARE]
    wrong = linked[own.uniform("withdrawn", linked) < WITHDRAWN_SHARE]
    other, stranger = (
        (own.bits(purpose, rows) % np.uint64(universe.size)).astype(np.int64)
        for purpose, rows in (("other", twice), ("stranger", wrong))
    )
    person = np.concatenate([rented.person[linked], other, stranger])
    tenant = np.concatenate([linked, twice, wrong])
    held = np.where(own.uniform("new", tenant) < NEW_SHARE, 0b10, 0b11)
    held[len(linked) + len(twice) :] = 0b01
    # The same pair drawn again is the same pair, and the first draw of it holds.
    _, once = np.unique(tenant * universe.size + person, return_index=True)
    return Crosswalk(rented, person[once], tenant[once], held[once].astype(np.uint8))
