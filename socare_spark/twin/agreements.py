"""The three agreement datasets: closed, costed, and the adults' open and closed ones.

Guarantee: at scale 1 each age band holds exactly its published number of records (Tables 3 and 7),
and in the costed series the two contracts of Table 8 hold theirs, in each district of Table 9 to
the record.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from socare_spark.twin.draws import Calendar, Draws, Floats, Ints, apportion, birthday, day, scaled
from socare_spark.twin.people import NOWHERE, Universe, near_normal
from socare_spark.twin.vocabulary import bands, vocabulary

CLOSED_BANDS = (10_000, 34_000, 47_000, 124_000)
COSTED_BANDS = (7_300, 26_000, 47_000, 133_000)
FIRST_YEAR, LAST_YEAR = 2001, 2015
FIRST_END, LAST_END = day(2001), day(2015, 12, 31)
# Shares of the start years. 2009-2015 hold over 80 %, no six years do; a few agreements began
# before the window.
YEARS = {
    1998: 0.05, 1999: 0.08, 2000: 0.15, 2001: 1.0, 2002: 1.2, 2003: 1.5, 2004: 1.8, 2005: 2.2,
    2006: 2.6, 2007: 3.0, 2008: 3.4, 2009: 11.0, 2010: 12.0, 2011: 13.0, 2012: 13.2, 2013: 12.4,
    2014: 11.6, 2015: 10.4,
}  # fmt: skip
# Who is in the agreement series: the first part of each cohort.
POOL_SHARES = {"children": 0.085, "young": 0.14, "adults": 0.075, "older": 0.17}
# How common an element is within a band, by client group and by service; elements not of the band's
# groups never occur.
BAND_GROUPS: tuple[dict[str, float], ...] = (
    {"CH": 1.0},
    {"CH": 0.8, "LD": 0.25, "MH": 0.1, "PD": 0.08, "SM": 0.03},
    {"LD": 1.0, "MH": 0.7, "PD": 0.9, "SM": 0.2},
    {"OA": 1.0, "PD": 0.12, "MH": 0.08, "LD": 0.07},
)
NAMED_WEIGHTS: tuple[dict[str, float], ...] = (
    {"DIRCWD": 1.5, "CHLEAVC": 0.0},
    {"DIRCWD": 1.2, "DIRLD": 0.5, "DIRPD": 0.2},
    {"DIRLD": 1.2, "DIRPD": 1.4, "DIRMH": 0.8, "HSSU65UN": 2.4, "HSSUNGHT": 0.3, "OAEHSGCO": 2.0},
    {
        "DIROA": 1.6,
        "HSSU65PL": 7.0,
        "HSSUNGHT": 0.6,
        "OAEHSGCO": 9.0,
        "OAIHSENB": 3.0,
        "OAERESID": 2.6,
        "OAENURSE": 2.0,
    },
)
# Typical length in days (median) and its spread, by service.
LENGTHS = {
    "FOST": (240, 1.1), "RESC": (210, 1.0), "RESP": (45, 1.0), "HOME": (85, 1.1),
    "DAYC": (170, 1.0), "TRAN": (120, 1.0), "LEAV": (160, 0.9), "DIRP": (260, 0.9),
    "SUPL": (300, 1.0), "RESA": (320, 1.1), "NURS": (280, 1.1), "INTC": (32, 0.6),
    "ENAB": (29, 0.45), "MEAL": (140, 1.0), "EQUI": (60, 1.2), "COUN": (50, 0.8),
}  # fmt: skip
ADJOIN_SHARE = 0.45
NO_COST_SHARE = 0.03
CONTRACT_A, CONTRACT_B = ("OAEHSGCO", 72_860, 20_060), ("HSSU65PL", 55_199, 0)
TABLE_9 = {
    "B23": (1_254, 564),
    "B24": (816, 426),
    "B75": (645, 261),
    "B26": (952, 569),
    "B42": (690, 332),
}
# Records of the two contracts outside the city or without a postcode (section 5: a net 1,136 at
# least).
AWAY_A, AWAY_B = 9_400, 1_050


@dataclass(frozen=True)
class Element:
    """A service element of the vocabulary."""

    code: str
    description: str
    service: str
    client_group: str
    low: float
    high: float


@cache
def elements() -> tuple[Element, ...]:
    """Returns the elements of conf/vocabulary/elements.yaml."""
    return tuple(
        Element(e["code"], e["description"], e["service"], e["client_group"], *e["weekly_cost"])
        for e in vocabulary("elements")["elements"]
    )


def element_weights(band: int) -> Floats:
    """Returns how common each element is among the records of an age band."""
    named, groups = NAMED_WEIGHTS[band], BAND_GROUPS[band]
    return np.array([named.get(e.code, groups.get(e.client_group, 0.0)) for e in elements()])


@dataclass
class Agreements:
    """Compact columns of one agreement dataset, a row per kept record, ordered by identifier."""

    dataset: str
    person: Ints
    element: Ints
    start: Ints
    end: Ints
    band: Ints
    open: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        """Returns the number of records."""
        return len(self.person)


def closed_agreements(universe: Universe, draws: Draws, scale: float) -> Agreements:
    """Returns the first extract: 215,000 closed agreements at scale 1, by age band as Table 3."""
    quotas = [scaled(n, scale) for n in CLOSED_BANDS]
    wanted = [
        (
            np.repeat(np.arange(len(elements())), apportion(n, element_weights(b))),
            np.full(n, ANYWHERE),
        )
        for b, n in enumerate(quotas)
    ]
    return _series("agreements_closed", "agreements", universe, draws, wanted)


def costed_agreements(universe: Universe, draws: Draws, scale: float) -> Agreements:
    """Returns the extract with cost and profile: 213,300 at scale 1, bands as Table 7, contracts as
    Tables 8 and 9.
    """
    quotas = [scaled(n, scale) for n in COSTED_BANDS]
    codes = [e.code for e in elements()]
    a, b = codes.index(CONTRACT_A[0]), codes.index(CONTRACT_B[0])
    districts_a, districts_b = _contract_districts(universe, draws, scale)
    younger = min(scaled(CONTRACT_A[2], scale), quotas[2], len(districts_a))
    fixed = {
        2: [(a, districts_a[:younger])],
        3: [(a, districts_a[younger:]), (b, districts_b)],
    }
    wanted = []
    for band, quota in enumerate(quotas):
        element = [np.full(len(d), e) for e, d in fixed.get(band, [])]
        district = [d for _, d in fixed.get(band, [])]
        rest = quota - sum(map(len, element))
        weights = element_weights(band)
        weights[[a, b]] = 0
        element.append(np.repeat(np.arange(len(codes)), apportion(rest, weights)))
        district.append(np.full(rest, ANYWHERE))
        wanted.append((np.concatenate(element), np.concatenate(district)))
    return _series("agreements_costed", "costed", universe, draws, wanted)


ANYWHERE = -9


def _contract_districts(universe: Universe, draws: Draws, scale: float) -> tuple[Ints, Ints]:
    """Returns the district of every record of the two contracts, in shuffled order.

    Table 9's five districts have the smallest differences, so every other one stays above the fifth
    of them.
    """
    names = universe.city.districts["district"].tolist()
    printed = np.array([names.index(d) for d in TABLE_9])
    others = np.setdiff1d(np.arange(len(names)), printed)
    count_a, count_b = (np.zeros(len(names) + 2, dtype=np.int64) for _ in range(2))
    for place, (n_a, n_b) in zip(printed, TABLE_9.values(), strict=True):
        count_a[place], count_b[place] = n_a, n_b
    homes = universe.city.districts["postcodes"].to_numpy()[others].astype(float)
    rest_b = CONTRACT_B[1] - int(count_b.sum()) - AWAY_B
    count_b[others] = apportion(rest_b, homes)
    gap = CONTRACT_A[1] - int(count_a.sum()) - AWAY_A - rest_b
    rate = draws.scoped("contracts").uniform("gap", others)
    count_a[others] = count_b[others] + apportion(gap, np.minimum(homes, 560) * (0.6 + 0.8 * rate))
    # The last two places stand for outside the city and for no postcode at all.
    count_a[-2:], count_b[-2:] = apportion(AWAY_A, [3, 2]), apportion(AWAY_B, [3, 2])
    away = np.concatenate([np.arange(len(names)), [-1, NOWHERE]])
    rng = draws.scoped("contracts").generator("order")
    return tuple(
        rng.permutation(np.repeat(away, apportion(scaled(int(counts.sum()), scale), counts)))
        for counts in (count_a, count_b)
    )  # type: ignore[return-value]


def _series(
    dataset: str, band_set: str, universe: Universe, draws: Draws, wanted: list[tuple[Ints, Ints]]
) -> Agreements:
    """Draws one closed series: for each band its elements and districts are given, people and dates
    are drawn.
    """
    own = draws.scoped(dataset)
    calendar = Calendar(YEARS)
    pool = np.concatenate([universe.cohorts[c].part(0, share) for c, share in POOL_SHARES.items()])
    born = universe.born(pool)
    parts = []
    offset = 0
    for b, (_, low_age, high_age) in enumerate(bands(band_set)):
        element, district = wanted[b]
        index = offset + np.arange(len(element))
        offset += len(element)
        low = np.maximum(birthday(born, low_age), day(min(YEARS)))
        high = np.minimum(birthday(born, high_age), LAST_END + 1)
        taker = _choose_people(
            universe,
            own,
            pool,
            low=low,
            high=high,
            calendar=calendar,
            element=element,
            district=district,
            index=index,
        )
        start = calendar.draw(own.uniform("start", index), low[taker], high[taker])
        parts.append((pool[taker], element, start, np.full(len(element), b), index))
    person, element, start, band, index = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    end = _ends(own, element, start, index)
    order = np.lexsort((index, start))
    person, element, start, end, band = (
        column[order] for column in (person, element, start, end, band)
    )
    end = joined_ends(own, person, element, start=start, end=end, first_end=FIRST_END)
    return Agreements(dataset, person, element, start, end, band, np.zeros(len(person), dtype=bool))


def _choose_people(
    universe: Universe,
    own: Draws,
    pool: Ints,
    *,
    low: Ints,
    high: Ints,
    calendar: Calendar,
    element: Ints,
    district: Ints,
    index: Ints,
) -> Ints:
    """Returns a position in the pool for each record.

    Each element is used by an arc of the people, so that a person comes back for the same elements.
    People weigh by their need and by how much of the calendar they spend in the band.
    """
    mass = np.where(high > low, calendar.mass(high) - calendar.mass(np.minimum(low, high)), 0.0)
    weight = np.where(mass > 1e-4, mass * universe.weight(pool), 0.0)
    home = universe.district(pool)
    taker = np.empty(len(element), dtype=np.int64)
    within = own.uniform("taker", index)
    arc_start = own.uniform("arc", element)
    free = district == ANYWHERE
    shuffled = own.generator("circle").permutation(len(pool))
    taker[free] = _on_circle(shuffled, weight, np.mod(arc_start[free] + 0.22 * within[free], 1.0))
    # The contracts' districts are exact, so only people whose postcode has a place take part there.
    weight = np.where(universe.settled(pool), weight, 0.0)
    by_home = shuffled[np.argsort(home[shuffled], kind="stable")]
    edges = np.searchsorted(home[by_home], np.unique(district[~free]))
    for place, first in zip(np.unique(district[~free]), edges, strict=True):
        here = district == place
        members = by_home[first : np.searchsorted(home[by_home], place, side="right")]
        if not len(members) or not weight[members].any():
            members = shuffled
        taker[here] = _on_circle(members, weight, np.mod(arc_start[here] + 0.6 * within[here], 1.0))
    return taker


def _on_circle(members: Ints, weight: Floats, u: Floats) -> Ints:
    """Returns the member at each position u of a circle on which members take room by weight."""
    edges = np.cumsum(weight[members])
    place = np.minimum(np.searchsorted(edges, u * edges[-1], side="right"), len(members) - 1)
    chosen: Ints = members[place]
    return chosen


def lengths(own: Draws, element: Ints, index: Ints) -> Ints:
    """Draws the days from start to end by the element's service."""
    every = [LENGTHS[e.service] for e in elements()]
    median, spread = (np.array(column)[element] for column in zip(*every, strict=True))
    days: Ints = np.floor(
        median * np.exp(spread * near_normal(own.uniform("length", index)))
    ).astype(np.int64)
    return days


def _ends(own: Draws, element: Ints, start: Ints, index: Ints) -> Ints:
    """Draws ends; what would run past the extract ends somewhere before it instead."""
    end = np.maximum(start + lengths(own, element, index), FIRST_END)
    shorter = start + np.floor(own.uniform("shorter", index) * (LAST_END - start + 1)).astype(
        np.int64
    )
    ends: Ints = np.where(end > LAST_END, np.maximum(shorter, FIRST_END), end)
    return ends


def joined_ends(
    own: Draws, person: Ints, element: Ints, *, start: Ints, end: Ints, first_end: int
) -> Ints:
    """Makes many agreements end the day before the person's next one of the same element begins."""
    order = np.lexsort((start, element, person))
    now, after = order[:-1], order[1:]
    same = (
        (person[now] == person[after])
        & (element[now] == element[after])
        & (start[after] > start[now])
    )
    joined = same & (own.uniform("adjoin", now) < ADJOIN_SHARE) & (start[after] - 1 >= first_end)
    end = end.copy()
    end[now[joined]] = start[after[joined]] - 1
    return end


def weekly_pence(universe: Universe, agreements: Agreements, own: Draws, rows: Ints) -> Ints:
    """Returns the weekly cost in pence, -1 where none is recorded: the element's range, dearer year
    by year.
    """
    low, high = (
        np.array([getattr(e, side) for e in elements()])[agreements.element[rows]]
        for side in ("low", "high")
    )
    person = agreements.person[rows]
    level = 0.7 * universe.draws.uniform("cost", person) + 0.3 * own.uniform("cost", rows)
    year = (agreements.start[rows] - day(2001)) / 365.25
    pence = (
        np.round((low + level**1.5 * (high - low)) * (1 + 0.018 * (year - 14)) * 20).astype(
            np.int64
        )
        * 5
    )
    return np.where(own.uniform("no cost", rows) < NO_COST_SHARE, -1, pence)
