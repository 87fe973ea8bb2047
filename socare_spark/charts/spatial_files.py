"""Areas and their figures as GeoJSON and GeoParquet.

The same rows give the same bytes: features are in order of their codes, and files contain no date.
Both formats carry the words that the figures are exact and not for release.
"""

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import shapely

from socare_spark.charts.style import EXACT

_DEGREE_DIGITS = 6  # about a decimetre


def write_geojson(rows: pd.DataFrame, wkb: pd.Series, name: str, path: Path) -> Path:
    """Writes one FeatureCollection in longitude and latitude (RFC 7946).

    Args:
        rows: The properties of each feature.
        wkb: Geometry of each feature in EPSG:4326, longitude first.
        name: Name of the collection.
        path: Path of the file.
    """
    # Exterior rings are counterclockwise (RFC 7946, 3.1.6).
    shapes = shapely.orient_polygons(shapely.from_wkb(wkb.to_numpy()))
    features = [
        {"type": "Feature", "properties": _properties(row), "geometry": _rounded(shape)}
        for row, shape in zip(rows.to_dict("records"), shapes, strict=True)
    ]
    head = json.dumps({"type": "FeatureCollection", "name": name, "note": EXACT})
    body = ",\n".join(json.dumps(feature, separators=(",", ":")) for feature in features)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'{head[:-1]}, "features": [\n{body}\n]}}\n', "utf-8")
    return path


def _rounded(shape: shapely.Geometry) -> dict[str, Any]:
    """A geometry as GeoJSON, with rounded coordinates."""
    rounded = shapely.transform(shape, lambda pairs: np.round(pairs, _DEGREE_DIGITS))
    return dict(json.loads(shapely.to_geojson(rounded)))


def _properties(row: dict[Any, Any]) -> dict[str, Any]:
    return {str(key): None if pd.isna(value) else value for key, value in row.items()}


def write_geoparquet(rows: pd.DataFrame, wkb: pd.Series, path: Path) -> Path:
    """Writes one GeoParquet file in EPSG:27700.

    Args:
        rows: The columns except the geometry.
        wkb: Geometry of each feature in EPSG:27700.
        path: Path of the file.
    """
    frame = gpd.GeoDataFrame(rows, geometry=shapely.from_wkb(wkb.to_numpy()), crs="EPSG:27700")
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_parquet(path, index=False, compression="zstd")
    table = pq.read_table(path)
    note = {**(table.schema.metadata or {}), b"note": EXACT.encode()}
    pq.write_table(table.replace_schema_metadata(note), path, compression="zstd")
    return path
