"""Areas as pictures and files need them: in memory, with their geometries."""

import pandas as pd
import shapely

from socare_spark.lake.lake import Lake
from socare_spark.places.reference_tables import AREAS


def shapes_of(lake: Lake, *layers: str) -> pd.DataFrame:
    """The areas of some layers, in order of layer and code; none where the lake has none.

    Returns:
        `layer`, `code`, `name` and `shape`, in EPSG:27700.
    """
    if not lake.exists(AREAS):
        return pd.DataFrame(columns=["layer", "code", "name", "shape"])
    areas = lake.to_pandas(AREAS, "layer", "code", "name", "geometry")
    chosen = areas[areas["layer"].isin(layers)].sort_values(["layer", "code"], ignore_index=True)
    shapes = shapely.from_wkb(chosen.pop("geometry").to_numpy())
    found: pd.DataFrame = chosen.assign(shape=list(shapes))
    return found
