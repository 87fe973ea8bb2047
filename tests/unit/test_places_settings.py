"""What conf/places.yaml may say, and the sentence where it may not."""

import copy
from pathlib import Path

import pytest
import yaml

from socare_spark.analyses.provision.settings import DensitySettings, ProvisionSettings
from socare_spark.config import read_model
from socare_spark.errors import ConfigurationError
from socare_spark.places.settings import PlacesSettings

CONF = Path(__file__).resolve().parents[2] / "conf"
GOOD = {
    "postcodes": [{"name": "a", "layout": "onspd", "files": ["a.csv"]}],
    "layers": {
        "ward": {"kind": "file", "file": "w.gpkg", "code": "code"},
        "city": {"kind": "dissolve", "layer": "ward", "code": "X", "name": "All"},
        "sector": {"kind": "postcode", "level": "sector"},
    },
    "bounds": "city",
}


def _read(tmp_path, change):
    data = copy.deepcopy(GOOD)
    change(data)
    (tmp_path / "places.yaml").write_text(yaml.safe_dump(data))
    return read_model(tmp_path / "places.yaml", PlacesSettings)


def test_the_delivered_files_are_read():
    places = read_model(CONF / "places.yaml", PlacesSettings)
    density = read_model(CONF / "analyses" / "density.yaml", DensitySettings)
    provision = read_model(CONF / "analyses" / "provision.yaml", ProvisionSettings)
    assert set(density.layers) <= set(places.layers)
    assert provision.layer in places.layers
    assert len(provision.years) == 15


def test_only_layers_with_boundaries_need_the_spatial_join(tmp_path):
    assert _read(tmp_path, lambda data: None).file_layers == ["city", "ward"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda d: d.update(bounds="sector"), "not a file or dissolved layer"),
        (lambda d: d["layers"]["city"].update(layer="sector"), "not a file layer"),
        (lambda d: d["layers"]["ward"].update(kind="oracle"), "layers.ward"),
        (lambda d: d["layers"]["ward"].update(crs="27700"), "crs"),
        (
            lambda d: d["postcodes"][0].update(layout="codepoint", columns={"postcode": "p"}),
            "header",
        ),
        (lambda d: d["postcodes"][0].update(columns={"place": "p"}), "columns"),
        (lambda d: d["postcodes"][0].update(files=[]), "files"),
        (lambda d: d["layers"].update(grid={"kind": "grid", "metres": 300}), "grid"),
        (lambda d: d.update(surprise=1), "surprise"),
    ],
)
def test_wrong_setting_is_refused_by_its_key(tmp_path, change, says):
    with pytest.raises(ConfigurationError, match=says):
        _read(tmp_path, change)
