"""Gi* against its formula and esda, without variation, and of several layers and series."""

import numpy as np
import pandas as pd
import pytest
import shapely
from frames import rows_of
from scipy import stats

from socare_spark.analyses.provision import density
from socare_spark.measures.hotspots import gi_star, neighbours

SIDE = 5
VALUES = np.array(
    [0, 0, 1, 7, 9, 0, 2, 1, 8, 8, 0, 0, 0, 3, 2, 1, 0, 0, 0, 0, 5, 0, 0, 1, 0], float
)


def field(values, layer="grid", series="all"):
    """Squares of a grid of one kilometre in rows of five, and their values."""
    shapes = [
        shapely.box(x, y, x + 9, y + 9)
        for i in range(len(values))
        for x, y in [(1000 * (i % SIDE), 1000 * (i // SIDE))]
    ]
    codes = [f"{i:03d}" for i in range(len(values))]
    areas = pd.DataFrame({"layer": layer, "code": codes, "geometry": shapely.to_wkb(shapes)})
    rows = pd.DataFrame({"layer": layer, "code": codes, "series": series, "value": values})
    return areas, rows


def scores_of(values, metres=1500):
    areas, rows = field(values)
    found = gi_star(rows, neighbours(areas, {"grid": metres}))
    return found.sort_values("code")["gi_z"].to_numpy(float)


def test_gi_star_is_the_published_formula():
    place = np.array([(i % SIDE, i // SIDE) for i in range(25)])
    weights = (np.linalg.norm(place[:, None] - place[None], axis=2) <= 1.5).astype(float)
    n, mean, deviation = len(VALUES), VALUES.mean(), VALUES.std()
    total = weights.sum(1)
    spread = deviation * np.sqrt((n * (weights**2).sum(1) - total**2) / (n - 1))
    assert scores_of(VALUES) == pytest.approx((weights @ VALUES - mean * total) / spread, rel=1e-9)


def test_gi_star_by_hand():
    """Three areas in a row: 0, 0 and 3 with mean 1 and deviation sqrt(2)."""
    # The last area and its neighbour: (3 - 2 x 1) / (sqrt(2) x sqrt((3 x 2 - 2^2) / 2)).
    assert scores_of(np.array([0, 0, 3.0]), 1000) == pytest.approx(
        [-2 / np.sqrt(2), np.nan, 1 / np.sqrt(2)], nan_ok=True
    )


def test_gi_star_is_esdas():
    esda = pytest.importorskip("esda")
    libpysal = pytest.importorskip("libpysal")
    place = [(1000 * (i % SIDE), 1000 * (i // SIDE)) for i in range(25)]
    weights = libpysal.weights.DistanceBand(place, 1500.0, binary=True, silence_warnings=True)
    other = esda.getisord.G_Local(VALUES, weights, transform="B", permutations=0, star=True)
    assert scores_of(VALUES) == pytest.approx(np.asarray(other.Zs), rel=1e-9)


@pytest.mark.parametrize(
    ("values", "metres"),
    [
        (np.zeros(25), 1500),  # nobody anywhere
        (np.full(25, 0.1), 1500),  # the same everywhere, with a rounded mean
        (VALUES, 99_000),  # everything is a neighbour of everything
        (np.array([3.0]), 1500),  # nothing to compare with
        (np.array([]), 1500),  # no area
    ],
)
def test_gi_star_is_null_without_variation(values, metres):
    assert np.isnan(scores_of(values, metres)).all()


def test_gi_star_of_an_isolated_area_is_its_own_z_score():
    z = scores_of(VALUES, metres=10)
    assert z == pytest.approx((VALUES - VALUES.mean()) / VALUES.std())


def test_neighbours_are_of_one_layer_and_the_distance_counts():
    areas = pd.concat([field(VALUES[:3])[0], field(VALUES[:2], layer="ward")[0]])
    near = neighbours(areas, {"grid": 1000.0, "ward": 999.0})
    assert near["ward"].weights.toarray().tolist() == [[1, 0], [0, 1]]
    assert near["grid"].weights.toarray().tolist() == [[1, 1, 0], [1, 1, 1], [0, 1, 1]]
    assert near["grid"].codes.tolist() == ["000", "001", "002"]


def test_a_layer_without_a_distance_has_no_scores():
    areas = pd.concat([field(VALUES)[0], field(VALUES, layer="ward")[0]])
    rows = pd.concat([field(VALUES)[1], field(VALUES, layer="ward")[1]])
    found = gi_star(rows, neighbours(areas, {"ward": 1500.0}))
    assert found["layer"].unique().tolist() == ["ward"]
    assert found["gi_z"].to_numpy() == pytest.approx(scores_of(VALUES))
    assert gi_star(rows, {}).columns.tolist() == found.columns.tolist()


def test_a_layer_without_variance_does_not_change_the_scores_of_another():
    layers = {"grid": VALUES, "ward": np.zeros(4), "city": np.ones(1)}
    parts = [field(values, layer=layer) for layer, values in layers.items()]
    areas, rows = (pd.concat(frames) for frames in zip(*parts, strict=True))
    found = gi_star(rows, neighbours(areas, dict.fromkeys(layers, 1500.0)))
    assert found["layer"].unique().tolist() == ["grid"]
    assert found["gi_z"].to_numpy() == pytest.approx(scores_of(VALUES))


def test_hot_spots_of_all_years_in_one_pass_are_those_of_each():
    other = VALUES[::-1].copy()
    other[0] += 3
    areas, first = field(VALUES)
    shown = pd.concat([first.assign(year=2010), first.assign(year=2011, value=other)])
    shown = shown.drop(columns="series").rename(columns={"value": "people_per_km2"})
    found = density.with_hotspots(shown, neighbours(areas, {"grid": 1500.0}), "year")
    assert found.columns.tolist() == [*shown.columns, "gi_z", "gi_p_adjusted"]
    for year, values in ((2010, VALUES), (2011, other)):
        own = found[found["year"] == year]
        z = scores_of(values)
        assert own["gi_z"].to_numpy(float) == pytest.approx(z, rel=1e-12)
        p = stats.false_discovery_control(2 * stats.norm.sf(np.abs(z)), method="bh")
        assert own["gi_p_adjusted"].to_numpy(float) == pytest.approx(p, rel=1e-12)


def test_hot_spots_without_any_distance_are_null():
    shown = field(VALUES)[1].drop(columns="series").rename(columns={"value": "people_per_km2"})
    found = density.with_hotspots(shown.assign(age_band=None), {}, "age_band")
    assert len(found) == len(VALUES)
    assert found[["gi_z", "gi_p_adjusted"]].isna().all(axis=None)


def test_hot_spots_of_all_ages_are_apart_from_those_of_a_band():
    areas, rows = field(VALUES)
    shown = rows.drop(columns="series").rename(columns={"value": "people_per_km2"})
    ages = pd.concat(
        [shown.assign(age_band="0-11", people_per_km2=0.0), shown.assign(age_band=None)]
    )
    found = density.with_hotspots(ages, neighbours(areas, {"grid": 1500.0}), "age_band")
    whole = found["age_band"].isna()
    assert found.loc[whole, "gi_z"].to_numpy(float) == pytest.approx(scores_of(VALUES))
    assert found.loc[~whole, "gi_z"].isna().all()


def test_p_is_adjusted_within_a_layer_and_a_series():
    found = density.with_adjusted_p(
        pd.DataFrame(
            {
                "layer": ["a", "a", "b", "a"],
                "code": ["1", "2", "1", "3"],
                "series": ["all", "all", "all", "x"],
                "gi_z": [3.0, 1.0, 2.0, np.nan],
            }
        )
    )
    p = 2 * stats.norm.sf([3.0, 1.0, 2.0])
    assert found["gi_p_adjusted"][:3].to_numpy() == pytest.approx([2 * p[0], p[1], p[2]])
    assert rows_of(found[3:], "layer", "code", "series", "gi_p_adjusted") == [("a", "3", "x", None)]
