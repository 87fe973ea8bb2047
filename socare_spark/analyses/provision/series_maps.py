"""Maps of the density by year, of the city and of the surroundings of an area."""

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from socare_spark.analyses.provision.density import DENSITY_SERIES
from socare_spark.analyses.provision.settings import (
    DENSITY_FILE,
    DensitySettings,
    file_name,
    of_ages,
)
from socare_spark.analyses.vocabulary import unknown_codes
from socare_spark.analysis import Context
from socare_spark.charts.map_series import Frames, draw_frames

_UNIT = "People per km\N{SUPERSCRIPT TWO}"


def draw_series(
    context: Context,
    settings: DensitySettings,
    areas: Mapping[str, pd.DataFrame],
    outline: BaseGeometry | None,
) -> None:
    """Writes `density_series_*.png` under `working/maps`.

    Args:
        context: The run.
        settings: Settings of the density maps.
        areas: Layer -> `code` and `geometry` (WKB) of its areas.
        outline: The city's edge, or None.
    """
    series = settings.series
    figures = context.lake.to_pandas(DENSITY_SERIES, "layer", "code", "year", "people_per_km2")
    whole = {
        layer: _whole(settings, layer, areas[layer], figures[figures["layer"] == layer], outline)
        for layer in dict.fromkeys((*series.pictures, *(x.layer for x in series.surroundings)))
        if layer in areas
    }
    for layer in series.pictures:
        if layer in whole:
            path = context.lake.maps / f"density_series_{layer}.png"
            context.picture(draw_frames(whole[layer], _UNIT, path))
    for area in series.surroundings:
        codes = areas[area.layer]["code"].tolist() if area.layer in whole else []
        if area.code not in codes:
            named = f"{DENSITY_FILE} names the {area.layer}"
            context.run.warnings += unknown_codes(named, [area.code], codes)
            continue
        frames = whole[area.layer]
        shown = replace(
            frames,
            title=f"{frames.title}, about {area.code}",
            subtitle=f"{frames.subtitle}; {area.code} in bold",
            middle=frames.shapes[codes.index(area.code)],
            reach=area.within_metres,
        )
        path = context.lake.maps / f"density_series_{area.layer}_{file_name(area.code)}.png"
        context.picture(draw_frames(shown, _UNIT, path))


def _whole(
    settings: DensitySettings,
    layer: str,
    areas: pd.DataFrame,
    figures: pd.DataFrame,
    outline: BaseGeometry | None,
) -> Frames:
    """Maps of a whole layer."""
    by_year = figures.pivot(index="year", columns="code", values="people_per_km2")
    by_year = by_year.sort_index()[areas["code"].tolist()]
    return Frames(
        f"People with agreements, {of_ages(settings.series.age_band)}, by {layer} and year",
        "Distinct people with agreements that start in the year, for each square kilometre",
        f"{settings.dataset}, people by home postcode; areas: layer {layer}",
        list(shapely.from_wkb(areas["geometry"].to_numpy())),
        [str(year) for year in by_year.index],
        by_year.to_numpy(float),
        outline,
    )
