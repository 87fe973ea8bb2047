"""The CRM's requests: records by snapshot, commonest and rarest descriptions, and places."""

from typing import Any

import numpy as np

from socare_spark.twin.counting import spread
from socare_spark.twin.draws import Draws
from socare_spark.twin.population.universe import Universe
from socare_spark.twin.requests.crm_requests import SNAPSHOTS, Requests
from socare_spark.twin.requests.request_descriptions import respelled
from socare_spark.twin.requests.requesters import Requesters


def requests_marginals(universe: Universe, draws: Draws, records: Requests) -> dict[str, Any]:
    """Tables 24 and 25, the descriptions used once, and the newest snapshot's places, of kept
    records.
    """
    ranks = [_ranks(records, s) for s in range(len(SNAPSHOTS))]
    top = []
    for s, snapshot in enumerate(SNAPSHOTS):
        for d, rank in list(ranks[s].items())[:30]:
            before = ranks[s - 1].get(d) if s else None
            change = int(records.counts[d, s] - records.counts[d, s - 1]) if s else None
            top.append(
                {"snapshot": snapshot, "rank": rank, "description": records.texts[d],
                 "records": int(records.counts[d, s]),
                 "rank_change": None if before is None else before - rank, "records_change": change}
            )  # fmt: skip
    newest = records.in_snapshot(SNAPSHOTS[-1])
    homes = Requesters(universe, draws, records).of_many(newest).home
    ward = universe.city.postcodes.ward_at(homes)
    names = [*universe.city.wards["ward_code"].tolist(), None]
    return {
        "request_snapshots": [
            {"snapshot": snapshot, "records": int(records.counts[:, s].sum()),
             "descriptions": int((records.counts[:, s] > 0).sum())}
            for s, snapshot in enumerate(SNAPSHOTS)
        ],
        "request_top30": top,
        "request_single_use": [
            {"snapshot": snapshot, "descriptions": int((records.counts[:, s] == 1).sum()),
             "wheelie": sorted(t for t, n in zip(records.texts, records.counts[:, s], strict=True)
                               if n == 1 and "wheelie" in t.lower())}
            for s, snapshot in enumerate(SNAPSHOTS)
        ],
        "request_variants": respelled(
            [t for t, n in zip(records.texts, records.counts[:, -1], strict=True) if n]
        ),
        "newest_by_ward": spread([ward], [names]),
    }  # fmt: skip


def _ranks(records: Requests, s: int) -> dict[int, int]:
    """Description -> rank in a snapshot: most records first, equal ones by text."""
    held = np.flatnonzero(records.counts[:, s]).tolist()
    held.sort(key=lambda d: (-int(records.counts[d, s]), records.texts[d].encode()))
    return {d: rank for rank, d in enumerate(held, start=1)}
