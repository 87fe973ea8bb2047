"""Hot spots: the local statistic Gi* of Getis and Ord, with binary weights within a distance.

Sedona's `g_local` gives the same Z (a test compares them). It handles one variable of one layer at
a time and runs a Spark action for each. Areas are few, so one matrix product computes all variables
of a layer here. All areas of a layer are included, also those with a value of 0.

Source: Ord, J. K. and Getis, A. (1995), Local spatial autocorrelation statistics, Geographical
Analysis 27(4), formula (14).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from scipy.sparse import csr_array
from scipy.spatial import KDTree


@dataclass(frozen=True)
class Neighbours:
    """The areas of a layer, and the pairs of areas within a distance.

    Attributes:
        codes: Codes of the areas.
        weights: 1 for each pair of neighbours in the order of the codes. An area is its own
            neighbour (the star form).
    """

    codes: pd.Index
    weights: csr_array


def neighbours(areas: pd.DataFrame, metres: Mapping[str, float]) -> dict[str, Neighbours]:
    """Finds pairs of areas of one layer whose centroids are within the layer's distance.

    Args:
        areas: `layer`, `code`, `geometry` (WKB in EPSG:27700).
        metres: Layer -> distance in metres.

    Returns:
        Layer -> its neighbours, for each layer with a distance.
    """
    return {
        layer: _neighbours_within(areas[areas["layer"] == layer], distance)
        for layer, distance in metres.items()
    }


def _neighbours_within(areas: pd.DataFrame, metres: float) -> Neighbours:
    centres = shapely.get_coordinates(shapely.centroid(shapely.from_wkb(areas["geometry"])))
    number = len(areas)
    pairs = np.empty((0, 2), dtype=int)
    if number:
        pairs = KDTree(centres).query_pairs(metres, output_type="ndarray")
    own = np.arange(number)
    rows = np.concatenate([pairs[:, 0], pairs[:, 1], own])
    columns = np.concatenate([pairs[:, 1], pairs[:, 0], own])
    weights = csr_array((np.ones(len(rows)), (rows, columns)), shape=(number, number))
    return Neighbours(pd.Index(areas["code"]), weights)


def gi_star(values: pd.DataFrame, near: Mapping[str, Neighbours]) -> pd.DataFrame:
    """Computes Gi* of each area as a standard normal deviate.

    Args:
        values: `layer`, `code`, `series` (identifies one variable), `value`. Each area of a layer
            has a row in each series.
        near: Result of `neighbours`.

    Returns:
        One row for each area and series: `layer`, `code`, `series`, `gi_z`. `gi_z` is NaN if all
        areas are neighbours of each other. A series without variance has no rows.
    """
    scores = [
        _scores(values[values["layer"] == layer], of_layer).assign(layer=layer)
        for layer, of_layer in near.items()
    ]
    columns = ["layer", "code", "series", "gi_z"]
    return (
        pd.concat(scores, ignore_index=True)[columns] if scores else pd.DataFrame(columns=columns)
    )


def _scores(values: pd.DataFrame, near: Neighbours) -> pd.DataFrame:
    """Gi* of one layer: `code`, `series`, `gi_z`."""
    table = values.pivot(index="code", columns="series", values="value").loc[near.codes]
    by_series = table.loc[:, table.max() > table.min()]
    n, weight = len(table), near.weights.sum(axis=1)
    mean, deviation = by_series.mean().to_numpy(), by_series.std(ddof=0).to_numpy()
    excess = near.weights @ by_series.to_numpy() - np.outer(weight, mean)
    # With one area there is no variance, so n - 1 is at least 1.
    spread = np.outer(np.sqrt((n * weight - weight**2) / max(n - 1, 1)), deviation)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(spread > 0, excess / spread, np.nan)
    scores = pd.DataFrame(z, index=near.codes, columns=by_series.columns)
    return (
        scores.rename_axis("code")
        .melt(var_name="series", value_name="gi_z", ignore_index=False)
        .reset_index()
    )
