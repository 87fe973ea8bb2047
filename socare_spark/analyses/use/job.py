"""The `use` analysis: people, duration, provider and cost of elements of service.

B2, B8, B9 and B10 are counted in one pass over the agreements with cost. Source: thesis 4.2.2 and
4.4.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.agreements import agreement_needs
from socare_spark.analyses.as_of import last_day
from socare_spark.analyses.completeness import complete_until
from socare_spark.analyses.districts import districts_of
from socare_spark.analyses.extracts import restricted
from socare_spark.analyses.use import costs, quarters, savings, split, threshold
from socare_spark.analyses.use.costs import ELEMENT_COST_BY_YEAR
from socare_spark.analyses.use.pictures import draw
from socare_spark.analyses.use.quarters import USERS_BETWEEN_QUARTERS, USERS_BY_QUARTER, Pair
from socare_spark.analyses.use.records import (
    in_districts,
    in_periods,
    read_population,
    read_records,
)
from socare_spark.analyses.use.savings import SAVINGS_VIABILITY, ProjectedCost
from socare_spark.analyses.use.settings import SETTINGS, Settings, UseSettings, load_settings
from socare_spark.analyses.use.split import PROVISION_SPLIT
from socare_spark.analyses.use.threshold import THRESHOLD_USE
from socare_spark.analyses.vocabulary import code_counts, codes_present, unknown_codes
from socare_spark.analysis import Analysis, Result
from socare_spark.inputs import Inputs, Need
from socare_spark.lake.collect import collect
from socare_spark.lake.table import TableSpec
from socare_spark.measures import periods
from socare_spark.measures.periods import Period, financial_year, quarter, with_total
from socare_spark.measures.person_counts import (
    Grouping,
    by_person,
    count_groupings,
    split_groupings,
)
from socare_spark.places.recorded_places import PLACE_AREAS
from socare_spark.places.reference_tables import AREAS, POPULATION, POSTCODE_AREAS

# Names of collected frames, for messages.
_CELLS, _CODES, _DISTRICTS = "use", "codes of elements", "districts"
_Counts = Mapping[TableSpec, pd.DataFrame]


@dataclass(frozen=True)
class _Spans:
    """Periods of the tables that begin on or before the last day of the run.

    Attributes:
        years: Calendar years.
        quarters: Quarters of USERS_BY_QUARTER.
        pairs: Pairs of USERS_BETWEEN_QUARTERS.
        trend: Complete quarters from which the cost is forecast.
        base_years: Financial years with which savings are compared.
    """

    years: list[Period]
    quarters: list[Period]
    pairs: list[Pair]
    trend: list[Period]
    base_years: list[Period]

    @property
    def years_and_total(self) -> list[Period]:
        """The calendar years and their total."""
        return with_total(self.years)

    @property
    def all_periods(self) -> list[Period]:
        """All periods; some are in the list twice."""
        return [*self.years_and_total, *self.quarters, *self.trend, *self.base_years]


def build(inputs: Inputs, settings: Settings) -> Result:
    """Builds all tables. Spark counts their cells in one pass over the agreements."""
    use = settings.use
    until = last_day(inputs, use.dataset)
    complete, warnings = complete_until(inputs, use.dataset)
    spans = _spans(settings, until, complete)
    layer = districts_of(inputs, use.layer)
    counts, present, districts = _count(
        read_records(inputs, settings, until), settings, spans, layer
    )
    named = settings.named_elements
    warnings += unknown_codes(f"{SETTINGS} names the element", named, present)
    frames = {
        USERS_BY_QUARTER: quarters.users_by_quarter(
            counts[USERS_BY_QUARTER], use.quarters.elements, spans.quarters
        ),
        USERS_BETWEEN_QUARTERS: quarters.users_between_quarters(
            counts[USERS_BETWEEN_QUARTERS], use.quarters.elements, spans.pairs
        ),
        THRESHOLD_USE: threshold.threshold_use(
            counts[THRESHOLD_USE],
            use.threshold,
            spans.years_and_total,
            districts,
            population=read_population(inputs, use),
            target=use.threshold_target,
        ),
        ELEMENT_COST_BY_YEAR: costs.element_cost_by_year(
            counts[ELEMENT_COST_BY_YEAR], settings.groups, spans.years
        ),
        PROVISION_SPLIT: split.provision_split(
            counts[PROVISION_SPLIT],
            settings.providers,
            spans.years_and_total,
            districts,
            use.split,
        ),
    }
    if SAVINGS_VIABILITY.path not in inputs.unavailable:
        projected = _projected_costs(settings, counts[SAVINGS_VIABILITY], spans.trend)
        warnings += _trend_warnings(use, spans, until, complete, projected)
        frames[SAVINGS_VIABILITY] = savings.savings_viability(
            counts[SAVINGS_VIABILITY], settings.savings, projected
        )
    return Result(frames, warnings=warnings)


def _spans(settings: Settings, until: date, complete: date) -> _Spans:
    use = settings.use
    first, last = (quarter(label).first for label in (use.quarters.first, use.quarters.last))
    of_users = _begun(periods.quarters(first, last), until)
    trend = [period for period in _trend(use) if period.last <= complete]
    bases = sorted({each.base_year for each in settings.savings.values()})
    return _Spans(
        _begun(periods.years(use.first_year, use.last_year), until),
        of_users,
        _pairs(use, of_users, until),
        trend,
        [financial_year(label) for label in bases],
    )


def _trend(use: UseSettings) -> list[Period]:
    first, last = (quarter(label).first for label in (use.trend.first, use.trend.last))
    return periods.quarters(first, last)


def _begun(spans: Sequence[Period], until: date) -> list[Period]:
    """Periods that begin on or before a day."""
    return [period for period in spans if period.first <= until]


def _pairs(use: UseSettings, spans: Sequence[Period], until: date) -> list[Pair]:
    """Pairs of quarters in the settings that begin on or before a day."""
    if use.quarters.pairs == "all":
        return list(combinations(spans, 2))
    pairs = [(quarter(a), quarter(b)) for a, b in use.quarters.pairs]
    return [(a, b) for a, b in pairs if max(a.first, b.first) <= until]


def _count(
    records: DataFrame, settings: Settings, spans: _Spans, districts: list[str] | None
) -> tuple[_Counts, list[str], list[str]]:
    """Counts the cells of all tables.

    Args:
        records: Result of `read_records`.
        settings: The settings.
        spans: Periods of the tables.
        districts: The city's districts; None means all districts of the records.

    Returns:
        Table -> its counts; codes of elements in the records; districts.
    """
    groupings = _groupings(settings, spans)
    counted = records.where(F.col("element").isin(*settings.elements))
    named = settings.named_elements
    frames = {
        _CELLS: count_cells(in_districts(counted, districts), settings, spans, groupings),
        _CODES: code_counts(records, "element", named),
    }
    if districts is None:
        frames[_DISTRICTS] = records.select("district").where("district IS NOT NULL").distinct()
    collected = collect(frames)
    counts = split_groupings(collected[_CELLS], groupings)
    found = sorted(collected[_DISTRICTS]["district"]) if districts is None else districts
    return counts, codes_present(collected[_CODES], named), found


def _groupings(settings: Settings, spans: _Spans) -> list[Grouping]:
    use, groups = settings.use, settings.groups
    return [
        quarters.quarter_grouping(use.quarters.elements, spans.quarters),
        quarters.pair_grouping(),
        *costs.group_groupings(ELEMENT_COST_BY_YEAR, groups, spans.years),
        *costs.group_groupings(SAVINGS_VIABILITY, groups, [*spans.trend, *spans.base_years]),
        split.split_grouping(settings.providers, spans.years_and_total),
        threshold.threshold_grouping(use.threshold, spans.years_and_total),
    ]


def count_cells(
    records: DataFrame, settings: Settings, spans: _Spans, groupings: Sequence[Grouping]
) -> DataFrame:
    """Counts the cells of all tables in one aggregation.

    Args:
        records: Agreements of the elements that count, with the columns of `read_records`.
        settings: The settings.
        spans: Periods of the tables.
        groupings: Cells of the tables.

    Returns:
        One row per table and cell, for `split_groupings`.
    """
    beyond = threshold.with_beyond(records, settings.use.threshold)
    by_period = in_periods(beyond, spans.all_periods).withColumns(
        {**threshold.over_columns(), **split.provider_columns(settings.providers)}
    )
    pairs = quarters.in_pairs(records, settings.use.quarters.elements, spans.pairs)
    return count_groupings(
        by_person(by_period.unionByName(pairs, allowMissingColumns=True)),
        groupings,
        cost="cost",
        sums=[*costs.SUMS, *split.SUMS, *threshold.SUMS],
        people_with=[*quarters.PEOPLE_WITH, *threshold.PEOPLE_WITH],
    )


def _projected_costs(
    settings: Settings, counted: pd.DataFrame, trend: Sequence[Period]
) -> dict[str, ProjectedCost]:
    """Projects the cost of each programme with savings to its last target."""
    by_quarter = costs.cost_by_quarter(counted, settings.savings, trend)
    return {
        name: savings.project_cost(trend, by_quarter[name], financial_year(max(each.targets)))
        for name, each in settings.savings.items()
    }


def _trend_warnings(
    use: UseSettings,
    spans: _Spans,
    until: date,
    complete: date,
    projected: Mapping[str, ProjectedCost],
) -> list[str]:
    """Warnings of an early end of the trend, and of programmes without a forecast."""
    warnings = [
        f"{SAVINGS_VIABILITY.path} has no trend of {name}: {cost.reason}."
        for name, cost in projected.items()
        if cost.reason
    ]
    if len(spans.trend) < len([period for period in _trend(use) if period.last <= until]):
        warnings.append(
            f"The trend of {SAVINGS_VIABILITY.path} ends on {complete}: after that day "
            f"{restricted(use.dataset)} is not complete."
        )
    return warnings


_WRITES = (
    USERS_BY_QUARTER,
    USERS_BETWEEN_QUARTERS,
    THRESHOLD_USE,
    ELEMENT_COST_BY_YEAR,
    SAVINGS_VIABILITY,
    PROVISION_SPLIT,
)


def _needs(inputs: Inputs, settings: Settings) -> list[Need]:
    users = (USERS_BY_QUARTER, USERS_BETWEEN_QUARTERS, THRESHOLD_USE)
    of_costs = (ELEMENT_COST_BY_YEAR, SAVINGS_VIABILITY)
    needed_by = {
        "element": _WRITES,
        "start": _WRITES,
        "end": _WRITES,
        "person": users,
        "cost": of_costs,
        "place": (THRESHOLD_USE, PROVISION_SPLIT),
    }
    empty_in = {"person": (*of_costs, PROVISION_SPLIT), "cost": (*users, PROVISION_SPLIT)}
    use = settings.use
    return agreement_needs(
        inputs, use.dataset, use.roles, SETTINGS, needed_by=needed_by, empty_in=empty_in
    )


ANALYSIS = Analysis(
    name="use",
    description="Counts users of elements by quarter, threshold and provider, with cost.",
    load_settings=load_settings,
    settings_files=("analyses/use.yaml",),
    reads=lambda _, settings: [restricted(settings.use.dataset)],
    optional=lambda _, __: [
        AREAS.path,
        POSTCODE_AREAS.path,
        PLACE_AREAS.path,
        POPULATION.path,
    ],
    writes=_WRITES,
    build=build,
    draw=draw,
    needs=_needs,
)
