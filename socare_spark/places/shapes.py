"""Areas in memory, for charts and files."""

import pandas as pd
import shapely

from socare_spark.lake.lake import Lake
from socare_spark.places.reference_tables import AREAS


def shapes_of(lake: Lake, *layers: str) -> pd.DataFrame:
    """Reads the areas of some layers.

    Returns:
        One row per area in order of layer and code: `layer`, `code`, `name`, `shape` (EPSG:27700).
        Empty if the lake has no table of areas.
    """
    if not lake.exists(AREAS):
        return pd.DataFrame(columns=["layer", "code", "name", "shape"])
    areas = lake.to_pandas(AREAS, "layer", "code", "name", "geometry")
    chosen = areas[areas["layer"].isin(layers)].sort_values(["layer", "code"], ignore_index=True)
    shapes = shapely.from_wkb(chosen.pop("geometry").to_numpy())
    areas_with_shapes: pd.DataFrame = chosen.assign(shape=list(shapes))
    return areas_with_shapes
