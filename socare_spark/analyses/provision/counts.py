"""Counts of agreements by cell, for all tables of the `provision` analysis.

Tables over the same rows share one query of Spark. The counts are small and are collected.
"""

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.agreements import read_agreements, with_band
from socare_spark.analyses.districts import district_column, with_district
from socare_spark.analyses.extracts import restricted
from socare_spark.analyses.provision import dense_window, density, matrix, registered
from socare_spark.analyses.provision.dense_window import DENSE_WINDOW
from socare_spark.analyses.provision.density import DENSITY, DENSITY_SERIES
from socare_spark.analyses.provision.matrix import PROVISION_MATRIX
from socare_spark.analyses.provision.registered import ELEMENTS_PER_PERSON, REGISTERED_SERVICES
from socare_spark.analyses.provision.selections import Selection
from socare_spark.analyses.provision.settings import ProvisionSettings, Settings
from socare_spark.inputs import Inputs
from socare_spark.lake.collect import collect, collect_one
from socare_spark.lake.table import TableSpec
from socare_spark.measures.person_counts import Grouping, count_groupings, split_groupings
from socare_spark.places.recorded_places import areas_by_place

# Names of two collected frames, for messages.
_CELLS, _AREA_CELLS = "provision", "provision by area"
Counts = Mapping[TableSpec, pd.DataFrame]


def read_records(
    inputs: Inputs, settings: Settings, datasets: Iterable[str], *, located: bool
) -> tuple[DataFrame, list[str]]:
    """Reads the agreements of some datasets.

    Args:
        inputs: The inputs of the run.
        settings: The settings.
        datasets: Names of datasets in the lake.
        located: Whether the areas of the postcodes are added.

    Returns:
        The columns of `read_agreements`; if `located`, also those of `density.with_place`.
        Warnings about rows without a valid count.
    """
    provision = settings.provision
    counts = {name: provision.roles.of(name).count for name in datasets}
    read, warnings = read_agreements(inputs, counts)
    place = provision.roles.of(provision.dataset).place
    # Only the matrix, which counts one dataset, has districts.
    records = with_district(inputs, read, provision.dataset, place, provision.layer)
    if not located:
        return records, warnings
    layers = sorted({*settings.density.layers, *settings.distribution.layers})
    places = areas_by_place(inputs).where(F.col("layer").isin(*layers))
    return density.with_place(records, places), warnings


def find_windows(records: DataFrame, settings: ProvisionSettings) -> pd.DataFrame:
    """Counts the records by year and finds the dense windows. Columns as in `dense_windows`."""
    by_year = dense_window.records_by_year(records, settings.dense_datasets)
    years = collect_one(DENSE_WINDOW.path, by_year)
    return dense_window.dense_windows(years, settings.dense_share)


def totals_grouping(inputs: Inputs, settings: Settings) -> Grouping:
    """Cells of DATASET_TOTALS, for the datasets that the lake has."""
    return dense_window.totals_grouping(
        {
            dataset: settings.bands[bands, dataset]
            for dataset, bands in settings.provision.totals.items()
            if inputs.exists(restricted(dataset))
        }
    )


def count_cells(
    records: DataFrame,
    settings: Settings,
    chosen: Mapping[TableSpec, Selection],
    more: Sequence[Grouping] = (),
) -> Counts:
    """Counts the cells of all tables except ELEMENT_DISTRIBUTION.

    Args:
        records: Result of `read_records`.
        settings: The settings.
        chosen: The selection of each table that leaves out records.
        more: Groupings of the other tables, over the same records.

    Returns:
        Table -> one row for each cell with records.
    """
    over_records = [*more, *_record_groupings(settings, chosen, district_column(records))]
    over_areas = _area_groupings(settings, chosen)
    frames = {}
    if over_records:
        frames[_CELLS] = count_groupings(records, over_records, cost="cost")
    if over_areas:
        at = density.by_area(records, settings.density.layers)
        frames[_AREA_CELLS] = count_groupings(at, over_areas, cost="cost")
    if ELEMENTS_PER_PERSON in chosen:
        counting = records.where(chosen[ELEMENTS_PER_PERSON].counts)
        banded = with_band(counting, settings.age_bands(settings.provision.services))
        frames[ELEMENTS_PER_PERSON.path] = registered.elements_per_person(banded)
    cells = collect(frames)
    counts: dict[TableSpec, pd.DataFrame] = {}
    if over_records:
        counts |= split_groupings(cells[_CELLS], over_records)
    if over_areas:
        counts |= split_groupings(cells[_AREA_CELLS], over_areas)
    if ELEMENTS_PER_PERSON in chosen:
        counts[ELEMENTS_PER_PERSON] = cells[ELEMENTS_PER_PERSON.path]
    return counts


def _record_groupings(
    settings: Settings, chosen: Mapping[TableSpec, Selection], district: Column
) -> list[Grouping]:
    """Groupings over records: one of REMOVED_ROWS for each table, and those of two tables."""
    groupings = [
        matrix.removed_grouping(table, each.left_out, each.considered)
        for table, each in chosen.items()
    ]
    if PROVISION_MATRIX in chosen:
        groupings.append(matrix.matrix_grouping(chosen[PROVISION_MATRIX].counts, district))
    if REGISTERED_SERVICES in chosen:
        bands = settings.age_bands(settings.provision.services)
        groupings.append(registered.services_grouping(bands, chosen[REGISTERED_SERVICES].counts))
    return groupings


def _area_groupings(settings: Settings, chosen: Mapping[TableSpec, Selection]) -> list[Grouping]:
    """Groupings over the rows of `density.by_area`."""
    groupings = []
    if DENSITY in chosen:
        bands = settings.age_bands(settings.density)
        groupings.append(density.density_grouping(bands, chosen[DENSITY].counts))
    if DENSITY_SERIES in chosen:
        groupings.append(density.series_grouping(chosen[DENSITY_SERIES].counts))
    return groupings
