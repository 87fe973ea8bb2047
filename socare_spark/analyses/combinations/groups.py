"""Counts of people and records in groups of spellings, in one pass over the records.

A spelling is a pair of a reason and an outcome as written. It can be in several groups.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.lake.collect import to_spark
from socare_spark.lake.table import TableSpec
from socare_spark.measures.person_counts import count_people

TEXTS = ["reason_text", "outcome_text"]
_DECLARED = ["declared_from", "declared_to"]
_MEMBER = pa.schema(
    [
        ("group", pa.int64()),
        *((name, pa.string()) for name in TEXTS),
        *((name, pa.date32()) for name in _DECLARED),
    ]
)


@dataclass(frozen=True)
class Groups:
    """The groups of several results.

    Attributes:
        rows: Result -> one row for each of its groups: `group` and the columns of the result that
            are known before the records are counted.
        members: One row for each group and spelling: `group`, `reason_text`, `outcome_text`,
            `declared_from`, `declared_to` (null for a group without a declared period).
    """

    rows: Mapping[TableSpec, pd.DataFrame]
    members: pd.DataFrame


def number_groups(members: Mapping[TableSpec, pd.DataFrame]) -> Groups:
    """Numbers the groups of all results.

    Args:
        members: Result -> one row for each of its groups and each spelling in it: `reason_text`,
            `outcome_text`, and other columns, which are the same in all rows of a group.
    """
    rows, parts, number = {}, [], 0
    for table, of_table in members.items():
        columns = [name for name in of_table.columns if name not in TEXTS]
        groups = of_table.groupby(columns, sort=False, dropna=False)
        numbered = of_table.assign(group=groups.ngroup() + number)
        number += groups.ngroups
        rows[table] = numbered[["group", *columns]].drop_duplicates("group")
        parts.append(numbered.reindex(columns=_MEMBER.names).astype(object))
    return Groups(rows, pd.concat(parts, ignore_index=True))


def count_groups(records: DataFrame, members: pd.DataFrame) -> DataFrame:
    """Counts the records of each group.

    Args:
        records: `person`, `reason_text`, `outcome_text`, `first_day`.
        members: Members of the result of `number_groups`.

    Returns:
        One row for each group: `group`, the measures of `count_people`, `records_outside` (records
        that begin before or after the declared period).
    """
    spelled = to_spark(records.sparkSession, members, _MEMBER)
    before = F.col("first_day") < F.col("declared_from")
    after = F.col("first_day") > F.col("declared_to")
    in_groups = records.join(F.broadcast(spelled), TEXTS).withColumn(
        "records_outside", F.when(before | after, 1).otherwise(0)
    )
    return count_people(in_groups, ["group"], sums=["records_outside"])


def with_counts(groups: Groups, counted: pd.DataFrame) -> dict[TableSpec, pd.DataFrame]:
    """Adds the collected counts to the rows of each result.

    Args:
        groups: Result of `number_groups`.
        counted: Collected result of `count_groups`.
    """
    return {table: rows.merge(counted, on="group") for table, rows in groups.rows.items()}


def members_of(
    groups: pd.DataFrame, spelled: pd.DataFrame, codes: Sequence[str], *, keep: bool
) -> pd.DataFrame:
    """Finds the spellings in each group.

    Args:
        groups: One row for each group and code: `codes`, not null, and the columns of the group.
        spelled: The spellings, with the columns of `codes`.
        codes: Columns by which a spelling is in a group.
        keep: Whether these columns are columns of the group too.
    """
    joined = spelled[[*TEXTS, *codes]].merge(groups, on=list(codes))
    return joined if keep else joined.drop(columns=list(codes))
