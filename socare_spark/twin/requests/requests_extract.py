"""The extract of the CRM's requests."""

from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from socare_spark.twin.csv_writer import csv_cells
from socare_spark.twin.csv_writer.extract import Extract, Layout, Met
from socare_spark.twin.draws import EPOCH, Draws, Ints
from socare_spark.twin.population.universe import Universe
from socare_spark.twin.requests.crm_requests import SNAPSHOTS, Requests
from socare_spark.twin.requests.requesters import Requesters

FIRST_IDENTIFIER = 4_000_000
COLUMNS = ("SERVICE_DESCRIPTION", "RECORD_ID", "REQUEST_DATE")
COLUMNS_2020 = (*COLUMNS, "POSTCODE", "PERID")
SERVICE = "crm"


class _RequestCells:
    """The cells of the requests, and the people whom the CRM met."""

    def __init__(self, universe: Universe, draws: Draws, records: Requests) -> None:
        """Collects the texts that cells are taken from."""
        self.universe = universe
        self.records = records
        self.requesters = Requesters(universe, draws, records)
        self.description = csv_cells.Texts(records.texts)
        self.postcode = csv_cells.Texts(universe.city.postcodes.text.tolist())

    def render(self, rows: Ints, period: str) -> dict[str, pa.Array]:
        """All cells of some rows, by column; only the newest snapshot has place and person."""
        cells = {
            "SERVICE_DESCRIPTION": self.description.take(self.records.description[rows]),
            "RECORD_ID": csv_cells.numbers(FIRST_IDENTIFIER + rows),
            "REQUEST_DATE": csv_cells.dates(self.records.date[rows].astype(np.int64)),
        }
        if period == SNAPSHOTS[-1]:
            requester = self.requesters.of(rows)
            number = csv_cells.numbers(self.universe.perid(requester.person))
            cells["POSTCODE"] = self.postcode.take(requester.home)
            cells["PERID"] = pc.if_else(pa.array(requester.known), number, "")
        return cells

    def met(self, nameless: Ints) -> Met:
        """The people whom the CRM met, as the newest snapshot has them."""
        rows = self.records.in_snapshot(SNAPSHOTS[-1])
        requester = self.requesters.of_many(rows)
        named = requester.known & ~np.isin(rows, nameless)
        on = self.records.date[rows].astype(np.int64)
        return Met(SERVICE, np.where(named, requester.person, -1), requester.home, on)


def requests_extract(universe: Universe, draws: Draws, records: Requests) -> Extract:
    """The requests, ready to be written."""
    cells = _RequestCells(universe, draws, records)
    return Extract(
        dataset="requests",
        layout=Layout(
            "RECORD_ID",
            ("SERVICE_DESCRIPTION", "RECORD_ID", "REQUEST_DATE"),
            start="REQUEST_DATE",
            person_required=False,
            birth_before_start=False,
        ),
        periods=SNAPSHOTS,
        as_of={s: (date.fromisoformat(s) - EPOCH).days for s in SNAPSHOTS},
        columns_of={s: COLUMNS_2020 if s == SNAPSHOTS[-1] else COLUMNS for s in SNAPSHOTS},
        size=len(records.description),
        rows_of=records.in_snapshot,
        render=cells.render,
        starts=lambda rows: records.date[rows].astype(np.int64),
        spare_identifier=FIRST_IDENTIFIER + 900_000_000,
        yearly=False,
        met=cells.met,
    )
