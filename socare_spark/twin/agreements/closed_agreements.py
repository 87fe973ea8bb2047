"""The closed agreements.

Guarantee: at scale 1 each age band holds exactly its published number of records (Table 3), and
2009 to 2015 is the shortest run of years with four fifths of them.
"""

from socare_spark.twin.agreements.agreement_records import Agreements, in_order
from socare_spark.twin.agreements.drawn_agreements import Wanted, drawn_agreements
from socare_spark.twin.agreements.service_elements import element_weights
from socare_spark.twin.draws import Draws, scaled
from socare_spark.twin.population.universe import Universe
from socare_spark.twin.vocabulary import bands

CLOSED_BANDS = (10_000, 34_000, 47_000, 124_000)


def closed_agreements(universe: Universe, draws: Draws, scale: float) -> Agreements:
    """The first extract: 215,000 closed agreements at scale 1, by age band as Table 3."""
    dataset = "agreements_closed"
    wanted = [
        Wanted.anywhere(scaled(n, scale), element_weights(b)) for b, n in enumerate(CLOSED_BANDS)
    ]
    drawn = drawn_agreements(universe, draws.scoped(dataset), bands("agreements"), wanted)
    return in_order(universe, dataset, bands("agreements"), drawn)
