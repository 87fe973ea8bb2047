"""The adults' flow: people and records by stage, team and outcome, and the steps between stages."""

from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from socare_spark.twin.agreements.agreement_records import Agreements
from socare_spark.twin.assessments.adult_flow import (
    CATEGORIES,
    GROUPS,
    STAGES,
    TEAM_CATEGORIES,
    AdultAssessments,
)
from socare_spark.twin.counting import spread
from socare_spark.twin.draws import Bools, Ints
from socare_spark.twin.population.universe import Universe
from socare_spark.twin.vocabulary import vocabulary


def adult_marginals(
    universe: Universe, records: AdultAssessments, agreements: Agreements
) -> dict[str, Any]:
    """Tables 11 to 13 and case studies 5 to 7, of the kept records."""
    flow = records.flow
    within = {stage: _mask(len(flow.pool), flow.within(stage)) for stage in STAGES}
    number = np.bincount(records.group, minlength=len(GROUPS))
    assessed = len(np.unique(records.place))
    totals = [
        {"stage": stage, "people": int(within[stage].sum()), "records": int(rows)}
        for stage, rows in zip(STAGES, [*number[:3], len(agreements)], strict=True)
    ]
    totals.append({"stage": "assessed", "people": assessed, "records": len(records)})
    return {
        "records": len(records),
        "people": assessed,
        "subprocess_records": {code: int(number[i]) for i, code in enumerate(GROUPS)},
        "stage_totals": totals,
        "stage_continuity": [_continuity(within, *pair) for pair in pairwise(STAGES)],
        "stage_completion": _completion(within),
        "outcome_by_team": _outcome_by_team(records),
        "single_stage": _single_stage(universe, records),
        **_follows(records, agreements),
    }


def _continuity(within: dict[str, Bools], previous: str, stage: str) -> dict[str, Any]:
    """The people in a stage, with and without the previous one."""
    without = int((within[stage] & ~within[previous]).sum())
    either = int((within[stage] | within[previous]).sum())
    return {
        "stage": stage,
        "previous": previous,
        "people_without_previous": without,
        "people_either": either,
        "share": without / either,
    }


def _completion(within: dict[str, Bools]) -> dict[str, Any]:
    """The people in all stages."""
    every = int(np.logical_and.reduce(list(within.values())).sum())
    anybody = int(np.logical_or.reduce(list(within.values())).sum())
    return {
        "people_all_stages": every,
        "people_any": anybody,
        "share_any": every / anybody,
        "share_last": every / int(within["AG"].sum()),
    }


def _mask(size: int, places: Ints) -> np.ndarray:
    """A mask of the places."""
    mask = np.zeros(size, dtype=bool)
    mask[places] = True
    return mask


def _outcome_by_team(records: AdultAssessments) -> list[dict[str, Any]]:
    """People and records by outcome category and team category, over all assessments."""
    outcome, team = (
        _category_of(records.outcome, "outcomes", CATEGORIES),
        _category_of(records.team, "teams", TEAM_CATEGORIES),
    )
    cell = outcome * len(TEAM_CATEGORIES) + team
    pairs = np.unique(cell * len(records.flow.pool) + records.place) // len(records.flow.pool)
    size = len(CATEGORIES) * len(TEAM_CATEGORIES)
    people, number = np.bincount(pairs, minlength=size), np.bincount(cell, minlength=size)
    return [
        {
            "outcome_category": o,
            "team_category": t,
            "people": int(people[i]),
            "records": int(number[i]),
        }
        for i, (o, t) in enumerate((o, t) for o in CATEGORIES for t in TEAM_CATEGORIES)
    ]


def _category_of(position: npt.NDArray[np.int8], words: str, categories: tuple[str, ...]) -> Ints:
    """The position of the category of each outcome or team."""
    listed = np.array([categories.index(entry["category"]) for entry in vocabulary(words)])
    return listed[position.astype(np.int64)]


def _single_stage(universe: Universe, records: AdultAssessments) -> dict[str, Any]:
    """The counts of case study 6 among the people only in contact assessment."""
    flow = records.flow
    only = flow.region == 0
    contacts = np.bincount(records.place, minlength=len(flow.pool))[only]
    rows = np.flatnonzero(flow.single[records.place])
    length = records.end[rows] - records.start[rows]
    category = _category_of(records.outcome[rows], "outcomes", CATEGORIES)
    person = flow.pool[records.place[rows]]
    home = universe.postcode(person, records.start[rows].astype(np.int64))
    ward = universe.city.postcodes.ward_at(home)
    names = [*universe.city.wards["ward_name"].tolist(), None]
    number, people = np.unique(contacts, return_counts=True)
    return {
        "stage": "CA",
        "people": int(only.sum()),
        "people_by_assessments": [[int(n), int(p)] for n, p in zip(number, people, strict=True)],
        "one_assessment": len(rows),
        "one_assessment_by_category": spread([category], [CATEGORIES]),
        "one_assessment_within_7_days": int((length <= 7).sum()),
        "one_assessment_within_30_days": int((length <= 30).sum()),
        "one_assessment_by_length": spread([length], [None]),
        "one_assessment_by_ward": spread([ward, category], [names, CATEGORIES]),
    }


def _follows(records: AdultAssessments, agreements: Agreements) -> dict[str, Any]:
    """The directly-follows graph of the four stages; on one day, records follow the order of the
    stages.
    """
    core = records.group < len(STAGES) - 1
    person = np.concatenate([records.flow.pool[records.place[core]], agreements.person])
    stage = np.concatenate(
        [records.group[core].astype(np.int64), np.full(len(agreements), len(STAGES) - 1)]
    )
    start = np.concatenate([records.start[core].astype(np.int64), agreements.start])
    order = np.lexsort((stage, start, person))
    person, stage, start = person[order], stage[order], start[order]
    same = person[1:] == person[:-1]
    edge, gap = (stage[:-1] * len(STAGES) + stage[1:])[same], np.diff(start)[same]
    edges = [
        {
            "from_activity": STAGES[e // 4],
            "to_activity": STAGES[e % 4],
            "transitions": int((edge == e).sum()),
            "median_days": float(np.median(gap[edge == e])),
        }
        for e in np.unique(edge).tolist()
    ]
    begins = np.concatenate([[True], ~same])
    ends = np.concatenate([~same, [True]])
    cuts = [*np.flatnonzero(begins).tolist(), len(stage)]
    text = stage.astype(np.uint8).tobytes()
    variants = Counter(text[a:b] for a, b in pairwise(cuts))
    commonest = sorted(variants.items(), key=lambda item: (-item[1], item[0]))[:10]
    return {
        "flow_edges": edges,
        "flow_starts_ends": [
            {"kind": kind, "activity": name, "people": int((stage[mask] == i).sum())}
            for kind, mask in (("start", begins), ("end", ends))
            for i, name in enumerate(STAGES)
        ],
        "flow_variants": {
            "variants": len(variants),
            "people": int(begins.sum()),
            "commonest": [{"variant": [STAGES[b] for b in v], "people": n} for v, n in commonest],
        },
    }
