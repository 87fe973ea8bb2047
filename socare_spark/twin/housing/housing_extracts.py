"""The extracts of the tenancies and of the crosswalk."""

from datetime import date

import numpy as np
import pyarrow as pa

from socare_spark.twin.csv_writer import csv_cells
from socare_spark.twin.csv_writer.extract import Extract, Layout, Met, yearly_rows
from socare_spark.twin.draws import EPOCH, Draws, Ints, day, years
from socare_spark.twin.housing.crosswalk import COPIES, Crosswalk
from socare_spark.twin.housing.tenancies import FIRST_YEAR, LAST_YEAR, Tenancies
from socare_spark.twin.population.universe import Universe

COLUMNS = ("TENANCY_ID", "TENANT_ID", "TENANCY_START", "TENANCY_END", "TENURE", "POSTCODE")
FIRST_IDENTIFIER = 3_000_000
TENURES = {
    "Secure": 61, "Introductory": 14, "Assured": 9, "Flexible": 8,
    "Temporary accommodation, nightly charged": 6, "Demoted": 2,
}  # fmt: skip
CROSSWALK = "crosswalk_tenants"
SERVICE = "housing"


def tenancies_extract(universe: Universe, draws: Draws, records: Tenancies) -> Extract:
    """The tenancies ready to be written: each in the file of the year it ended in, running ones in
    the last.
    """
    own = draws.scoped("tenancies cells")
    rented = records.tenants
    tenure = csv_cells.Texts(list(TENURES))
    postcode = csv_cells.Texts(universe.city.postcodes.text.tolist())
    periods = tuple(str(y) for y in range(FIRST_YEAR, LAST_YEAR + 1))
    file_year = np.where(records.open, LAST_YEAR, years(records.end))

    def home(rows: Ints) -> Ints:
        return universe.postcode(rented.person[records.tenant[rows]], records.start[rows])

    def render(rows: Ints, period: str) -> dict[str, pa.Array]:
        end = np.where(records.open[rows], csv_cells.NO_DAY, records.end[rows])
        return {
            "TENANCY_ID": csv_cells.numbers(FIRST_IDENTIFIER + rows),
            "TENANT_ID": csv_cells.numbers(rented.number[records.tenant[rows]]),
            "TENANCY_START": csv_cells.dates(records.start[rows]),
            "TENANCY_END": csv_cells.dates(end),
            "TENURE": tenure.take(own.choose("tenure", rows, list(TENURES.values()))),
            "POSTCODE": postcode.take(home(rows)),
        }

    def met(_nameless: Ints) -> Met:
        rows = np.arange(len(records.tenant))
        return Met(SERVICE, universe.size + records.tenant, home(rows), records.start)

    return Extract(
        dataset="tenancies",
        layout=Layout(
            "TENANCY_ID",
            ("TENANCY_ID", "TENANCY_START", "TENURE"),
            start="TENANCY_START",
            end="TENANCY_END",
            person="TENANT_ID",
            birth_before_start=False,
        ),
        periods=periods,
        as_of={p: day(int(p), 12, 31) for p in periods},
        columns_of={p: COLUMNS for p in periods},
        size=len(records.tenant),
        rows_of=yearly_rows(file_year),
        render=render,
        starts=lambda rows: records.start[rows],
        spare_identifier=FIRST_IDENTIFIER + 60_000_000,
        met=met,
    )


def crosswalk_extract(universe: Universe, pairs: Crosswalk) -> Extract:
    """The two copies of the crosswalk ready to be written."""

    def render(rows: Ints, period: str) -> dict[str, pa.Array]:
        return {
            "PERID": csv_cells.numbers(universe.perid(pairs.person[rows])),
            "TENANT_ID": csv_cells.numbers(pairs.tenants.number[pairs.tenant[rows]]),
        }

    return Extract(
        dataset=CROSSWALK,
        layout=Layout("TENANT_ID", ("TENANT_ID",), start="", birth_before_start=False),
        periods=COPIES,
        as_of={c: (date.fromisoformat(c) - EPOCH).days for c in COPIES},
        columns_of={c: ("PERID", "TENANT_ID") for c in COPIES},
        size=len(pairs.person),
        rows_of=pairs.in_copy,
        render=render,
        starts=lambda rows: np.zeros(len(rows), dtype=np.int64),
        spare_identifier=90_000_000,
        yearly=False,
    )
