"""What the configuration of provision may say, and what is refused with a sentence."""

import re
import shutil
from pathlib import Path

import pytest
import yaml

from socare_spark.analyses.agreements import read_bands
from socare_spark.analyses.provision.settings import file_name, load_settings, of_ages
from socare_spark.errors import ConfigurationError

CONF = Path(__file__).resolve().parents[2] / "conf"


def test_the_choices_of_the_thesis_are_the_default():
    settings = load_settings(CONF)
    series, spread = settings.density.series, settings.distribution
    assert [*series.years] == [*range(2009, 2016)]
    assert [*settings.provision.services.years] == [*range(2009, 2015)]
    assert series.band == spread.band == "0-11"
    assert {"B21 8", "B44 0"} <= {area.code for area in spread.pictures}
    assert [area.code for area in series.surroundings] == ["B21 8"]
    assert settings.city_layer in settings.density.layers
    assert settings.services["HOME"]


@pytest.mark.parametrize(
    ("file", "change", "says"),
    [
        ("density", {"first_year": 2015, "last_year": 2010}, "'last_year' must not be before"),
        ("distribution", {"last_year": 2000}, "'last_year' must not be before 'first_year'"),
        ("distribution", {"layers": ["city"]}, "names the layer ward, 'layers' does not"),
        ("density", {"layers": {"city": {}}}, "draws the layer ward, 'layers' does not"),
        ("provision", {"services": {"dataset": "d", "age_bands": "a"}}, "first_year"),
    ],
)
def test_contradictory_settings_are_refused(tmp_path, file, change, says):
    shutil.copytree(CONF / "analyses", tmp_path / "analyses")
    path = tmp_path / "analyses" / f"{file}.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text("utf-8")) | change), "utf-8")
    with pytest.raises(ConfigurationError, match=re.escape(says)):
        load_settings(tmp_path)


@pytest.mark.parametrize(
    ("band", "says", "file"),
    [("all", "of all ages", "all"), ("0-11", "aged 0-11", "0-11"), ("65+", "aged 65+", "65plus")],
)
def test_age_band_has_a_title_and_a_file_name(band, says, file):
    assert of_ages(band) == says
    assert file_name(band) == file


def test_a_code_in_the_name_of_a_file():
    assert file_name("B21 8") == "B21_8"
    assert file_name("../x") == "_x"


def test_age_bands_with_edges_outside_the_kept_steps_are_refused(tmp_path):
    shutil.copytree(CONF, tmp_path / "conf")
    path = tmp_path / "conf/datasets/agreements_closed.yaml"
    text = path.read_text("utf-8")
    assert len(read_bands(tmp_path / "conf", "agreements", "agreements_closed")) == 4
    path.write_text(text.replace("steps: [0, 11, 25, 65]", "steps: [0, 18, 65]"), "utf-8")
    with pytest.raises(ConfigurationError, match="the edges 11, 25, which are not among"):
        read_bands(tmp_path / "conf", "agreements", "agreements_closed")
    path.write_text(text.replace(", steps: [0, 11, 25, 65]", ""), "utf-8")
    assert read_bands(tmp_path / "conf", "agreements", "agreements_closed")


def test_each_part_has_the_age_bands_of_its_dataset():
    settings = load_settings(CONF)
    for part in (settings.density, settings.distribution, settings.provision.services):
        assert settings.age_bands(part) == read_bands(CONF, part.age_bands, part.dataset)
    named = {(bands, dataset) for dataset, bands in settings.provision.totals.items()}
    assert named <= settings.bands.keys()


def test_a_council_without_places_has_no_layer_of_the_city(tmp_path):
    shutil.copytree(CONF, tmp_path / "conf")
    (tmp_path / "conf" / "places.yaml").unlink()
    assert load_settings(tmp_path / "conf").city_layer is None
