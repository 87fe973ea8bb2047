"""Texts of charts of a council with other records than agreements, and of maps without figures."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import shapely
import yaml
from council import VISITS
from pictures import texts_of

from socare_spark.analyses.cross_service import pictures as cross_service
from socare_spark.analyses.nouns import RECORD, layer_name, noun_of
from socare_spark.analyses.provision import maps, series_maps
from socare_spark.analyses.provision.settings import DensitySettings
from socare_spark.charts import area_maps
from socare_spark.contracts.contract import Contract
from socare_spark.contracts.nouns import Noun

SQUARES = [shapely.box(1000 * i, 0, 1000 * i + 1000, 1000) for i in range(4)]
AREAS = pd.DataFrame(
    {"code": ["W1", "W2", "W3", "W4"], "geometry": [shapely.to_wkb(square) for square in SQUARES]}
)
SETTINGS = DensitySettings.model_validate(
    {
        "dataset": "visits",
        "age_bands": "bands",
        "layers": {"ward": {"within_metres": 1500}},
        "picture_bands": ["0-11", "all"],
        "series": {"age_band": "0-11", "first_year": 2019, "last_year": 2020},
    }
)


@pytest.fixture
def said(monkeypatch):
    return texts_of(monkeypatch, area_maps)


@pytest.fixture
def context(tmp_path):
    """A council whose records are visits, without a lake."""
    (tmp_path / "datasets").mkdir()
    extension = VISITS["socare"] | {"noun": {"one": "visit", "many": "visits"}}
    text = yaml.safe_dump(VISITS | {"socare": extension})
    (tmp_path / "datasets" / "visits.yaml").write_text(text, "utf-8")
    lake = SimpleNamespace(maps=tmp_path / "maps")
    return SimpleNamespace(conf=tmp_path, lake=lake, picture=lambda _: None)


def layer():
    """Nobody in W1; people of 0-11 in W2; in W3 and W4 also people whose age is not known."""
    rows = [
        *(("W1", band, 0) for band in ("0-11", "unknown", "all")),
        ("W2", "0-11", 3), ("W2", "unknown", 0), ("W2", "all", 3),
        ("W3", "0-11", 0), ("W3", "unknown", 2), ("W3", "all", 2),
        ("W4", "0-11", 1), ("W4", "unknown", 4), ("W4", "all", 5),
    ]  # fmt: skip
    figures = pd.DataFrame(rows, columns=["code", "age_band", "people"])
    figures = figures.assign(
        records=figures["people"], people_per_km2=figures["people"], gi_z=np.nan,
        gi_p_adjusted=np.nan,
    )  # fmt: skip
    return maps._Layer("ward", AREAS, figures)


def test_records_have_the_noun_of_their_contract(context):
    assert noun_of(context.conf, "visits") == Noun(one="visit", many="visits")
    assert noun_of(context.conf, "other") == RECORD
    assert (layer_name("district"), layer_name("ward")) == ("postcode district", "ward")


def test_a_noun_does_not_change_the_digest_of_a_contract():
    plain = Contract.model_validate(VISITS)
    extension = VISITS["socare"] | {"noun": {"one": "visit", "many": "visits"}}
    named = Contract.model_validate(VISITS | {"socare": extension})
    day = pd.Timestamp("2020-12-31").date()
    assert named.digest(day) == plain.digest(day)


def test_maps_name_the_records_and_areas_without_a_known_age(context, said):
    maps._draw_layer(context, layer(), SETTINGS, None)
    assert "People with visits, aged 0-11, by ward" in said
    assert "Hot spots of people with visits, of all ages, by ward" in said
    assert not [text for text in said if "greement" in text]
    # W1 has nobody; in W3 nobody is known to be 0-11, but the age of two people is not known.
    assert {"age not known (1)", "nobody (1)"} <= set(said)
    assert "nobody (2)" not in said


def test_areas_whose_records_have_no_person_are_not_known(context, said):
    without = layer()
    is_first = without.figures["code"].eq("W1") & without.figures["age_band"].eq("all")
    without.figures.loc[is_first, "records"] = 7
    every = SETTINGS.model_copy(update={"picture_bands": ("all",)})
    maps._draw_layer(context, without, every, None)
    assert "not known (1)" in said
    assert not [text for text in said if text.startswith(("nobody", "age not known"))]


def test_years_of_an_area_with_unknown_ages_are_not_known():
    figures = pd.DataFrame(
        [(code, year, people)
         for year, counts in ((2019, (0, 3, 0, 1)), (2020, (0, 0, 2, 0)))
         for code, people in zip(AREAS["code"], counts, strict=True)],
        columns=["code", "year", "people_per_km2"],
    )  # fmt: skip
    areas = AREAS.assign(without_age=layer().without_age)
    frames = series_maps._whole(SETTINGS, areas, figures, None)
    expected = [[0, 3, np.nan, 1], [0, 0, 2, np.nan]]
    np.testing.assert_array_equal(frames.values, expected)
    assert frames.missing.label == "age not known"
    every = SETTINGS.series.model_copy(update={"age_band": "all"})
    of_all = SETTINGS.model_copy(update={"series": every})
    assert not np.isnan(series_maps._whole(of_all, areas, figures, None).values).any()


def test_areas_without_known_people_have_no_share(context, said):
    areas = pd.DataFrame({"shape": SQUARES, "share": [np.nan, 0.0, 0.0, 0.25]})
    cross_service._draw_map(context, "ward", areas, None)
    assert {"not applicable (1)", "0: known to one service (2)"} <= set(said)
    assert not [text for text in said if text.startswith("nobody")]
