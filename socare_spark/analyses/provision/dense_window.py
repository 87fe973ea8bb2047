"""Totals of datasets, and the window of years with most of their agreements.

Source: thesis 3.11 and 4.2, Table 7 (age bands); docs/definitions.md, sections 5.3 and 5.4.
"""

from collections.abc import Mapping, Sequence
from functools import reduce

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.agreements import with_band
from socare_spark.lake.table import ColumnSpec, cell_table
from socare_spark.measures.bands import Band
from socare_spark.measures.person_counts import count_people

DATASET = ColumnSpec("dataset", "string", "Dataset of agreements.")
AGE_BAND = ColumnSpec(
    "age_band", "string", "Age in completed years at the agreement's start; null means all ages."
)
DATASET_TOTALS = cell_table(
    "dataset_totals",
    "A dataset by age band, and as a whole; a person may be in several bands.",
    (DATASET, AGE_BAND),
    source="Thesis 3.11 and 4.2, Table 7",
)
DENSE_WINDOW = cell_table(
    "dense_window",
    "The shortest run of years that holds most of a dataset's agreements.",
    (DATASET,),
    (
        ColumnSpec("first_year", "int", "First year of the window, by the agreements' start."),
        ColumnSpec("last_year", "int", "Last year of the window."),
        ColumnSpec(
            "share", "double", "Share of the dataset's agreements that start in the window."
        ),
    ),
    source="Thesis 3.13.1, figure 7; docs/definitions.md, section 5.4",
)


def dataset_totals(records: DataFrame, bands: Mapping[str, Sequence[Band]]) -> DataFrame:
    """Counts the records of each dataset by age band.

    Args:
        records: `dataset`, `age`, `person`, `cost`.
        bands: Dataset -> its age bands.

    Returns:
        One row per dataset and age band, with totals. Columns as in DATASET_TOTALS.
    """
    banded = reduce(
        DataFrame.unionByName,
        [
            with_band(records.where(F.col("dataset") == dataset), dataset_bands)
            for dataset, dataset_bands in bands.items()
        ],
    )
    return count_people(banded, ["dataset", "age_band"], cost="cost", totals=["age_band"])


def dense_windows(records: DataFrame, datasets: Sequence[str], share: float) -> DataFrame:
    """Finds the dense window of each dataset and counts the records that start in it.

    Args:
        records: `dataset`, `year`, `person`, `cost`.
        datasets: Names of the datasets.
        share: Smallest share of a dataset's records in the window.

    Returns:
        One row per dataset with dated records. Columns as in DENSE_WINDOW.
    """
    wanted = records.where(F.col("dataset").isin(*datasets))
    years = wanted.where("year IS NOT NULL").groupBy("dataset", "year").count().toPandas()
    rows = [
        (dataset, *window(years["year"].to_numpy(int), years["count"].to_numpy(int), share))
        for dataset, years in years.groupby("dataset")
    ]
    schema = "dataset string, first_year int, last_year int, share double"
    windows = F.broadcast(wanted.sparkSession.createDataFrame(rows, schema))
    inside = wanted.join(windows, "dataset").where("year BETWEEN first_year AND last_year")
    return count_people(inside, ["dataset", "first_year", "last_year", "share"], cost="cost")


def window(years: np.ndarray, counts: np.ndarray, share: float) -> tuple[int, int, float]:
    """Finds the shortest window of consecutive years with at least a share of the counts.

    Of windows of equal length, the one with the largest count is used, then the earliest.

    Returns:
        First year, last year, and the share of the counts in the window.
    """
    series = pd.Series(counts, index=years).groupby(level=0).sum()
    series = series.reindex(range(int(min(years)), int(max(years)) + 1), fill_value=0)
    total = int(series.sum())
    sums = np.concatenate([[0], np.cumsum(series.to_numpy())])
    for length in range(1, len(series) + 1):
        held = sums[length:] - sums[:-length]
        best = int(held.argmax())
        if held[best] >= share * total:
            break
    first = int(series.index[best])
    return first, first + length - 1, float(held[best] / total)
