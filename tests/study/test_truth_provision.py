"""The tables of `provision` by area, year and element, recounted from the restricted records.

The configuration is read as it stands, so that another choice of years or ages is recounted too.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely
import yaml
from scipy import stats

CONF = Path(__file__).resolve().parents[2] / "conf"


def conf(name):
    return yaml.safe_load((CONF / f"{name}.yaml").read_text("utf-8"))


DENSITY, SPREAD = conf("analyses/density"), conf("analyses/distribution")
SERIES, SERVICES = DENSITY["series"], conf("analyses/provision")["services"]


def bands(settings):
    return conf("vocabulary/age_bands")[settings["age_bands"]]


def band_of(settings):
    """SQL: the age band of a record."""
    whens = " ".join(
        f"WHEN age_at_start >= {b['from']} "
        + (f"AND age_at_start < {b['to']} " if b["to"] is not None else "")
        + f"THEN '{b['label']}'"
        for b in bands(settings)
    )
    return f"CASE {whens} ELSE 'unknown' END"


def records(settings, band="all"):
    """SQL: the records of a dataset, those of one age band where one is named."""
    element = "upper(trim(element))"
    mended = conf("vocabulary/elements")["mended"]
    whens = " ".join(f"WHEN '{wrong}' THEN '{right}'" for wrong, right in mended.items())
    of_age = "true" if band == "all" else f"{band_of(settings)} = '{band}'"
    return f"""(SELECT person, postcode, year(agreement_start) AS year, service,
        {band_of(settings)} AS age_band, CASE {element} {whens} ELSE {element} END AS element
        FROM {{restricted/{settings["dataset"]}}} WHERE {of_age})"""


def rows(study, name, *columns):
    frame = study.frame(f"working/{name}")[list(columns)]
    return frame.astype(object).where(frame.notna(), None)


def as_set(frame):
    return sorted(map(tuple, frame.to_numpy().tolist()), key=str)


def test_element_distribution(study):
    layers = ", ".join(f"'{layer}'" for layer in SPREAD["layers"])
    expected = study.query(
        f"""SELECT p.layer, p.code, element, year, count(DISTINCT person), count(*) AS n,
            row_number() OVER (PARTITION BY p.layer, p.code, year ORDER BY n DESC, element)
        FROM {records(SPREAD, SPREAD["age_band"])} AS r
        JOIN {{reference/postcode_areas}} AS p USING (postcode)
        WHERE p.layer IN ({layers}) AND p.code IS NOT NULL
            AND year BETWEEN {SPREAD["first_year"]} AND {SPREAD["last_year"]}
        GROUP BY p.layer, p.code, element, year"""
    )
    names = ("layer", "code", "element", "year", "people", "records", "rank")
    assert len(expected) > 100
    assert as_set(rows(study, "element_distribution", *names)) == sorted(expected, key=str)


def test_density_series(study):
    layers = ", ".join(f"'{layer}'" for layer in DENSITY["layers"])
    years = f"{SERIES['first_year']} AND {SERIES['last_year']}"
    counted = {
        tuple(key): counts
        for *key, counts in study.query(
            f"""SELECT p.layer, p.code, year, [count(DISTINCT person), count(*)]
            FROM {records(DENSITY, SERIES["age_band"])} AS r
            JOIN {{reference/postcode_areas}} AS p USING (postcode)
            WHERE p.code IS NOT NULL AND year BETWEEN {years} GROUP BY p.layer, p.code, year"""
        )
    }
    areas = study.query(
        f"SELECT layer, code, area_km2 FROM {{reference/areas}} WHERE layer IN ({layers})"
    )
    found = rows(
        study, "density_series", "layer", "code", "year", "people", "records", "people_per_km2"
    )
    expected = []
    for layer, code, km2 in areas:
        for year in range(SERIES["first_year"], SERIES["last_year"] + 1):
            people, number = counted.get((layer, code, year), (0, 0))
            expected.append((layer, code, year, people, number, people / km2))
    assert sum(row[3] for row in expected) > 100
    assert as_set(found) == sorted(expected, key=str)


def test_density_series_for_each_1000(study):
    """By the population of the year nearest to the frame's."""
    population = study.frame("reference/population")
    label = SERIES["age_band"]
    of_band = population["age_band"].isna() if label == "all" else population["age_band"] == label
    known = population[of_band].sort_values("year")
    found = study.frame("working/density_series")
    both = found.merge(known, on=["layer", "code"], suffixes=("", "_known"))
    both["away"] = (both["year"] - both["year_known"]).abs()
    nearest = both.sort_values(["away", "year_known"]).groupby(["layer", "code", "year"]).first()
    expected = 1000 * nearest["people"] / nearest["population"]
    ours = found.set_index(["layer", "code", "year"])["people_per_1000"]
    assert set(ours.dropna().index) == set(nearest.index[nearest["population"] > 0])
    pd.testing.assert_series_equal(
        ours.dropna().sort_index(), expected.sort_index(), check_names=False, rtol=1e-12
    )


@pytest.mark.parametrize("layer", ["ward", "sector"])
def test_hot_spots_of_the_series(study, layer):
    frame = study.frame("working/density_series")
    table = frame[frame["layer"] == layer].pivot(index="code", columns="year")
    shapes = study.frame("reference/areas").set_index(["layer", "code"])["geometry"][layer]
    centres = shapely.get_coordinates(
        shapely.centroid(shapely.from_wkb(shapes[table.index].map(bytes).to_numpy()))
    )
    apart = np.linalg.norm(centres[:, None] - centres[None], axis=2)
    weights = (apart <= DENSITY["layers"][layer]["within_metres"]).astype(float)
    total, n = weights.sum(1), len(weights)
    for year in table["people"].columns:
        values = table["people_per_km2"][year].to_numpy(float)
        spread = values.std() * np.sqrt((n * total - total**2) / (n - 1))
        z = (weights @ values - values.mean() * total) / spread
        assert table["gi_z"][year].to_numpy(float) == pytest.approx(z, rel=1e-6, abs=1e-9)
        p = stats.false_discovery_control(2 * stats.norm.sf(np.abs(z)), method="bh")
        assert table["gi_p_adjusted"][year].to_numpy(float) == pytest.approx(p, rel=1e-6)


def test_registered_services(study):
    years = f"{SERVICES['first_year']} AND {SERVICES['last_year']}"
    expected = study.query(
        f"""SELECT year, age_band, upper(trim(service)) AS s, count(DISTINCT person), count(*)
        FROM {records(SERVICES)} WHERE year BETWEEN {years}
        GROUP BY GROUPING SETS ((year, age_band, s), (year, s))"""
    )
    names = ("year", "age_band", "service", "people", "records")
    assert len(expected) > 100
    assert as_set(rows(study, "registered_services", *names)) == sorted(expected, key=str)


def test_elements_per_person(study):
    expected = [
        (kind, band, elements, people)
        for kind, what in (
            ("registered", "count(element)"),
            ("distinct", "count(DISTINCT element)"),
        )
        for band, elements, people in study.query(
            f"""SELECT age_band, n, count(*) FROM (
                SELECT person, age_band, {what} AS n FROM {records(SERVICES)}
                GROUP BY GROUPING SETS ((person, age_band), (person)))
            GROUP BY age_band, n"""
        )
    ]
    names = ("kind", "age_band", "elements", "people")
    assert as_set(rows(study, "elements_per_person", *names)) == sorted(expected, key=str)
    frame = study.frame("working/elements_per_person")
    whole = frame[frame["age_band"].isna()]
    ((people, number),) = study.query(
        f"SELECT count(DISTINCT person), count(*) FROM {{restricted/{SERVICES['dataset']}}}"
    )
    for _, of_kind in whole.groupby("kind"):
        assert (of_kind["people"].sum(), of_kind["records"].sum()) == (people, number)


def test_removed_rows(study):
    """Each table by area and its removed rows are all records of its ages."""
    removed = study.frame("working/removed_rows").groupby("analysis")["records"].sum()
    for name, settings, band in (
        ("density", DENSITY, "all"),
        ("density_series", DENSITY, SERIES["age_band"]),
        ("element_distribution", SPREAD, SPREAD["age_band"]),
    ):
        ((number,),) = study.query(f"SELECT count(*) FROM {records(settings, band)}")
        frame = study.frame(f"working/{name}")
        city = frame[frame["layer"] == "city"]
        if name == "density":
            city = city[city["age_band"].isna()]
        assert city["records"].sum() + removed[name] == number, name
    frame = study.frame("working/registered_services")
    counted = frame[frame["age_band"].isna()]["records"].sum()
    ((number,),) = study.query(f"SELECT count(*) FROM {records(SERVICES)}")
    assert counted + removed["registered_services"] == number
