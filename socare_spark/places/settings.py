"""What `conf/places.yaml` may say: sources of postcodes, layers of areas, population."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from socare_spark.config import StrictModel

LAYOUTS = {"onspd": {"postcode": "pcd", "easting": "oseast1m", "northing": "osnrth1m"}}
# The Postcode Directory gives Northern Ireland in the Irish grid. It has no grid for the Channel
# Islands and the Isle of Man.
COUNTRY_CRS = {"N92000002": "EPSG:29902", "L93000001": None, "M83000003": None}


class PostcodeSource(StrictModel):
    """Files of postcodes in one layout; the first source that knows a postcode places it.

    Attributes:
        name: What `reference/postcodes.source` says.
        layout: `codepoint` (OS Code-Point Open, no header, columns by position) or `onspd` (ONS
            Postcode Directory, columns by name).
        files: Paths or patterns below the landing folder; `.gz` is read too.
        columns: Header names of an `onspd` file where its edition spells them otherwise. `country`
            is the column of country codes, by default `ctry` or `ctry25cd` and the like.
        country_crs: Coordinate system of a country's rows by its code; null means that its rows
            have no place. Rows of other countries are in the National Grid.
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
            raise ValueError("layout codepoint has no header: leave out 'columns'")
        if not self.columns.keys() <= {*LAYOUTS["onspd"], "country"}:
            raise ValueError(f"'columns' may name {', '.join(LAYOUTS['onspd'])}, country")
        return self

    @property
    def header(self) -> dict[str, str]:
        """Our name of each column -> its name in the file."""
        return {**LAYOUTS["onspd"], **self.columns}


class Keep(StrictModel):
    """Which features of a file belong to the layer: those whose column begins with one of these."""

    column: str
    starts_with: tuple[str, ...] = Field(min_length=1)


class FileLayer(StrictModel):
    """Areas as somebody drew them.

    Attributes:
        file: Path below the landing folder.
        format: Told from the file's name where it is left out.
        table: Layer within a GeoPackage.
        crs: Such as `EPSG:4326`; taken from the file where it is left out.
        code: Column with the code of an area; features of one code are one area.
        name: Column with its name; the code where it is left out.
        keep: A filter, where the file holds more than is wanted.
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
    """One area: all of another layer together."""

    kind: Literal["dissolve"]
    layer: str
    code: str
    name: str


class PostcodeLayer(StrictModel):
    """Areas built from unit postcodes: Voronoi cells dissolved by a level, cut to the bounds."""

    kind: Literal["postcode"]
    level: Literal["sector", "district"]


class GridLayer(StrictModel):
    """Squares of the Ordnance Survey's grid, whole, named as the Survey does (`SP0786`)."""

    kind: Literal["grid"]
    metres: Literal[100, 1000, 10000]


Layer = Annotated[
    FileLayer | DissolvedLayer | PostcodeLayer | GridLayer, Field(discriminator="kind")
]


class Value(StrictModel):
    """Where a value comes from: a column of the file, or one value for the whole file."""

    column: str | None = None
    value: str | int | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.column is None) == (self.value is None):
            raise ValueError("name either a 'column' or a 'value'")
        return self


class PopulationSource(StrictModel):
    """CSV files of people by area; an age band that is empty or left out means all ages.

    A file that has age bands and no row for all ages gets that row: the sum of its bands.
    """

    files: tuple[str, ...] = Field(min_length=1)
    layer: Value
    code: Value
    year: Value
    population: Value
    age_band: Value | None = None


class PlacesSettings(StrictModel):
    """All of `conf/places.yaml`.

    Attributes:
        bounds: Layer that bounds the city: built layers are cut to it, and what lies outside it is
            in none of them. Without it they reach `reach_metres` beyond the postcodes.
        nearest_metres: A located postcode in no area of a layer belongs to the nearest one within
            this distance, since published edges are simplified.
        reach_metres: How far from a postcode a built area goes where nothing bounds it.
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
            if isinstance(layer, DissolvedLayer) and not self._given(layer.layer):
                raise ValueError(f"layer {name} dissolves '{layer.layer}', which is no file layer")
        if self.bounds is not None and not (
            self._given(self.bounds) or isinstance(self.layers.get(self.bounds), DissolvedLayer)
        ):
            raise ValueError(f"bounds names '{self.bounds}', which is no file or dissolved layer")
        return self

    def _given(self, name: str) -> bool:
        return isinstance(self.layers.get(name), FileLayer)

    @property
    def file_layers(self) -> list[str]:
        """Layers that need the spatial join: those from files, and what is dissolved from them."""
        return [n for n, x in self.layers.items() if isinstance(x, FileLayer | DissolvedLayer)]
