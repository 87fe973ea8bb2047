"""How the adults' assessments are written to files, and what is true of the flow."""

from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from socare_spark.twin.agreements.agreement_extract import agreement_texts
from socare_spark.twin.agreements.agreement_records import Agreements
from socare_spark.twin.assessments.adult_flow import (
    CATEGORIES,
    GROUPS,
    STAGES,
    TEAM_CATEGORIES,
    AdultAssessments,
    groups,
)  # fmt: skip
from socare_spark.twin.counting import spread
from socare_spark.twin.csv_writer import csv_cells
from socare_spark.twin.csv_writer.extract import Extract, Layout, yearly_rows
from socare_spark.twin.draws import Draws, Ints, ages, day, years
from socare_spark.twin.population.universe import Universe
from socare_spark.twin.vocabulary import vocabulary

COLUMNS = (
    "ASM_ID", "PERID", "DOB", "ASSESSMENT_START", "ASSESSMENT_END", "QSA_DESCRIPTION", "QSA_GROUP",
    "ASSESSMENT_REASON", "FORM_OUTCOME", "SERVICE_TEAM", "POSTCODE", "GENDER", "ETHNICITY",
    "CLIENT_GROUP", "WARD", "CONSTITUENCY",
)  # fmt: skip
FIRST_IDENTIFIER = 100_000_000
REASONS = (
    "NEWREF - New referral", "HOSP - Hospital discharge", "CHANGE - Change of circumstances",
    "PLREV - Planned review", "UNREV - Unplanned review", "CARER - Carer breakdown",
    "TRANS - Transition from children's services", "SAFEG - Safeguarding concern",
    "SELF - Self referral, by telephone", "GP - Referral by general practitioner",
)  # fmt: skip
REASON_WEIGHTS = (26, 17, 15, 13, 6, 4, 2, 5, 8, 4)
CLIENT_GROUPS = (
    "Older Adult",
    "Physical Disability",
    "Learning Disability",
    "Mental Health",
    "Substance Misuse",
    "Carer",
)
FORMS = ("", " (2013)", " v2", " - Care Act")


def adult_extract(
    universe: Universe, draws: Draws, records: AdultAssessments, agreements: Agreements
) -> Extract:
    """Returns the adults' assessments ready to be written; the agreements are needed for the truth
    about the flow.
    """
    own = draws.scoped("adult_assessments cells")
    texts = agreement_texts(universe)
    group = csv_cells.Texts(groups())
    step = csv_cells.Texts([f"{text}{form}" for text in GROUPS.values() for form in FORMS])
    reason = csv_cells.Texts(REASONS)
    outcome = csv_cells.Texts([f"{o['code']} - {o['label']}" for o in vocabulary("outcomes")])
    team = csv_cells.Texts([t["name"] for t in vocabulary("teams")])
    client = csv_cells.Texts(CLIENT_GROUPS)
    wards, seats = (
        csv_cells.Texts(universe.city.wards[c].tolist()) for c in ("ward_name", "constituency_name")
    )
    periods = tuple(str(y) for y in range(2013, 2017))

    def render(rows: Ints, period: str) -> dict[str, pa.Array]:
        person, code = records.flow.pool[records.place[rows]], records.group[rows].astype(np.int64)
        start, end = records.start[rows].astype(np.int64), records.end[rows].astype(np.int64)
        born = universe.born(person)
        home = universe.postcode(person, start)
        ward = np.where(home >= 0, universe.city.postcodes.ward[np.maximum(home, 0)], -1)
        # Forms were renewed with the Care Act, in April 2015.
        form = np.where(start >= day(2015, 4), 3, own.bits("form", rows) % np.uint64(3)).astype(
            np.int64
        )
        of_age = np.where(
            ages(born, start) >= 65,
            universe.draws.choose("client old", person, (74, 9, 3, 9, 0.5, 4.5)),
            universe.draws.choose("client", person, (0, 33, 24, 29, 5, 9)),
        )
        return {
            "ASM_ID": csv_cells.numbers(FIRST_IDENTIFIER + rows),
            "PERID": csv_cells.numbers(universe.perid(person)),
            "DOB": csv_cells.dates(born),
            "ASSESSMENT_START": csv_cells.dates(start),
            "ASSESSMENT_END": csv_cells.dates(end),
            "QSA_DESCRIPTION": step.take(code * len(FORMS) + form),
            "QSA_GROUP": group.take(code),
            "ASSESSMENT_REASON": reason.take(own.choose("reason", rows, REASON_WEIGHTS)),
            "FORM_OUTCOME": outcome.take(records.outcome[rows]),
            "SERVICE_TEAM": team.take(records.team[rows]),
            "POSTCODE": texts.postcode.take(home),
            "GENDER": texts.gender.take(universe.gender(person)),
            "ETHNICITY": texts.ethnicity.take(universe.ethnicity(person)),
            "CLIENT_GROUP": client.take(of_age),
            "WARD": wards.take(ward),
            "CONSTITUENCY": seats.take(ward),
        }

    return Extract(
        dataset="adult_assessments",
        layout=Layout(
            "ASM_ID",
            ("ASM_ID", "ASSESSMENT_START", "ASSESSMENT_END", "QSA_GROUP"),
            start="ASSESSMENT_START",
            end="ASSESSMENT_END",
            may_lack_birth=True,
        ),
        periods=periods,
        as_of={p: day(int(p), 12, 31) for p in periods},
        columns_of={p: COLUMNS for p in periods},
        size=len(records),
        rows_of=yearly_rows(years(records.end).astype(np.int16)),
        render=render,
        starts=lambda rows: records.start[rows].astype(np.int64),
        spare_identifier=FIRST_IDENTIFIER + 50_000_000,
        marginals=lambda: adult_marginals(universe, records, agreements),
    )


def adult_marginals(
    universe: Universe, records: AdultAssessments, agreements: Agreements
) -> dict[str, Any]:
    """Returns Tables 11 to 13 and case studies 5 to 7 as the kept records give them."""
    flow = records.flow
    within = {stage: set_of(len(flow.pool), flow.within(stage)) for stage in STAGES}
    number = np.bincount(records.group, minlength=len(GROUPS))
    assessed = np.zeros(len(flow.pool), dtype=bool)
    assessed[records.place] = True
    totals = [
        {"stage": s, "people": int(within[s].sum()), "records": int(number[i])}
        for i, s in enumerate(STAGES[:3])
    ]
    totals.append({"stage": "AG", "people": int(within["AG"].sum()), "records": len(agreements)})
    totals.append({"stage": "assessed", "people": int(assessed.sum()), "records": len(records)})
    continuity = []
    for previous, stage in pairwise(STAGES):
        without = int((within[stage] & ~within[previous]).sum())
        either = int((within[stage] | within[previous]).sum())
        continuity.append(
            {
                "stage": stage,
                "previous": previous,
                "people_without_previous": without,
                "people_either": either,
                "share": without / either,
            },
        )
    every = int(np.logical_and.reduce(list(within.values())).sum())
    anybody = int(np.logical_or.reduce(list(within.values())).sum())
    return {
        "records": len(records),
        "people": int(assessed.sum()),
        "subprocess_records": {code: int(number[i]) for i, code in enumerate(GROUPS)},
        "stage_totals": totals,
        "stage_continuity": continuity,
        "stage_completion": {
            "people_all_stages": every,
            "people_any": anybody,
            "share_any": every / anybody,
            "share_last": every / int(within["AG"].sum()),
        },
        "outcome_by_team": _outcome_by_team(records),
        "single_stage": _single_stage(universe, records),
        **_follows(records, agreements),
    }


def set_of(size: int, places: Ints) -> np.ndarray:
    """Returns a mask of the places."""
    mask = np.zeros(size, dtype=bool)
    mask[places] = True
    return mask


def _outcome_by_team(records: AdultAssessments) -> list[dict[str, Any]]:
    """Returns people and records by outcome category and team category, over all assessments."""
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
    """Returns the position of the category of each outcome or team."""
    listed = np.array([categories.index(entry["category"]) for entry in vocabulary(words)])
    return listed[position.astype(np.int64)]


def _single_stage(universe: Universe, records: AdultAssessments) -> dict[str, Any]:
    """Returns what case study 6 counts among the people only in contact assessment."""
    flow = records.flow
    only = flow.region == 0
    contacts = np.bincount(records.place, minlength=len(flow.pool))[only]
    rows = np.flatnonzero(flow.single[records.place])
    length = records.end[rows] - records.start[rows]
    category = _category_of(records.outcome[rows], "outcomes", CATEGORIES)
    person = flow.pool[records.place[rows]]
    home = universe.postcode(person, records.start[rows].astype(np.int64))
    ward = np.where(home >= 0, universe.city.postcodes.ward[np.maximum(home, 0)], -1)
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
    """Returns the directly-follows graph of the four stages: ties of a day follow the order of the
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
