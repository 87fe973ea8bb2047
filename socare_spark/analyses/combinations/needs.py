"""Tables of the `combinations` analysis, and the settings and columns that they need."""

from collections.abc import Container
from dataclasses import replace

from socare_spark.analyses.combinations.counts import (
    COMBINATION_BANDS,
    COMBINATION_TOTALS,
    COMBINATIONS,
    SUBPROCESS_EXTREMES,
)
from socare_spark.analyses.combinations.groups import TEXTS
from socare_spark.analyses.combinations.periods import COMBINATION_PERIODS
from socare_spark.analyses.combinations.renames import COMBINATION_RENAMES
from socare_spark.analyses.combinations.sets import COMBINATION_SETS
from socare_spark.analyses.combinations.settings import SETTINGS, Combinations, Settings
from socare_spark.analyses.combinations.timelines import PERSON_TIMELINES
from socare_spark.analyses.combinations.turnover import COMBINATION_BLOCKS
from socare_spark.analyses.extracts import restricted, snapshot_needs
from socare_spark.analyses.roles import Tables, role_needs
from socare_spark.inputs import Assigned, Inputs, Need
from socare_spark.lake.table import TableSpec

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
WRITES = (
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


def not_configured(wanted: Combinations) -> dict[TableSpec, str]:
    """Tables for which the configuration has no settings -> the settings."""
    tables: dict[str, Tables] = {
        "'bands'": () if wanted.bands else (COMBINATION_BANDS,),
        "'blocks'": () if wanted.blocks else (COMBINATION_BLOCKS,),
        "'renames'": () if wanted.renames else (COMBINATION_RENAMES,),
        "'extremes'": () if wanted.extremes else (SUBPROCESS_EXTREMES,),
        "'reason' and 'outcome'": () if wanted.has_pairs else _OF_PAIRS,
    }
    return {t: f"{keys} in conf/{SETTINGS}" for keys, of_keys in tables.items() for t in of_keys}


def needs(inputs: Inputs, settings: Settings) -> list[Need]:
    """Columns that the analysis needs."""
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
    every = [
        *pairs,
        *snapshot_needs(inputs, wanted.dataset, *WRITES),
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
    left_out = not_configured(wanted)
    return [_without(need, left_out) for need in every]


def _without(need: Need, left_out: Container[TableSpec]) -> Need:
    """A need without the tables for which the configuration has no settings."""
    tables, without = (
        tuple(table for table in tables if table not in left_out)
        for tables in (need.tables, need.without)
    )
    return replace(need, tables=tables, without=without)
