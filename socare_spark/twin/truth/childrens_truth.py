"""The figures of the children's assessments, counted from the rows as they were drawn."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from socare_spark.twin.assessments.childrens_assessments import ChildrensAssessments
from socare_spark.twin.counting import distinct, iso
from socare_spark.twin.draws import Ints
from socare_spark.twin.facts import FACTS

BANDS = (("10,000+", 10_000, None), ("5,000-10,000", 5_000, 10_000), ("below 5,000", 0, 5_000))
# At least this number of combinations that start or end in one month is a block.
BLOCK = 10


@dataclass(frozen=True)
class _Use:
    """Use of each combination.

    `first` and `last` are the days on which its use starts and ends; `last_start` is the day on
    which its last record starts.
    """

    people: Ints
    records: Ints
    first: Ints
    last: Ints
    last_start: Ints


def childrens_marginals(records: ChildrensAssessments) -> dict[str, Any]:
    """The figures about combinations, of the kept records."""
    facts = records.combinations.facts
    which, person = records.combination.astype(np.int64), records.person.astype(np.int64)
    use = _use(records, which, person)
    keys = list(zip(facts["subprocess"], facts["reason"], facts["outcome"], strict=True))
    names = list(dict.fromkeys(s for s, _, _ in keys))
    owner = np.array([names.index(s) for s, _, _ in keys])
    listed = _combinations(keys, use)
    visits = np.isin(which, records.combinations.visits)
    used = use.first, use.last
    return {
        "records": len(records),
        "people": len(np.unique(person)),
        "combinations": listed,
        "combination_bands": _bands(use.people),
        "below_100_people": int((use.people < 100).sum()),
        "combination_totals": _subprocess_totals(names, owner, use, which, person),
        "reason_totals": _reason_totals(facts["reason"].tolist(), which, person, keys),
        "statutory_visits": {
            "people": len(np.unique(person[visits])),
            "records": int(visits.sum()),
        },
        "subprocess_extremes": [e for name in names for e in _extremes(name, listed)],
        "combination_blocks": _blocks(records, used),
        "combination_renames": _renames(records, used),
        "combination_periods": _periods(records, used),
        "person_timelines": _timelines(records, names, owner[which]),
    }


def _use(records: ChildrensAssessments, which: Ints, person: Ints) -> _Use:
    count = len(records.combinations.people)
    first, last = np.full(count, 10**6), np.full(count, -(10**6))
    last_start = last.copy()
    np.minimum.at(first, which, records.start)
    np.maximum.at(last, which, records.end)
    np.maximum.at(last_start, which, records.start)
    people, number = distinct(person, which, count), np.bincount(which, minlength=count)
    return _Use(people, number, first, last, last_start)


def _combinations(keys: list[tuple[str, str, str]], use: _Use) -> list[dict[str, Any]]:
    """Each combination with its people, records and days of use."""
    return [
        {
            "subprocess": subprocess,
            "reason": reason,
            "outcome": outcome,
            "people": int(use.people[i]),
            "records": int(use.records[i]),
            "first_used": iso(int(use.first[i])),
            "last_used": iso(int(use.last[i])),
            "last_started": iso(int(use.last_start[i])),
        }
        for i, (subprocess, reason, outcome) in enumerate(keys)
    ]


def _bands(people: Ints) -> list[dict[str, Any]]:
    """The number of combinations by band of people."""
    return [
        {
            "band": band,
            "combinations": int(((people >= low) & (people < (high or 10**12))).sum()),
        }
        for band, low, high in BANDS
    ]


def _subprocess_totals(
    names: list[str], owner: Ints, use: _Use, which: Ints, person: Ints
) -> list[dict[str, Any]]:
    """Combinations, people and records of each sub-process."""
    people = distinct(person, owner[which], len(names))
    return [
        {
            "subprocess": name,
            "combinations": int((owner == i).sum()),
            "people": int(people[i]),
            "records": int(use.records[owner == i].sum()),
        }
        for i, name in enumerate(names)
    ]


def _reason_totals(
    reasons: list[str], which: Ints, person: Ints, keys: list[tuple[str, str, str]]
) -> list[list[Any]]:
    """[sub-process, reason, people, records]: people are distinct over the outcomes of a reason."""
    names = sorted(set(reasons))
    place = np.array([names.index(r) for r in reasons])
    owner = {reason: subprocess for subprocess, reason, _ in keys}
    people = distinct(person, place[which], len(names)).tolist()
    records = np.bincount(place[which], minlength=len(names)).tolist()
    return [[owner[r], r, p, n] for r, p, n in zip(names, people, records, strict=True)]


def _extremes(name: str, listed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The three most and the three least used combinations: most by people downwards, least
    upwards; ties by reason, then outcome.
    """
    own = [c for c in listed if c["subprocess"] == name]
    most = sorted(own, key=lambda c: (-c["people"], c["reason"], c["outcome"]))[:3]
    least = sorted(own, key=lambda c: (c["people"], c["reason"], c["outcome"]))[:3]
    return [
        {
            "kind": kind,
            "rank": rank,
            **{k: c[k] for k in ("subprocess", "reason", "outcome", "people", "records")},
        }
        for kind, chosen in (("most", most), ("least", least))
        for rank, c in enumerate(chosen, start=1)
    ]


def _months(days: npt.NDArray[np.integer]) -> Ints:
    """Months since January 1970."""
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def _month(number: int) -> str:
    """The first day of a month as an ISO date."""
    return str(np.datetime64(number, "M").astype("datetime64[D]"))


def _share_of(records: ChildrensAssessments, chosen: Ints) -> dict[str, int]:
    """People and records of some combinations together."""
    rows = np.isin(records.combination, chosen)
    return {"people": len(np.unique(records.person[rows])), "records": int(rows.sum())}


def _blocks(records: ChildrensAssessments, used: tuple[Ints, Ints]) -> list[dict[str, Any]]:
    """The months in which many combinations start or end, in order, except the first and the last
    month of the records.
    """
    starts, ends = (_months(days) for days in used)
    found = []
    for kind, months, edge in (("start", starts, starts.min()), ("end", ends, ends.max())):
        for month, number in zip(*np.unique(months, return_counts=True), strict=True):
            if number >= BLOCK and month != edge:
                found.append((int(month), kind, np.flatnonzero(months == month)))
    found.sort(key=lambda block: (block[0], block[1] != "start"))
    return [
        {
            "block": place,
            "kind": kind,
            "period": _month(month),
            "combinations": len(chosen),
            **_share_of(records, chosen),
        }
        for place, (month, kind, chosen) in enumerate(found, start=1)
    ]


def _renames(records: ChildrensAssessments, used: tuple[Ints, Ints]) -> list[dict[str, Any]]:
    """The renamings of facts/renames.csv with the days between the two uses."""
    reasons = records.combinations.facts["reason"].to_numpy()
    found = []
    for a, b in pd.read_csv(FACTS / "renames.csv").itertuples(index=False):
        ended, began = used[1][reasons == a].max(), used[0][reasons == b].min()
        both = np.flatnonzero(np.isin(reasons, (a, b)))
        gap = int(began - ended) - 1
        found.append({"reason_a": a, "reason_b": b, "gap_days": gap, **_share_of(records, both)})
    return found


def _periods(records: ChildrensAssessments, used: tuple[Ints, Ints]) -> list[dict[str, Any]]:
    """The declared periods of facts/periods.csv against the periods of use."""
    reasons = records.combinations.facts["reason"].to_numpy()
    found = []
    for reason, *sides in pd.read_csv(FACTS / "periods.csv", keep_default_na=False).itertuples(
        index=False
    ):
        own = np.flatnonzero(reasons == reason)
        starts = records.start[np.isin(records.combination, own)].astype("datetime64[D]")
        low, high = (np.datetime64(side) if side else None for side in sides)
        outside = np.zeros(len(starts), dtype=bool)
        if low is not None:
            outside |= starts < low
        if high is not None:
            outside |= starts > high
        found.append(
            {
                "reason": reason,
                "declared_from": sides[0] or None,
                "declared_to": sides[1] or None,
                "observed_from": iso(int(used[0][own].min())),
                "observed_to": iso(int(used[1][own].max())),
                "records_outside": int(outside.sum()) if any(sides) else None,
                "people": _share_of(records, own)["people"],
                "records": len(starts),
            }
        )
    return found


def _timelines(records: ChildrensAssessments, names: list[str], owner: Ints) -> dict[str, Any]:
    """The rows of all persons' timelines, and people and instances of each sub-process and
    month.
    """
    months = _months(records.start)
    cell = owner * 10_000 + months
    rows = np.unique(np.column_stack([records.person, cell]), axis=0)
    cells, instances = np.unique(cell, return_counts=True)
    _, people = np.unique(rows[:, 1], return_counts=True)
    return {
        "rows": len(rows),
        "months": [
            [names[c // 10_000], _month(c % 10_000), p, n]
            for c, p, n in zip(cells.tolist(), people.tolist(), instances.tolist(), strict=True)
        ],
    }
