"""Maps, spatial files and the chart of the matrix, from the written tables."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from pyspark.sql import functions as F
from shapely.geometry.base import BaseGeometry

from socare_spark.analyses.nouns import layer_name, noun_of
from socare_spark.analyses.provision.density import DENSITY
from socare_spark.analyses.provision.matrix import PROVISION_MATRIX, PROVISION_TRENDS
from socare_spark.analyses.provision.series_maps import AGE_NOT_KNOWN, draw_series
from socare_spark.analyses.provision.settings import (
    ALL_AGES,
    DensitySettings,
    ProvisionSettings,
    Settings,
    file_name,
    of_ages,
)
from socare_spark.analysis import Context
from socare_spark.charts.area_maps import AreaMap, draw_density, draw_hotspots, draw_matrix
from socare_spark.charts.area_style import NOT_KNOWN
from socare_spark.charts.spatial_files import write_geojson, write_geoparquet
from socare_spark.measures.bands import UNKNOWN
from socare_spark.places.reference_tables import AREAS

_FIGURES = ("people", "people_per_km2", "people_per_1000", "gi_z", "gi_p_adjusted")


@dataclass(frozen=True)
class _Layer:
    """A layer with its areas in order of code, and its figures by age band and code."""

    name: str
    areas: pd.DataFrame
    figures: pd.DataFrame

    @property
    def shapes(self) -> list[BaseGeometry]:
        """Geometry of each area in EPSG:27700."""
        return list(shapely.from_wkb(self.areas["geometry"].to_numpy()))

    def column(self, band: str, name: str) -> np.ndarray:
        """Values of a figure and an age band, in the order of the areas."""
        of_band = self.figures[self.figures["age_band"] == band].set_index("code")[name]
        return of_band.reindex(self.areas["code"]).to_numpy(float)

    @property
    def without_age(self) -> np.ndarray:
        """Whether an area has people whose age is not known, in the order of the areas."""
        people: np.ndarray = np.nan_to_num(self.column(UNKNOWN, "people"))
        return people > 0

    def without_person(self, band: str) -> np.ndarray:
        """Whether an area has records of a band, all of them without a person."""
        people, records = (np.nan_to_num(self.column(band, name)) for name in ("people", "records"))
        found: np.ndarray = (people == 0) & (records > 0)
        return found

    def known(self, band: str, values: np.ndarray) -> np.ndarray:
        """Values of an age band, with NaN instead of 0 where the people or ages are not known."""
        numbers: np.ndarray = np.nan_to_num(values)
        unknown = self.without_person(band)
        if band not in (ALL_AGES, UNKNOWN):
            unknown = unknown | self.without_age
        return np.where((numbers == 0) & unknown, np.nan, numbers)


def draw_maps(context: Context, settings: Settings) -> None:
    """Writes the maps and spatial files in `working/maps` of the tables that this run wrote."""
    outputs, dense = context.run.outputs, settings.density
    if PROVISION_MATRIX.path in outputs:
        _draw_matrix(context, settings.provision)
    if DENSITY.path not in outputs:
        return
    layers = _layers(context, dense)
    outline = _outline(layers, settings.city_layer)
    for layer in layers:
        _write_files(context, layer)
        if dense.layers[layer.name].pictures:
            _draw_layer(context, layer, dense, outline)
    areas = {layer.name: layer.areas.assign(without_age=layer.without_age) for layer in layers}
    draw_series(context, dense, areas, outline)


def _layers(context: Context, settings: DensitySettings) -> list[_Layer]:
    """Layers with their areas and figures. A null age band becomes `all`."""
    wanted = F.col("layer").isin(*settings.layers)
    degrees = "ST_AsBinary(ST_Transform(ST_GeomFromWKB(geometry), 'EPSG:27700', 'EPSG:4326'))"
    areas = (
        context.inputs.read(AREAS)
        .where(wanted)
        .select("layer", "code", "name", "area_km2", "geometry", F.expr(degrees).alias("degrees"))
        .toPandas()
        .sort_values(["layer", "code"])
    )
    columns = ("layer", "code", "age_band", "records", *_FIGURES)
    figures = context.lake.to_pandas(DENSITY, *columns)
    figures["age_band"] = figures["age_band"].fillna(ALL_AGES)
    figures = figures.sort_values(["layer", "age_band", "code"])
    return [
        _Layer(
            name,
            areas[areas["layer"] == name].reset_index(drop=True),
            figures[figures["layer"] == name].reset_index(drop=True),
        )
        for name in settings.layers
        if (areas["layer"] == name).any()
    ]


def _outline(layers: Sequence[_Layer], city_layer: str | None) -> BaseGeometry | None:
    """The city's edge: the union of its layer; None if it is not one of the layers."""
    city = next((layer for layer in layers if layer.name == city_layer), None)
    return None if city is None else shapely.union_all(city.shapes)


def _write_files(context: Context, layer: _Layer) -> None:
    wide = layer.areas[["layer", "code", "name", "area_km2"]]
    for band in layer.figures["age_band"].unique():
        of_band = layer.figures[layer.figures["age_band"] == band]
        named = of_band[["code", *_FIGURES]].rename(columns={f: f"{f}_{band}" for f in _FIGURES})
        wide = wide.merge(named, on="code", how="left")
    maps = context.lake.maps
    name = f"density_{layer.name}"
    context.picture(write_geojson(wide, layer.areas["degrees"], name, maps / f"{name}.geojson"))
    context.picture(write_geoparquet(wide, layer.areas["geometry"], maps / f"{name}.parquet"))


def _draw_layer(
    context: Context, layer: _Layer, settings: DensitySettings, outline: BaseGeometry | None
) -> None:
    source = f"{settings.dataset}, people by home postcode; areas: layer {layer.name}"
    if settings.first_year or settings.last_year:
        source += f"; starts {settings.first_year or 'first'} to {settings.last_year or 'last'}"
    hot = settings.layers[layer.name].within_metres
    many = noun_of(context.conf, settings.dataset).many
    for band in settings.picture_bands:
        density = layer.column(band, "people_per_km2")
        shown = AreaMap(
            f"People with {many}, {of_ages(band)}, by {layer.name}",
            "Distinct people for each square kilometre; classes of about equally many areas",
            source,
            layer.shapes,
            outline,
        )
        slug = file_name(band)
        context.picture(
            draw_density(
                shown,
                layer.known(band, density),
                "People per km\N{SUPERSCRIPT TWO}",
                context.lake.maps / f"density_{layer.name}_{slug}.png",
                missing=NOT_KNOWN if layer.without_person(band).any() else AGE_NOT_KNOWN,
            )
        )
        if hot is None:
            continue
        spots = AreaMap(
            f"Hot spots of people with {many}, {of_ages(band)}, by {layer.name}",
            f"Getis-Ord Gi* of people per km\N{SUPERSCRIPT TWO}, neighbours within {hot:,.0f} m; "
            "p adjusted (Benjamini-Hochberg)",
            source,
            layer.shapes,
            outline,
        )
        context.picture(
            draw_hotspots(
                spots,
                layer.column(band, "gi_z"),
                layer.column(band, "gi_p_adjusted"),
                settings.significance,
                context.lake.maps / f"hotspots_{layer.name}_{slug}.png",
            )
        )


def _draw_matrix(context: Context, settings: ProvisionSettings) -> None:
    lake = context.lake
    area = layer_name("district" if settings.districts else settings.layer)
    trends = lake.to_pandas(PROVISION_TRENDS, "district", "trend")
    context.picture(
        draw_matrix(
            lake.to_pandas(PROVISION_MATRIX, "district", "year", "records", "flag"),
            trends.set_index("district")["trend"],
            f"{noun_of(context.conf, settings.dataset).title} by {area} and year of start",
            f"{settings.dataset}, records by the district of the postcode and the year of start",
            lake.maps / "provision_matrix.png",
        )
    )
