"""Top lists of requests and variants of descriptions, from collected counts."""

from datetime import date

import pandas as pd

from socare_spark.analyses.requests.top import request_top, wanted_before
from socare_spark.analyses.requests.variants import not_compared, request_variants

FIRST, SECOND, THIRD = date(2019, 2, 12), date(2019, 8, 12), date(2020, 2, 25)


def variants(counts, shortest=8):
    used = pd.DataFrame(counts.items(), columns=["description", "records"])
    made = request_variants(used, shortest)
    names = ["variant_group", "description", "canonical", "records"]
    return sorted(made[names].itertuples(index=False, name=None))


def test_changes_are_since_the_snapshot_before():
    top = pd.DataFrame(
        [
            (FIRST, "bins", 1, 9),
            (SECOND, "trees", 1, 7),
            (SECOND, "bins", 2, 6),
            (SECOND, "fires", 3, 4),
        ],
        columns=["snapshot", "description", "rank", "records"],
    ).astype({"rank": "Int64", "records": "Int64"})
    assert [*wanted_before(top, [FIRST, SECOND, THIRD]).itertuples(index=False, name=None)] == [
        (SECOND, FIRST, "trees"),
        (SECOND, FIRST, "bins"),
        (SECOND, FIRST, "fires"),
    ]
    before = pd.DataFrame(
        [(SECOND, "trees", 2, 4), (SECOND, "bins", 9, 1)],
        columns=["snapshot", "description", "records_before", "rank_before"],
    ).astype({"records_before": "Int64", "rank_before": "Int64"})
    made = request_top(top, before)
    changes = made[["rank_change", "records_change"]].to_numpy(dtype=object).tolist()
    assert [[None if pd.isna(v) else v for v in row] for row in changes] == [
        [None, None],  # the first snapshot
        [3, 5],
        [-1, -3],
        [None, 4],  # new
    ]


def test_variants_have_the_most_used_spelling():
    counts = {"Garden waste": 1, "Garden waste.": 3, "Pest control": 5}
    assert variants(counts) == [
        ("garden waste", "Garden waste", "Garden waste.", 1),
        ("garden waste", "Garden waste.", "Garden waste.", 3),
    ]


def test_no_variants_make_an_empty_table():
    assert variants({"a": 1}) == []
    assert variants({}) == []


def test_descriptions_that_are_not_compared_are_reported():
    assert not_compared(3, 3) == []
    (warning,) = not_compared(4_000, 3_000)
    assert "compares the 3,000 most used descriptions of 4,000" in warning
