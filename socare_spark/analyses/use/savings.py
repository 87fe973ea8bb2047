"""B8 and F: comparison of the savings target of a programme with the trend of its cost.

Source: thesis 4.4 and Table 14. A target is the difference between the cost in the base year and in
a financial year. The reduction needed is target / net spend; Table 14 has its mean over the years.
The trend is a forecast of the quarterly cost of the records. It is compared with the cost of the
records in the base year, so that the records need not cover the whole net spend. Observed quarters
are used as they are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

import pandas as pd

from socare_spark.analyses.use.costs import ELEMENT_GROUP
from socare_spark.analyses.use.settings import Savings
from socare_spark.lake.table import ColumnSpec, cell_table
from socare_spark.measures.complete_grid import complete_grid
from socare_spark.measures.periods import Period, financial_year, quarters
from socare_spark.measures.time_series import Forecast, forecast

SAVINGS_VIABILITY = cell_table(
    "savings_viability",
    "The saving that a group of elements is to make in a financial year, and what its trend alone "
    "would save; the measures are of the agreements open in the base year, as far as the extracts "
    "reach.",
    [
        ELEMENT_GROUP,
        ColumnSpec("year", "string", "Financial year from April to March, as '2016/17'."),
    ],
    [
        ColumnSpec(
            "target", "decimal(20,2)", "Saving against the base year's net spend, in pounds."
        ),
        ColumnSpec("reduction_needed", "double", "target / net spend of the base year."),
        ColumnSpec(
            "trend_reduction",
            "double",
            "1 - the year's forecast cost / the base year's cost, both of the records; below 0 "
            "where the cost rises; null where nothing can be forecast.",
        ),
        ColumnSpec(
            "trend_lower",
            "double",
            "The least reduction within the 95 % prediction intervals of all its quarters.",
        ),
        ColumnSpec("trend_upper", "double", "The greatest reduction within them."),
        ColumnSpec(
            "viable",
            "boolean",
            "Whether trend_reduction reaches reduction_needed; null where nothing can be forecast.",
        ),
    ],
    source="Thesis 4.4, Table 14 (B8, F)",
)
# Horizon of the back-test in quarters. Five years of quarters are too short for a longer one.
_BACKTEST_HORIZON = 8
_COLUMNS = (
    "element_group",
    "year",
    "base_year",
    "target",
    "reduction_needed",
    "trend_reduction",
    "trend_lower",
    "trend_upper",
    "viable",
)
_PENNY = Decimal("0.01")


@dataclass(frozen=True)
class ProjectedCost:
    """Observed and forecast quarterly cost of a group in pounds, with 95 % limits.

    Attributes:
        expected: Quarter -> cost; empty without a forecast.
        lower: Quarter -> lower limit; the cost itself for an observed quarter.
        upper: Quarter -> upper limit; the cost itself for an observed quarter.
        reason: Reason if there is no forecast, otherwise empty.
    """

    expected: Mapping[str, float]
    lower: Mapping[str, float]
    upper: Mapping[str, float]
    reason: str = ""

    def in_year(self, year: Period) -> tuple[float, float, float] | None:
        """Cost of a financial year with lower and upper limit; None if a quarter is missing."""
        labels = [str(quarter.label) for quarter in quarters(year.first, year.last)]
        if any(label not in self.expected for label in labels):
            return None
        expected, lower, upper = (
            sum(series[label] for label in labels)
            for series in (self.expected, self.lower, self.upper)
        )
        return expected, lower, upper


def project_cost(
    observed: Sequence[Period], costs: Sequence[float], until: Period
) -> ProjectedCost:
    """Forecasts a quarterly cost.

    Args:
        observed: Consecutive quarters.
        costs: Cost of each quarter in pounds.
        until: Financial year in which the forecast ends.
    """
    if not any(costs):
        return ProjectedCost({}, {}, {}, "its records have no cost")
    last = observed[-1]
    ahead = [quarter for quarter in quarters(last.first, until.last) if quarter.first > last.last]
    projection = (
        forecast(costs, horizon=len(ahead), backtest_horizon=_BACKTEST_HORIZON)
        if ahead
        else Forecast()
    )
    if projection.reason:
        return ProjectedCost({}, {}, {}, projection.reason)
    labels = [str(quarter.label) for quarter in (*observed, *ahead)]
    expected, lower, upper = (
        dict(zip(labels, (*costs, *tail), strict=True))
        for tail in (projection.forecast, projection.lower_95, projection.upper_95)
    )
    return ProjectedCost(expected, lower, upper)


def viability(
    group: str, savings: Savings, cost: ProjectedCost
) -> list[tuple[str | Decimal | float | bool | None, ...]]:
    """Compares the targets of a group with its trend.

    Returns:
        One row per target: element_group, year, base_year, target (pounds), reduction_needed,
        trend_reduction, trend_lower, trend_upper, viable. Without a forecast the last four are
        null.
    """
    base = cost.in_year(financial_year(savings.base_year))
    rows: list[tuple[str | Decimal | float | bool | None, ...]] = []
    for year, target in sorted(savings.targets.items()):
        needed = float(target / savings.net_spend)
        trend: tuple[float | None, ...] = (None, None, None)
        ahead = cost.in_year(financial_year(year))
        if base and ahead and base[0] > 0:
            expected, lower, upper = ((base[0] - cost_ahead) / base[0] for cost_ahead in ahead)
            trend = (expected, upper, lower)
        viable = None if trend[0] is None else trend[0] >= needed
        pounds = (target * 1_000_000).quantize(_PENNY, ROUND_HALF_UP)
        rows.append((group, year, savings.base_year, pounds, needed, *trend, viable))
    return rows


def savings_viability(
    counted: pd.DataFrame,
    programmes: Mapping[str, Savings],
    costs: Mapping[str, ProjectedCost],
) -> pd.DataFrame:
    """Compares the targets of all groups with their trends, and adds the counts of base years.

    Args:
        counted: Counts of `costs.group_groupings` by financial year.
        programmes: Group -> its savings.
        costs: Group -> its projected cost.

    Returns:
        One row per group and target. Columns as in SAVINGS_VIABILITY.
    """
    rows = [
        row for name, savings in programmes.items() for row in viability(name, savings, costs[name])
    ]
    targets = pd.DataFrame(rows, columns=_COLUMNS, dtype=object)
    dims = ["element_group", "base_year"]
    bases = complete_grid(
        targets[dims].drop_duplicates(), counted.rename(columns={"year": "base_year"})
    )
    return targets.merge(bases, on=dims)
