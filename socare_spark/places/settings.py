"""Settings in `conf/places.yaml`: sources of postcodes, layers of areas, population."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from socare_spark.config import StrictModel, read_model

LAYOUTS = {"onspd": {"postcode": "pcd", "easting": "oseast1m", "northing": "osnrth1m"}}
# Coordinates of Northern Ireland in the Postcode Directory are in the Irish grid. The Channel
# Islands and the Isle of Man have none.
COUNTRY_CRS = {"N92000002": "EPSG:29902", "L93000001": None, "M83000003": None}


class PostcodeSource(StrictModel):
    """Files of postcodes in one layout.

    Attributes:
        name: Value of the column `source` of `reference/postcodes`.
        layout: `codepoint` (OS Code-Point Open, no header, columns by position) or `onspd` (ONS
            Postcode Directory, columns by name).
        files: Paths or patterns below the landing folder; `.gz` is read too.
        columns: Header names of an `onspd` file that differ from the default. `country` is the
            column of country codes, by default `ctry` or a name such as `ctry25cd`.
        country_crs: Country code -> coordinate system of its rows; null means rows without
            coordinates. Rows of other countries are in the National Grid.
    """

    name: str
    layout: Literal["codepoint", "onspd"]
    files: tuple[str, ...] = Field(min_length=1)
    columns: dict[str, str] = Field(default_factory=dict)
    country_crs: dict[str, Annotated[str, Field(pattern=r"^EPSG:\d+$")] | None] = Field(
        default_factory=lambda: dict(COUNTRY_CRS)
    )

    @model_validator(mode="after")
    def _by_name(self) -> Self:
        if self.columns and self.layout == "codepoint":
            raise ValueError("layout codepoint has no header; remove 'columns'")
        if not self.columns.keys() <= {*LAYOUTS["onspd"], "country"}:
            raise ValueError(f"'columns' allows only {', '.join(LAYOUTS['onspd'])}, country")
        return self

    @property
    def header(self) -> dict[str, str]:
        """Name of each column in this package -> its name in the file."""
        return {**LAYOUTS["onspd"], **self.columns}


class Keep(StrictModel):
    """Filter of features: keeps those whose value in a column starts with one of the prefixes.

    Attributes:
        column: Column of the boundary file.
        starts_with: The prefixes.
    """

    column: str
    starts_with: tuple[str, ...] = Field(min_length=1)


class FileLayer(StrictModel):
    """A layer of areas from a boundary file.

    Attributes:
        kind: `file`.
        file: Path below the landing folder.
        format: Format of the file; by default inferred from its extension.
        table: Layer within a GeoPackage.
        crs: Coordinate system such as `EPSG:4326`; by default read from the file.
        code: Column with the code of an area. Features with the same code are one area.
        name: Column with the name of an area; by default the code.
        keep: Filter of features; by default all are kept.
    """

    kind: Literal["file"]
    file: str
    format: Literal["geopackage", "geojson", "geoparquet", "shapefile"] | None = None
    table: str | None = None
    crs: str | None = Field(default=None, pattern=r"^EPSG:\d+$")
    code: str
    name: str | None = None
    keep: Keep | None = None


class DissolvedLayer(StrictModel):
    """A layer of one area: the union of all areas of another layer.

    Attributes:
        kind: `dissolve`.
        layer: Name of the other layer, of the kind `file`.
        code: Code of the area.
        name: Name of the area.
    """

    kind: Literal["dissolve"]
    layer: str
    code: str
    name: str


class PostcodeLayer(StrictModel):
    """Areas derived from unit postcodes: Voronoi cells dissolved by level, cut to the bounds.

    Attributes:
        kind: `postcode`.
        level: `sector` (`B21 8`) or `district` (`B21`).
    """

    kind: Literal["postcode"]
    level: Literal["sector", "district"]


class GridLayer(StrictModel):
    """Whole squares of the Ordnance Survey's grid, with its names (`SP0786`).

    Attributes:
        kind: `grid`.
        metres: Length of a side: 100, 1000 or 10000.
    """

    kind: Literal["grid"]
    metres: Literal[100, 1000, 10000]


Layer = Annotated[
    FileLayer | DissolvedLayer | PostcodeLayer | GridLayer, Field(discriminator="kind")
]


class Value(StrictModel):
    """A value of each row: a column of the file, or one value for the whole file.

    Attributes:
        column: Name of the column in the header.
        value: The value of all rows.
    """

    column: str | None = None
    value: str | int | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.column is None) == (self.value is None):
            raise ValueError("set exactly one of 'column' and 'value'")
        return self


class PopulationSource(StrictModel):
    """CSV files of people by area.

    An empty or missing age band means all ages. Where no row for all ages is given, it is the sum
    of the bands.

    Attributes:
        files: Paths or patterns below the landing folder.
        layer: Layer of the area.
        code: Code of the area.
        year: Year of the estimate.
        population: Number of people.
        age_band: Age band of the people.
    """

    files: tuple[str, ...] = Field(min_length=1)
    layer: Value
    code: Value
    year: Value
    population: Value
    age_band: Value | None = None


class PlacesSettings(StrictModel):
    """The settings in `conf/places.yaml`.

    Attributes:
        postcodes: Sources of postcodes, in order of precedence.
        layers: Name -> layer of areas.
        bounds: Layer that bounds the city. Derived layers are cut to it, and postcodes outside it
            are in none of them. Without it derived areas extend `reach_metres` from the postcodes.
        nearest_metres: A located postcode outside all areas of a layer belongs to the nearest area
            within this distance in metres, because published boundaries are simplified.
        reach_metres: Distance in metres from the postcodes to the edge of derived areas, if
            `bounds` is not set.
        population: Sources of population.
    """

    postcodes: tuple[PostcodeSource, ...] = Field(min_length=1)
    layers: dict[str, Layer] = Field(min_length=1)
    bounds: str | None = None
    nearest_metres: float = Field(default=10.0, ge=0)
    reach_metres: float = Field(default=1000.0, gt=0)
    population: tuple[PopulationSource, ...] = ()

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        for name, layer in self.layers.items():
            if isinstance(layer, DissolvedLayer) and not self._is_file_layer(layer.layer):
                raise ValueError(
                    f"layer {name} dissolves '{layer.layer}', which is not a file layer"
                )
        if self.bounds is not None and not (
            self._is_file_layer(self.bounds)
            or isinstance(self.layers.get(self.bounds), DissolvedLayer)
        ):
            raise ValueError(f"bounds is '{self.bounds}', which is not a file or dissolved layer")
        return self

    def _is_file_layer(self, name: str) -> bool:
        return isinstance(self.layers.get(name), FileLayer)

    @property
    def file_layers(self) -> list[str]:
        """Names of the layers assigned by spatial join: file layers and dissolved layers."""
        return [n for n, x in self.layers.items() if isinstance(x, FileLayer | DissolvedLayer)]


def city_layer(conf: Path) -> str | None:
    """Layer whose areas cover the city; None if `places.yaml` is missing or names none."""
    path = conf / "places.yaml"
    return read_model(path, PlacesSettings).bounds if path.is_file() else None
