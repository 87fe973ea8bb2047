"""Whether a saving comes of the trend: by hand, and by the forecast that the project makes."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from socare_spark.analyses.use.savings import ProjectedCost, project_cost, viability
from socare_spark.analyses.use.settings import SETTINGS, Savings, UseSettings
from socare_spark.config import read_model
from socare_spark.measures.periods import financial_year, quarters
from socare_spark.measures.time_series import forecast

CONF = Path(__file__).parents[2] / "conf"
SAVINGS = Savings(
    base_year="2015/16", net_spend=Decimal(10), targets={"2016/17": Decimal(1), "2017/18": 2}
)
OBSERVED = quarters(date(2010, 1, 1), date(2015, 12, 31))


def yearly(**years):
    """A cost known for whole financial years, the same in each quarter."""
    series = {}
    for label, cost in years.items():
        one = financial_year(f"20{label[1:3]}/{label[3:]}")
        series |= {q.label: cost / 4 for q in quarters(one.first, one.last)}
    return series


def test_trend_reduction_is_relative_to_the_base_year():
    cost = ProjectedCost(
        yearly(y1516=800.0, y1617=720.0, y1718=700.0),
        yearly(y1516=800.0, y1617=640.0, y1718=500.0),
        yearly(y1516=800.0, y1617=800.0, y1718=900.0),
    )
    first, second = viability("g", SAVINGS, cost)
    assert first[:4] == ("g", "2016/17", "2015/16", Decimal(1_000_000))
    assert first[4:8] == pytest.approx((0.1, 0.1, 0.0, 0.2))
    assert first[8] is True  # exactly what is needed is enough
    assert second[4:8] == pytest.approx((0.2, 0.125, -0.125, 0.375))
    assert second[8] is False


@pytest.mark.parametrize(
    "cost",
    [
        ProjectedCost({}, {}, {}, "too short"),
        ProjectedCost(*[yearly(y1516=0.0, y1617=0.0, y1718=1.0)] * 3),  # nothing to save on
        ProjectedCost(*[yearly(y1617=720.0, y1718=700.0)] * 3),  # the base year is not known
    ],
)
def test_unknown_or_zero_base_cost_gives_no_trend(cost):
    for row in viability("g", SAVINGS, cost):
        assert row[5:] == (None, None, None, None)
        assert row[4] is not None


def test_quarters_that_are_known_count_as_they_were():
    costs = [100.0 + 3 * n + 10 * (n % 4) for n in range(len(OBSERVED))]
    cost = project_cost(OBSERVED, costs, financial_year("2017/18"))
    seen = forecast(costs, horizon=9, backtest_horizon=8)
    assert cost.reason == ""
    assert list(cost.expected)[-1] == "2018Q1"
    base = cost.in_year(financial_year("2015/16"))
    assert base == pytest.approx(
        tuple(sum(costs[-3:]) + line[0] for line in (seen.forecast, seen.lower_95, seen.upper_95))
    )
    assert cost.in_year(financial_year("2012/13"))[0] == pytest.approx(sum(costs[9:13]))
    assert cost.in_year(financial_year("2017/18"))[2] == pytest.approx(sum(seen.upper_95[5:9]))
    assert cost.in_year(financial_year("2018/19")) is None


def test_targets_that_the_records_reach_need_no_forecast():
    cost = project_cost(OBSERVED[:8], [50.0] * 8, financial_year("2010/11"))
    assert cost.in_year(financial_year("2010/11")) == (200.0, 200.0, 200.0)


def test_unusable_cost_series_gives_a_reason():
    short = project_cost(OBSERVED[:8], [50.0] * 8, financial_year("2016/17"))
    assert short.reason == "it has 8 periods, and a forecast needs 20"
    assert project_cost(OBSERVED, [0.0] * 24, financial_year("2016/17")).reason
    assert project_cost([], [], financial_year("2016/17")).reason


def test_table_14_prints_the_mean_reduction_needed():
    """16.84, 14.26 (rounded down) and 14.96 percent; six years of quarters are enough."""
    settings = read_model(CONF / SETTINGS, UseSettings)
    costs = [1000.0 - 10 * n for n in range(24)]
    for name, printed in [("transport", 0.1684), ("day_care", 0.1426), ("enablement", 0.1496)]:
        savings = settings.programmes[name].savings
        cost = project_cost(OBSERVED, costs, financial_year(max(savings.targets)))
        rows = viability(name, savings, cost)
        assert len(rows) == 4
        assert sum(row[4] for row in rows) / 4 == pytest.approx(printed, abs=1e-4)
        assert {row[8] for row in rows} <= {True, False}
