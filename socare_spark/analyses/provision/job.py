"""The `provision` analysis: agreements by time and place (A1 to A5).

A table is built if the lake has its inputs. Totals, services and elements per person need
agreements only. The matrix also needs the city's districts. Density and elements by area also need
boundaries and the areas of postcodes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.agreements import aged, agreement_needs, with_band
from socare_spark.analyses.as_of import last_day
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
    """The result of a group.

    Attributes:
        tables: Table -> its rows.
        seen: Name of a table -> its input records, with the reason of those left out.
    """

    tables: Mapping[TableSpec, DataFrame]
    seen: Mapping[str, DataFrame] = field(default_factory=dict)


@dataclass(frozen=True)
class _TableGroup:
    """Tables that are built together.

    Attributes:
        tables: The tables.
        make: Builds the tables, or marks them as unavailable.
        datasets: Datasets of agreements; the lake must have at least one of them.
        places: Reference tables that the tables require.
    """

    tables: tuple[TableSpec, ...]
    make: Callable[[Inputs], _Result]
    datasets: Sequence[str]
    places: tuple[TableSpec, ...] = ()


def _table_groups(settings: Settings) -> tuple[_TableGroup, ...]:
    """Groups of all tables except REMOVED_ROWS."""
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
    agreements = inputs.agreements(*datasets)
    windows = dense_window.dense_windows(agreements, datasets, settings.dense_share)
    return _Result({DENSE_WINDOW: windows})


def _districts(inputs: Inputs) -> DataFrame | None:
    """One row per district of the city: code. None if neither the settings nor a layer has any."""
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
    frames = {
        PROVISION_MATRIX: by_year.join(F.broadcast(by_cell), ["district", "year"]),
        PROVISION_TRENDS: whole.join(F.broadcast(by_row), "district"),
    }
    return _Result(frames, {PROVISION_MATRIX.name: placed})


def _warn_of_incomplete(context: Context, settings: ProvisionSettings) -> None:
    """Warns if the years of the trends are after the last complete day of the records."""
    complete = complete_until(context, settings.dataset)
    if complete < min(date(settings.last_year, 12, 31), last_day(context, settings.dataset)):
        context.run.warnings.append(
            f"{PROVISION_MATRIX.path} and {PROVISION_TRENDS.path} count agreements that start up "
            f"to {settings.last_year}, but {restricted(settings.dataset)} is complete only until "
            f"{complete}. A fall after that day may be due to missing records."
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
    labels = density.every_band(counted, [band.label for band in bands])
    densities = checkpointed(density.per_area(counted, inputs.areas, people, labels))
    rows = density.with_hotspots(densities, inputs.pairs, "age_band")
    return _Result({DENSITY: rows}, {DENSITY.name: inside})


def _series(inputs: Inputs) -> _Result:
    settings, series = inputs.settings.density, inputs.settings.density.series
    bands = inputs.bands(settings.age_bands, settings.dataset)
    of_age = aged(inputs.placed(settings.dataset), bands, series.band, DENSITY_FILE)
    inside = density.within(of_age, settings.layers, (series.first_year, series.last_year))
    years = inputs.context.spark.createDataFrame([(year,) for year in series.years], "year int")
    people = inputs.population
    if people is not None:
        people = population_by_year(people, series.band, years, settings.population_year)
    counted = density.counted_areas(inside, "year")
    densities = checkpointed(density.per_area(counted, inputs.areas, people, years))
    rows = density.with_hotspots(densities, inputs.pairs, "year")
    return _Result({DENSITY_SERIES: rows}, {DENSITY_SERIES.name: inside})


def _distribution(inputs: Inputs) -> _Result:
    settings = inputs.settings.distribution
    bands = inputs.bands(settings.age_bands, settings.dataset)
    of_age = aged(inputs.placed(settings.dataset), bands, settings.band, DISTRIBUTION_FILE)
    years = (settings.first_year, settings.last_year)
    inside = distribution.with_element(density.within(of_age, settings.layers, years))
    rows = distribution.element_distribution(inside)
    return _Result({ELEMENT_DISTRIBUTION: rows}, {ELEMENT_DISTRIBUTION.name: inside})


def _services(inputs: Inputs) -> _Result:
    started = registered.flag_other_years(_banded(inputs), inputs.settings.provision.services.years)
    rows = registered.registered_services(started)
    return _Result({REGISTERED_SERVICES: rows}, {REGISTERED_SERVICES.name: started})


def _elements(inputs: Inputs) -> _Result:
    records = registered.with_person(_banded(inputs))
    rows = registered.elements_per_person(records)
    return _Result({ELEMENTS_PER_PERSON: rows}, {ELEMENTS_PER_PERSON.name: records})


def _banded(inputs: Inputs) -> DataFrame:
    settings = inputs.settings.provision.services
    return with_band(
        inputs.agreements(settings.dataset), inputs.bands(settings.age_bands, settings.dataset)
    )


def tables(context: Context) -> Mapping[TableSpec, DataFrame]:
    """Builds all tables that have their inputs in the lake."""
    settings = read_settings(context.conf)
    groups = _table_groups(settings)
    inputs = Inputs(context, settings, (name for group in groups for name in group.datasets))
    frames: dict[TableSpec, DataFrame] = {}
    seen: dict[str, DataFrame] = {}
    for group in groups:
        if not _has_inputs(inputs, group):
            continue
        result = group.make(inputs)
        frames |= result.tables
        seen |= result.seen
    if seen:
        frames[REMOVED_ROWS] = matrix.count_removed(seen)
    else:
        context.mark_unavailable(REMOVED_ROWS, "one of the tables that leave rows out")
    return frames


def _has_inputs(inputs: Inputs, group: _TableGroup) -> bool:
    """Whether the lake has the inputs of a group. Marks tables and warns if inputs are missing."""
    context, available = inputs.context, inputs.available(group.datasets)
    if all(table.path in context.unavailable for table in group.tables):
        return False
    absent = [restricted(name) for name in group.datasets if name not in available]
    places = [table.path for table in group.places if not context.lake.exists(table)]
    missing = places if available else [*absent, *places]
    for table in group.tables:
        if missing:
            context.mark_unavailable(table, *missing)
        elif absent:
            context.run.warnings.append(
                f"{table.path} is made without {' and '.join(absent)}, which the lake does not "
                "have."
            )
    return not missing


def _needs(context: Context) -> list[Need]:
    """Columns of each dataset of agreements, for the tables that count it."""
    settings = read_settings(context.conf)
    groups = _table_groups(settings)
    needed_by, empty_in = _columns(settings)

    def within(of_column: _ByColumn, dataset: str) -> _ByColumn:
        counted = {t for group in groups if dataset in group.datasets for t in group.tables}
        return {c: tuple(t for t in tables if t in counted) for c, tables in of_column.items()}

    datasets = dict.fromkeys(name for group in groups for name in group.datasets)
    return [
        need
        for dataset in datasets
        for need in agreement_needs(
            context, dataset, within(needed_by, dataset), within(empty_in, dataset)
        )
    ]


def _columns(settings: Settings) -> tuple[_ByColumn, _ByColumn]:
    """Column -> tables that require it, and column -> tables with null values without it."""
    _, dense, spread = settings
    in_matrix = (PROVISION_MATRIX, PROVISION_TRENDS)
    of_people = (DENSITY, DENSITY_SERIES, ELEMENTS_PER_PERSON)
    by_year = (*in_matrix, DENSITY, DENSITY_SERIES, ELEMENT_DISTRIBUTION, REGISTERED_SERVICES)
    every_table = (*by_year, DATASET_TOTALS, DENSE_WINDOW, ELEMENTS_PER_PERSON)
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
        "agreement_end": every_table,
        "weekly_cost": every_table,
        "person": tuple(table for table in every_table if table not in of_people),
        "age_at_start": (DATASET_TOTALS, REGISTERED_SERVICES, ELEMENTS_PER_PERSON),
    }
    return needed_by, empty_in


def _datasets(context: Context) -> list[str]:
    """Restricted tables of all datasets in the settings."""
    groups = _table_groups(read_settings(context.conf))
    named = (name for group in groups for name in group.datasets)
    return [restricted(name) for name in dict.fromkeys(named)]


def _reads(context: Context) -> Sequence[str]:
    """Tables of agreements that the lake has; if it has none, the first in the settings."""
    named = _datasets(context)
    return [name for name in named if context.lake.exists(name)] or named[:1]


def _draw(context: Context) -> None:
    settings = read_settings(context.conf)
    draw_maps(context, settings)
    draw_charts(context, settings)


ANALYSIS = Analysis(
    name="provision",
    description="Counts agreements by place, year, age and element; flags outliers and hot spots.",
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
