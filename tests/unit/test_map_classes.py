"""Classes of a map's legend."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from socare_spark.charts.map_classes import plain, quantile_classes


def test_limits_are_round_and_hold_every_value():
    classes = quantile_classes(np.arange(1, 101))
    assert classes.limits == (1.0, 21.0, 41.0, 60.0, 80.0, 100.0)
    assert classes.labels[0] == "1 to under 21"
    assert classes.labels[-1] == "80 to 100"
    assert classes.of([1, 20.9, 21, 100]).tolist() == [0, 0, 1, 4]


@pytest.mark.parametrize(
    ("values", "count"),
    [
        ([0, 0, 0], None),  # nobody anywhere
        ([0, 5], 1),  # one value makes one class
        ([1, 1, 1, 9], 2),  # quantiles that fall together are one limit
    ],
)
def test_few_distinct_values_make_fewer_classes(values, count):
    classes = quantile_classes(values)
    assert (None if classes is None else len(classes)) == count


@given(st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=50))
def test_values_are_within_the_limits_of_their_class(values):
    classes = quantile_classes(values)
    for value, number in zip(values, classes.of(values), strict=True):
        low, high = classes.limits[number], classes.limits[number + 1]
        assert low <= value * (1 + 1e-9)
        assert value <= high * (1 + 1e-9)


@pytest.mark.parametrize(
    ("value", "text"), [(1234.5, "1,234"), (0.25, "0.25"), (3.0, "3"), (2.345, "2.35")]
)
def test_numbers_are_written_plainly(value, text):
    assert plain(value) == text
