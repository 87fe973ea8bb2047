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
from socare_spark.analyses.combinations.groups import (
    TEXTS,
    count_groups,
    number_groups,
    with_counts,
)
from socare_spark.analyses.combinations.needs import WRITES, needs, not_configured
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
from socare_spark.analyses.combinations.sets import (
    COMBINATION_SETS,
    pair_members,
    set_members,
    set_spellings,
    sets_in_use,
    with_combination,
    without_unknown,
)
from socare_spark.analyses.combinations.settings import (
    SETTINGS,
    Combinations,
    Settings,
    load_settings,
)
from socare_spark.analyses.combinations.timelines import PERSON_TIMELINES, person_timelines
from socare_spark.analyses.combinations.turnover import COMBINATION_BLOCKS, block_members
from socare_spark.analyses.extracts import current_rows, restricted
from socare_spark.analyses.vocabulary import SUBPROCESSES, UNMAPPED, Claim, unknown_codes
from socare_spark.analysis import Analysis, Frame, Result
from socare_spark.errors import ConfigurationError
from socare_spark.inputs import Inputs
from socare_spark.lake.collect import collect_one
from socare_spark.lake.table import TableSpec
from socare_spark.plurals import agreeing, counted

_MOST_REASONS, _MOST_COMBINATIONS = 5_000, 50_000


def build(inputs: Inputs, settings: Settings) -> Result:
    """Builds all tables. Combinations without a sub-process are counted in the run record."""
    wanted = settings.wanted
    rows = current_rows(inputs, wanted.dataset)
    result = Result({})
    if wanted.has_pairs:
        columns = ["person", *TEXTS, "first_day", "last_day"]
        records = rows.select(*columns).dropna(subset=TEXTS).cache()
        result = combination_results(records, settings)
    sets = Result({})
    if wanted.has_sets:
        sets = set_results(with_combination(rows, wanted).cache(), wanted)
    # Bands and blocks are those of pairs, if there are pairs.
    return Result(
        tables={**sets.tables, **result.tables},
        warnings=[*result.warnings, *sets.warnings],
        counts={**result.counts, **sets.counts},
        not_configured=not_configured(wanted),
    )


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
    members = combination_members(in_use, spelled)
    counts = _count(
        records,
        {
            COMBINATIONS: members,
            **({} if wanted.has_sets else {COMBINATION_SETS: pair_members(members)}),
            COMBINATION_TOTALS: total_members(spelled),
            COMBINATION_PERIODS: period_members(reasons, spelled),
            **_blocks(in_use, spelled, wanted),
            **_renames(reasons, spelled, wanted),
        },
    )
    of_pairs = counts[COMBINATIONS]
    tables: dict[TableSpec, Frame] = {
        **counts,
        COMBINATION_PERIODS: combination_periods(counts[COMBINATION_PERIODS]),
        **_bands(records, of_pairs, spelled, wanted),
        PERSON_TIMELINES: person_timelines(records, spelled),
    }
    if wanted.extremes:
        tables[SUBPROCESS_EXTREMES] = subprocess_extremes(of_pairs, wanted.extremes)
    unmapped = int((of_pairs["subprocess"] == UNMAPPED).sum())
    warnings = _warnings(unmapped, claims, reasons)
    return Result(tables, warnings=warnings, counts={"combinations.unmapped": unmapped})


def set_results(records: DataFrame, wanted: Combinations) -> Result:
    """Builds the combinations of columns and flags, with their bands and blocks.

    Args:
        records: Result of `with_combination`.
        wanted: The settings.
    """
    spelled, not_known = without_unknown(_collect_sets(records, wanted))
    in_use = sets_in_use(spelled)
    blocks = _blocks(in_use, in_use, wanted)
    counts = _count(records, {COMBINATION_SETS: set_members(spelled), **blocks})
    of_sets = counts[COMBINATION_SETS].assign(outcome="")
    people = of_sets.rename(columns={"combination": "reason"})
    tables: dict[TableSpec, Frame] = {**counts, **_bands(records, people, in_use, wanted)}
    if not not_known:
        return Result(tables)
    warning = (
        f"{counted(not_known, 'record')} of {restricted(wanted.dataset)} "
        f"{agreeing(not_known, 'has', 'have')} no value in one of the flags "
        f"{', '.join(wanted.flags)}, so the combination is not known, and {COMBINATION_SETS.path} "
        f"does not count {agreeing(not_known, 'it', 'them')}. If no value means no, set "
        f"empty_flags: not_true in conf/{SETTINGS}."
    )
    return Result(tables, warnings=[warning], counts={"combinations.flags_not_known": not_known})


def _collect_sets(records: DataFrame, wanted: Combinations) -> pd.DataFrame:
    """Collects the combinations of columns and flags.

    Raises:
        ConfigurationError: there are too many, as in columns of free text.
    """
    frame = set_spellings(records)
    spelled = collect_one(COMBINATION_SETS.path, frame.limit(_MOST_COMBINATIONS + 1))
    if len(spelled) <= _MOST_COMBINATIONS:
        return spelled
    raise ConfigurationError(
        f"Columns {', '.join([*wanted.columns, *wanted.flags])} of dataset {wanted.dataset} have "
        f"{frame.count():,} combinations; {_MOST_COMBINATIONS:,} are allowed. Set columns of codes "
        f"in conf/{SETTINGS}."
    )


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


def _blocks(
    in_use: pd.DataFrame, spelled: pd.DataFrame, wanted: Combinations
) -> dict[TableSpec, pd.DataFrame]:
    """Members of the blocks, if the configuration defines them."""
    if wanted.blocks is None:
        return {}
    return {COMBINATION_BLOCKS: block_members(in_use, spelled, wanted.blocks)}


def _renames(
    reasons: Sequence[Reason], spelled: pd.DataFrame, wanted: Combinations
) -> dict[TableSpec, pd.DataFrame]:
    """Members of the renames, if the configuration defines them."""
    if wanted.renames is None:
        return {}
    return {COMBINATION_RENAMES: rename_members(renamed(reasons, wanted.renames), spelled)}


def _bands(
    records: DataFrame, of_combinations: pd.DataFrame, spelled: pd.DataFrame, wanted: Combinations
) -> dict[TableSpec, pd.DataFrame]:
    """Counts of the bands, if the configuration has any."""
    if not wanted.bands:
        return {}
    members = band_members(of_combinations, spelled, wanted.bands)
    return _count(records, {COMBINATION_BANDS: members})


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
            f"{counted(unmapped, 'combination')} {agreeing(unmapped, 'has', 'have')} no "
            f"sub-process in {SUBPROCESSES}: counted in `{UNMAPPED}`."
        )
    claimed, present = [claim.reason for claim in claims], [reason.code for reason in reasons]
    return [*warnings, *unknown_codes(f"{SUBPROCESSES} names the reason", claimed, present)]


def _with_sets_alone(settings: Settings) -> dict[str, Settings]:
    """Settings with a column and a flag, for the documentation."""
    sets = {"reason": None, "outcome": None, "columns": ("column",), "flags": ("flag",)}
    wanted = settings.wanted.model_copy(update=sets)
    condition = "With `columns` and `flags`, and without `reason` and `outcome`"
    return {condition: settings._replace(wanted=wanted)}


ANALYSIS = Analysis(
    name="combinations",
    description="Counts people and records of combinations of reasons, outcomes and other columns.",
    load_settings=load_settings,
    settings_files=("analyses/combinations.yaml",),
    reads=lambda _, settings: [restricted(settings.wanted.dataset)],
    writes=WRITES,
    needs=needs,
    other_settings=_with_sets_alone,
    build=build,
    draw=draw,
)
