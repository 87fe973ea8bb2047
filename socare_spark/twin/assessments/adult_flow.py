"""The adults' way through contact assessment, assessment, support plan and agreement, and their
other assessments.

Guarantee: at scale 1 the regions of overlap give Table 13 whole (people by exactly which stages
they are in), the sub-processes hold their records (Table 11), and the people only in contact
assessment give the figures of case study 6.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from socare_spark.twin.agreements.agreement_records import (
    Agreements,
    joined_ends,
    lengths,
    # fmt: skip,
)
from socare_spark.twin.agreements.service_elements import element_weights
from socare_spark.twin.draws import Bools, Calendar, Draws, Ints, ages, day, scaled
from socare_spark.twin.population.universe import Universe
from socare_spark.twin.vocabulary import vocabulary

FIRST_DAY, LAST_DAY = day(2013, 4), day(2016, 12, 31)
STAGES = ("CA", "AS", "SP", "AG")
# People by exactly which stages they are in; everything in Table 13 follows from these.
REGIONS = {
    ("CA",): 27_238, ("CA", "AG"): 6_347, ("CA", "AS"): 10_414, ("CA", "AS", "AG"): 676,
    ("CA", "SP", "AG"): 451, ("CA", "AS", "SP", "AG"): 11_575, ("AS",): 536,
    ("AS", "SP", "AG"): 3_431, ("SP",): 2_901, ("SP", "AG"): 5_578, ("AG",): 1_327,
}  # fmt: skip
RECORDS = {"CA": 124_575, "AS": 37_581, "SP": 42_593, "AG": 94_400}
OTHER_RECORDS = 33_251
OTHERS = ("RV", "OT", "CR", "SG", "FA")
OTHER_WEIGHTS = (40, 24, 12, 10, 14)
GROUPS = {
    "CA": "Contact Assessment", "AS": "Assessment", "SP": "Support Plan", "RV": "Review",
    "OT": "Occupational Therapy", "CR": "Carer Assessment", "SG": "Safeguarding",
    "FA": "Financial Assessment",
}  # fmt: skip
# Of the people only in contact assessment: one assessment; of these: to proceed, within 30 days,
# within a week.
SINGLE, SINGLE_PROCEED, SINGLE_MONTH, SINGLE_WEEK = 17_432, 9_239, 16_386, 10_197
# Outcome categories by sub-process: close, qualified closure, proceed, unknown, did not take place.
CATEGORIES = ("Close", "Qualified closure", "Proceed", "Unknown", "Did not take place")
CATEGORY_WEIGHTS = {
    "CA": (31, 8, 52, 6, 3), "AS": (20, 6, 66, 5, 3), "SP": (9, 2, 80, 8, 1),
    "RV": (28, 4, 57, 8, 3), "OT": (34, 30, 27, 5, 4), "CR": (38, 9, 40, 5, 8),
    "SG": (22, 41, 26, 9, 2), "FA": (18, 1, 66, 13, 2),
}  # fmt: skip
TEAM_CATEGORIES = (
    "Adults (Location)", "Learning Disability", "Mental Health", "Hospital Settings",
    "Older Adults (Location)", "Physical Disability", "Others",
)  # fmt: skip
MEAN_LENGTH = {"CA": 9, "AS": 24, "SP": 19, "RV": 15, "OT": 28, "CR": 14, "SG": 33, "FA": 21}
# Days by which a stage usually follows the first contact.
FOLLOWS = {"CA": 0, "AS": 16, "SP": 38, "AG": 52, "RV": 180, "OT": 30, "CR": 45, "SG": 60, "FA": 48}
SAME_DAY_SHARE, DISORDER_SHARE = 0.17, 0.07
POOL = {"young": (0.0, 0.08), "adults": (0.03, 0.2), "older": (0.03, 0.205)}


@dataclass
class AdultFlow:
    """The stages of each person: `region` is a position in REGIONS, `single` marks people with one
    contact only.
    """

    pool: Ints
    region: Ints
    single: Bools

    def within(self, stage: str) -> Ints:
        """The positions in the pool of the people in a stage."""
        holds = np.array([stage in stages for stages in REGIONS])
        return np.flatnonzero(holds[self.region])


@dataclass
class AdultAssessments:
    """Compact columns, a row per kept record, by start."""

    flow: AdultFlow
    place: npt.NDArray[np.int32]
    group: npt.NDArray[np.int8]
    start: npt.NDArray[np.int32]
    end: npt.NDArray[np.int32]
    outcome: npt.NDArray[np.int8]
    team: npt.NDArray[np.int8]

    def __len__(self) -> int:
        """The number of records."""
        return len(self.place)


def adult_flow(universe: Universe, draws: Draws, scale: float) -> AdultFlow:
    """Takes the people and lays the regions over them at random."""
    own = draws.scoped("adult flow")
    sizes = [scaled(n, scale) for n in REGIONS.values()]
    pool = np.concatenate([universe.cohorts[c].part(*part) for c, part in POOL.items()])
    pool = pool[universe.born(pool) < day(1995, 4)]
    pool = pool[np.argsort(own.uniform("pool", pool), kind="stable")]
    while len(pool) < sum(sizes):  # only at the smallest scales, where rounding leaves too few
        older = universe.cohorts["older"].part(0.5, 1)
        pool = np.concatenate([pool, np.setdiff1d(older, pool)[: sum(sizes) - len(pool)]])
    pool = pool[: sum(sizes)]
    region = np.repeat(np.arange(len(sizes)), sizes)
    single = np.zeros(len(pool), dtype=bool)
    single[: min(scaled(SINGLE, scale), sizes[0])] = True
    return AdultFlow(pool, region, single)


def adult_assessments(
    universe: Universe, draws: Draws, scale: float, flow: AdultFlow
) -> AdultAssessments:
    """Draws the assessments of the eight sub-processes."""
    own = draws.scoped("adult_assessments")
    parts = [_stage_places(own, flow, stage, scale) for stage in STAGES[:3]]
    parts.append(_other_places(own, flow, scale))
    place = np.concatenate([p for p, _ in parts])
    group = np.concatenate([g for _, g in parts])
    start = _starts(own, flow.pool[place], place, group)
    index = np.arange(len(place))
    length = _assessment_lengths(own, group, index)
    outcome_category = _categories(own, group, index)
    _fix_single(own, flow, place, group, length=length, category=outcome_category, scale=scale)
    start = np.minimum(start, LAST_DAY - length)
    team = _teams(universe, own, flow.pool[place], group=group, start=start, index=index)
    outcome = _outcomes(own, outcome_category, index)
    order = np.argsort(start.astype(np.int16), kind="stable")
    return AdultAssessments(
        flow,
        place[order].astype(np.int32),
        group[order].astype(np.int8),
        start[order].astype(np.int32),
        (start + length)[order].astype(np.int32),
        outcome[order].astype(np.int8),
        team[order].astype(np.int8),
    )


def adult_agreements(universe: Universe, draws: Draws, scale: float, flow: AdultFlow) -> Agreements:
    """Draws the agreements of the last stage: those that run past the end of 2016 are open."""
    own = draws.scoped("agreements_adult")
    place, group = _stage_places(own, flow, "AG", scale)
    person, index = flow.pool[place], np.arange(len(place))
    start = _starts(own, person, place, group)
    start = np.maximum(start, FIRST_DAY)
    old = ages(universe.born(person), start) >= 65
    arc = 0.18 * own.uniform("element", index) + universe.draws.uniform("element circle", person)
    element = np.empty(len(place), dtype=np.int64)
    for band, here in ((2, ~old), (3, old)):
        edges = np.cumsum(element_weights(band))
        element[here] = np.searchsorted(edges, np.mod(arc[here], 1.0) * edges[-1], side="right")
    end = start + lengths(own, element, index)
    order = np.lexsort((index, start))
    person, element, start, end = (column[order] for column in (person, element, start, end))
    end = joined_ends(own, person, element, start=start, end=end, first_end=FIRST_DAY)
    open_ = end > LAST_DAY
    bands = np.digitize(ages(universe.born(person), start), [11, 25, 65]).astype(np.int64)
    return Agreements(
        "agreements_adult", person, element, start, np.minimum(end, LAST_DAY), bands, open_
    )


def groups() -> list[str]:
    """The eight sub-processes as written: `CODE - description`."""
    return [f"{code} - {text}" for code, text in GROUPS.items()]


def _stage_places(own: Draws, flow: AdultFlow, stage: str, scale: float) -> tuple[Ints, Ints]:
    """The person's place of each record of a stage: one record for each person, two for those who
    are not single, the rest at random.
    """
    people = flow.within(stage)
    once = [people]
    if stage == "CA":
        repeated = np.flatnonzero((flow.region == 0) & ~flow.single)
        once.append(repeated)
        people = people[~flow.single[people]]
    sure = np.concatenate(once)
    rest = max(0, scaled(RECORDS[stage], scale) - len(sure))
    index = np.arange(rest)
    people = people[np.argsort(own.uniform(f"{stage} order", people), kind="stable")]
    more = people[
        np.floor(own.uniform(f"{stage} more", index) ** 2.2 * len(people)).astype(np.int64)
    ]
    place = np.concatenate([sure, more])
    code = list(GROUPS).index(stage) if stage in GROUPS else len(GROUPS)
    return place, np.full(len(place), code)


def _other_places(own: Draws, flow: AdultFlow, scale: float) -> tuple[Ints, Ints]:
    """The records of the five other sub-processes: of people assessed and not only in contact
    assessment.
    """
    last = len(REGIONS) - 1
    people = np.flatnonzero((flow.region != 0) & (flow.region != last))
    index = np.arange(scaled(OTHER_RECORDS, scale))
    place = people[np.floor(own.uniform("other", index) ** 1.6 * len(people)).astype(np.int64)]
    return place, 3 + own.choose("other group", index, OTHER_WEIGHTS)


def _starts(own: Draws, person: Ints, place: Ints, group: Ints) -> Ints:
    """The start of each record: rounds of stages after a first contact, with ties and some
    disorder.

    A person's first contact and the gap between rounds are the same in all datasets of the flow.
    """
    flow = own.scoped("adult flow")
    calendar = Calendar({y: 1.0 for y in range(2013, 2017)}, FIRST_DAY, LAST_DAY)
    whole = np.zeros(len(person), dtype=np.int64)
    contact = calendar.draw(
        flow.uniform("contact", person) ** 1.15, whole + FIRST_DAY, whole + LAST_DAY + 1
    )
    gap = 40 + np.floor(flow.exponential("gap", person, 150.0)).astype(np.int64)
    occurrence = _occurrence(place, group)
    follow = np.array([FOLLOWS[g] for g in (*GROUPS, "AG")])[group]
    index = np.arange(len(person))
    prompt = flow.uniform("prompt", person) < SAME_DAY_SHARE
    noise = np.floor(own.exponential("noise", index, 8.0)).astype(np.int64)
    early = own.uniform("disorder", index) < DISORDER_SHARE
    offset = np.where(prompt, 0, follow + noise)
    offset = np.where(early, -np.floor(own.uniform("early", index) * 35).astype(np.int64), offset)
    start = contact + occurrence * gap + offset
    late = start > LAST_DAY
    span = LAST_DAY - FIRST_DAY + 1
    start = np.where(late, LAST_DAY - (start - LAST_DAY) % span, start)
    start = np.maximum(start, FIRST_DAY)
    weekend = ((start + 3) % 7 >= 5) & (own.uniform("weekend", index) < 0.85)
    day_of: Ints = np.where(weekend & (start > FIRST_DAY + 2), start - 2, start)
    return day_of


def _occurrence(place: Ints, group: Ints) -> Ints:
    """For each record, the number of earlier records of the same person and group."""
    order = np.lexsort((group, place))
    first = np.ones(len(place), dtype=bool)
    first[1:] = (place[order][1:] != place[order][:-1]) | (group[order][1:] != group[order][:-1])
    position = np.arange(len(place))
    started = np.maximum.accumulate(np.where(first, position, 0))
    occurrence = np.empty(len(place), dtype=np.int64)
    occurrence[order] = position - started
    return occurrence


def _assessment_lengths(own: Draws, group: Ints, index: Ints) -> Ints:
    mean = np.array([MEAN_LENGTH[g] for g in GROUPS], dtype=float)[group]
    days: Ints = np.minimum(np.floor(own.exponential("length", index, mean)), 700).astype(np.int64)
    return days


def _categories(own: Draws, group: Ints, index: Ints) -> Ints:
    category = np.zeros(len(group), dtype=np.int64)
    for code, name in enumerate(GROUPS):
        here = group == code
        category[here] = own.choose("category", index[here], CATEGORY_WEIGHTS[name])
    return category


def _fix_single(
    own: Draws,
    flow: AdultFlow,
    place: Ints,
    group: Ints,
    *,
    length: Ints,
    category: Ints,
    scale: float,
) -> None:
    """Gives the people with one contact only the exact numbers of case study 6, in place.

    No such length is just 7 or 30 days, so that the numbers hold whether or not the last day itself
    is counted.
    """
    rows = np.flatnonzero((group == 0) & flow.single[place])
    by_length = rows[np.argsort(own.uniform("single length", rows), kind="stable")]
    week, month = (min(scaled(n, scale), len(rows)) for n in (SINGLE_WEEK, SINGLE_MONTH))
    u = own.uniform("single days", by_length)
    length[by_length[:week]] = np.floor(7 * u[:week] ** 1.4)
    length[by_length[week:month]] = 8 + np.floor(22 * u[week:month] ** 1.3)
    length[by_length[month:]] = 31 + np.floor(120 * u[month:] ** 2)
    by_outcome = rows[np.argsort(own.uniform("single outcome", rows), kind="stable")]
    proceed = min(scaled(SINGLE_PROCEED, scale), len(rows))
    category[by_outcome[:proceed]] = CATEGORIES.index("Proceed")
    rest = by_outcome[proceed:]
    others = np.array([0, 1, 3, 4])
    category[rest] = others[own.choose("single other", rest, (31, 8, 6, 3))]


def _outcomes(own: Draws, category: Ints, index: Ints) -> Ints:
    """Positions in the vocabulary's outcomes: within a category the first listed are the
    commonest.
    """
    listed = [o["category"] for o in vocabulary("outcomes")]
    outcome = np.zeros(len(category), dtype=np.int64)
    for position, name in enumerate(CATEGORIES):
        here = np.flatnonzero(category == position)
        choices = np.flatnonzero([c == name for c in listed])
        outcome[here] = choices[
            own.choose("outcome", index[here], 1 / np.arange(1, len(choices) + 1))
        ]
    return outcome


def _teams(
    universe: Universe, own: Draws, person: Ints, *, group: Ints, start: Ints, index: Ints
) -> Ints:
    """Positions in the vocabulary's teams: mostly one category for a person."""
    old = ages(universe.born(person), start) >= 65
    usual = np.where(
        old,
        universe.draws.choose("team old", person, (2, 1, 5, 22, 48, 1, 21)),
        universe.draws.choose("team young", person, (38, 12, 17, 8, 1, 9, 15)),
    )
    category = np.where(
        own.uniform("team other", index) < 0.2,
        own.choose("team any", index, (3, 1, 2, 4, 5, 1, 9)),
        usual,
    )
    listed = [t["category"] for t in vocabulary("teams")]
    team = np.zeros(len(person), dtype=np.int64)
    for position, name in enumerate(TEAM_CATEGORIES):
        here = np.flatnonzero(category == position)
        choices = np.flatnonzero([c == name for c in listed])
        weights = 1 / np.sqrt(np.arange(1, len(choices) + 1))
        team[here] = choices[
            universe.draws.choose(f"team {name}", person[here] * 8 + group[here], weights)
        ]
    return team
