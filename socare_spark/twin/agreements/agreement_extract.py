"""How agreement records are written to files, and what is true of them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from socare_spark.twin.agreements.agreement_records import Agreements, elements, weekly_pence
from socare_spark.twin.agreements.compared_contracts import CONTRACT_A, CONTRACT_B
from socare_spark.twin.counting import places_truth, spread
from socare_spark.twin.csv_writer import csv_cells
from socare_spark.twin.csv_writer.extract import Extract, Layout, yearly_rows
from socare_spark.twin.csv_writer.planted_defects import MISTYPED
from socare_spark.twin.draws import Draws, Ints, day, years
from socare_spark.twin.population.universe import GENDERS, Universe
from socare_spark.twin.truth.element_use_truth import use_truth
from socare_spark.twin.vocabulary import bands, vocabulary

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
# Of the costed series, no code of which the study tells a figure is mistyped, so that the figures
# stand as written.
AS_WRITTEN = ("OAEHSGCO", "HSSU65PL", "OAIHSENB", "LDEDAYCR")
UNKNOWN_GROUP_SHARE = 0.02


@dataclass(frozen=True)
class AgreementTexts:
    """The texts that agreement cells are taken from."""

    element: csv_cells.Texts
    description: csv_cells.Texts
    service: csv_cells.Texts
    service_description: csv_cells.Texts
    group: csv_cells.Texts
    gender: csv_cells.Texts
    ethnicity: csv_cells.Texts
    postcode: csv_cells.Texts


def agreement_texts(universe: Universe) -> AgreementTexts:
    """Collects the texts from the vocabulary and the city."""
    words = vocabulary("elements")
    every = elements()
    return AgreementTexts(
        csv_cells.Texts([e.code for e in every]),
        csv_cells.Texts([e.description for e in every]),
        csv_cells.Texts([e.service for e in every]),
        csv_cells.Texts([words["services"][e.service] for e in every]),
        csv_cells.Texts([words["client_groups"][e.client_group] for e in every]),
        csv_cells.Texts(GENDERS),
        csv_cells.Texts(universe.ethnic_labels),
        csv_cells.Texts(universe.city.postcodes.text.tolist()),
    )


def agreement_extract(universe: Universe, draws: Draws, agreements: Agreements) -> Extract:
    """Returns an agreement dataset ready to be written."""
    own = draws.scoped(f"{agreements.dataset} cells")
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
        marginals=lambda: agreement_marginals(universe, agreements, own),
    )


def agreement_marginals(universe: Universe, agreements: Agreements, own: Draws) -> dict[str, Any]:
    """Returns what must come out of the kept records: bands, start years, elements, places, and of
    the costed series the use of elements. `own` are the draws of the cells' values.
    """
    names = [
        b[0] for b in bands("costed" if agreements.dataset == "agreements_costed" else "agreements")
    ]
    person, band = agreements.person, agreements.band
    district = universe.district(person)
    codes = universe.city.districts["district"].tolist()
    code = universe.postcode(person, agreements.start)
    outward = np.where(district >= 0, district, np.where(code >= 0, len(codes), len(codes) + 1))
    labels = [*codes, "outside", None]
    start_year = years(agreements.start)
    element_names = [e.code for e in elements()]
    truth: dict[str, Any] = {
        "records": len(agreements),
        "people": len(np.unique(person)),
        "age_bands": [
            {
                "age_band": name,
                "records": int((band == b).sum()),
                "people": len(np.unique(person[band == b])),
            }
            for b, name in enumerate(names)
        ],
        "start_years": spread([outward, start_year], [labels, None]),
        "elements": spread([agreements.element], [element_names]),
        "places": places_truth(universe, person, code, band, names),
    }
    if agreements.dataset == "agreements_costed":
        contracts = (CONTRACT_A, CONTRACT_B)
        chosen = np.isin(agreements.element, [element_names.index(c) for c in contracts])
        truth["element_comparison"] = spread(
            [outward[chosen], agreements.element[chosen]], [labels, element_names]
        )
        truth |= use_truth(universe, agreements, own)
    return truth
