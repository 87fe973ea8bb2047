"""Reader of boundary files: selected columns, geometry and coordinate system.

GDAL reads GeoPackage, GeoJSON and shapefile. GeoPandas reads GeoParquet. Boundary files are small,
so the driver reads them and reports errors before Spark starts. Larger files are refused.
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
    """The features of one file, unchecked.

    Attributes:
        columns: The selected columns as text, one row per feature.
        shapes: Geometry of each feature, or None.
        unreadable: Number of features whose geometry cannot be decoded, for example because a ring
            is not closed.
        system: EPSG code of the coordinate system, or None if it is not known.
        stated: Whether the file states the system. If False, it is the default of the format.
    """

    columns: pd.DataFrame
    shapes: np.ndarray
    unreadable: int
    system: str | None
    stated: bool


@dataclass(frozen=True)
class _Source:
    """The files of one layer, with the title used in messages."""

    name: str
    layer: FileLayer
    path: Path
    files: Sequence[Path]
    kind: str

    @property
    def title(self) -> str:
        return f"Layer {self.name}: {self.layer.file}"


def format_of(name: str, layer: FileLayer) -> str:
    """Format of the file of a layer.

    Raises:
        ConfigurationError: the settings do not declare the format, and the extension of the file
            does not name it.
    """
    kind = layer.format or FORMATS.get(Path(layer.file).suffix.lower())
    if kind is None:
        raise ConfigurationError(
            f"Layer {name}: cannot infer the format of {layer.file} from its extension; set "
            "'format' to one of geopackage, geojson, geoparquet, shapefile."
        )
    return kind


def read_features(landing: Path, name: str, layer: FileLayer) -> Features:
    """Reads the selected columns and the geometry of a layer.

    Raises:
        ConfigurationError: the format, the table or a column differs from the settings.
        DataError: the file is missing, too large or not readable.
    """
    path = landing / layer.file
    kind = format_of(name, layer)
    if not path.exists():
        raise DataError(f"Layer {name}: No file {layer.file} in the landing folder.")
    source = _Source(name, layer, path, layer_files(landing, layer), kind)
    size = sum(file.stat().st_size for file in source.files)
    if size > LARGEST_FILE:
        raise DataError(
            f"{source.title} has {size:,} bytes; at most {LARGEST_FILE:,} are allowed. Clip the "
            "file to the council's area, or use a generalised edition."
        )
    with _readable(source):
        return _geoparquet(source) if kind == "geoparquet" else _by_gdal(source)


@contextmanager
def _readable(source: _Source) -> Iterator[None]:
    """Raises a `DataError` in place of the errors of GDAL, Arrow and GeoPandas."""
    try:
        with warnings.catch_warnings():
            # The checks of this package count the same faults. GDAL's warnings can contain values.
            warnings.simplefilter("ignore")
            yield
    except _FAULTS as error:
        raise DataError(
            f"{source.title} is not readable as {_TITLES[source.kind]}. The file is damaged, "
            "truncated or in another format. Export it again."
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
            f"{source.title} has {features:,} features; at most {MOST_FEATURES:,} are allowed. "
            "Clip the file to the council's area."
        )


@contextmanager
def _plain_name(source: _Source) -> Iterator[Path]:
    """Links the files under a plain name. GDAL interprets special characters in paths."""
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
    """Name of the layer within a GeoPackage; None for other formats, which have one layer.

    Raises:
        ConfigurationError: the layer does not exist, or the settings do not choose one of several.
    """
    if source.kind != "geopackage":
        return None
    names = [str(name) for name, kind in pyogrio.list_layers(path) if kind is not None]
    table = source.layer.table or (names[0] if len(names) == 1 else None)
    if table in names:
        return table
    fault = f"has no layer {table}" if table else "has several layers; set 'table' to one of them"
    raise ConfigurationError(f"{source.title} {fault}; it has {', '.join(sorted(names))}.")


def _shapes(encoded: Sequence[bytes | None]) -> tuple[np.ndarray, int]:
    """Decodes WKB to two-dimensional geometries. Returns also the number that cannot be decoded."""
    wkb = np.array(encoded, dtype=object)
    shapes = shapely.from_wkb(wkb, on_invalid="ignore")
    has_value = np.array([value is not None for value in encoded], dtype=bool)
    return shapely.force_2d(shapes), int((has_value & shapely.is_missing(shapes)).sum())


def _require_whole_shapefile(source: _Source, path: Path, rows: int) -> None:
    """Refuses a shapefile whose parts differ in their number of records.

    Raises:
        DataError: the numbers of shapes, .dbf records and readable features differ.
    """
    shapes = (path.with_suffix(".shx").stat().st_size - 100) // 8
    with path.with_suffix(".dbf").open("rb") as file:
        records: int = struct.unpack("<I", file.read(8)[4:])[0]
    if not shapes == records == rows:
        raise DataError(
            f"{source.title} has {shapes} shapes in its .shx, {records} records in its .dbf and "
            f"{rows} readable features; the numbers must be equal. The parts belong to different "
            "files, or one is truncated. Export the shapefile again."
        )


def _system(source: _Source, path: Path, crs: str | None) -> tuple[str | None, bool]:
    if source.kind != "geojson":
        return (None, False) if crs is None else (epsg_code(crs), True)
    member = _geojson_crs(source, path)
    if member is None:
        return LONGITUDE_LATITUDE, False
    code = None if crs is None else epsg_code(crs)
    # GDAL falls back to longitude and latitude if it does not understand the member `crs`.
    understood = code != LONGITUDE_LATITUDE or "CRS84" in member or "4326" in member
    return (code if understood else None), True


def _geojson_crs(source: _Source, path: Path) -> str | None:
    """Text of the member `crs` before or after the features; None if there is none.

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
        raise DataError(f"{source.title} is not UTF-8. Export it again as UTF-8.") from error
    before, after = head.partition('"features"')[0], tail.rpartition("]")[2]
    # The member `crs` contains no square brackets, so the last bracket ends the features.
    member = re.search(r'"crs"\s*:\s*(null|\{.*?\}\s*\})', before + after, re.DOTALL)
    return member[1] if member else None


def _geoparquet(source: _Source) -> Features:
    first = source.files[0] if source.files else source.path
    schema = pq.read_schema(first)
    geo = json.loads((schema.metadata or {}).get(b"geo", b"null"))
    if not geo:
        raise DataError(
            f"{source.title} is Parquet without GeoParquet's metadata. Export it as GeoParquet."
        )
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
    # GeoParquet: a missing `crs` means longitude and latitude, null means unknown.
    crs = description.get("crs", LONGITUDE_LATITUDE)
    system = None if crs is None else epsg_code(json.dumps(crs) if isinstance(crs, dict) else crs)
    return Features(text, shapes, unreadable, system, "crs" in description and crs is not None)
