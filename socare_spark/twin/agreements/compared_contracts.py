"""The two contracts that the study compares: the number of records of each by district.

Guarantee: at scale 1 the contracts hold the records of Table 8, and the districts of Table 9 theirs
to the record; these five have the smallest differences of the city.
"""

import numpy as np

from socare_spark.twin.draws import Draws, Ints, apportion, scaled
from socare_spark.twin.population.universe import NOWHERE, Universe

CONTRACT_A, RECORDS_A = "OAEHSGCO", 72_860
CONTRACT_B, RECORDS_B = "HSSU65PL", 55_199
# Records of the first contract with clients below 65.
YOUNGER_A = 20_060
TABLE_9 = {
    "B23": (1_254, 564),
    "B24": (816, 426),
    "B75": (645, 261),
    "B26": (952, 569),
    "B42": (690, 332),
}
# Records of the two contracts outside the city or without a postcode (a net 1,136 at least:
# docs/definitions.md, section 6.1).
AWAY_A, AWAY_B = 9_400, 1_050


def contract_districts(universe: Universe, draws: Draws, scale: float) -> tuple[Ints, Ints]:
    """The district of every record of the two contracts, in shuffled order.

    Table 9's five districts have the smallest differences, so every other one stays above the fifth
    of them.
    """
    own = draws.scoped("contracts")
    names = universe.city.districts["district"].tolist()
    printed = np.array([names.index(d) for d in TABLE_9])
    others = np.setdiff1d(np.arange(len(names)), printed)
    count_a, count_b = (np.zeros(len(names) + 2, dtype=np.int64) for _ in range(2))
    for place, (n_a, n_b) in zip(printed, TABLE_9.values(), strict=True):
        count_a[place], count_b[place] = n_a, n_b
    homes = universe.city.districts["postcodes"].to_numpy()[others].astype(float)
    rest_b = RECORDS_B - int(count_b.sum()) - AWAY_B
    count_b[others] = apportion(rest_b, homes)
    gap = RECORDS_A - int(count_a.sum()) - AWAY_A - rest_b
    rate = own.uniform("gap", others)
    count_a[others] = count_b[others] + apportion(gap, np.minimum(homes, 560) * (0.6 + 0.8 * rate))
    # The last two places stand for outside the city and for no postcode at all.
    count_a[-2:], count_b[-2:] = apportion(AWAY_A, [3, 2]), apportion(AWAY_B, [3, 2])
    away = np.concatenate([np.arange(len(names)), [-1, NOWHERE]])
    rng = own.generator("order")
    placed_a, placed_b = (
        rng.permutation(np.repeat(away, apportion(scaled(int(counts.sum()), scale), counts)))
        for counts in (count_a, count_b)
    )
    return placed_a, placed_b
