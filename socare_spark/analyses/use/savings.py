"""B8 and F: whether the saving that a programme is to make would come of its trend alone.

Source: thesis 4.4 and Table 14. A target is what the programme is to cost less in a financial year
than in the base year, so the reduction needed is target / net spend; the mean over the years is the
percentage that Table 14 prints. The trend is a forecast of the quarterly cost that the records
show: it is set against its own base year, so that it does not matter how much of the net spend the
records hold. Quarters that the forecast is made from count as they were.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.use.costs import ELEMENT_GROUP
from socare_spark.analyses.use.settings import Savings
from socare_spark.lake.table import ColumnSpec, cell_table
from socare_spark.measures.complete_grid import complete_grid
from socare_spark.measures.periods import Period, financial_year, open_in, quarters
from socare_spark.measures.person_counts import count_people
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
# Quarters ahead on which the method is chosen: five years do not hold a trial of another five.
_TRIED = 8
_ROWS = (
    "element_group string, year string, base_year string, target decimal(20,2), "
    "reduction_needed double, trend_reduction double, trend_lower double, trend_upper double, "
    "viable boolean"
)


@dataclass(frozen=True)
class ProjectedCost:
    """The quarterly cost of a group: as it was, then as it is expected, with 95 % limits.

    Attributes:
        expected: Quarter -> cost; no quarters where nothing can be forecast.
        lower: Quarter -> lower limit; the cost itself where it is known.
        upper: Quarter -> upper limit.
        reason: Why nothing can be forecast; else empty.
    """

    expected: Mapping[str, float]
    lower: Mapping[str, float]
    upper: Mapping[str, float]
    reason: str = ""

    def in_year(self, year: Period) -> tuple[float, float, float] | None:
        """Cost of a financial year with its limits; None where a quarter is not known."""
        labels = [str(one.label) for one in quarters(year.first, year.last)]
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
    """What is known of a cost and what is expected of it.

    Args:
        observed: Quarters one after the other.
        costs: Cost in each.
        until: Financial year to the end of which the cost is wanted.
    """
    if not any(costs):
        return ProjectedCost({}, {}, {}, "its records have no cost")
    last = observed[-1]
    ahead = [one for one in quarters(last.first, until.last) if one.first > last.last]
    seen = forecast(costs, horizon=len(ahead), backtest_horizon=_TRIED) if ahead else Forecast()
    if seen.reason:
        return ProjectedCost({}, {}, {}, seen.reason)
    labels = [str(one.label) for one in (*observed, *ahead)]
    expected, lower, upper = (
        dict(zip(labels, (*costs, *tail), strict=True))
        for tail in (seen.forecast, seen.lower_95, seen.upper_95)
    )
    return ProjectedCost(expected, lower, upper)


def viability(
    group: str, savings: Savings, cost: ProjectedCost
) -> list[tuple[str | Decimal | float | bool | None, ...]]:
    """A row for each target of a group; where nothing can be forecast its trend is null.

    Returns:
        element_group, year, base_year, target (pounds), reduction_needed, trend_reduction,
        trend_lower, trend_upper, viable.
    """
    base = cost.in_year(financial_year(savings.base_year))
    rows: list[tuple[str | Decimal | float | bool | None, ...]] = []
    for year, target in sorted(savings.targets.items()):
        needed = float(target / savings.net_spend)
        trend: tuple[float | None, ...] = (None, None, None)
        ahead = cost.in_year(financial_year(year))
        if base and ahead and base[0] > 0:
            expected, lower, upper = ((base[0] - one) / base[0] for one in ahead)
            trend = (expected, upper, lower)
        viable = None if trend[0] is None else trend[0] >= needed
        rows.append((group, year, savings.base_year, target * 1_000_000, needed, *trend, viable))
    return rows


def savings_viability(
    grouped: DataFrame,
    programmes: Mapping[str, Savings],
    costs: Mapping[str, ProjectedCost],
) -> DataFrame:
    """The columns of SAVINGS_VIABILITY.

    Args:
        grouped: Of `use_costs.in_groups`, with person, start, end, weekly_cost.
        programmes: Group -> its saving.
        costs: Group -> its cost.
    """
    spark = grouped.sparkSession
    rows = [
        row for name, savings in programmes.items() for row in viability(name, savings, costs[name])
    ]
    given = spark.createDataFrame(rows, _ROWS)
    bases = sorted({savings.base_year for savings in programmes.values()})
    opened = open_in(grouped, map(financial_year, bases), "base_year string")
    dims = ["element_group", "base_year"]
    counted = count_people(opened, dims, cost="cost")
    base = complete_grid(given.select(*dims).distinct(), counted)
    return given.join(F.broadcast(base), dims)
