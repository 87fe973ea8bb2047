"""Tables of `elements` from counted cells."""

import pytest
from frames import count_frame, rows_of

from socare_spark.analyses.elements.comparison import (
    ELEMENT_COMPARISON,
    element_comparison,
    element_concentration,
)
from socare_spark.analyses.elements.regions import REGION_PROFILE, region_profile
from socare_spark.analyses.elements.settings import Comparison, Region, Regions

PAIR = Comparison(a="A", b="B")
OTHER = Comparison(a="B", b="C")
REGIONS = {"North": Region(districts=("B1",), population=1000), "South": Region(districts=("B4",))}


def test_each_pair_is_ranked_by_its_difference_and_then_by_district():
    dims = {"district": object, "element_a": object, "element_b": object}
    counts = [
        ("B1", "A", "A", 5, 9), ("B1", "B", "B", 1, 2), ("B1", "A", "B", 6, 11),
        ("B2", "B", "B", 3, 3), ("B2", "A", "B", 3, 3), ("B2", "B", "C", 3, 3),
    ]  # fmt: skip
    made = element_comparison(count_frame(counts, dims), [PAIR, OTHER], ["B1", "B2", "B3"])
    names = ("district", "count_a", "count_b", "total", "difference", "people", "records", "rank")
    assert rows_of(made[made["element_b"] == "B"], *names) == [
        ("B1", 9, 2, 11, -7, 6, 11, 1),
        ("B2", 0, 3, 3, 3, 3, 3, 3),
        ("B3", 0, 0, 0, 0, 0, 0, 2),
    ]
    assert rows_of(made[made["element_b"] == "C"], "district", "difference", "rank") == [
        ("B1", -2, 2),
        ("B2", -3, 1),
        ("B3", 0, 3),
    ]
    assert len(ELEMENT_COMPARISON.to_arrow(made)) == 6


def test_concentration_without_records_is_empty():
    counted = count_frame([], {"district": object, "element": object})
    assert element_concentration(counted).empty


def test_people_for_each_1000_are_of_the_whole_population():
    dims = {"region": object, "year": "Int64", "age_band": object, "ethnicity": object}
    counts = [
        ("North", None, None, None, 2, 2), ("North", None, "0-11", None, 1, 1),
        ("South", None, None, None, 1, 1),
    ]  # fmt: skip
    made = region_profile(count_frame(counts, dims), REGIONS)
    assert rows_of(made, "region", "age_band", "population", "per_1000") == [
        ("North", "0-11", 1000, 1.0),
        ("North", None, 1000, 2.0),
        ("South", None, None, None),
    ]
    assert REGION_PROFILE.to_arrow(made)["population"].to_pylist() == [1000, 1000, None]
    nowhere = region_profile(count_frame(counts[2:], dims), REGIONS)
    assert rows_of(nowhere, "population", "per_1000") == [(None, None)]


def test_years_in_the_wrong_order_are_refused():
    with pytest.raises(ValueError, match="must not be before"):
        Regions(of=REGIONS, first_year=2012, last_year=2010)
