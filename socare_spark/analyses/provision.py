"""Provision over time and place (A1, A2): totals, the matrix, density maps, hot spots."""

from collections.abc import Mapping, Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses import density, matrix, windows
from socare_spark.analyses.agreements import read_agreements, read_bands, restricted
from socare_spark.analyses.density import DENSITY
from socare_spark.analyses.matrix import PROVISION_MATRIX, PROVISION_TRENDS, REMOVED_ROWS
from socare_spark.analyses.provision_maps import draw
from socare_spark.analyses.provision_settings import (
    DENSITY as DENSITY_FILE,
)
from socare_spark.analyses.provision_settings import (
    PROVISION as PROVISION_FILE,
)
from socare_spark.analyses.provision_settings import DensitySettings, ProvisionSettings
from socare_spark.analyses.windows import DATASET_TOTALS, DENSE_WINDOW
from socare_spark.contracts.load import read_model
from socare_spark.job import Analysis, Context
from socare_spark.lake.tables import Table
from socare_spark.places.hotspots import neighbours
from socare_spark.places.settle import settled
from socare_spark.places.tables import AREAS, POPULATION, POSTCODE_AREAS


def _settings(context: Context) -> tuple[ProvisionSettings, DensitySettings]:
    return (
        read_model(context.conf / PROVISION_FILE, ProvisionSettings),
        read_model(context.conf / DENSITY_FILE, DensitySettings),
    )


def _datasets(provision: ProvisionSettings, dense: DensitySettings) -> list[str]:
    named = [provision.dataset, *provision.totals, *provision.dense_datasets, dense.dataset]
    return list(dict.fromkeys(named))


def reads(context: Context) -> Sequence[str]:
    """The tables that the configuration names."""
    datasets = _datasets(*_settings(context))
    return [*map(restricted, datasets), AREAS.path, POSTCODE_AREAS.path]


def tables(context: Context) -> Mapping[Table, DataFrame]:
    """All result tables."""
    provision, dense = _settings(context)
    records = read_agreements(context, _datasets(provision, dense)).cache()
    areas = context.read(AREAS)
    by_district, in_matrix = _matrix(records, areas, provision)
    by_area, in_density = _density(context, records, areas, dense)
    bands = {name: read_bands(context.conf, label) for name, label in provision.totals.items()}
    return {
        DATASET_TOTALS: windows.dataset_totals(records, bands),
        DENSE_WINDOW: windows.dense_windows(
            records, provision.dense_datasets, provision.dense_share
        ),
        **by_district,
        DENSITY: by_area,
        REMOVED_ROWS: matrix.removed({PROVISION_MATRIX.name: in_matrix, DENSITY.name: in_density}),
    }


def _matrix(
    records: DataFrame, areas: DataFrame, settings: ProvisionSettings
) -> tuple[dict[Table, DataFrame], DataFrame]:
    """The matrix with its trends; and the records, each with the reason it is left out, if any."""
    districts = matrix.districts_of(areas, settings.layer, PROVISION_FILE)
    own = records.where(F.col("dataset") == settings.dataset)
    placed = matrix.with_district(own, districts, settings.years)
    counted = settled(matrix.counted_matrix(placed, districts, settings.years))
    by_year = counted.where("year IS NOT NULL")
    counts = by_year.select("district", "year", "records").toPandas()
    spark = counted.sparkSession
    by_cell = spark.createDataFrame(
        matrix.unusual(counts, settings.significance), matrix.UNUSUAL_SCHEMA
    )
    by_row = spark.createDataFrame(
        matrix.trends(counts, settings.significance), matrix.TRENDS_SCHEMA
    )
    whole = counted.where("year IS NULL")
    made = {
        PROVISION_MATRIX: by_year.join(F.broadcast(by_cell), ["district", "year"]),
        PROVISION_TRENDS: whole.join(F.broadcast(by_row), "district"),
    }
    return made, placed


def _density(
    context: Context, records: DataFrame, areas: DataFrame, settings: DensitySettings
) -> tuple[DataFrame, DataFrame]:
    """The density table; and the records, each with the reason it is left out, if any."""
    bands = read_bands(context.conf, settings.age_bands)
    wanted = density.areas_of(areas, settings.layers).cache()
    places = density.areas_of(context.read(POSTCODE_AREAS), settings.layers)
    own = records.where(F.col("dataset") == settings.dataset)
    years = (settings.first_year, settings.last_year)
    placed = density.with_place(own, places, years).cache()
    population = (
        density.chosen_population(context.read(POPULATION), settings.population_year)
        if context.lake.exists(POPULATION)
        else None
    )
    labels = [band.label for band in bands]
    counted = settled(density.counted_areas(placed, bands))
    each = settled(density.per_area(counted, wanted, population, labels))
    metres = {n: x.within_metres for n, x in settings.layers.items() if x.within_metres}
    return density.with_hotspots(each, neighbours(wanted, metres)), placed


ANALYSIS = Analysis(
    name="provision",
    says="Counts agreements by district, year, age band and area; finds what is unusual and hot.",
    reads=reads,
    optional=lambda _: [POPULATION.path],
    writes=(
        DATASET_TOTALS,
        DENSE_WINDOW,
        PROVISION_MATRIX,
        PROVISION_TRENDS,
        DENSITY,
        REMOVED_ROWS,
    ),
    tables=tables,
    draw=draw,
)
