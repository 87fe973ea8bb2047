"""Charts and maps of elements and of regions of interest, from the written tables."""

import re
from dataclasses import replace

import pandas as pd
import shapely

from socare_spark.analyses.elements.comparison import (
    ELEMENT_COMPARISON,
    ELEMENT_CONCENTRATION,
    ELEMENT_PROFILE,
)
from socare_spark.analyses.elements.regions import REGION_PROFILE
from socare_spark.analyses.elements.settings import AGE_BAND, ElementsSettings, Settings
from socare_spark.analyses.nouns import layer_name, noun_of
from socare_spark.analysis import Context
from socare_spark.charts.area_style import NOBODY
from socare_spark.charts.comparison_charts import Pair, draw_differences, draw_profiles
from socare_spark.charts.concentration_maps import Concentrations, draw_concentration
from socare_spark.charts.map_series import Frames, draw_frames
from socare_spark.charts.region_charts import RegionPicture, draw_regions
from socare_spark.lake.table import TableSpec
from socare_spark.measures.bands import UNKNOWN
from socare_spark.places.shapes import shapes_of


def draw(context: Context, settings: Settings) -> None:
    """Draws the charts whose tables have rows."""
    elements = settings.elements
    _draw_comparisons(context, elements)
    _draw_profiles(context, elements)
    _draw_regions(context, settings)
    areas = shapes_of(context.lake, elements.layer)
    if len(areas):
        _draw_comparison_maps(context, elements, areas)
        _draw_concentration(context, elements, areas)


def _rows(context: Context, table: TableSpec) -> pd.DataFrame:
    """Rows of a table; empty if this run did not build it."""
    if table.path in context.unavailable:
        return pd.DataFrame(columns=table.names)
    return context.lake.to_pandas(table)


def _slug(*codes: str) -> str:
    return "_".join(re.sub(r"\W+", "_", code) for code in codes)


def _draw_comparisons(context: Context, settings: ElementsSettings) -> None:
    rows = _rows(context, ELEMENT_COMPARISON)
    for pair in settings.comparisons:
        pair_rows = rows[(rows["element_a"] == pair.a) & (rows["element_b"] == pair.b)]
        if len(pair_rows):
            source = f"{ELEMENT_COMPARISON.path}; {settings.dataset}, records by home postcode"
            path = context.lake.pictures / f"element_comparison_{_slug(pair.a, pair.b)}.png"
            shown = Pair(pair.a, pair.b, source, layer_name(settings.layer))
            context.picture(draw_differences(shown, pair_rows, path))


def _draw_comparison_maps(
    context: Context, settings: ElementsSettings, areas: pd.DataFrame
) -> None:
    rows = _rows(context, ELEMENT_COMPARISON)
    for pair in settings.comparisons:
        pair_rows = rows[(rows["element_a"] == pair.a) & (rows["element_b"] == pair.b)]
        counts = pair_rows.set_index("district")[["count_a", "count_b"]].reindex(areas["code"])
        counts = counts.astype(float).fillna(0.0)  # a district without a row has no records
        frames = Frames(
            f"{pair.a} and {pair.b} by {layer_name(settings.layer)}",
            "Records by home postcode",
            f"{ELEMENT_COMPARISON.path}; {settings.dataset}; areas: layer {settings.layer}",
            areas["shape"].tolist(),
            [pair.a, pair.b],
            counts.to_numpy(float).T,
            shapely.union_all(areas["shape"].tolist()),
            zero=replace(NOBODY, label="none"),
        )
        path = context.lake.maps / f"element_comparison_{_slug(pair.a, pair.b)}.png"
        context.picture(draw_frames(frames, "Records", path))


def _draw_concentration(context: Context, settings: ElementsSettings, areas: pd.DataFrame) -> None:
    wanted, many = settings.concentration, noun_of(context.conf, settings.dataset).many
    picture = Concentrations(
        _rows(context, ELEMENT_CONCENTRATION),
        wanted.elements,
        areas["code"].tolist(),
        areas["shape"].tolist(),
        f"Share of an element in the {many} of a district, against all districts; {many} "
        f"that start from {wanted.first_year} to {wanted.last_year}",
        f"{ELEMENT_CONCENTRATION.path}; {settings.dataset}; areas: layer {settings.layer}",
    )
    path = context.lake.maps / "element_concentration.png"
    context.picture(draw_concentration(picture, path))


def _draw_profiles(context: Context, settings: ElementsSettings) -> None:
    rows = _rows(context, ELEMENT_PROFILE)
    for pair in settings.comparisons:
        pair_rows = rows[rows["element"].isin([pair.a, pair.b])]
        if len(pair_rows):
            source = f"{ELEMENT_PROFILE.path}; {settings.dataset}"
            path = context.lake.pictures / f"element_profile_{_slug(pair.a, pair.b)}.png"
            order = [*settings.characteristics, AGE_BAND]
            context.picture(draw_profiles(Pair(pair.a, pair.b, source), pair_rows, order, path))


def _draw_regions(context: Context, settings: Settings) -> None:
    rows = _rows(context, REGION_PROFILE)
    regions = settings.elements.regions
    if regions is None or not len(rows):
        return
    regions_with_rows = set(rows["region"])
    picture = RegionPicture(
        rows,
        [name for name in regions.of if name in regions_with_rows],
        settings.ethnic_groups,
        [*(band.label for band in settings.bands), UNKNOWN],
        f"{REGION_PROFILE.path}; {settings.elements.dataset}, people by home postcode",
        noun_of(context.conf, settings.elements.dataset),
    )
    context.picture(draw_regions(picture, context.lake.pictures / "region_profile.png"))
