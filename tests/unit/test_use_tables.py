"""Tables of `use` from counted cells: complete grids, shares, rates and unusual districts."""

import random
from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from agreements import DISTRICTS, PROVIDERS, SPLIT, YEARS
from frames import count_frame, rows_of
from scipy.stats import false_discovery_control, norm
from statsmodels.stats.contingency_tables import Table

from socare_spark.analyses.use.costs import (
    ELEMENT_COST_BY_YEAR,
    cost_by_quarter,
    element_cost_by_year,
)
from socare_spark.analyses.use.quarters import users_between_quarters, users_by_quarter
from socare_spark.analyses.use.settings import Threshold
from socare_spark.analyses.use.split import PROVISION_SPLIT, provision_split, unusual_split
from socare_spark.analyses.use.threshold import THRESHOLD_USE, threshold_use
from socare_spark.measures.periods import quarter, quarters, years


def test_quarter_without_people_gives_no_change_of_the_next():
    spans = quarters(date(2010, 1, 1), date(2011, 3, 31))
    counts = [("A", "2010Q1", 1, 1), ("A", "2010Q4", 1, 1), ("A", "2011Q1", 3, 4)]
    counted = count_frame(counts, {"element": object, "quarter": object})
    made = users_by_quarter(counted, ["A", "NONE"], spans)
    assert rows_of(made[made["element"] == "A"], "quarter", "people", "records", "change") == [
        ("2010Q1", 1, 1, None),
        ("2010Q2", 0, 0, -1.0),
        ("2010Q3", 0, 0, None),
        ("2010Q4", 1, 1, None),
        ("2011Q1", 3, 4, 2.0),
    ]
    assert rows_of(made[made["element"] == "NONE"], "people", "change") == [(0, None)] * 5


def test_people_of_a_pair_are_split_into_both_and_one():
    dims = {"element": object, "quarter_a": object, "quarter_b": object}
    counted = count_frame([("A", "2010Q1", "2011Q1", 10, 12)], dims)
    counted = counted.assign(people_a=[7], people_b=[5]).astype({"people_a": "Int64"})
    pairs = [(quarter("2010Q1"), quarter("2011Q1")), (quarter("2015Q1"), quarter("2015Q2"))]
    made = users_between_quarters(counted, ["A"], pairs)
    names = ("quarter_a", "people", "people_a", "people_b", "people_both", "only_a", "only_b")
    assert rows_of(made, *names) == [("2010Q1", 10, 7, 5, 2, 5, 3), ("2015Q1", 0, 0, 0, 0, 0, 0)]
    assert users_between_quarters(counted, ["A"], []).empty


def test_years_of_a_group_without_records_have_no_shares():
    dims = {"element_group": object, "year": "Int64"}
    counted = count_frame([("one", 2010, 3, 4), ("one", 2011, 1, 1)], dims)
    counted = counted.assign(weekly_cost=[Decimal("30.00"), None])
    made = element_cost_by_year(counted, ["one", "none"], years(2010, 2011))
    names = ("year", "people", "weekly_cost", "share_people", "share_records", "share_cost")
    assert rows_of(made[made["element_group"] == "one"], *names) == [
        (2010, 3, Decimal("30.00"), 0.75, 0.8, 1.0),
        (2011, 1, Decimal(0), 0.25, 0.2, 0.0),
    ]
    assert rows_of(made[made["element_group"] == "none"], *names) == [
        (year, 0, Decimal(0), None, None, None) for year in (2010, 2011)
    ]
    assert len(ELEMENT_COST_BY_YEAR.to_arrow(made)) == 4


def test_a_quarter_without_cost_is_0():
    dims = {"element_group": object, "year": object}
    counted = count_frame([("one", "2010Q1", 1, 1), ("one", "2010Q3", 1, 1)], dims)
    counted["cost"] = [Decimal("7.00"), None]
    spans = quarters(date(2010, 1, 1), date(2010, 12, 31))
    assert cost_by_quarter(counted, ["one"], spans) == {"one": [7.0, 0.0, 0.0, 0.0]}


def split_counts(rows):
    """Counts of client group, district and year from (internal, external) records."""
    dims = {"client_group": object, "district": object, "year": "Int64"}
    frame = count_frame([(*row[:3], 1, sum(row[3:])) for row in rows], dims)
    kinds = pd.DataFrame([row[3:] for row in rows], columns=["internal", "external"])
    return frame.join(kinds.astype("Int64"))


def test_cell_without_records_has_no_share():
    made = provision_split(split_counts([]), PROVIDERS, YEARS, DISTRICTS, SPLIT)
    assert len(made) == 3 * 4 * 3
    names = ("people", "records", "cost", "internal", "external", "share_internal", "flag")
    assert set(rows_of(made, *names)) == {(0, 0, None, 0, 0, None, None)}
    assert len(PROVISION_SPLIT.to_arrow(made)) == 36
    assert set(provision_split(split_counts([]), PROVIDERS, YEARS, [], SPLIT)["records"]) == {0}


def test_flags_belong_to_their_district_and_year():
    draw = random.Random(5)
    counts = {(place, kind): 0 for place in DISTRICTS for kind in (True, False)}
    for place in draw.choices(DISTRICTS, k=300):
        counts[place, draw.random() < (0.9 if place == "B1" else 0.2)] += 1
    rows = [
        (group, place, year, counts[place, True], counts[place, False])
        for group in ("Old", None)
        for place in DISTRICTS
        for year in (2010, None)
    ]
    made = provision_split(split_counts(rows), PROVIDERS, YEARS, DISTRICTS, SPLIT)
    found = rows_of(made, "client_group", "district", "year", "flag")
    flags = {row[:3]: row[3] for row in found}
    for group, year in [("Old", 2010), ("Old", None), (None, 2010)]:
        of_districts = [flags[group, district, year] for district in (*DISTRICTS, None)]
        assert of_districts == ["high", "low", "low", None]
    assert {flags["Young", district, 2010] for district in DISTRICTS} == {None}


def test_residuals_are_those_of_statsmodels():
    rng = np.random.default_rng(2)
    families = [(group, year) for group in ("Old", None) for year in (2010, None)]
    counts = [
        (group, f"B{place}", year, *rng.poisson((12, 20) if place else (2, 1)).tolist())
        for group, year in families
        for place in range(9)
    ]
    frame = unusual_split(split_counts(counts), 0.05, 5).astype(object)
    names = ["client_group", "district", "year", "residual", "p_adjusted", "flag"]
    found = frame.where(frame.notna(), None)[names].to_numpy().tolist()
    assert [tuple(row[:3]) for row in found] == [row[:3] for row in counts]
    for group, year in families:
        table = np.array([row[3:] for row in counts if (row[0], row[2]) == (group, year)])
        ours = [tuple(row[3:]) for row in found if (row[0], row[2]) == (group, year)]
        other = Table(table, shift_zeros=False)
        z = other.standardized_resids[:, 0]
        tested = other.fittedvalues.min(axis=1) >= 5
        assert not tested[0] and tested[1:].any()
        p = false_discovery_control(2 * norm.sf(abs(z[tested])))
        assert [row for row, known in zip(ours, tested, strict=True) if not known] == [
            (None, None, None)
        ] * int((~tested).sum())
        known = [row for row, known in zip(ours, tested, strict=True) if known]
        assert [row[0] for row in known] == pytest.approx(z[tested])
        assert [row[1] for row in known] == pytest.approx(p)
        assert [row[2] for row in known] == [
            ("high" if one > 0 else "low") if q < 0.05 else None
            for one, q in zip(z[tested], p, strict=True)
        ]


def over_counts(rows):
    """Counts of THRESHOLD_USE of all elements: year, district, people_over, days and cost over."""
    dims = {"element": object, "year": "Int64", "district": object}
    frame = count_frame([(None, *row[:2], 1, 1) for row in rows], dims)
    over = pd.DataFrame(
        [row[2:] for row in rows], columns=["people_over", "days_over", "cost_over"]
    )
    return frame.join(over.astype({"people_over": "Int64", "days_over": "Int64"}))


def test_population_and_target():
    counted = over_counts(
        [
            (2010, "B1", 1, 323, Decimal("3230.00")),
            (2011, "B1", 1, 42, Decimal("420.00")),
            (None, "B1", 1, 365, Decimal("3650.00")),
            (2010, None, 1, 323, Decimal("3230.00")),
        ]
    )
    made = threshold_use(
        counted,
        Threshold(elements=("A",)),
        YEARS,
        DISTRICTS,
        population=pd.DataFrame({"district": ["B1", "B2"], "population": [4000, 0]}),
        target=Decimal(1000),
    )
    whole = made[made["element"].isna()]
    rates = rows_of(whole, "year", "district", "per_1000", "share_of_target", "weeks_over")
    found = {row[:2]: row[2:] for row in rates}
    assert found[2010, "B1"] == (0.25, pytest.approx(3.23), pytest.approx(323 / 7))
    assert found[2011, "B1"][:2] == (0.25, pytest.approx(0.42))
    assert found[None, "B1"][:2] == (0.25, pytest.approx((3.23 + 0.42) / 2))
    assert found[2010, "B2"][:2] == (None, 0.0)  # nobody lives there
    assert found[2010, "B3"][0] is None
    assert found[2010, None][0] is None  # everybody, wherever they live
    assert len(THRESHOLD_USE.to_arrow(made)) == 2 * 3 * 4


def test_cells_without_records_have_zero_counts():
    threshold = Threshold(elements=("A",))
    made = threshold_use(over_counts([]), threshold, YEARS, DISTRICTS)
    names = ("people", "people_over", "share_over", "per_1000", "share_of_target")
    assert set(rows_of(made, *names)) == {(0, 0, None, None, None)}
    assert threshold_use(over_counts([]), threshold, [], []).empty
