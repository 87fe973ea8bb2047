"""Areas as pictures and files need them: in memory, with their geometries."""

import pandas as pd
import shapely

from socare_spark.lake.zones import Lake
from socare_spark.places.tables import AREAS


def shapes_of(lake: Lake, *layers: str) -> pd.DataFrame:
    """The areas of some layers, in order of layer and code.

    Returns:
        `layer`, `code`, `name`, `area_km2`, `geometry` (WKB) and `shape`, both in EPSG:27700.
    """
    areas = lake.frame(AREAS, "layer", "code", "name", "area_km2", "geometry")
    chosen = areas[areas["layer"].isin(layers)].sort_values(["layer", "code"], ignore_index=True)
    found: pd.DataFrame = chosen.assign(shape=list(shapely.from_wkb(chosen["geometry"].to_numpy())))
    return found
