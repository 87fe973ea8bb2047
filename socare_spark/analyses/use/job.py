"""The `use` analysis: people, duration, provider and cost of elements of service.

B2, B8, B9 and B10 are computed from one read of the agreements with cost. Source: thesis 4.2.2 and
4.4.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import combinations

from pyspark.sql import DataFrame

from socare_spark.analyses.agreements import agreement_needs
from socare_spark.analyses.as_of import last_day
from socare_spark.analyses.completeness import complete_until
from socare_spark.analyses.extracts import restricted
from socare_spark.analyses.use.costs import (
    ELEMENT_COST_BY_YEAR,
    cost_by_quarter,
    element_cost_by_year,
    in_groups,
)
from socare_spark.analyses.use.pictures import draw
from socare_spark.analyses.use.quarters import (
    USERS_BETWEEN_QUARTERS,
    USERS_BY_QUARTER,
    users_between_quarters,
    users_by_quarter,
)
from socare_spark.analyses.use.records import (
    in_districts,
    read_districts,
    read_population,
    read_records,
)
from socare_spark.analyses.use.savings import (
    SAVINGS_VIABILITY,
    ProjectedCost,
    project_cost,
    savings_viability,
)
from socare_spark.analyses.use.settings import SETTINGS, Savings, UseSettings
from socare_spark.analyses.use.split import PROVISION_SPLIT, providers_of, provision_split
from socare_spark.analyses.use.threshold import THRESHOLD_USE, threshold_use
from socare_spark.analyses.vocabulary import (
    Elements,
    codes_present,
    read_element_words,
    warn_unknown_codes,
)
from socare_spark.analysis import Analysis, Context, Need
from socare_spark.config import read_model
from socare_spark.errors import ConfigurationError
from socare_spark.lake.table import TableSpec
from socare_spark.measures.periods import (
    Period,
    financial_year,
    quarter,
    quarters,
    with_total,
    years,
)
from socare_spark.places.reference_tables import AREAS, POPULATION


def _settings(context: Context) -> UseSettings:
    return read_model(context.conf / SETTINGS, UseSettings)


def _groups(settings: UseSettings, words: Elements) -> dict[str, list[str]]:
    """Programme -> its elements.

    Raises:
        ConfigurationError: the vocabulary has no element of a service or client group.
    """
    services = {
        service for programme in settings.programmes.values() for service in programme.services
    }
    _check("service", services, {word.service for word in words.elements})
    _check("service", settings.split.services, {word.service for word in words.elements})
    groups = {word.client_group for word in words.elements}
    _check("client group", settings.split.client_groups, groups)
    elements = {}
    for name, programme in settings.programmes.items():
        of_services = [word.code for word in words.elements if word.service in programme.services]
        codes = [code.upper() for code in (*programme.elements, *of_services)]
        elements[name] = list(dict.fromkeys(codes))
    return elements


def _check(kind: str, names: Iterable[str], vocabulary: Iterable[str]) -> None:
    """Raises a `ConfigurationError` for a name that the vocabulary does not have."""
    allowed = sorted({*vocabulary} - {""})
    for name in names:
        if name not in allowed:
            raise ConfigurationError(
                f"{SETTINGS} names the {kind} {name}, but vocabulary/elements.yaml has no element "
                f"with it; it has {', '.join(allowed)}."
            )


def _begun(periods: Sequence[Period], until: date) -> list[Period]:
    """Periods that begin on or before a day."""
    return [period for period in periods if period.first <= until]


def _pairs(
    settings: UseSettings, spans: Sequence[Period], until: date
) -> list[tuple[Period, Period]]:
    """Pairs of quarters in the settings that begin on or before a day."""
    if settings.quarters.pairs == "all":
        return list(combinations(spans, 2))
    pairs = [(quarter(a), quarter(b)) for a, b in settings.quarters.pairs]
    return [(a, b) for a, b in pairs if max(a.first, b.first) <= until]


def _costs(
    context: Context,
    savings: Mapping[str, Savings],
    grouped: DataFrame,
    observed: Sequence[Period],
) -> dict[str, ProjectedCost]:
    """Projects the cost of each programme to its last target. Warns if there is no forecast."""
    by_quarter = cost_by_quarter(grouped, list(savings), observed)
    costs = {}
    for name, saving in savings.items():
        last = financial_year(max(saving.targets))
        costs[name] = project_cost(observed, by_quarter[name], last)
        if costs[name].reason:
            context.run.warnings.append(
                f"{SAVINGS_VIABILITY.path} has no trend of {name}: {costs[name].reason}."
            )
    return costs


def _warn(context: Context, settings: UseSettings, records: DataFrame) -> None:
    named = [
        *settings.quarters.elements,
        *settings.threshold.elements,
        *(code for programme in settings.programmes.values() for code in programme.elements),
    ]
    present = codes_present(records, "element", named)
    warn_unknown_codes(context, f"{SETTINGS} names the element", named, present)


def tables(context: Context) -> Mapping[TableSpec, DataFrame]:
    """Builds all tables from one read of the agreements."""
    settings = _settings(context)
    words = read_element_words(context.conf)
    groups = _groups(settings, words)
    until = last_day(context, settings.dataset)
    all_records = read_records(context, settings.dataset, until).persist()
    _warn(context, settings, all_records)
    districts = read_districts(context, settings.layer, all_records)
    records = in_districts(all_records, districts)
    by_year = _begun(years(settings.first_year, settings.last_year), until)
    years_and_total = with_total(by_year)
    first, last = quarter(settings.quarters.first).first, quarter(settings.quarters.last).first
    spans = _begun(quarters(first, last), until)
    grouped = in_groups(records, groups)
    savings = {
        name: programme.savings
        for name, programme in settings.programmes.items()
        if programme.savings
    }
    trend = quarters(quarter(settings.trend.first).first, quarter(settings.trend.last).first)
    complete = complete_until(context, settings.dataset)
    observed = [period for period in trend if period.last <= complete]
    if len(observed) < len([period for period in trend if period.last <= until]):
        context.run.warnings.append(
            f"The trend of {SAVINGS_VIABILITY.path} ends on {complete}: after that day "
            f"{restricted(settings.dataset)} is not complete."
        )
    return {
        USERS_BY_QUARTER: users_by_quarter(records, settings.quarters.elements, spans),
        USERS_BETWEEN_QUARTERS: users_between_quarters(
            records, settings.quarters.elements, _pairs(settings, spans, until)
        ),
        THRESHOLD_USE: threshold_use(
            records,
            settings.threshold,
            years_and_total,
            districts,
            population=read_population(context, settings),
            target=settings.threshold_target,
        ),
        ELEMENT_COST_BY_YEAR: element_cost_by_year(grouped, list(groups), by_year),
        SAVINGS_VIABILITY: savings_viability(
            grouped, savings, _costs(context, savings, grouped, observed)
        ),
        PROVISION_SPLIT: provision_split(
            records, providers_of(words, settings.split), years_and_total, districts, settings.split
        ),
    }


_WRITES = (
    USERS_BY_QUARTER,
    USERS_BETWEEN_QUARTERS,
    THRESHOLD_USE,
    ELEMENT_COST_BY_YEAR,
    SAVINGS_VIABILITY,
    PROVISION_SPLIT,
)


def _needs(context: Context) -> list[Need]:
    users = (USERS_BY_QUARTER, USERS_BETWEEN_QUARTERS, THRESHOLD_USE)
    costs = (ELEMENT_COST_BY_YEAR, SAVINGS_VIABILITY)
    needed_by = {
        "element": _WRITES,
        "agreement_start": _WRITES,
        "agreement_end": _WRITES,
        "person": users,
        "weekly_cost": costs,
        "postcode": (THRESHOLD_USE, PROVISION_SPLIT),
    }
    empty_in = {"person": (*costs, PROVISION_SPLIT), "weekly_cost": (*users, PROVISION_SPLIT)}
    return agreement_needs(context, _settings(context).dataset, needed_by, empty_in)


ANALYSIS = Analysis(
    name="use",
    description="Counts users of elements by quarter, threshold and provider, with cost.",
    reads=lambda context: [restricted(_settings(context).dataset)],
    optional=lambda _: [AREAS.path, POPULATION.path],
    writes=_WRITES,
    needs=_needs,
    tables=tables,
    draw=draw,
)
