"""What is unusual in a matrix, what moves, and where a dataset is dense: by hand and by laws."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from frames import count_frame, rows_of
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from socare_spark.analyses.provision.dense_window import dense_windows, window
from socare_spark.analyses.provision.matrix import provision_matrix, trends, unusual
from socare_spark.analyses.provision.settings import load_settings

CONF = Path(__file__).resolve().parents[2] / "conf"


def _counts(table, first_year=2001):
    return pd.DataFrame(
        [
            (district, first_year + column, value)
            for district, row in table.items()
            for column, value in enumerate(row)
        ],
        columns=["district", "year", "records"],
    )


def test_expected_and_residual_by_hand():
    found = unusual(_counts({"B1": [10, 20], "B2": [30, 40]}), 0.05).set_index(["district", "year"])
    assert found.loc[("B1", 2001), "expected"] == pytest.approx(30 * 40 / 100)
    # (10 - 12) / sqrt(12 x 0.7 x 0.6)
    assert found.loc[("B1", 2001), "residual"] == pytest.approx(-2 / np.sqrt(12 * 0.7 * 0.6))
    # in a table of two by two all residuals have one size, and their square is Pearson's statistic
    chi = stats.chi2_contingency([[10, 20], [30, 40]], correction=False).statistic
    assert (found["residual"] ** 2).to_numpy() == pytest.approx([chi] * 4)


def test_an_unusual_cell_is_flagged_by_its_side():
    found = unusual(_counts({"B1": [100, 100, 10], "B2": [100, 100, 190]}), 0.05)
    flags = found.set_index(["district", "year"])["flag"]
    assert flags[("B1", 2003)] == "low"
    assert flags[("B2", 2003)] == "high"


def test_a_cell_of_which_little_is_expected_is_never_flagged():
    table = {"B1": [400, 500, 600], "B2": [300, 400, 400], "B99": [1, 0, 0], "B98": [0, 9, 0]}
    found = unusual(_counts(table), 0.05)
    few = found[found["expected"] < 5]
    assert len(few) == 6
    assert few["flag"].isna().all()
    assert few["p_adjusted"].isna().all()
    assert few["residual"].notna().all()
    assert (unusual(_counts(table), 0.05, 0)["flag"] == "high").any()
    # What is not tested does not weigh on the adjustment of the others.
    tested = unusual(_counts({k: table[k] for k in ("B1", "B2")}), 0.05)
    assert found["p_adjusted"].notna().sum() == len(tested)


def test_a_district_without_records_has_no_residual():
    found = unusual(_counts({"B1": [5, 5], "B9": [0, 0]}), 0.05)
    empty = found[found["district"] == "B9"]
    assert empty["expected"].tolist() == [0, 0]
    assert empty["residual"].isna().all()
    assert empty["flag"].isna().all()


@pytest.mark.parametrize(
    ("row", "trend"),
    [
        ([1, 2, 3, 4, 5, 6], "challenging"),  # rising
        ([6, 5, 4, 3, 2, 1], "improving"),  # falling
        ([3, 3, 3, 3, 3, 3], "steady"),
        ([1, 9, 2, 8, 3, 7], "steady"),
    ],
)
def test_trends(row, trend):
    assert trends(_counts({"B1": row}), 0.05)["trend"].tolist() == [trend]


@pytest.mark.parametrize("records", [[], [("B1", 2002, 1, 6), ("B1", None, 1, 6)]])
def test_districts_and_years_without_records_are_in_the_matrix(records):
    settings = load_settings(CONF).provision
    settings = settings.model_copy(update={"first_year": 2001, "last_year": 2003})
    counted = count_frame(records, {"district": object, "year": "Int64"})
    by_cell, by_district = provision_matrix(counted, ["B2", "B1"], settings)
    times = 6 if records else 0
    assert rows_of(by_cell, "district", "year", "people", "records", "expected", "flag") == [
        ("B1", 2001, 0, 0, 0, None),
        ("B1", 2002, bool(times), times, times, None),
        ("B1", 2003, 0, 0, 0, None),
        *(("B2", year, 0, 0, 0, None) for year in (2001, 2002, 2003)),
    ]
    assert by_cell["residual"].isna().all()
    assert rows_of(by_district, "district", "records", "trend") == [
        ("B1", times, "steady"),
        ("B2", 0, "steady"),
    ]


def test_dense_windows_are_those_of_each_dataset():
    years = pd.DataFrame(
        [("d", 2001, 4), ("e", 2005, 1), ("d", 2003, 4), ("d", 2010, 1)],
        columns=["dataset", "year", "records"],
    )
    found = dense_windows(years, 0.8)
    assert found.to_numpy().tolist() == [["d", 2001, 2003, 8 / 9], ["e", 2005, 2005, 1.0]]
    assert dense_windows(years[:0], 0.8).columns.tolist() == found.columns.tolist()


@pytest.mark.parametrize(
    ("counts", "share", "expected"),
    [
        ([1, 1, 4, 4, 0], 0.8, (2003, 2004, 0.8)),  # exactly the share is enough
        ([5, 0, 0, 5], 0.5, (2001, 2001, 0.5)),  # of two that hold as much the earlier
        ([2, 3, 3, 2], 0.5, (2002, 2003, 0.6)),  # of two that are long enough the fuller
        ([1, 1, 1], 1.0, (2001, 2003, 1.0)),
    ],
)
def test_dense_window(counts, share, expected):
    assert window(np.arange(2001, 2001 + len(counts)), np.array(counts), share) == expected


def test_a_year_without_records_counts_as_a_year():
    assert window(np.array([2001, 2005]), np.array([5, 5]), 1.0) == (2001, 2005, 1.0)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=8).filter(sum), st.floats(0.01, 1))
def test_no_shorter_run_holds_the_share(counts, share):
    first, last, held = window(np.arange(len(counts)), np.array(counts), share)
    total, length = sum(counts), last - first + 1
    assert held >= share
    assert held == sum(counts[first : last + 1]) / total
    shorter = [sum(counts[i : i + length - 1]) for i in range(len(counts))]
    assert length == 1 or max(shorter) < share * total
