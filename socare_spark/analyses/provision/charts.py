"""Charts of elements by area, services, and elements per person, from the written tables."""

import pandas as pd

from socare_spark.analyses.nouns import noun_of
from socare_spark.analyses.provision.distribution import ELEMENT_DISTRIBUTION
from socare_spark.analyses.provision.registered import ELEMENTS_PER_PERSON, REGISTERED_SERVICES
from socare_spark.analyses.provision.settings import (
    ALL_AGES,
    DISTRIBUTION_FILE,
    Area,
    DistributionSettings,
    Settings,
    file_name,
    of_ages,
)
from socare_spark.analyses.vocabulary import unknown_codes
from socare_spark.analysis import Context
from socare_spark.charts.histograms import Histograms, draw_histograms
from socare_spark.charts.rank_chart import Ranking, draw_ranking
from socare_spark.measures.bands import UNKNOWN
from socare_spark.places.shapes import shapes_of

_NO_SERVICE = "none recorded"
_SERVICE_LINES, _SERVICE_ROWS = 5, 30


def draw_charts(context: Context, settings: Settings) -> None:
    """Draws the charts in `working/pictures` of the tables that this run wrote."""
    outputs = context.run.outputs
    if ELEMENT_DISTRIBUTION.path in outputs:
        _draw_elements(context, settings.distribution)
    if REGISTERED_SERVICES.path in outputs:
        _draw_services(context, settings)
    if ELEMENTS_PER_PERSON.path in outputs:
        _draw_people(context, settings)


def _draw_elements(context: Context, settings: DistributionSettings) -> None:
    columns = ("layer", "code", "element", "year", "records")
    rows = context.lake.to_pandas(ELEMENT_DISTRIBUTION, *columns).rename(
        columns={"element": "name"}
    )
    areas = shapes_of(context.lake, *{area.layer for area in settings.pictures})
    names = areas.set_index(["layer", "code"])["name"]
    for area in settings.pictures:
        layer_rows = rows[rows["layer"] == area.layer]
        named = f"{DISTRIBUTION_FILE} names the {area.layer}"
        context.run.warnings += unknown_codes(named, [area.code], layer_rows["code"])
        chosen = layer_rows[layer_rows["code"] == area.code]
        if len(chosen):
            name = str(names.get((area.layer, area.code), area.code))
            _draw_area(context, settings, area, name, chosen)


def _draw_area(
    context: Context, settings: DistributionSettings, area: Area, name: str, rows: pd.DataFrame
) -> None:
    elements, noun = rows["name"].nunique(), noun_of(context.conf, settings.dataset)
    shown = "all elements"
    if elements > settings.drawn:
        shown = f"the {settings.drawn} of {elements} elements with most records"
    ranking = Ranking(
        f"Elements of people {of_ages(settings.age_band)}, {area.layer} {name}",
        f"{noun.title} by element and year of start; {shown}",
        f"{settings.dataset}, people by home postcode",
        list(settings.years),
        settings.lines,
        settings.drawn,
    )
    path = context.lake.pictures / f"elements_{area.layer}_{file_name(area.code)}.png"
    context.picture(draw_ranking(ranking, rows, path))


def _shown(settings: Settings, present: pd.Series) -> list[str]:
    """Age bands with rows: all ages, then the configured bands, then `unknown`."""
    labels = [band.label for band in settings.age_bands(settings.provision.services)]
    return [band for band in (ALL_AGES, *labels, UNKNOWN) if (present == band).any()]


def _draw_services(context: Context, settings: Settings) -> None:
    """Draws a chart of services for each age band."""
    labels, services = settings.services, settings.provision.services
    noun = noun_of(context.conf, services.dataset)
    rows = context.lake.to_pandas(REGISTERED_SERVICES, "year", "age_band", "service", "records")
    rows["age_band"] = rows["age_band"].fillna(ALL_AGES)
    codes = rows["service"].fillna(_NO_SERVICE)
    rows["name"] = codes.map(labels).fillna(codes)
    for band in _shown(settings, rows["age_band"]):
        ranking = Ranking(
            f"Services registered for people {of_ages(band)}",
            f"{noun.title} by service and year of start; age at the start",
            services.dataset,
            list(services.years),
            _SERVICE_LINES,
            _SERVICE_ROWS,
        )
        path = context.lake.pictures / f"registered_services_{file_name(band)}.png"
        context.picture(draw_ranking(ranking, rows[rows["age_band"] == band], path))


def _draw_people(context: Context, settings: Settings) -> None:
    """Draws a chart of registered and distinct elements per person, by age band."""
    rows = context.lake.to_pandas(ELEMENTS_PER_PERSON, "kind", "age_band", "elements", "people")
    rows = rows.rename(columns={"age_band": "group", "elements": "number"})
    rows["group"] = rows["group"].fillna(ALL_AGES)
    shown = _shown(settings, rows["group"])
    if not shown:
        return
    noun = noun_of(context.conf, settings.provision.services.dataset)
    histograms = Histograms(
        "Elements of each person",
        f"People by how many elements they have: every {noun.one}, and different codes; by the age "
        "at which they were registered",
        f"{settings.provision.services.dataset}, all years",
        {"registered": "Registered elements", "distinct": "Distinct elements"},
        {band: of_ages(band).capitalize() for band in shown},
        settings.provision.services.drawn_elements,
    )
    path = context.lake.pictures / "elements_per_person.png"
    context.picture(draw_histograms(histograms, rows, path))
