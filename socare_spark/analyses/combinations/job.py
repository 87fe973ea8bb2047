"""The `combinations` analysis: combinations of reason and outcome, by people, records and time.

Spark counts the spellings of combinations, and then the people and records of all groups of
spellings. Source: thesis chapter 5.
"""

from collections.abc import Sequence

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.combinations.counts import (
    COMBINATION_BANDS,
    COMBINATION_TOTALS,
    COMBINATIONS,
    SUBPROCESS_EXTREMES,
    band_members,
    combination_members,
    combinations_in_use,
    spellings,
    subprocess_extremes,
    total_members,
    with_subprocess,
)
from socare_spark.analyses.combinations.groups import count_groups, number_groups, with_counts
from socare_spark.analyses.combinations.periods import (
    COMBINATION_PERIODS,
    combination_periods,
    period_members,
)
from socare_spark.analyses.combinations.pictures import draw
from socare_spark.analyses.combinations.reasons import Reason, reasons_of
from socare_spark.analyses.combinations.renames import (
    COMBINATION_RENAMES,
    rename_members,
    renamed,
)
from socare_spark.analyses.combinations.settings import (
    SETTINGS,
    Combinations,
    Settings,
    load_settings,
)
from socare_spark.analyses.combinations.timelines import PERSON_TIMELINES, person_timelines
from socare_spark.analyses.combinations.turnover import COMBINATION_BLOCKS, block_members
from socare_spark.analyses.extracts import restricted
from socare_spark.analyses.roles import role_needs
from socare_spark.analyses.vocabulary import SUBPROCESSES, UNMAPPED, Claim, unknown_codes
from socare_spark.analysis import Analysis, Frame, Result
from socare_spark.errors import ConfigurationError
from socare_spark.inputs import Inputs, Need
from socare_spark.lake.collect import collect_one
from socare_spark.lake.table import TableSpec

_MOST_REASONS, _MOST_COMBINATIONS = 5_000, 50_000


def build(inputs: Inputs, settings: Settings) -> Result:
    """Builds all tables. Combinations without a sub-process are counted in the run record."""
    records = _records(inputs, settings.wanted).cache()
    return combination_results(records, settings)


def combination_results(records: DataFrame, settings: Settings) -> Result:
    """Builds all tables from the records.

    Args:
        records: `person` (null if not known), `reason_text`, `outcome_text` (as written, not null),
            `first_day`, `last_day` (null if not known).
        settings: The settings.
    """
    wanted, claims = settings
    spelled = with_subprocess(_collect_spellings(records, wanted), claims)
    reasons = reasons_of(spelled)
    in_use = combinations_in_use(spelled)
    counts = _count(
        records,
        {
            COMBINATIONS: combination_members(in_use, spelled),
            COMBINATION_TOTALS: total_members(spelled),
            COMBINATION_BLOCKS: block_members(in_use, spelled, wanted.blocks),
            COMBINATION_RENAMES: rename_members(renamed(reasons, wanted.renames), spelled),
            COMBINATION_PERIODS: period_members(reasons, spelled),
        },
    )
    counted = counts[COMBINATIONS]
    of_bands = band_members(counted, spelled, wanted.bands)
    tables: dict[TableSpec, Frame] = {
        **counts,
        COMBINATION_PERIODS: combination_periods(counts[COMBINATION_PERIODS]),
        **_count(records, {COMBINATION_BANDS: of_bands}),
        SUBPROCESS_EXTREMES: subprocess_extremes(counted, wanted.extremes),
        PERSON_TIMELINES: person_timelines(records, spelled),
    }
    unmapped = int((counted["subprocess"] == UNMAPPED).sum())
    warnings = _warnings(unmapped, claims, reasons)
    return Result(tables, warnings=warnings, counts={"combinations.unmapped": unmapped})


def _records(inputs: Inputs, wanted: Combinations) -> DataFrame:
    """The records with a reason and an outcome, for `combination_results`."""
    columns = {
        "reason_text": wanted.reason,
        "outcome_text": wanted.outcome,
        "first_day": wanted.first_day,
        "last_day": wanted.last_day,
    }
    named = [F.col(column).alias(name) for name, column in columns.items()]
    rows = inputs.read(restricted(wanted.dataset)).select("person", *named)
    return rows.dropna(subset=["reason_text", "outcome_text"])


def _collect_spellings(records: DataFrame, wanted: Combinations) -> pd.DataFrame:
    """Collects the spellings. Refuses columns of free text, because all reasons are compared.

    Raises:
        ConfigurationError: there are too many reasons or combinations.
    """
    frame = spellings(records)
    spelled = collect_one(COMBINATIONS.path, frame.limit(_MOST_COMBINATIONS + 1))
    number, reasons = len(spelled), spelled["reason"].nunique()
    if number <= _MOST_COMBINATIONS and reasons <= _MOST_REASONS:
        return spelled
    if number > _MOST_COMBINATIONS:
        number, reasons = frame.agg(F.count(F.lit(1)), F.count_distinct("reason")).collect()[0]
    raise ConfigurationError(
        f"Columns {wanted.reason} and {wanted.outcome} of dataset {wanted.dataset} have "
        f"{reasons:,} reasons in {number:,} combinations of texts; {_MOST_REASONS:,} in "
        f"{_MOST_COMBINATIONS:,} are allowed. Set columns of codes in {SETTINGS}."
    )


def _count(
    records: DataFrame, members: dict[TableSpec, pd.DataFrame]
) -> dict[TableSpec, pd.DataFrame]:
    """Counts the groups of some results in one query."""
    groups = number_groups(members)
    name = " and ".join(table.path for table in members)
    return with_counts(groups, collect_one(name, count_groups(records, groups.members)))


def _warnings(unmapped: int, claims: Sequence[Claim], reasons: Sequence[Reason]) -> list[str]:
    """Warns of combinations without a sub-process, and of claims of unknown reasons."""
    warnings = []
    if unmapped:
        warnings.append(
            f"{unmapped} combinations have no sub-process in {SUBPROCESSES}; they are in "
            f"`{UNMAPPED}`."
        )
    claimed, present = [claim.reason for claim in claims], [reason.code for reason in reasons]
    return [*warnings, *unknown_codes(f"{SUBPROCESSES} names the reason", claimed, present)]


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


def _needs(_: Inputs, settings: Settings) -> list[Need]:
    wanted = settings.wanted
    source = restricted(wanted.dataset)
    dated = (COMBINATION_BLOCKS, COMBINATION_RENAMES, COMBINATION_PERIODS)
    by_people = (COMBINATION_BANDS, SUBPROCESS_EXTREMES, PERSON_TIMELINES)
    totals = (COMBINATIONS, COMBINATION_TOTALS)
    return [
        Need(source, wanted.reason, "string", _WRITES),
        Need(source, wanted.outcome, "string", _WRITES),
        Need(source, wanted.first_day, "date", (*dated, PERSON_TIMELINES), (COMBINATIONS,)),
        Need(source, wanted.last_day, "date", dated, (COMBINATIONS,)),
        *role_needs(
            wanted.dataset,
            wanted.roles,
            SETTINGS,
            {"person": by_people},
            {"person": (*totals, *dated)},
        ),
    ]


ANALYSIS = Analysis(
    name="combinations",
    description="Counts people and records per combination of reason and outcome, by sub-process.",
    load_settings=load_settings,
    reads=lambda _, settings: [restricted(settings.wanted.dataset)],
    writes=_WRITES,
    needs=_needs,
    build=build,
    draw=draw,
)
