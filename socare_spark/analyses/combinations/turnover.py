"""Blocks of combinations that come into use, or go out of use, in the same window.

Starts in the first window of the records and ends in the last are caused by the limits of the
records and not by a change of recording. They make no block. The thesis does not count them either:
it calls the combinations in use from 2006 on "only a fraction".
"""

import pandas as pd

from socare_spark.analyses.combinations.groups import members_of
from socare_spark.analyses.combinations.settings import Blocks
from socare_spark.lake.table import ColumnSpec, cell_table
from socare_spark.measures.periods import Window, window_start

COMBINATION_BLOCKS = cell_table(
    "combination_blocks",
    "Combinations whose first (or last) uses fall in one window, where they are many: people and "
    "records are of all of them together.",
    [
        ColumnSpec(
            "block", "bigint", "From 1 in the order of time; of one window starts come first."
        ),
        ColumnSpec("kind", "string", "`start` (of use) or `end`."),
        ColumnSpec("period", "date", "First day of the window, in which they start (end)."),
    ],
    [ColumnSpec("combinations", "bigint", "Combinations in the block.")],
    source="Thesis 5.8 and 5.9, figures 40 to 43",
)


def block_members(in_use: pd.DataFrame, spelled: pd.DataFrame, wanted: Blocks) -> pd.DataFrame:
    """Spellings of the combinations of each block, for `number_groups`.

    Args:
        in_use: Result of `combinations_in_use`.
        spelled: The spellings: `reason_text`, `outcome_text`, `reason`, `outcome`.
        wanted: The window, and the smallest number of combinations in a block.

    Returns:
        One row for each block and spelling: `reason_text`, `outcome_text`, `block`, `kind`,
        `period`, `combinations` (number in the block).
    """
    return members_of(blocks(in_use, wanted), spelled, ["reason", "outcome"], keep=False)


def starts_and_ends(in_use: pd.DataFrame, window: Window) -> pd.DataFrame:
    """Windows in which combinations start and end.

    Args:
        in_use: `reason`, `outcome`, `first_used`, `last_used`. Null days are left out.
        window: The calendar period of a window.

    Returns:
        One row for each combination and kind: `reason`, `outcome`, `kind` (`start` or `end`),
        `period` (first day of the window).
    """
    parts = []
    for kind, name in (("start", "first_used"), ("end", "last_used")):
        dated = in_use.dropna(subset=[name])
        periods = [window_start(day, window) for day in dated[name]]
        parts.append(dated[["reason", "outcome"]].assign(kind=kind, period=periods))
    return pd.concat(parts, ignore_index=True)


def blocks(in_use: pd.DataFrame, wanted: Blocks) -> pd.DataFrame:
    """The blocks with their combinations.

    Args:
        in_use: Result of `combinations_in_use`.
        wanted: The window, and the smallest number of combinations in a block.

    Returns:
        One row for each block and combination: `reason`, `outcome`, `kind`, `period`,
        `combinations` (number in the block), `block`.
    """
    placed = starts_and_ends(in_use, wanted.window)
    together = placed.groupby(["kind", "period"])["reason"].transform("size")
    is_start, period = placed["kind"] == "start", placed["period"]
    at_edge = (is_start & (period == period.min())) | (~is_start & (period == period.max()))
    many = placed.assign(combinations=together)[~at_edge & (together >= wanted.combinations)]
    in_order: pd.DataFrame = many.sort_values(["period", "kind"], ascending=[True, False])
    number = in_order.groupby(["period", "kind"], sort=False).ngroup() + 1
    return in_order.assign(block=number)
