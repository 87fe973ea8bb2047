"""Boundary files: the columns that are wanted, the geometry and the coordinate system.

GDAL reads GeoPackage, GeoJSON and shapefile, GeoPandas reads GeoParquet. Boundary files are small,
so the driver reads them: a file's fault is then one sentence before Spark starts. The bounds on
their size are stated here and enforced.
"""

import codecs
import json
import re
import struct
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import shapely
from pyarrow.lib import ArrowException
from pyogrio.errors import DataLayerError, DataSourceError, FeatureError, FieldError, GeometryError

from socare_spark.errors import ConfigurationError, DataError
from socare_spark.places.coordinate_systems import LONGITUDE_LATITUDE, epsg_code
from socare_spark.places.settings import FileLayer
from socare_spark.places.source_files import layer_files

LARGEST_FILE = 500_000_000
MOST_FEATURES = 250_000
FORMATS = {
    ".gpkg": "geopackage",
    ".geojson": "geojson",
    ".json": "geojson",
    ".parquet": "geoparquet",
    ".shp": "shapefile",
}
_TITLES = {
    "geopackage": "a GeoPackage",
    "geojson": "GeoJSON",
    "geoparquet": "GeoParquet",
    "shapefile": "a shapefile",
}
_DRIVERS = {"geopackage": "GPKG", "geojson": "GeoJSON", "shapefile": "ESRI Shapefile"}
_FAULTS = (
    DataSourceError,
    DataLayerError,
    FeatureError,
    FieldError,
    GeometryError,
    ArrowException,
    OSError,
    KeyError,
    ValueError,
    TypeError,
    RuntimeError,
)


@dataclass(frozen=True)
class Features:
    """The features of one layer as its file has them.

    Attributes:
        columns: The wanted columns as text, one row for each feature.
        shapes: Their geometries; None where a feature has none.
        unreadable: Number of features whose geometry is not a geometry, as a ring that is not
            closed.
        system: EPSG code of the coordinate system, or None where the file does not say.
        stated: Whether the file itself names the system, in contrast to its format's default.
    """

    columns: pd.DataFrame
    shapes: np.ndarray
    unreadable: int
    system: str | None
    stated: bool


@dataclass(frozen=True)
class _Source:
    """A layer's file and the name that messages give it."""

    name: str
    layer: FileLayer
    path: Path
    files: Sequence[Path]
    kind: str

    @property
    def title(self) -> str:
        return f"Layer {self.name}: {self.layer.file}"


def read_features(landing: Path, name: str, layer: FileLayer) -> Features:
    """Reads the wanted columns and the geometry of a layer.

    Raises:
        ConfigurationError: the format, the table or a column is not as the settings say.
        DataError: the file is missing, too large or not readable.
    """
    path = landing / layer.file
    kind = layer.format or FORMATS.get(path.suffix.lower())
    if kind is None:
        raise ConfigurationError(
            f"Layer {name}: cannot infer the format of {layer.file} from its extension; set "
            "'format' to one of geopackage, geojson, geoparquet, shapefile."
        )
    if not path.exists():
        raise DataError(f"Layer {name}: No file {layer.file} in {landing}.")
    source = _Source(name, layer, path, layer_files(landing, layer), kind)
    size = sum(file.stat().st_size for file in source.files)
    if size > LARGEST_FILE:
        raise DataError(
            f"{source.title} has {size:,} bytes; a layer may have {LARGEST_FILE:,}. Cut it to the "
            "council's area, or take a generalised edition."
        )
    with _readable(source):
        return _geoparquet(source) if kind == "geoparquet" else _by_gdal(source)


@contextmanager
def _readable(source: _Source) -> Iterator[None]:
    """Turns a library's complaint about a file into a sentence."""
    try:
        with warnings.catch_warnings():
            # GDAL warns of what the checks below count, and a warning may quote a cell.
            warnings.simplefilter("ignore")
            yield
    except _FAULTS as error:
        raise DataError(
            f"{source.title} is not readable as {_TITLES[source.kind]}: it is damaged, cut off or "
            "in another format. Export it again."
        ) from error


def _wanted(layer: FileLayer) -> list[str]:
    keep = [layer.keep.column] if layer.keep else []
    return list(dict.fromkeys([layer.code, layer.name or layer.code, *keep]))


def _require_columns(source: _Source, has: Sequence[str]) -> None:
    absent = [column for column in _wanted(source.layer) if column not in has]
    if absent:
        raise ConfigurationError(
            f"{source.title} has no column {', '.join(absent)}; it has "
            f"{', '.join(has) or 'no column'}."
        )


def _require_few(source: _Source, features: int) -> None:
    if features > MOST_FEATURES:
        raise DataError(
            f"{source.title} has {features:,} features; a layer may have {MOST_FEATURES:,}. Cut it "
            "to the council's area."
        )


@contextmanager
def _plain_name(source: _Source) -> Iterator[Path]:
    """The layer's files under a plain name: GDAL takes marks in a path for instructions."""
    with tempfile.TemporaryDirectory(prefix="socare-") as folder:
        for file in source.files:
            (Path(folder) / f"layer{file.suffix.lower()}").symlink_to(file.resolve())
        yield Path(folder) / f"layer{source.path.suffix.lower()}"


def _by_gdal(source: _Source) -> Features:
    with _plain_name(source) as path:
        table = _table(source, path)
        info = pyogrio.read_info(path, layer=table, force_feature_count=True)
        if info["driver"] != _DRIVERS[source.kind]:
            raise DataError(f"{source.title} is not {_TITLES[source.kind]} but {info['driver']}.")
        fid = info["fid_column"]
        wanted = _wanted(source.layer)
        _require_columns(source, [*([fid] if fid in wanted and fid else []), *info["fields"]])
        _require_few(source, info["features"])
        meta, rows = pyogrio.read_arrow(
            path,
            layer=table,
            columns=[column for column in wanted if column != fid],
            return_fids=bool(fid) and fid in wanted,
        )
        if source.kind == "shapefile":
            _require_whole_shapefile(source, path, rows.num_rows)
        system, stated = _system(source, path, meta["crs"])
    shapes, unreadable = _shapes(rows.column(rows.num_columns - 1).to_pylist())
    names = [name if name in wanted else fid for name in rows.column_names[:-1]]
    columns = {
        name: rows.column(place).to_pandas().map(_text, na_action="ignore")
        for place, name in enumerate(names)
    }
    return Features(pd.DataFrame(columns, dtype=object), shapes, unreadable, system, stated)


def _text(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _table(source: _Source, path: Path) -> str | None:
    """The layer within a GeoPackage; other formats hold one."""
    if source.kind != "geopackage":
        return None
    names = [str(name) for name, kind in pyogrio.list_layers(path) if kind is not None]
    table = source.layer.table or (names[0] if len(names) == 1 else None)
    if table in names:
        return table
    found = f"has no layer {table}" if table else "has several layers and 'table' names none"
    raise ConfigurationError(f"{source.title} {found}; it has {', '.join(sorted(names))}.")


def _shapes(encoded: Sequence[bytes | None]) -> tuple[np.ndarray, int]:
    """Geometries without heights, and the number of those that cannot be built."""
    wkb = np.array(encoded, dtype=object)
    shapes = shapely.from_wkb(wkb, on_invalid="ignore")
    given = np.array([value is not None for value in encoded], dtype=bool)
    return shapely.force_2d(shapes), int((given & shapely.is_missing(shapes)).sum())


def _require_whole_shapefile(source: _Source, path: Path, rows: int) -> None:
    """Refuses a shapefile whose parts do not have one record for each other's."""
    shapes = (path.with_suffix(".shx").stat().st_size - 100) // 8
    with path.with_suffix(".dbf").open("rb") as file:
        records: int = struct.unpack("<I", file.read(8)[4:])[0]
    if not shapes == records == rows:
        raise DataError(
            f"{source.title} has {shapes} shapes, {records} records in its .dbf and {rows} of both "
            "that can be read: its parts do not belong together, or one is cut off."
        )


def _system(source: _Source, path: Path, crs: str | None) -> tuple[str | None, bool]:
    if source.kind != "geojson":
        return (None, False) if crs is None else (epsg_code(crs), True)
    member = _geojson_crs(source, path)
    if member is None:
        return LONGITUDE_LATITUDE, False
    code = None if crs is None else epsg_code(crs)
    # GDAL takes longitude and latitude where it does not understand the member.
    understood = code != LONGITUDE_LATITUDE or "CRS84" in member or "4326" in member
    return (code if understood else None), True


def _geojson_crs(source: _Source, path: Path) -> str | None:
    """The text of the member `crs`, which stands before or after the features; None without one.

    Raises:
        DataError: the file is not UTF-8.
    """
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    head = tail = ""
    try:
        with path.open("rb") as file:
            while piece := file.read(1 << 20):
                text = decoder.decode(piece)
                head, tail = head or text[:65_536], (tail + text)[-65_536:]
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise DataError(f"{source.title} is not UTF-8, as GeoJSON is. Export it again.") from error
    before, after = head.partition('"features"')[0], tail.rpartition("]")[2]
    # An old crs member may hold no brackets, so the last bracket ends the features.
    found = re.search(r'"crs"\s*:\s*(null|\{.*?\}\s*\})', before + after, re.DOTALL)
    return found[1] if found else None


def _geoparquet(source: _Source) -> Features:
    first = source.files[0] if source.files else source.path
    schema = pq.read_schema(first)
    geo = json.loads((schema.metadata or {}).get(b"geo", b"null"))
    if not geo:
        raise DataError(f"{source.title} is Parquet without GeoParquet's metadata.")
    geometry = geo["primary_column"]
    _require_columns(source, [name for name in schema.names if name != geometry])
    _require_few(source, sum(pq.read_metadata(file).num_rows for file in source.files))
    wanted = _wanted(source.layer)
    pieces = [pq.read_table(file, columns=[*wanted, geometry]) for file in source.files]
    description = geo["columns"][geometry]
    if description.get("encoding", "WKB") == "WKB":
        encoded = [value for piece in pieces for value in piece.column(geometry).to_pylist()]
        shapes, unreadable = _shapes(encoded)
    else:
        frames = [gpd.read_parquet(file, columns=[geometry]) for file in source.files]
        shapes = np.concatenate([frame[geometry].to_numpy() for frame in frames])
        shapes, unreadable = shapely.force_2d(shapes), 0
    columns = pd.concat([piece.select(wanted).to_pandas() for piece in pieces], ignore_index=True)
    text = columns.astype(object).apply(lambda column: column.map(_text, na_action="ignore"))
    # A member that is left out means longitude and latitude; null means that nobody knows.
    crs = description.get("crs", LONGITUDE_LATITUDE)
    system = None if crs is None else epsg_code(json.dumps(crs) if isinstance(crs, dict) else crs)
    return Features(text, shapes, unreadable, system, "crs" in description and crs is not None)
