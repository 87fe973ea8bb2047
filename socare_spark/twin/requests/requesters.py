"""The people who make the requests of the CRM, and their homes."""

from dataclasses import dataclass

import numpy as np

from socare_spark.twin.draws import Bools, Draws, Ints
from socare_spark.twin.population.universe import Universe
from socare_spark.twin.requests.crm_requests import Requests

KNOWN_SHARE, POSTCODE_SHARE = 0.38, 0.85
_PIECE = 1_000_000


@dataclass(frozen=True)
class Requester:
    """The person behind each request.

    `person` counts where `known`; `home` is a postcode's position or -1.
    """

    person: Ints
    known: Bools
    home: Ints


class Requesters:
    """Draws the requester of each request."""

    def __init__(self, universe: Universe, draws: Draws, records: Requests) -> None:
        """Ties the draws to the dataset."""
        self.universe = universe
        self.draws = draws.scoped("requests cells")
        self.records = records

    def of(self, rows: Ints) -> Requester:
        """The requesters of some rows."""
        person = (self.draws.bits("person", rows) % np.uint64(self.universe.size)).astype(np.int64)
        known = self.draws.uniform("known", rows) < KNOWN_SHARE
        home = self.universe.postcode(person, self.records.date[rows].astype(np.int64))
        given = self.draws.uniform("postcode", rows)
        located = self.universe.city.postcodes.starts[-1]
        anywhere = np.floor(given / POSTCODE_SHARE * located).astype(np.int64)
        stranger = np.where(given < POSTCODE_SHARE, anywhere, -1)
        return Requester(person, known, np.where(known, home, stranger))

    def of_many(self, rows: Ints) -> Requester:
        """The requesters of many rows, drawn in pieces to save memory."""
        parts = [self.of(rows[i : i + _PIECE]) for i in range(0, len(rows), _PIECE)]
        return Requester(
            np.concatenate([p.person for p in parts]),
            np.concatenate([p.known for p in parts]),
            np.concatenate([p.home for p in parts]),
        )
