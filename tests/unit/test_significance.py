"""Tests of significance against worked examples and slow, obvious versions of themselves."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from socare_spark.measures.multiple_testing import benjamini_hochberg, two_sided
from socare_spark.measures.trends import mann_kendall, theil_sen_slope


def test_benjamini_hochberg_by_hand():
    # p(i) x 4 / i, then the running minimum from the largest
    assert benjamini_hochberg([0.01, 0.04, 0.03, 0.5]) == pytest.approx(
        [0.04, 0.16 / 3, 0.16 / 3, 0.5]
    )


def test_missing_p_values_are_not_counted_as_tests():
    p = benjamini_hochberg([0.01, np.nan, 0.02])
    assert p[[0, 2]] == pytest.approx([0.02, 0.02])
    assert np.isnan(p[1])
    assert np.isnan(benjamini_hochberg([np.nan])).all()


@pytest.mark.parametrize(
    ("series", "p"),
    [
        ([1, 2, 3, 4, 5], 0.027486),  # S = 10, variance 50/3, z = 9 / sqrt(50/3)
        ([5, 4, 3, 2, 1], 0.027486),  # two-sided
        ([3, 3, 3, 3], 1.0),  # nothing but ties
        ([1, 2], 1.0),  # too short to say anything
        ([1, 1, 2, 2, 3], 0.067577),  # S = 8; two ties of two leave a variance of 264 / 18
    ],
)
def test_mann_kendall(series, p):
    assert mann_kendall(series) == pytest.approx(p, abs=1e-6)


@given(st.lists(st.integers(0, 20), min_size=3, max_size=12))
def test_mann_kendall_counts_pairs(series):
    s = sum(np.sign(b - a) for a, b in itertools.combinations(series, 2))
    n = len(series)
    ties = [series.count(value) for value in set(series)]
    variance = (n * (n - 1) * (2 * n + 5) - sum(t * (t - 1) * (2 * t + 5) for t in ties)) / 18
    expected = 1.0 if variance == 0 else float(two_sided((abs(s) - (s != 0)) / variance**0.5))
    assert mann_kendall(series) == pytest.approx(expected)


def test_the_slope_is_the_median_of_all_slopes():
    assert theil_sen_slope([0, 1, 2, 3], [0, 1, 2, 30]) == pytest.approx(
        np.median([1, 1, 10, 1, 14.5, 28])
    )
