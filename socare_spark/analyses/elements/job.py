"""The `elements` analysis: comparison of elements of service, and regions of interest.

Codes of elements are corrected by the declared list before they are counted. Costs are those of the
days on which an agreement is open, up to the run's as-of date. Source: thesis 4.2.1 to 4.2.4.
"""

from collections.abc import Mapping, Sequence
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.agreements import agreement_needs, cost_to, read_bands
from socare_spark.analyses.as_of import last_day
from socare_spark.analyses.districts import districts_of
from socare_spark.analyses.element_codes import canonical_code, read_canonical_codes
from socare_spark.analyses.elements.code_variants import ELEMENT_VARIANTS, element_variants
from socare_spark.analyses.elements.comparison import (
    ELEMENT_COMPARISON,
    ELEMENT_CONCENTRATION,
    ELEMENT_PROFILE,
    element_comparison,
    element_concentration,
    element_profile,
)
from socare_spark.analyses.elements.pictures import draw
from socare_spark.analyses.elements.regions import (
    REGION_PROFILE,
    districts_of_regions,
    region_profile,
    years_open,
)
from socare_spark.analyses.elements.settings import SETTINGS, Regions, Settings
from socare_spark.analyses.extracts import restricted
from socare_spark.analyses.vocabulary import codes_present, read_elements, warn_unknown_codes
from socare_spark.analysis import Analysis, Context, Need
from socare_spark.config import read_model
from socare_spark.lake.table import TableSpec
from socare_spark.measures.bands import Band, band_of
from socare_spark.places.reference_tables import AREAS
from socare_spark.postcodes import district_of


def _settings(context: Context) -> Settings:
    return read_model(context.conf / SETTINGS, Settings)


def _records(context: Context, settings: Settings, bands: Sequence[Band]) -> DataFrame:
    start, end = F.col("agreement_start"), F.col("agreement_end")
    until = last_day(context, settings.dataset)
    return context.read(restricted(settings.dataset)).select(
        F.col("element").alias("code"),
        canonical_code(F.col("element"), read_canonical_codes(context.conf)).alias("element"),
        "person",
        F.year(start).alias("year"),
        start.alias("start"),
        F.least(F.coalesce(end, F.lit(until)), F.lit(until)).alias("end"),
        "weekly_cost",
        cost_to(context, settings.dataset, until).alias("cost"),
        district_of(F.col("postcode")).alias("district"),
        *settings.columns,
        band_of(F.col("age_at_start"), bands).alias("age_band"),
    )


def tables(context: Context) -> Mapping[TableSpec, DataFrame]:
    """Builds all tables from one read of the agreements."""
    settings = _settings(context)
    bands = read_bands(context.conf, settings.age_bands, settings.dataset)
    records = _records(context, settings, bands).persist()
    wanted = [*settings.compared, *settings.concentration.elements]
    present = codes_present(records, "element", wanted)
    warn_unknown_codes(context, f"{SETTINGS} names the element", wanted, present)
    city = _city(context, settings)
    return {
        ELEMENT_PROFILE: element_profile(
            records, settings.compared, [*settings.characteristics, "age_band"]
        ),
        ELEMENT_VARIANTS: element_variants(
            records,
            read_elements(context.conf),
            read_canonical_codes(context.conf),
            context.run.warnings.append,
        ),
        **_by_district(context, records, city, settings),
        **_by_region(context, records, city, settings.regions),
    }


def _city(context: Context, settings: Settings) -> DataFrame | None:
    """One row per district of the city: district. None if the districts are not known."""
    districts = districts_of(context, settings.layer)
    if districts is None:
        return None
    return districts.select(F.col("code").alias("district")).persist()


def _by_district(
    context: Context, records: DataFrame, city: DataFrame | None, settings: Settings
) -> dict[TableSpec, DataFrame]:
    if city is None:
        for table in (ELEMENT_COMPARISON, ELEMENT_CONCENTRATION):
            context.mark_unavailable(table, f"the layer {settings.layer} in {AREAS.path}")
        return {}
    compared = [element_comparison(records, city, pair) for pair in settings.comparisons]
    return {
        ELEMENT_COMPARISON: reduce(DataFrame.unionByName, compared),
        ELEMENT_CONCENTRATION: element_concentration(records, city, settings.concentration),
    }


def _by_region(
    context: Context, records: DataFrame, city: DataFrame | None, regions: Regions | None
) -> dict[TableSpec, DataFrame]:
    if regions is None:
        context.mark_unavailable(REGION_PROFILE, f"'regions' in {SETTINGS}")
        return {}
    wanted = [district for region in regions.of.values() for district in region.districts]
    warn_unknown_codes(
        context,
        f"{SETTINGS} names the district",
        wanted,
        codes_present(records if city is None else city, "district", wanted),
        "no record has" if city is None else "the city does not have",
    )
    districts = districts_of_regions(context.spark, regions.of)
    periods = years_open(records, regions)
    return {REGION_PROFILE: region_profile(records, districts, periods, regions.ethnicity)}


_WRITES = (
    ELEMENT_COMPARISON,
    ELEMENT_PROFILE,
    ELEMENT_CONCENTRATION,
    ELEMENT_VARIANTS,
    REGION_PROFILE,
)


def _needs(context: Context) -> list[Need]:
    settings = _settings(context)
    by_place = (ELEMENT_COMPARISON, ELEMENT_CONCENTRATION)
    others = (*by_place, ELEMENT_PROFILE, ELEMENT_VARIANTS)
    needed_by: dict[str, tuple[TableSpec, ...]] = {
        "element": _WRITES,
        "agreement_start": (ELEMENT_CONCENTRATION, REGION_PROFILE),
        "agreement_end": (REGION_PROFILE,),
        "postcode": (*by_place, REGION_PROFILE),
        "person": (REGION_PROFILE,),
    }
    empty_in: dict[str, tuple[TableSpec, ...]] = {
        "agreement_end": others,
        "person": others,
        "weekly_cost": _WRITES,
        "age_at_start": (ELEMENT_PROFILE, REGION_PROFILE),
    }
    ethnicity = [settings.regions.ethnicity] if settings.regions else []
    source = restricted(settings.dataset)
    return [
        *agreement_needs(context, settings.dataset, needed_by, empty_in),
        *(Need(source, column, "", (ELEMENT_PROFILE,)) for column in settings.characteristics),
        *(Need(source, column, "string", (REGION_PROFILE,)) for column in ethnicity),
    ]


ANALYSIS = Analysis(
    name="elements",
    description="Compares elements of service by district, person and region.",
    reads=lambda context: [restricted(_settings(context).dataset)],
    optional=lambda _: [AREAS.path],
    writes=_WRITES,
    needs=_needs,
    tables=tables,
    draw=draw,
)
