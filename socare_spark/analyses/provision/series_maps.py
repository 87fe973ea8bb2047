"""Maps of the density by year, of the city and of the surroundings of an area."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from socare_spark.analyses.nouns import noun_of
from socare_spark.analyses.provision.density import DENSITY_SERIES
from socare_spark.analyses.provision.settings import (
    ALL_AGES,
    DENSITY_FILE,
    DensitySettings,
    file_name,
    of_ages,
)
from socare_spark.analyses.vocabulary import unknown_codes
from socare_spark.analysis import Context
from socare_spark.charts.area_style import NOT_KNOWN
from socare_spark.charts.map_series import Frames, draw_frames
from socare_spark.measures.bands import UNKNOWN

AGE_NOT_KNOWN = replace(NOT_KNOWN, label="age not known")
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
        areas: Layer -> `code`, `geometry` (WKB) and `without_age` (whether an area has people
            whose age is not known) of its areas.
        outline: The city's edge, or None.
    """
    series, many = settings.series, noun_of(context.conf, settings.dataset).many
    figures = context.lake.to_pandas(DENSITY_SERIES, "layer", "code", "year", "people_per_km2")
    whole = {
        layer: replace(
            _whole(settings, areas[layer], figures[figures["layer"] == layer], outline),
            title=f"People with {many}, {of_ages(series.age_band)}, by {layer} and year",
            subtitle=f"Distinct people with {many} that start in the year, for each square "
            "kilometre",
            source=f"{settings.dataset}, people by home postcode; areas: layer {layer}",
        )
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
    areas: pd.DataFrame,
    figures: pd.DataFrame,
    outline: BaseGeometry | None,
) -> Frames:
    """Maps of a whole layer, without texts."""
    by_year = figures.pivot(index="year", columns="code", values="people_per_km2")
    by_year = by_year.sort_index()[areas["code"].tolist()]
    values = by_year.to_numpy(float)
    if settings.series.age_band not in (ALL_AGES, UNKNOWN):
        # The table has the people of one age band only, so their years are not known.
        values = np.where((values == 0) & areas["without_age"].to_numpy(bool), np.nan, values)
    return Frames(
        "",
        "",
        "",
        list(shapely.from_wkb(areas["geometry"].to_numpy())),
        [str(year) for year in by_year.index],
        values,
        outline,
        missing=AGE_NOT_KNOWN,
    )
