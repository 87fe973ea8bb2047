"""Small frames: counts as an analysis collects them, and rows to compare."""

import pandas as pd

from socare_spark.lake.collect import to_pandas
from socare_spark.measures.person_counts import count_groupings, split_groupings


def rows_of(frame, *columns):
    """Sorted rows of some columns of a pandas frame, with None for null and NaN."""
    chosen = frame[list(columns)].astype(object)
    return sorted(chosen.where(chosen.notna(), None).itertuples(index=False, name=None), key=str)


def counts_of(frame, /, *groupings, **measures):
    """Table -> its counts in some groupings of a Spark frame."""
    cells = count_groupings(frame, groupings, **measures)
    return split_groupings(to_pandas(cells.toArrow()), groupings)


def count_frame(rows, dims):
    """Counts as a pandas frame, in the types of collected ones.

    Args:
        rows: Values of the dimensions, `people` and `records`.
        dims: Name of a dimension -> its pandas type.
    """
    frame = pd.DataFrame(rows, columns=[*dims, "people", "records"], dtype=object)
    no_cost = dict.fromkeys(("cost", "cost_top1", "cost_top2", "providers"))
    return frame.astype({**dims, "people": "Int64", "records": "Int64"}).assign(**no_cost)
