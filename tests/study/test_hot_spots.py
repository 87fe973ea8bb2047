"""Hot spots of the yearly densities: Gi* and its adjusted p, recomputed from the densities."""

from pathlib import Path

import numpy as np
import pytest
import shapely
import yaml
from scipy import stats

LAYERS = yaml.safe_load(
    (Path(__file__).resolve().parents[2] / "conf" / "analyses" / "density.yaml").read_text("utf-8")
)["layers"]


@pytest.mark.parametrize("layer", ["ward", "sector"])
def test_hot_spots_of_the_series(study, layer):
    frame = study.frame("working/density_series")
    table = frame[frame["layer"] == layer].pivot(index="code", columns="year")
    shapes = study.frame("reference/areas").set_index(["layer", "code"])["geometry"][layer]
    centres = shapely.get_coordinates(
        shapely.centroid(shapely.from_wkb(shapes[table.index].map(bytes).to_numpy()))
    )
    apart = np.linalg.norm(centres[:, None] - centres[None], axis=2)
    weights = (apart <= LAYERS[layer]["within_metres"]).astype(float)
    total, n = weights.sum(1), len(weights)
    for year in table["people"].columns:
        values = table["people_per_km2"][year].to_numpy(float)
        spread = values.std() * np.sqrt((n * total - total**2) / (n - 1))
        z = (weights @ values - values.mean() * total) / spread
        assert table["gi_z"][year].to_numpy(float) == pytest.approx(z, rel=1e-6, abs=1e-9)
        p = stats.false_discovery_control(2 * stats.norm.sf(np.abs(z)), method="bh")
        assert table["gi_p_adjusted"][year].to_numpy(float) == pytest.approx(p, rel=1e-6)
