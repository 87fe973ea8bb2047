"""The `use` analysis: who has elements of service when, how long, from whom and at what cost.

One reading of the costed agreements serves B2, B8, B9 and B10. Source: thesis 4.2.2 and 4.4.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import combinations

from pyspark.sql import DataFrame

from socare_spark.analyses.agreements import agreement_needs, last_day
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
        ConfigurationError: no element of the vocabulary is of a service or client group.
    """
    services = {service for one in settings.programmes.values() for service in one.services}
    _check("service", services, {word.service for word in words.elements})
    _check("service", settings.split.services, {word.service for word in words.elements})
    groups = {word.client_group for word in words.elements}
    _check("client group", settings.split.client_groups, groups)
    found = {}
    for name, one in settings.programmes.items():
        of_services = [word.code for word in words.elements if word.service in one.services]
        codes = [code.upper() for code in (*one.elements, *of_services)]
        found[name] = list(dict.fromkeys(codes))
    return found


def _check(what: str, named: Iterable[str], there: Iterable[str]) -> None:
    known = sorted({*there} - {""})
    for one in named:
        if one not in known:
            raise ConfigurationError(
                f"{SETTINGS} names the {what} {one}, of which vocabulary/elements.yaml has no "
                f"element; it has {', '.join(known)}."
            )


def _begun(periods: Sequence[Period], until: date) -> list[Period]:
    """Periods that the extracts reach."""
    return [one for one in periods if one.first <= until]


def _pairs(
    settings: UseSettings, spans: Sequence[Period], until: date
) -> list[tuple[Period, Period]]:
    """The pairs of quarters, of those that the extracts reach."""
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
    """The cost of each programme up to its last target; says of which nothing is expected."""
    by_quarter = cost_by_quarter(grouped, list(savings), observed)
    found = {}
    for name, its in savings.items():
        last = financial_year(max(its.targets))
        found[name] = project_cost(observed, by_quarter[name], last)
        if found[name].reason:
            context.run.warnings.append(
                f"{SAVINGS_VIABILITY.path} has no trend of {name}: {found[name].reason}."
            )
    return found


def _warn(context: Context, settings: UseSettings, records: DataFrame) -> None:
    named = [
        *settings.quarters.elements,
        *settings.threshold.elements,
        *(code for one in settings.programmes.values() for code in one.elements),
    ]
    present = codes_present(records, "element", named)
    warn_unknown_codes(context, f"{SETTINGS} names the element", named, present)


def tables(context: Context) -> Mapping[TableSpec, DataFrame]:
    """All tables, from one reading of the agreements."""
    settings = _settings(context)
    words = read_element_words(context.conf)
    groups = _groups(settings, words)
    until = last_day(context, settings.dataset)
    everywhere = read_records(context, settings.dataset, until).persist()
    _warn(context, settings, everywhere)
    districts = read_districts(context, settings.layer, everywhere)
    records = in_districts(everywhere, districts)
    by_year = _begun(years(settings.first_year, settings.last_year), until)
    and_all = with_total(by_year)
    wanted = settings.quarters
    spans = _begun(quarters(quarter(wanted.first).first, quarter(wanted.last).first), until)
    grouped = in_groups(records, groups)
    savings = {name: one.savings for name, one in settings.programmes.items() if one.savings}
    trend = quarters(quarter(settings.trend.first).first, quarter(settings.trend.last).first)
    complete = complete_until(context, settings.dataset)
    whole = [one for one in trend if one.last <= complete]
    if len(whole) < len([one for one in trend if one.last <= until]):
        context.run.warnings.append(
            f"The trend of {SAVINGS_VIABILITY.path} ends on {complete}: after that day "
            f"{restricted(settings.dataset)} is not complete."
        )
    return {
        USERS_BY_QUARTER: users_by_quarter(records, wanted.elements, spans),
        USERS_BETWEEN_QUARTERS: users_between_quarters(
            records, wanted.elements, _pairs(settings, spans, until)
        ),
        THRESHOLD_USE: threshold_use(
            records,
            settings.threshold,
            and_all,
            districts,
            population=read_population(context, settings),
            target=settings.threshold_target,
        ),
        ELEMENT_COST_BY_YEAR: element_cost_by_year(grouped, list(groups), by_year),
        SAVINGS_VIABILITY: savings_viability(
            grouped, savings, _costs(context, savings, grouped, whole)
        ),
        PROVISION_SPLIT: provision_split(
            records, providers_of(words, settings.split), and_all, districts, settings.split
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
