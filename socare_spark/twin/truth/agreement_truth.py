"""Age bands, start years, elements and places of the agreements."""

from typing import Any

import numpy as np

from socare_spark.twin.agreements.agreement_extract import cell_draws
from socare_spark.twin.agreements.agreement_records import Agreements
from socare_spark.twin.agreements.compared_contracts import CONTRACT_A, CONTRACT_B
from socare_spark.twin.agreements.service_elements import elements
from socare_spark.twin.counting import spread
from socare_spark.twin.draws import Draws, years
from socare_spark.twin.population.universe import Universe
from socare_spark.twin.truth.element_use_truth import use_truth
from socare_spark.twin.truth.places_truth import places_truth
from socare_spark.twin.vocabulary import bands


def agreement_marginals(universe: Universe, draws: Draws, agreements: Agreements) -> dict[str, Any]:
    """The figures of the kept records: bands, start years, elements, places, and the use of
    elements in the costed series.
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
        truth |= use_truth(universe, agreements, cell_draws(draws, agreements.dataset))
    return truth
