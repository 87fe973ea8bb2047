"""The extracts of the agreement datasets."""

import numpy as np
import pyarrow as pa

from socare_spark.twin.agreements.agreement_records import Agreements, weekly_pence
from socare_spark.twin.agreements.agreement_texts import agreement_texts
from socare_spark.twin.csv_writer import csv_cells
from socare_spark.twin.csv_writer.extract import Extract, Layout, yearly_rows
from socare_spark.twin.csv_writer.planted_defects import MISTYPED
from socare_spark.twin.draws import Draws, Ints, day, years
from socare_spark.twin.population.universe import Universe

COLUMNS = (
    "ADEID", "PERID", "DOB", "AGREEMENT_START", "AGREEMENT_END", "SERVICE", "SERVICE_DESCRIPTION",
    "ELEMENT", "ELEMENT_DESCRIPTION", "WEEKLY_COST", "POSTCODE", "GENDER", "ETHNICITY",
    "CLIENT_GROUP",
)  # fmt: skip
# The extract of 2004 spells four headings otherwise and has another order.
ORDER_2004 = (
    "PERID", "ADEID", "AGREEMENT_START", "AGREEMENT_END", "WEEKLY_COST", "DOB", "GENDER",
    "ETHNICITY", "CLIENT_GROUP", "POSTCODE", "SERVICE", "SERVICE_DESCRIPTION", "ELEMENT",
    "ELEMENT_DESCRIPTION",
)  # fmt: skip
SPELLINGS_2004 = {
    "PERID": "Person Identifier",
    "WEEKLY_COST": "SERVICE/ELEMENT_COST",
    "AGREEMENT_START": "Agreement Start",
    "AGREEMENT_END": "Agreement End",
}
FIRST_IDENTIFIER = {
    "agreements_closed": 10_000_000,
    "agreements_costed": 30_000_000,
    "agreements_adult": 50_000_000,
}
# In the costed series these codes are never mistyped, so that the study's figures of them hold.
AS_WRITTEN = ("OAEHSGCO", "HSSU65PL", "OAIHSENB", "LDEDAYCR")
UNKNOWN_GROUP_SHARE = 0.02


def cell_draws(draws: Draws, dataset: str) -> Draws:
    """The draws of the values of a dataset's cells."""
    return draws.scoped(f"{dataset} cells")


def agreement_extract(universe: Universe, draws: Draws, agreements: Agreements) -> Extract:
    """An agreement dataset ready to be written."""
    own = cell_draws(draws, agreements.dataset)
    texts = agreement_texts(universe)
    first = FIRST_IDENTIFIER[agreements.dataset]
    adult = agreements.dataset == "agreements_adult"
    periods = tuple(str(y) for y in (range(2013, 2017) if adult else range(2001, 2016)))
    file_year = np.where(agreements.open, int(periods[-1]), years(agreements.end))

    def render(rows: Ints, period: str) -> dict[str, pa.Array]:
        person, element = agreements.person[rows], agreements.element[rows]
        start = agreements.start[rows]
        unknown_group = own.uniform("group", person) < UNKNOWN_GROUP_SHARE
        return {
            "ADEID": csv_cells.numbers(first + rows),
            "PERID": csv_cells.numbers(universe.perid(person)),
            "DOB": csv_cells.dates(universe.born(person)),
            "AGREEMENT_START": csv_cells.dates(start),
            "AGREEMENT_END": csv_cells.dates(
                np.where(agreements.open[rows], csv_cells.NO_DAY, agreements.end[rows])
            ),
            "SERVICE": texts.service.take(element),
            "SERVICE_DESCRIPTION": texts.service_description.take(element),
            "ELEMENT": texts.element.take(element),
            "ELEMENT_DESCRIPTION": texts.description.take(element),
            "WEEKLY_COST": csv_cells.pounds(weekly_pence(universe, agreements, own, rows)),
            "POSTCODE": texts.postcode.take(universe.postcode(person, start)),
            "GENDER": texts.gender.take(universe.gender(person)),
            "ETHNICITY": texts.ethnicity.take(universe.ethnicity(person)),
            "CLIENT_GROUP": texts.group.take(np.where(unknown_group, -1, element)),
        }

    ends = () if adult else ("AGREEMENT_END",)
    costed = agreements.dataset == "agreements_costed"
    typed = tuple(c for c in MISTYPED if not costed or c not in AS_WRITTEN)
    closed = agreements.dataset == "agreements_closed"
    return Extract(
        dataset=agreements.dataset,
        layout=Layout(
            "ADEID",
            ("ADEID", "DOB", "AGREEMENT_START", *ends, "ELEMENT"),
            start="AGREEMENT_START",
            end="AGREEMENT_END",
        ),
        periods=periods,
        as_of={p: day(int(p), 12, 31) for p in periods},
        columns_of={p: COLUMNS for p in periods},
        size=len(agreements),
        rows_of=yearly_rows(file_year),
        render=render,
        starts=lambda rows: agreements.start[rows],
        spare_identifier=first + 15_000_000,
        spellings={"2004": tuple(SPELLINGS_2004.get(c, c) for c in ORDER_2004)} if closed else {},
        order_of={"2004": ORDER_2004} if closed else {},
        encodings={"2007": "cp1252"} if closed else {},
        gzipped=frozenset({"2011"}) if closed else frozenset(),
        mistyped=typed,
    )
