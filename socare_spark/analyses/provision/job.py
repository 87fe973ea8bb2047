"""The `provision` analysis: agreements by time and place (A1 to A5).

A table is built if the lake has its inputs. Totals, services and elements per person need
agreements only. The matrix also needs the city's districts. Density and elements by area also need
boundaries and the areas of postcodes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from socare_spark.analyses.agreements import agreement_needs
from socare_spark.analyses.as_of import last_day
from socare_spark.analyses.completeness import complete_until
from socare_spark.analyses.districts import district_column, districts_of
from socare_spark.analyses.extracts import restricted
from socare_spark.analyses.provision import dense_window, density, distribution, matrix
from socare_spark.analyses.provision.charts import draw_charts
from socare_spark.analyses.provision.counts import (
    Counts,
    count_cells,
    find_windows,
    read_records,
    totals_grouping,
)
from socare_spark.analyses.provision.dense_window import DATASET_TOTALS, DENSE_WINDOW
from socare_spark.analyses.provision.density import DENSITY, DENSITY_SERIES
from socare_spark.analyses.provision.distribution import ELEMENT_DISTRIBUTION
from socare_spark.analyses.provision.maps import draw_maps
from socare_spark.analyses.provision.matrix import PROVISION_MATRIX, PROVISION_TRENDS, REMOVED_ROWS
from socare_spark.analyses.provision.registered import ELEMENTS_PER_PERSON, REGISTERED_SERVICES
from socare_spark.analyses.provision.selections import selections
from socare_spark.analyses.provision.settings import (
    PROVISION_FILE,
    ProvisionSettings,
    Settings,
    load_settings,
)
from socare_spark.analyses.vocabulary import unknown_codes
from socare_spark.analysis import Analysis, Context, Frame, Result
from socare_spark.inputs import Inputs, Need
from socare_spark.lake.collect import to_pandas
from socare_spark.lake.table import TableSpec
from socare_spark.measures.hotspots import neighbours
from socare_spark.measures.person_counts import by_person
from socare_spark.places.population import chosen_population, population_by_year
from socare_spark.places.recorded_places import PLACE_AREAS
from socare_spark.places.reference_tables import AREAS, POPULATION, POSTCODE_AREAS

_ByRole = Mapping[str, tuple[TableSpec, ...]]
_BY_AREA = (DENSITY, DENSITY_SERIES, ELEMENT_DISTRIBUTION)
# Tables whose counts need no further computation.
_AS_COUNTED = (DATASET_TOTALS, REGISTERED_SERVICES, ELEMENTS_PER_PERSON, REMOVED_ROWS)


@dataclass(frozen=True)
class _Group:
    """Tables with the same inputs.

    Attributes:
        tables: The tables.
        datasets: Datasets of agreements; the lake must have at least one of them.
        places: Reference tables that the tables require.
    """

    tables: tuple[TableSpec, ...]
    datasets: Sequence[str]
    places: tuple[TableSpec, ...] = ()


def _groups(settings: Settings) -> tuple[_Group, ...]:
    """Groups of all tables except REMOVED_ROWS."""
    provision, placed = settings.provision, (AREAS, POSTCODE_AREAS)
    districts = () if provision.districts else (AREAS,)
    return (
        _Group((DATASET_TOTALS,), [*provision.totals]),
        _Group((DENSE_WINDOW,), provision.dense_datasets),
        _Group((PROVISION_MATRIX, PROVISION_TRENDS), [provision.dataset], districts),
        _Group((DENSITY, DENSITY_SERIES), [settings.density.dataset], placed),
        _Group((ELEMENT_DISTRIBUTION,), [settings.distribution.dataset], placed),
        _Group((REGISTERED_SERVICES, ELEMENTS_PER_PERSON), [provision.services.dataset]),
    )


def build(inputs: Inputs, settings: Settings) -> Result:
    """Builds all tables that have their inputs in the lake.

    Spark counts the cells of most tables in one pass over the agreements, and those by area in
    another one. The rest is computed from the counts.
    """
    districts = _districts(inputs, settings.provision)
    unavailable, warnings = _check_inputs(inputs, settings, districts)
    made = {t for group in _groups(settings) for t in group.tables} - unavailable.keys()
    datasets = [name for name in settings.datasets if inputs.exists(restricted(name))]
    located = not made.isdisjoint(_BY_AREA)
    # Both passes count people, so the records of a person are in one task.
    rows, of_counts = read_records(inputs, settings, datasets, located=located)
    records, warnings = by_person(rows).cache(), [*warnings, *of_counts]
    selected = selections(settings, districts, district_column(records))
    chosen = {t: x for t, x in selected.items() if t in made}
    if not chosen:
        unavailable[REMOVED_ROWS] = "one of the tables that leave rows out"
    windows = find_windows(records, settings.provision) if DENSE_WINDOW in made else None
    more = [totals_grouping(inputs, settings)] if DATASET_TOTALS in made else []
    if windows is not None:
        more.append(dense_window.window_grouping(windows))
    counts = count_cells(records, settings, chosen, more)
    frames: dict[TableSpec, Frame] = {t: rows for t, rows in counts.items() if t in _AS_COUNTED}
    if windows is not None:
        frames[DENSE_WINDOW] = windows.merge(counts[DENSE_WINDOW], on="dataset")
    if PROVISION_MATRIX in counts:
        by_cell, by_district = matrix.provision_matrix(
            counts[PROVISION_MATRIX], districts, settings.provision
        )
        frames |= {PROVISION_MATRIX: by_cell, PROVISION_TRENDS: by_district}
        warnings += _matrix_warnings(inputs, settings.provision, by_cell)
    if DENSITY in counts or DENSITY_SERIES in counts:
        frames |= _densities(inputs, settings, counts)
    if ELEMENT_DISTRIBUTION in chosen:
        counting = records.where(chosen[ELEMENT_DISTRIBUTION].counts)
        at = density.by_area(counting, settings.distribution.layers)
        frames[ELEMENT_DISTRIBUTION] = distribution.element_distribution(at)
    return Result(frames, unavailable, warnings)


def _districts(inputs: Inputs, settings: ProvisionSettings) -> list[str]:
    """The districts of the city; empty if neither the settings nor a layer has any."""
    return [*dict.fromkeys(settings.districts)] or districts_of(inputs, settings.layer) or []


def _check_inputs(
    inputs: Inputs, settings: Settings, districts: Sequence[str]
) -> tuple[dict[TableSpec, str], list[str]]:
    """Tables that cannot be made with the missing inputs, and warnings of missing datasets."""
    unavailable: dict[TableSpec, str] = {}
    warnings = []
    for group in _groups(settings):
        absent = [name for name in map(restricted, group.datasets) if not inputs.exists(name)]
        missing = [table.path for table in group.places if not inputs.exists(table)]
        if len(absent) == len(group.datasets):
            missing = [*absent, *missing]
        if not missing and PROVISION_MATRIX in group.tables and not districts:
            layer = f"the layer {settings.provision.layer} in {AREAS.path}"
            missing = [f"{layer}, or `districts` in {PROVISION_FILE}"]
        for table in group.tables:
            if table.path in inputs.unavailable:
                unavailable[table] = inputs.unavailable[table.path]
            elif missing:
                unavailable[table] = " and ".join(missing)
            elif absent:
                warnings.append(
                    f"{table.path} is made without {' and '.join(absent)}, which the lake does not "
                    "have."
                )
    return unavailable, warnings


def _matrix_warnings(
    inputs: Inputs, settings: ProvisionSettings, by_cell: pd.DataFrame
) -> list[str]:
    """Warns of unknown districts, and of years after the last complete day of the records."""
    complete, warnings = complete_until(inputs, settings.dataset)
    if complete < min(date(settings.last_year, 12, 31), last_day(inputs, settings.dataset)):
        warnings.append(
            f"{PROVISION_MATRIX.path} and {PROVISION_TRENDS.path} count agreements that start up "
            f"to {settings.last_year}, but {restricted(settings.dataset)} is complete only until "
            f"{complete}. A fall after that day may be due to missing records."
        )
    present = by_cell.loc[by_cell["records"] > 0, "district"]
    named = f"{PROVISION_FILE} names the district"
    return [*warnings, *unknown_codes(named, settings.districts, present)]


def _densities(inputs: Inputs, settings: Settings, counts: Counts) -> dict[TableSpec, pd.DataFrame]:
    """Rows of DENSITY and DENSITY_SERIES, as far as they were counted."""
    dense, series = settings.density, settings.density.series
    areas = inputs.to_pandas(AREAS, "layer", "code", "area_km2", "geometry")
    areas = areas[areas["layer"].isin(dense.layers)].reset_index(drop=True)
    metres = {name: x.within_metres for name, x in dense.layers.items() if x.within_metres}
    near = neighbours(areas, metres)
    people = _population(inputs)
    tables = {}
    if DENSITY in counts:
        labels = density.bands_of(counts[DENSITY], settings.age_bands(dense))
        population = chosen_population(people, dense.population_year)
        rates = density.per_area(counts[DENSITY], areas, population, "age_band", labels)
        tables[DENSITY] = density.with_hotspots(rates, near, "age_band")
    if DENSITY_SERIES in counts:
        population = population_by_year(people, series.band, series.years, dense.population_year)
        rates = density.per_area(counts[DENSITY_SERIES], areas, population, "year", series.years)
        tables[DENSITY_SERIES] = density.with_hotspots(rates, near, "year")
    return tables


def _population(inputs: Inputs) -> pd.DataFrame:
    """Rows of POPULATION; none if the lake has no population."""
    if inputs.exists(POPULATION):
        return inputs.to_pandas(POPULATION)
    return to_pandas(POPULATION.arrow_schema.empty_table())


def _needs(inputs: Inputs, settings: Settings) -> list[Need]:
    """Columns of each dataset of agreements, for the tables that count it."""
    groups = _groups(settings)
    needed_by, empty_in = _roles(settings)
    roles = settings.provision.roles
    every_table = tuple(table for group in groups for table in group.tables)

    def within(of_role: _ByRole, dataset: str) -> _ByRole:
        counted = {t for group in groups if dataset in group.datasets for t in group.tables}
        return {r: tuple(t for t in tables if t in counted) for r, tables in of_role.items()}

    return [
        need
        for dataset in settings.datasets
        for need in agreement_needs(
            inputs,
            dataset,
            roles.of(dataset),
            PROVISION_FILE,
            needed_by=within(
                {**needed_by, "count": every_table} if roles.of(dataset).count else needed_by,
                dataset,
            ),
            empty_in=within(empty_in, dataset),
        )
    ]


def _roles(settings: Settings) -> tuple[_ByRole, _ByRole]:
    """Role -> tables that require it, and role -> tables with null values without it."""
    dense, spread = settings.density, settings.distribution
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
        "start": (*by_year, DENSE_WINDOW),
        "end": (),
        "cost": (),
        "place": (*in_matrix, DENSITY, DENSITY_SERIES, ELEMENT_DISTRIBUTION),
        "service": (REGISTERED_SERVICES,),
        "element": (ELEMENT_DISTRIBUTION, ELEMENTS_PER_PERSON),
        "person": of_people,
        "age": of_an_age,
    }
    empty_in = {
        "start": (DATASET_TOTALS, ELEMENTS_PER_PERSON),
        "end": every_table,
        "cost": every_table,
        "person": tuple(table for table in every_table if table not in of_people),
        "age": (DATASET_TOTALS, REGISTERED_SERVICES, ELEMENTS_PER_PERSON),
    }
    return needed_by, empty_in


def _reads(inputs: Inputs, settings: Settings) -> Sequence[str]:
    """Tables of agreements that the lake has; if it has none, the first in the settings."""
    named = [restricted(name) for name in settings.datasets]
    return [name for name in named if inputs.exists(name)] or named[:1]


def _optional(_: Inputs, settings: Settings) -> Sequence[str]:
    datasets = [restricted(name) for name in settings.datasets]
    return [*datasets, AREAS.path, POSTCODE_AREAS.path, PLACE_AREAS.path, POPULATION.path]


def _draw(context: Context, settings: Settings) -> None:
    draw_maps(context, settings)
    draw_charts(context, settings)


ANALYSIS = Analysis(
    name="provision",
    description="Counts agreements by place, year, age and element; flags outliers and hot spots.",
    load_settings=load_settings,
    settings_files=(
        "analyses/provision.yaml",
        "analyses/density.yaml",
        "analyses/distribution.yaml",
    ),
    reads=_reads,
    optional=_optional,
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
    build=build,
    draw=_draw,
)
