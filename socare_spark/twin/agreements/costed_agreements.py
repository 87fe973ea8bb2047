"""The agreements with cost and profile, the source of most figures of the study's chapter 4.

Guarantee: at scale 1 each age band holds exactly its records (Table 7), the two contracts, respite,
day care and enablement are as their own modules promise, and enablement beyond six weeks costs
795,000 pounds a year on average.
"""

import numpy as np

from socare_spark.twin.agreements.agreement_records import (
    Agreements,
    Laid,
    band_of,
    in_order,
    weekly_pence,
)
from socare_spark.twin.agreements.agreement_spells import spells_of
from socare_spark.twin.agreements.compared_contracts import (
    CONTRACT_A,
    CONTRACT_B,
    YOUNGER_A,
    contract_districts,
)
from socare_spark.twin.agreements.day_care import with_providers
from socare_spark.twin.agreements.drawn_agreements import Wanted, drawn_agreements
from socare_spark.twin.agreements.enablement import CLIENTS, THRESHOLD_DAYS, enablement_agreements
from socare_spark.twin.agreements.respite import ELEMENT as RESPITE
from socare_spark.twin.agreements.respite import respite_agreements
from socare_spark.twin.agreements.service_elements import element_of, element_weights
from socare_spark.twin.draws import Draws, Ints, day, scaled
from socare_spark.twin.population.universe import Universe
from socare_spark.twin.vocabulary import bands

DATASET = "agreements_costed"
BAND_RECORDS = (7_300, 26_000, 47_000, 133_000)
# What enablement beyond six weeks costs in a year of MANAGED at scale 1, in pounds: from 790,000 to
# 799,999 (docs/definitions.md, section 7.6).
COST_BEYOND = 795_000
MANAGED = (2010, 2015)
# At small scales a few people decide about a cost, which stays a likely one.
DEAREST = 2.0


def costed_agreements(universe: Universe, draws: Draws, scale: float) -> Agreements:
    """The extract with cost and profile: 213,300 records at scale 1."""
    age_bands = bands("costed")
    planned = Laid.together(
        [respite_agreements(universe, draws, scale), enablement_agreements(universe, draws, scale)]
    )
    held = np.bincount(band_of(universe, planned, age_bands), minlength=len(age_bands))
    wanted = _wanted(universe, draws, scale, held)
    drawn = drawn_agreements(universe, draws.scoped(DATASET), age_bands, wanted)
    laid = with_providers(universe, draws, Laid.together([drawn, planned]))
    agreements = in_order(universe, DATASET, age_bands, laid)
    _set_rates(universe, draws, scale, agreements)
    return agreements


def _wanted(universe: Universe, draws: Draws, scale: float, held: Ints) -> list[Wanted]:
    """The records to draw in addition to the planned ones, by band."""
    quotas = [scaled(n, scale) for n in BAND_RECORDS]
    a, b = element_of(CONTRACT_A), element_of(CONTRACT_B)
    districts_a, districts_b = contract_districts(universe, draws, scale)
    younger = min(scaled(YOUNGER_A, scale), quotas[2] - held[2], len(districts_a))
    contracts = {
        2: [(a, districts_a[:younger])],
        3: [(a, districts_a[younger:]), (b, districts_b)],
    }
    wanted = []
    for band, quota in enumerate(quotas):
        of_contracts = contracts.get(band, [])
        rest = quota - held[band] - sum(len(districts) for _, districts in of_contracts)
        weights = element_weights(band)
        weights[[a, b, element_of(RESPITE), *(element_of(c.element) for c in CLIENTS)]] = 0
        wanted.append(
            Wanted.together(
                [
                    *(Wanted(np.full(len(places), e), places) for e, places in of_contracts),
                    Wanted.anywhere(rest, weights),
                ]
            )
        )
    return wanted


def _set_rates(universe: Universe, draws: Draws, scale: float, agreements: Agreements) -> None:
    """Sets the rate of enablement so that its use beyond the threshold has the published cost."""
    chosen = [element_of(c.element) for c in CLIENTS]
    rows = np.flatnonzero(np.isin(agreements.element, chosen))
    first, last = MANAGED
    spell = spells_of(agreements, rows)
    since = np.maximum(agreements.start[rows], spell.start + THRESHOLD_DAYS)
    days = np.minimum(agreements.end[rows], day(last, 12, 31)) + 1 - np.maximum(since, day(first))
    pence = weekly_pence(universe, agreements, draws.scoped(f"{DATASET} cells"), rows)
    cost = (np.maximum(days, 0) * np.maximum(pence, 0)).sum() / 700
    wanted = COST_BEYOND * (last - first + 1) * scale
    if cost > 0:
        agreements.rates[chosen] = np.clip(wanted / cost, 1 / DEAREST, DEAREST)
