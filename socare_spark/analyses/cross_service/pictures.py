"""Chart of people by set of services, and maps of people known to several services."""

from collections.abc import Sequence

import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from socare_spark.analyses.cross_service.counts import CROSS_SERVICE_PEOPLE, CROSS_SERVICE_PLACES
from socare_spark.analyses.cross_service.settings import Declared, Settings
from socare_spark.analysis import Context
from socare_spark.charts.area_maps import AreaMap, draw_density
from socare_spark.charts.area_style import NOT_APPLICABLE, State
from socare_spark.charts.upset import draw_overlaps
from socare_spark.places.shapes import shapes_of

_ONE_SERVICE = State("0: known to one service", "#E8E8E8")
# Nobody is known there, so there is no share.
_NONE_KNOWN = NOT_APPLICABLE


def draw(context: Context, declared: Declared) -> None:
    """Writes `working/pictures/cross_service.png` and a map for each layer."""
    if CROSS_SERVICE_PEOPLE.path not in context.unavailable:
        _draw_overlaps(context, declared.settings)
    if CROSS_SERVICE_PLACES.path not in context.unavailable:
        _draw_maps(context, declared.settings.layers, declared.city_layer)


def _draw_overlaps(context: Context, settings: Settings) -> None:
    rows = context.lake.to_pandas(CROSS_SERVICE_PEOPLE, "services", "people")
    frame = rows.rename(columns={"services": "combination"})
    if frame.empty:
        return
    held = {name for text in frame["combination"] for name in text.split("+")}
    path = draw_overlaps(
        frame,
        [name for name in settings.names if name in held],
        settings.drawn,
        context.lake.pictures / "cross_service.png",
        title="People and the services that know them",
        source=CROSS_SERVICE_PEOPLE.path,
    )
    context.picture(path)


def _draw_maps(context: Context, layers: Sequence[str], edge: str | None) -> None:
    shapes = shapes_of(context.lake, *layers, *([edge] if edge else []))
    counts = context.lake.to_pandas(CROSS_SERVICE_PLACES, "layer", "code", "services", "people")
    counts["several"] = counts["people"].where(counts["services"].str.contains("+", regex=False), 0)
    shares = counts.groupby(["layer", "code"])[["people", "several"]].sum().reset_index()
    shares["share"] = shares["several"] / shares["people"]
    bounds = shapes.loc[shapes["layer"] == edge, "shape"].to_list()
    outline = shapely.union_all(bounds) if bounds else None
    for layer in layers:
        areas, known = (frame[frame["layer"] == layer] for frame in (shapes, shares))
        if len(areas) and len(known):
            _draw_map(context, layer, areas.merge(known, on=["layer", "code"], how="left"), outline)


def _draw_map(
    context: Context, layer: str, areas: pd.DataFrame, outline: BaseGeometry | None
) -> None:
    shown = AreaMap(
        f"People known to several services, by {layer}",
        "Of the people known to any service, those known to two or more; by their newest place",
        f"{CROSS_SERVICE_PLACES.path}; areas: layer {layer}",
        list(areas["shape"]),
        outline,
    )
    path = context.lake.maps / f"cross_service_{layer}.png"
    context.picture(
        draw_density(
            shown,
            100 * areas["share"].to_numpy(dtype=float),
            "Per cent of people known",
            path,
            zero=_ONE_SERVICE,
            missing=_NONE_KNOWN,
        )
    )
