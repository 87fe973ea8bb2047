"""Totals of datasets, and the window of years with most of their agreements.

Source: thesis 3.11 and 4.2, Table 7 (age bands); docs/definitions.md, sections 5.3 and 5.4.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.lake.table import ColumnSpec, cell_table
from socare_spark.measures.bands import Band, band_of
from socare_spark.measures.person_counts import Grouping, number_of_records

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


def totals_grouping(bands: Mapping[str, Sequence[Band]]) -> Grouping:
    """Cells of DATASET_TOTALS.

    Args:
        bands: Dataset -> its age bands.
    """
    dataset, age = F.col("dataset"), F.col("age")
    band = F.coalesce(*(F.when(dataset == name, band_of(age, own)) for name, own in bands.items()))
    return Grouping(
        DATASET_TOTALS,
        {"dataset": dataset, "age_band": band},
        where=dataset.isin(*bands),
        totals=("age_band",),
    )


def records_by_year(records: DataFrame, datasets: Sequence[str]) -> DataFrame:
    """Counts the dated records of each dataset by year: `dataset`, `year`, `records`.

    Args:
        records: `dataset`, `year`, COUNT if a row can represent several agreements.
        datasets: Names of the datasets.
    """
    dated = records.where(F.col("dataset").isin(*datasets) & F.col("year").isNotNull())
    return dated.groupBy("dataset", "year").agg(F.sum(number_of_records(records)).alias("records"))


def dense_windows(years: pd.DataFrame, share: float) -> pd.DataFrame:
    """Finds the dense window of each dataset.

    Args:
        years: Result of `records_by_year`.
        share: Smallest share of a dataset's records in the window.

    Returns:
        One row per dataset: `dataset`, `first_year`, `last_year`, `share`.
    """
    rows = [
        (dataset, *window(rows["year"].to_numpy(int), rows["records"].to_numpy(int), share))
        for dataset, rows in years.groupby("dataset")
    ]
    return pd.DataFrame(rows, columns=["dataset", "first_year", "last_year", "share"])


def window_grouping(windows: pd.DataFrame) -> Grouping:
    """Cells of DENSE_WINDOW, of the records that start in the window of their dataset.

    Args:
        windows: Result of `dense_windows`.
    """
    dataset, year = F.col("dataset"), F.col("year")
    inside = F.lit(False)
    for name, first, last, _ in windows.to_numpy().tolist():
        inside = inside | ((dataset == name) & year.between(first, last))
    return Grouping(DENSE_WINDOW, {"dataset": dataset}, where=inside)


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
