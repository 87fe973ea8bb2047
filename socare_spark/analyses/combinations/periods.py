"""Comparison of the period of use in a reason's text with the dates of its records.

A record is outside the declared period if it begins before its first or after its last month. It
may end after the period.
"""

from collections.abc import Sequence

import pandas as pd

from socare_spark.analyses.combinations.groups import members_of
from socare_spark.analyses.combinations.reasons import Reason
from socare_spark.lake.table import ColumnSpec, cell_table

COMBINATION_PERIODS = cell_table(
    "combination_periods",
    "A reason whose text ends with figures in brackets: the period of use they declare, and the "
    "observed.",
    [ColumnSpec("reason", "string", "Code of the assessment's reason.")],
    [
        ColumnSpec(
            "declared_from",
            "date",
            "First day of the declared period; null where it is open, or the figures declare none.",
        ),
        ColumnSpec("declared_to", "date", "Last day of the last month; null likewise."),
        ColumnSpec("observed_from", "date", "Earliest first day of the reason's records."),
        ColumnSpec("observed_to", "date", "Latest last day of them."),
        ColumnSpec(
            "records_outside",
            "bigint",
            "Records that begin before or after the declared period; null where none is declared.",
        ),
    ],
    source="Thesis 5.8 and 5.9: dates beside the description",
)


def period_members(reasons: Sequence[Reason], spelled: pd.DataFrame) -> pd.DataFrame:
    """Spellings of each reason with figures in brackets, for `number_groups`.

    Args:
        reasons: Result of `reasons_of`.
        spelled: The spellings: `reason_text`, `outcome_text`, `reason`.

    Returns:
        One row for each reason and spelling: `reason_text`, `outcome_text`, `reason`,
        `declared_from`, `declared_to`, `observed_from`, `observed_to`.
    """
    rows = [
        (
            r.code,
            r.declared and r.declared.first,
            r.declared and r.declared.last,
            r.first_used,
            r.last_used,
        )
        for r in reasons
        if r.figures
    ]
    names = ["reason", "declared_from", "declared_to", "observed_from", "observed_to"]
    return members_of(pd.DataFrame(rows, columns=names), spelled, ["reason"], keep=True)


def combination_periods(counted: pd.DataFrame) -> pd.DataFrame:
    """Rows of COMBINATION_PERIODS.

    Args:
        counted: One row for each reason: the columns of `period_members` and of `count_groups`.
    """
    declared = counted["declared_from"].notna() | counted["declared_to"].notna()
    return counted.assign(records_outside=counted["records_outside"].where(declared))
