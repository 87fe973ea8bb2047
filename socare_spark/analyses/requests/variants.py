"""Descriptions that are probably different spellings of one service."""

from datetime import date

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.requests.counts import DESCRIPTION
from socare_spark.analyses.requests.settings import SETTINGS
from socare_spark.lake.table import ColumnSpec, cell_table
from socare_spark.measures.text_clusters import fingerprint, text_clusters

REQUEST_VARIANTS = cell_table(
    "request_variants",
    "Descriptions of the newest snapshot, or of all extracts that are parts, that are probably one "
    "service spelled in several ways.",
    [
        ColumnSpec(
            "variant_group", "string", "Words of the canonical spelling, sorted, without marks."
        ),
        DESCRIPTION,
    ],
    [ColumnSpec("canonical", "string", "The spelling of the group that most records have.")],
    source="Thesis 6.2, Table 26",
)


def of_snapshot(counted: DataFrame, snapshot: date | None) -> DataFrame:
    """Selects the descriptions of a snapshot.

    Args:
        counted: Result of `by_description`.
        snapshot: The snapshot; None if there is none.
    """
    return counted.where(F.col("snapshot") == F.lit(snapshot)).drop("snapshot")


def most_used(current: DataFrame, most: int) -> DataFrame:
    """The descriptions that are compared with each other.

    Args:
        current: One row for each description: `description` and the measures of `count_people`.
        most: Largest number of descriptions; the most used are kept.
    """
    return current.orderBy(F.desc("records"), "description").limit(most)


def request_variants(used: pd.DataFrame, shortest: int) -> pd.DataFrame:
    """Groups descriptions that are probably different spellings of one service.

    Args:
        used: Collected result of `most_used`.
        shortest: Smallest number of letters of descriptions that are compared by single edits.

    Returns:
        One row for each description in a group. Columns as in REQUEST_VARIANTS.
    """
    number = dict(used[["description", "records"]].itertuples(index=False, name=None))
    groups = text_clusters(number, shortest)
    rows = [(text, fingerprint(best), best) for text, best in groups.items()]
    spelled = pd.DataFrame(
        rows, columns=["description", "variant_group", "canonical"], dtype=object
    )
    return used.merge(spelled, on="description")


def not_compared(descriptions: int, most: int) -> list[str]:
    """A warning if there are more descriptions than are compared.

    Args:
        descriptions: Number of descriptions.
        most: Largest number of descriptions that are compared.
    """
    if descriptions <= most:
        return []
    return [
        f"{REQUEST_VARIANTS.path} compares the {most:,} most used descriptions of "
        f"{descriptions:,}. The others are in no group. To compare more, raise 'most' under "
        f"variants in {SETTINGS}; the driver needs about 6 KB for each."
    ]
