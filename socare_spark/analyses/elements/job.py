"""The `elements` analysis: comparison of elements of service, and regions of interest.

Codes of elements are corrected by the declared list before they are counted. Costs are those of the
days on which an agreement is open, up to the run's as-of date. Source: thesis 4.2.1 to 4.2.4.
"""

from collections.abc import Mapping, Sequence

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.agreements import agreement_needs, cost_to
from socare_spark.analyses.as_of import last_day
from socare_spark.analyses.districts import district_column, districts_of, with_district
from socare_spark.analyses.element_codes import canonical_code
from socare_spark.analyses.elements.code_variants import (
    ELEMENT_VARIANTS,
    element_variants,
    look_alikes,
    most_common,
    unknown_codes_as_written,
)
from socare_spark.analyses.elements.comparison import (
    ELEMENT_COMPARISON,
    ELEMENT_CONCENTRATION,
    ELEMENT_PROFILE,
    comparison_groupings,
    concentration_grouping,
    element_comparison,
    element_concentration,
    element_profile,
)
from socare_spark.analyses.elements.pictures import draw
from socare_spark.analyses.elements.regions import (
    ETHNICITY,
    REGION_PROFILE,
    count_regions,
    region_profile,
)
from socare_spark.analyses.elements.settings import (
    AGE_BAND,
    SETTINGS,
    ElementsSettings,
    Settings,
    load_settings,
)
from socare_spark.analyses.extracts import current_rows, restricted
from socare_spark.analyses.vocabulary import code_counts, codes_present, unknown_codes
from socare_spark.analysis import Analysis, Frame, Result
from socare_spark.inputs import Inputs, Need
from socare_spark.lake.collect import collect
from socare_spark.lake.table import TableSpec
from socare_spark.measures.bands import band_of
from socare_spark.measures.person_counts import (
    Grouping,
    by_person,
    count_groupings,
    split_groupings,
)
from socare_spark.places.recorded_places import PLACE_AREAS
from socare_spark.places.reference_tables import AREAS, POSTCODE_AREAS

# Names of collected frames, for messages.
_CELLS, _ELEMENTS, _DISTRICTS = "elements by district", "codes of elements", "districts"


def build(inputs: Inputs, settings: Settings) -> Result:
    """Builds all tables.

    Spark counts the cells by district in one pass over the agreements, and those of regions in
    another one. It also writes the profiles and the variants of codes, which can have many rows.
    """
    elements, regions = settings.elements, settings.elements.regions
    records = _records(inputs, settings)
    city = districts_of(inputs, elements.layer)
    groupings = [] if city is None else _groupings(elements, city)
    unknown = unknown_codes_as_written(records, settings.known).cache()
    collected = collect(
        {
            ELEMENT_VARIANTS.path: most_common(unknown, settings.corrections),
            **_counted(records, elements, groupings, city),
        }
    )
    alike, warnings = look_alikes(collected[ELEMENT_VARIANTS.path], settings.known)
    tables: dict[TableSpec, Frame] = {
        ELEMENT_PROFILE: element_profile(
            records, elements.compared, {**_characteristics(elements), AGE_BAND: AGE_BAND}
        ),
        ELEMENT_VARIANTS: element_variants(unknown, alike, settings.corrections),
    }
    if city is not None:
        counts = split_groupings(collected[_CELLS], groupings)
        tables[ELEMENT_COMPARISON] = element_comparison(
            counts[ELEMENT_COMPARISON], elements.comparisons, city
        )
        tables[ELEMENT_CONCENTRATION] = element_concentration(counts[ELEMENT_CONCENTRATION])
    if regions is not None:
        tables[REGION_PROFILE] = region_profile(collected[REGION_PROFILE.path], regions.of)
    warnings += _warnings(inputs, elements, collected, city)
    no_regions = {REGION_PROFILE: f"'regions' in {SETTINGS}"} if regions is None else {}
    return Result(tables, _unavailable(elements, city), warnings, not_configured=no_regions)


def _records(inputs: Inputs, settings: Settings) -> DataFrame:
    dataset = settings.elements.dataset
    start, end = F.col("agreement_start"), F.col("agreement_end")
    until, place = last_day(inputs, dataset), settings.elements.roles.place
    read = current_rows(inputs, dataset)
    rows = with_district(inputs, read, dataset, place, settings.elements.layer)
    named, regions = _characteristics(settings.elements), settings.elements.regions
    return rows.select(
        F.col("element").alias("code"),
        canonical_code(F.col("element"), settings.corrections).alias("element"),
        "person",
        F.year(start).alias("year"),
        start.alias("start"),
        F.least(F.coalesce(end, F.lit(until)), F.lit(until)).alias("end"),
        "weekly_cost",
        cost_to(inputs, dataset, until).alias("cost"),
        district_column(rows).alias("district"),
        *(F.col(f"`{name}`").alias(own) for name, own in named.items()),
        *([F.col(f"`{regions.ethnicity}`").alias(ETHNICITY)] if regions else []),
        band_of(F.col("age_at_start"), settings.bands).alias(AGE_BAND),
    )


def _characteristics(elements: ElementsSettings) -> dict[str, str]:
    """Characteristic -> its column in the records, which has no name of another column of them."""
    return {name: f"characteristic_{at}" for at, name in enumerate(elements.characteristics)}


def _groupings(elements: ElementsSettings, city: Sequence[str]) -> list[Grouping]:
    return [
        *comparison_groupings(elements.comparisons, city),
        concentration_grouping(elements.concentration, city),
    ]


def _counted(
    records: DataFrame,
    elements: ElementsSettings,
    groupings: Sequence[Grouping],
    city: Sequence[str] | None,
) -> dict[str, DataFrame]:
    """Counts that are collected: of cells by district, of regions, and of codes."""
    frames = {_ELEMENTS: code_counts(records, "element", elements.named)}
    if groupings:
        frames[_CELLS] = count_groupings(by_person(records), groupings, cost="cost")
    if elements.regions is not None:
        frames[REGION_PROFILE.path] = count_regions(records, elements.regions)
        if city is None:
            frames[_DISTRICTS] = code_counts(records, "district", elements.regions.districts)
    return frames


def _warnings(
    inputs: Inputs,
    elements: ElementsSettings,
    collected: Mapping[str, pd.DataFrame],
    city: Sequence[str] | None,
) -> list[str]:
    """Warnings of elements and districts that the data do not have."""
    named, present = elements.named, codes_present(collected[_ELEMENTS], elements.named)
    warnings = unknown_codes(f"{SETTINGS} names the element", named, present)
    if elements.regions is None or REGION_PROFILE.path in inputs.unavailable:
        return warnings
    wanted, named_district = elements.regions.districts, f"{SETTINGS} names the district"
    if city is not None:
        lacking = "the city does not have"
        return [*warnings, *unknown_codes(named_district, wanted, city, lacking)]
    districts = codes_present(collected[_DISTRICTS], wanted)
    return [*warnings, *unknown_codes(named_district, wanted, districts)]


def _unavailable(elements: ElementsSettings, city: Sequence[str] | None) -> dict[TableSpec, str]:
    """Tables that cannot be made without districts of the city."""
    unavailable: dict[TableSpec, str] = {}
    if city is None:
        missing = f"the layer {elements.layer} in {AREAS.path}"
        unavailable |= {ELEMENT_COMPARISON: missing, ELEMENT_CONCENTRATION: missing}
    return unavailable


_WRITES = (
    ELEMENT_COMPARISON,
    ELEMENT_PROFILE,
    ELEMENT_CONCENTRATION,
    ELEMENT_VARIANTS,
    REGION_PROFILE,
)


def _needs(inputs: Inputs, settings: Settings) -> list[Need]:
    elements = settings.elements
    by_place = (ELEMENT_COMPARISON, ELEMENT_CONCENTRATION)
    others = (*by_place, ELEMENT_PROFILE, ELEMENT_VARIANTS)
    needed_by: dict[str, tuple[TableSpec, ...]] = {
        "element": _WRITES,
        "start": (ELEMENT_CONCENTRATION, REGION_PROFILE),
        "end": (REGION_PROFILE,),
        "place": (*by_place, REGION_PROFILE),
        "person": (REGION_PROFILE,),
    }
    empty_in: dict[str, tuple[TableSpec, ...]] = {
        "end": others,
        "person": others,
        "cost": _WRITES,
        "age": (ELEMENT_PROFILE, REGION_PROFILE),
    }
    ethnicity = [elements.regions.ethnicity] if elements.regions else []
    source = restricted(elements.dataset)
    return [
        *agreement_needs(
            inputs,
            elements.dataset,
            elements.roles,
            SETTINGS,
            needed_by=needed_by,
            empty_in=empty_in,
        ),
        *(Need(source, column, "", (ELEMENT_PROFILE,)) for column in elements.characteristics),
        *(Need(source, column, "string", (REGION_PROFILE,)) for column in ethnicity),
    ]


ANALYSIS = Analysis(
    name="elements",
    description="Compares elements of service by district, person and region.",
    load_settings=load_settings,
    settings_files=("analyses/elements.yaml",),
    reads=lambda _, settings: [restricted(settings.elements.dataset)],
    optional=lambda _, __: [AREAS.path, POSTCODE_AREAS.path, PLACE_AREAS.path],
    writes=_WRITES,
    build=build,
    draw=draw,
    needs=_needs,
)
