"""Provision over time and place (A1 to A5), each table from what the lake has for it.

Totals, services and elements of people need agreements alone. The matrix needs the city's districts
besides; density and elements by area need boundaries, and postcodes placed in them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.agreements import aged, agreement_needs, last_day, with_band
from socare_spark.analyses.completeness import complete_until
from socare_spark.analyses.districts import districts_of
from socare_spark.analyses.extracts import restricted
from socare_spark.analyses.provision import dense_window, density, distribution, matrix, registered
from socare_spark.analyses.provision.charts import draw_charts
from socare_spark.analyses.provision.dense_window import DATASET_TOTALS, DENSE_WINDOW
from socare_spark.analyses.provision.density import DENSITY, DENSITY_SERIES
from socare_spark.analyses.provision.distribution import ELEMENT_DISTRIBUTION
from socare_spark.analyses.provision.inputs import Inputs
from socare_spark.analyses.provision.maps import draw_maps
from socare_spark.analyses.provision.matrix import PROVISION_MATRIX, PROVISION_TRENDS, REMOVED_ROWS
from socare_spark.analyses.provision.registered import ELEMENTS_PER_PERSON, REGISTERED_SERVICES
from socare_spark.analyses.provision.settings import (
    DENSITY_FILE,
    DISTRIBUTION_FILE,
    PROVISION_FILE,
    ProvisionSettings,
    Settings,
    read_settings,
)
from socare_spark.analyses.vocabulary import warn_unknown_codes
from socare_spark.analysis import Analysis, Context, Need
from socare_spark.lake.checkpoint import checkpointed
from socare_spark.lake.table import TableSpec
from socare_spark.places.population import chosen_population, population_by_year
from socare_spark.places.reference_tables import AREAS, POPULATION, POSTCODE_AREAS

_ByColumn = Mapping[str, tuple[TableSpec, ...]]


@dataclass(frozen=True)
class _Result:
    """Tables; and by a table's name the records it saw, each with why it is left out if it is."""

    tables: Mapping[TableSpec, DataFrame]
    seen: Mapping[str, DataFrame] = field(default_factory=dict)


@dataclass(frozen=True)
class _TableGroup:
    """Tables that are made together.

    Attributes:
        tables: The tables.
        make: Makes them, or says what they lack and makes none.
        datasets: Agreements they count; those that the lake has, of which one is enough.
        places: Reference tables without which they cannot be made.
    """

    tables: tuple[TableSpec, ...]
    make: Callable[[Inputs], _Result]
    datasets: Sequence[str]
    places: tuple[TableSpec, ...] = ()


def _parts(settings: Settings) -> tuple[_TableGroup, ...]:
    """Every table but that of the removed rows."""
    provision, dense, spread = settings
    placed = (AREAS, POSTCODE_AREAS)
    districts = () if provision.districts else (AREAS,)
    services = (provision.services.dataset,)
    return (
        _TableGroup((DATASET_TOTALS,), _totals, [*provision.totals]),
        _TableGroup((DENSE_WINDOW,), _windows, provision.dense_datasets),
        _TableGroup((PROVISION_MATRIX, PROVISION_TRENDS), _matrix, [provision.dataset], districts),
        _TableGroup((DENSITY,), _density, [dense.dataset], placed),
        _TableGroup((DENSITY_SERIES,), _series, [dense.dataset], placed),
        _TableGroup((ELEMENT_DISTRIBUTION,), _distribution, [spread.dataset], placed),
        _TableGroup((REGISTERED_SERVICES,), _services, services),
        _TableGroup((ELEMENTS_PER_PERSON,), _elements, services),
    )


def _totals(inputs: Inputs) -> _Result:
    sets = inputs.settings.provision.totals
    bands = {name: inputs.bands(sets[name], name) for name in inputs.available(sets)}
    return _Result({DATASET_TOTALS: dense_window.dataset_totals(inputs.agreements(*bands), bands)})


def _windows(inputs: Inputs) -> _Result:
    settings = inputs.settings.provision
    datasets = inputs.available(settings.dense_datasets)
    found = dense_window.dense_windows(inputs.agreements(*datasets), datasets, settings.dense_share)
    return _Result({DENSE_WINDOW: found})


def _districts(inputs: Inputs) -> DataFrame | None:
    """The city's postcode districts: code; None where neither the file nor the layer has any."""
    settings, context = inputs.settings.provision, inputs.context
    if settings.districts:
        named = [(code,) for code in dict.fromkeys(settings.districts)]
        return context.spark.createDataFrame(named, "code string")
    return districts_of(context, settings.layer)


def _matrix(inputs: Inputs) -> _Result:
    settings, context = inputs.settings.provision, inputs.context
    districts = _districts(inputs)
    if districts is None:
        for table in (PROVISION_MATRIX, PROVISION_TRENDS):
            layer = f"the layer {settings.layer} in {AREAS.path}"
            context.mark_unavailable(table, f"{layer}, or `districts` in {PROVISION_FILE}")
        return _Result({})
    _warn_of_incomplete(context, settings)
    placed = matrix.with_district(inputs.agreements(settings.dataset), districts, settings.years)
    counted = checkpointed(matrix.counted_matrix(placed, districts, settings.years))
    by_year = counted.where("year IS NOT NULL")
    counts = by_year.select("district", "year", "records").toPandas()
    present = counts.loc[counts["records"] > 0, "district"]
    warn_unknown_codes(context, f"{PROVISION_FILE} names the district", settings.districts, present)
    by_cell = context.spark.createDataFrame(
        matrix.unusual(counts, settings.significance, settings.least_expected),
        matrix.UNUSUAL_SCHEMA,
    )
    by_row = context.spark.createDataFrame(
        matrix.trends(counts, settings.significance), matrix.TRENDS_SCHEMA
    )
    whole = counted.where("year IS NULL")
    made = {
        PROVISION_MATRIX: by_year.join(F.broadcast(by_cell), ["district", "year"]),
        PROVISION_TRENDS: whole.join(F.broadcast(by_row), "district"),
    }
    return _Result(made, {PROVISION_MATRIX.name: placed})


def _warn_of_incomplete(context: Context, settings: ProvisionSettings) -> None:
    """Reports years of the trends in which agreements are missing that had not ended."""
    complete = complete_until(context, settings.dataset)
    if complete < min(date(settings.last_year, 12, 31), last_day(context, settings.dataset)):
        context.run.warnings.append(
            f"{PROVISION_MATRIX.path} and {PROVISION_TRENDS.path} count agreements that start up "
            f"to {settings.last_year}, and {restricted(settings.dataset)} is complete only until "
            f"{complete}: a fall after that day may be due to the extracts."
        )


def _density(inputs: Inputs) -> _Result:
    settings = inputs.settings.density
    bands = inputs.bands(settings.age_bands, settings.dataset)
    years = (settings.first_year, settings.last_year)
    inside = density.within(inputs.placed(settings.dataset), settings.layers, years)
    people = inputs.population
    if people is not None:
        people = chosen_population(people, settings.population_year)
    counted = checkpointed(density.counted_bands(inside, bands))
    every = density.every_band(counted, [band.label for band in bands])
    each = checkpointed(density.per_area(counted, inputs.areas, people, every))
    made = density.with_hotspots(each, inputs.pairs, "age_band")
    return _Result({DENSITY: made}, {DENSITY.name: inside})


def _series(inputs: Inputs) -> _Result:
    settings, series = inputs.settings.density, inputs.settings.density.series
    bands = inputs.bands(settings.age_bands, settings.dataset)
    of_age = aged(inputs.placed(settings.dataset), bands, series.band, DENSITY_FILE)
    inside = density.within(of_age, settings.layers, (series.first_year, series.last_year))
    every = inputs.context.spark.createDataFrame([(year,) for year in series.years], "year int")
    people = inputs.population
    if people is not None:
        people = population_by_year(people, series.band, every, settings.population_year)
    counted = density.counted_areas(inside, "year")
    each = checkpointed(density.per_area(counted, inputs.areas, people, every))
    made = density.with_hotspots(each, inputs.pairs, "year")
    return _Result({DENSITY_SERIES: made}, {DENSITY_SERIES.name: inside})


def _distribution(inputs: Inputs) -> _Result:
    settings = inputs.settings.distribution
    bands = inputs.bands(settings.age_bands, settings.dataset)
    of_age = aged(inputs.placed(settings.dataset), bands, settings.band, DISTRIBUTION_FILE)
    years = (settings.first_year, settings.last_year)
    inside = distribution.with_element(density.within(of_age, settings.layers, years))
    made = distribution.element_distribution(inside)
    return _Result({ELEMENT_DISTRIBUTION: made}, {ELEMENT_DISTRIBUTION.name: inside})


def _services(inputs: Inputs) -> _Result:
    started = registered.flag_other_years(_banded(inputs), inputs.settings.provision.services.years)
    made = registered.registered_services(started)
    return _Result({REGISTERED_SERVICES: made}, {REGISTERED_SERVICES.name: started})


def _elements(inputs: Inputs) -> _Result:
    known = registered.with_person(_banded(inputs))
    made = registered.elements_per_person(known)
    return _Result({ELEMENTS_PER_PERSON: made}, {ELEMENTS_PER_PERSON.name: known})


def _banded(inputs: Inputs) -> DataFrame:
    settings = inputs.settings.provision.services
    return with_band(
        inputs.agreements(settings.dataset), inputs.bands(settings.age_bands, settings.dataset)
    )


def tables(context: Context) -> Mapping[TableSpec, DataFrame]:
    """All tables that can be made from what the lake has."""
    settings = read_settings(context.conf)
    parts = _parts(settings)
    inputs = Inputs(context, settings, (name for part in parts for name in part.datasets))
    made: dict[TableSpec, DataFrame] = {}
    seen: dict[str, DataFrame] = {}
    for part in parts:
        if not _can_be_made(inputs, part):
            continue
        one = part.make(inputs)
        made |= one.tables
        seen |= one.seen
    if seen:
        made[REMOVED_ROWS] = matrix.count_removed(seen)
    else:
        context.mark_unavailable(REMOVED_ROWS, "one of the tables that leave rows out")
    return made


def _can_be_made(inputs: Inputs, part: _TableGroup) -> bool:
    """Whether the lake has what some tables need; says what it lacks."""
    context, there = inputs.context, inputs.available(part.datasets)
    if all(table.path in context.unavailable for table in part.tables):
        return False
    absent = [restricted(name) for name in part.datasets if name not in there]
    places = [table.path for table in part.places if not context.lake.exists(table)]
    lacking = places if there else [*absent, *places]
    for table in part.tables:
        if lacking:
            context.mark_unavailable(table, *lacking)
        elif absent:
            context.run.warnings.append(
                f"{table.path} is made without {' and '.join(absent)}, which the lake lacks."
            )
    return not lacking


def _needs(context: Context) -> list[Need]:
    """The columns of each dataset of agreements, for the tables that count it."""
    settings = read_settings(context.conf)
    parts = _parts(settings)
    needed_by, empty_in = _columns(settings)

    def within(of_column: _ByColumn, dataset: str) -> _ByColumn:
        counted = {t for part in parts if dataset in part.datasets for t in part.tables}
        return {c: tuple(t for t in tables if t in counted) for c, tables in of_column.items()}

    datasets = dict.fromkeys(name for part in parts for name in part.datasets)
    return [
        need
        for dataset in datasets
        for need in agreement_needs(
            context, dataset, within(needed_by, dataset), within(empty_in, dataset)
        )
    ]


def _columns(settings: Settings) -> tuple[_ByColumn, _ByColumn]:
    """Column -> tables that need it, and column -> tables that are made without it."""
    _, dense, spread = settings
    in_matrix = (PROVISION_MATRIX, PROVISION_TRENDS)
    of_people = (DENSITY, DENSITY_SERIES, ELEMENTS_PER_PERSON)
    by_year = (*in_matrix, DENSITY, DENSITY_SERIES, ELEMENT_DISTRIBUTION, REGISTERED_SERVICES)
    every = (*by_year, DATASET_TOTALS, DENSE_WINDOW, ELEMENTS_PER_PERSON)
    of_an_age = (
        DENSITY,
        *([DENSITY_SERIES] if dense.series.band else []),
        *([ELEMENT_DISTRIBUTION] if spread.band else []),
    )
    needed_by = {
        "agreement_start": (*by_year, DENSE_WINDOW),
        "agreement_end": (),
        "weekly_cost": (),
        "postcode": (*in_matrix, DENSITY, DENSITY_SERIES, ELEMENT_DISTRIBUTION),
        "service": (REGISTERED_SERVICES,),
        "element": (ELEMENT_DISTRIBUTION, ELEMENTS_PER_PERSON),
        "person": of_people,
        "age_at_start": of_an_age,
    }
    empty_in = {
        "agreement_start": (DATASET_TOTALS, ELEMENTS_PER_PERSON),
        "agreement_end": every,
        "weekly_cost": every,
        "person": tuple(table for table in every if table not in of_people),
        "age_at_start": (DATASET_TOTALS, REGISTERED_SERVICES, ELEMENTS_PER_PERSON),
    }
    return needed_by, empty_in


def _datasets(context: Context) -> list[str]:
    """The tables of all agreements that the configuration names."""
    named = (name for part in _parts(read_settings(context.conf)) for name in part.datasets)
    return [restricted(name) for name in dict.fromkeys(named)]


def _reads(context: Context) -> Sequence[str]:
    """Agreements: whichever the lake has; the first that is named, where it has none."""
    named = _datasets(context)
    return [name for name in named if context.lake.exists(name)] or named[:1]


def _draw(context: Context) -> None:
    settings = read_settings(context.conf)
    draw_maps(context, settings)
    draw_charts(context, settings)


ANALYSIS = Analysis(
    name="provision",
    description="Counts agreements by place, year, age and element; finds what is unusual and hot.",
    reads=_reads,
    optional=lambda context: [
        *_datasets(context),
        AREAS.path,
        POSTCODE_AREAS.path,
        POPULATION.path,
    ],
    writes=(
        DATASET_TOTALS,
        DENSE_WINDOW,
        PROVISION_MATRIX,
        PROVISION_TRENDS,
        DENSITY,
        DENSITY_SERIES,
        ELEMENT_DISTRIBUTION,
        REGISTERED_SERVICES,
        ELEMENTS_PER_PERSON,
        REMOVED_ROWS,
    ),
    needs=_needs,
    tables=tables,
    draw=_draw,
)
