"""The `combinations` analysis: combinations of reason and outcome, by people, records and time.

All tables are computed from two aggregates of the records: by text, and by combination, person and
month. Source: thesis chapter 5.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.combinations.counts import (
    COMBINATION_BANDS,
    COMBINATION_TOTALS,
    COMBINATIONS,
    SUBPROCESS_EXTREMES,
    combination_bands,
    combination_totals,
    combinations,
    spellings,
    subprocess_extremes,
    uses,
)
from socare_spark.analyses.combinations.periods import COMBINATION_PERIODS, combination_periods
from socare_spark.analyses.combinations.pictures import draw
from socare_spark.analyses.combinations.reasons import read_reasons
from socare_spark.analyses.combinations.renames import COMBINATION_RENAMES, combination_renames
from socare_spark.analyses.combinations.settings import SETTINGS, Settings, read_settings
from socare_spark.analyses.combinations.timelines import PERSON_TIMELINES, person_timelines
from socare_spark.analyses.combinations.turnover import COMBINATION_BLOCKS, combination_blocks
from socare_spark.analyses.extracts import restricted
from socare_spark.analyses.vocabulary import SUBPROCESSES, UNMAPPED, read_claims, warn_unknown_codes
from socare_spark.analysis import Analysis, Context, Need
from socare_spark.errors import ConfigurationError
from socare_spark.lake.table import TableSpec

_MOST_REASONS, _MOST_COMBINATIONS = 5_000, 50_000


def _records(context: Context, settings: Settings) -> DataFrame:
    """One row per record: person, reason and outcome as written, first_day, last_day."""
    frame = context.read(restricted(settings.dataset))
    columns = {
        "reason": settings.reason,
        "outcome": settings.outcome,
        "first_day": settings.first_day,
        "last_day": settings.last_day,
    }
    return frame.select("person", *[F.col(column).alias(name) for name, column in columns.items()])


def _check_codes(settings: Settings, spelled: DataFrame) -> None:
    """Refuses columns of free text, because the driver compares all reasons with each other.

    Raises:
        ConfigurationError: there are too many reasons or combinations.
    """
    combinations_, reasons = spelled.agg(F.count(F.lit(1)), F.count_distinct("reason")).collect()[0]
    if combinations_ > _MOST_COMBINATIONS or reasons > _MOST_REASONS:
        raise ConfigurationError(
            f"Columns {settings.reason} and {settings.outcome} of dataset {settings.dataset} have "
            f"{reasons:,} reasons in {combinations_:,} combinations of texts; {_MOST_REASONS:,} in "
            f"{_MOST_COMBINATIONS:,} are allowed. Set columns of codes in {SETTINGS}."
        )


def tables(context: Context) -> dict[TableSpec, DataFrame]:
    """Builds all tables. Combinations without a sub-process are counted in the run record."""
    settings = read_settings(context)
    records = _records(context, settings).dropna(subset=["reason", "outcome"])
    claims = read_claims(context.conf)
    spelled = spellings(records, claims).persist()
    _check_codes(settings, spelled)
    used = uses(records, spelled).persist()
    counted = combinations(used, spelled).persist()
    unmapped = counted.where(F.col("subprocess") == UNMAPPED).count()
    context.run.counts["combinations.unmapped"] = unmapped
    if unmapped:
        context.run.warnings.append(
            f"{unmapped} combinations have no sub-process in {SUBPROCESSES}; they are in "
            f"`{UNMAPPED}`."
        )
    reasons = read_reasons(spelled)
    claimed = [claim.reason for claim in claims]
    warn_unknown_codes(
        context, f"{SUBPROCESSES} names the reason", claimed, [r.code for r in reasons]
    )
    return {
        COMBINATIONS: counted,
        COMBINATION_TOTALS: combination_totals(used),
        COMBINATION_BANDS: combination_bands(used, counted, settings.bands),
        COMBINATION_BLOCKS: combination_blocks(used, counted, settings.blocks),
        COMBINATION_RENAMES: combination_renames(used, reasons, settings.renames),
        COMBINATION_PERIODS: combination_periods(used, reasons),
        SUBPROCESS_EXTREMES: subprocess_extremes(counted, settings.extremes),
        PERSON_TIMELINES: person_timelines(used),
    }


_WRITES = (
    COMBINATIONS,
    COMBINATION_TOTALS,
    COMBINATION_BANDS,
    COMBINATION_BLOCKS,
    COMBINATION_RENAMES,
    COMBINATION_PERIODS,
    SUBPROCESS_EXTREMES,
    PERSON_TIMELINES,
)


def _needs(context: Context) -> list[Need]:
    settings = read_settings(context)
    source = restricted(settings.dataset)
    dated = (COMBINATION_BLOCKS, COMBINATION_RENAMES, COMBINATION_PERIODS)
    by_people = (COMBINATION_BANDS, SUBPROCESS_EXTREMES, PERSON_TIMELINES)
    totals = (COMBINATIONS, COMBINATION_TOTALS)
    return [
        Need(source, settings.reason, "string", _WRITES),
        Need(source, settings.outcome, "string", _WRITES),
        Need(source, settings.first_day, "date", (*dated, PERSON_TIMELINES), (COMBINATIONS,)),
        Need(source, settings.last_day, "date", dated, (COMBINATIONS,)),
        Need(source, "person", "bigint", by_people, (*totals, *dated)),
    ]


ANALYSIS = Analysis(
    name="combinations",
    description="Counts people and records per combination of reason and outcome, by sub-process.",
    reads=lambda context: [restricted(read_settings(context).dataset)],
    writes=_WRITES,
    needs=_needs,
    tables=tables,
    draw=draw,
)
