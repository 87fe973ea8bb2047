"""The `combinations` analysis: combinations of reason and outcome, by people, records and time.

Spark counts the spellings of combinations, and then the people and records of all groups of
spellings. Source: thesis chapter 5.
"""

from collections.abc import Sequence
from dataclasses import replace

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
from socare_spark.analyses.extracts import current_rows, restricted, snapshot_needs
from socare_spark.analyses.roles import Tables, role_needs
from socare_spark.analyses.vocabulary import SUBPROCESSES, UNMAPPED, Claim, unknown_codes
from socare_spark.analysis import Analysis, Frame, Result
from socare_spark.errors import ConfigurationError
from socare_spark.inputs import Assigned, Inputs, Need
from socare_spark.lake.collect import collect_one
from socare_spark.lake.table import TableSpec
from socare_spark.plurals import agreeing, counted

_MOST_REASONS, _MOST_COMBINATIONS = 5_000, 50_000


def build(inputs: Inputs, settings: Settings) -> Result:
    """Builds all tables. Combinations without a sub-process are counted in the run record."""
    wanted = settings.wanted
    rows = current_rows(inputs, wanted.dataset)
    no_pairs = dict.fromkeys(_OF_PAIRS, f"'reason' and 'outcome' in conf/{SETTINGS}")
    result = Result({}, not_configured=no_pairs)
    if wanted.has_pairs:
        columns = ["person", *TEXTS, "first_day", "last_day"]
        records = rows.select(*columns).dropna(subset=TEXTS).cache()
        result = combination_results(records, settings)
    if not wanted.has_sets:
        return result
    sets = set_results(with_combination(rows, wanted).cache(), wanted)
    # Bands and blocks are those of pairs, if there are pairs.
    return replace(
        result,
        tables={**sets.tables, **result.tables},
        warnings=[*result.warnings, *sets.warnings],
        counts={**result.counts, **sets.counts},
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


def set_results(records: DataFrame, wanted: Combinations) -> Result:
    """Builds the combinations of columns and flags, with their bands and blocks.

    Args:
        records: Result of `with_combination`.
        wanted: The settings.
    """
    spelled, not_known = without_unknown(_collect_sets(records, wanted))
    in_use = sets_in_use(spelled)
    counts = _count(
        records,
        {
            COMBINATION_SETS: set_members(spelled),
            COMBINATION_BLOCKS: block_members(in_use, in_use, wanted.blocks),
        },
    )
    of_sets = counts[COMBINATION_SETS].assign(outcome="")
    people = of_sets.rename(columns={"combination": "reason"})
    of_bands = band_members(people, in_use, wanted.bands)
    tables: dict[TableSpec, Frame] = {**counts, **_count(records, {COMBINATION_BANDS: of_bands})}
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


# Tables that need a reason and an outcome.
_OF_PAIRS = (
    COMBINATIONS,
    COMBINATION_TOTALS,
    COMBINATION_RENAMES,
    COMBINATION_PERIODS,
    SUBPROCESS_EXTREMES,
    PERSON_TIMELINES,
)
_OF_EITHER = (COMBINATION_BANDS, COMBINATION_BLOCKS)
_WRITES = (
    COMBINATIONS,
    COMBINATION_SETS,
    COMBINATION_TOTALS,
    COMBINATION_BANDS,
    COMBINATION_BLOCKS,
    COMBINATION_RENAMES,
    COMBINATION_PERIODS,
    SUBPROCESS_EXTREMES,
    PERSON_TIMELINES,
)


def _needs(inputs: Inputs, settings: Settings) -> list[Need]:
    wanted = settings.wanted
    source = restricted(wanted.dataset)
    dated = (COMBINATION_BLOCKS, COMBINATION_RENAMES, COMBINATION_PERIODS)
    by_people = (COMBINATION_BANDS, SUBPROCESS_EXTREMES, PERSON_TIMELINES)
    used = (COMBINATIONS, COMBINATION_SETS)
    of_sets = (COMBINATION_SETS, *(() if wanted.has_pairs else _OF_EITHER))
    of_pairs = (*_OF_PAIRS, *_OF_EITHER, *(() if wanted.has_sets else (COMBINATION_SETS,)))

    def need(key: str, name: str, type_: str, tables: Tables, without: Tables = ()) -> Need:
        column = getattr(wanted, key)
        if key == "last_day" and column is None:
            column = wanted.first_day
        assigned = Assigned(key, column, SETTINGS, key)
        return Need(source, name, type_, tables, without, assigned)

    def listed(key: str, type_: str) -> list[Need]:
        return [
            Need(
                source,
                column,
                type_,
                of_sets,
                assigned=Assigned(key, column, SETTINGS, f"{key}.{at}"),
            )
            for at, column in enumerate(getattr(wanted, key))
        ]

    pairs = [need("reason", TEXTS[0], "string", of_pairs)] if wanted.has_pairs else []
    pairs += [need("outcome", TEXTS[1], "string", of_pairs)] if wanted.has_pairs else []
    needs = [
        *pairs,
        *snapshot_needs(inputs, wanted.dataset, *_WRITES),
        *listed("columns", ""),
        *listed("flags", "boolean"),
        need("first_day", "first_day", "date", (*dated, PERSON_TIMELINES), used),
        need("last_day", "last_day", "date", dated, used),
        *role_needs(
            wanted.dataset,
            wanted.roles,
            SETTINGS,
            needed_by={"person": by_people},
            empty_in={"person": (*used, COMBINATION_TOTALS, *dated)},
        ),
    ]
    return needs if wanted.has_pairs else [_without_pairs(need) for need in needs]


def _without_pairs(need: Need) -> Need:
    """A need of the tables that need no reason and outcome."""
    tables, without = (
        tuple(table for table in tables if table not in _OF_PAIRS)
        for tables in (need.tables, need.without)
    )
    return replace(need, tables=tables, without=without)


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
    writes=_WRITES,
    needs=_needs,
    other_settings=_with_sets_alone,
    build=build,
    draw=draw,
)
