"""A process of three stages with six cases, and its counts by stage."""

import pandas as pd

STAGES = ["CA", "AS", "SP"]
EVENTS = [
    (1, "CA"), (1, "CA"), (1, "AS"), (1, "SP"),  # through all stages, one of them twice
    (2, "CA"),
    (3, "AS"), (3, "AS"),  # never contacted
    (4, "SP"),  # neither contacted nor assessed
    (5, "CA"), (5, "SP"),  # skips a stage
]  # fmt: skip
# A sixth person was assessed in a sub-process that is no stage; one assessment has no person.
ASSESSED = [(1,)] * 4 + [(2,), (3,), (3,), (4,), (5,), (5,), (6,), (None,)]
_COLUMNS = [
    "stage", "after_previous", "after_all", "people", "records", "repeats", "people_repeating",
    "people_long",
]  # fmt: skip
COUNTS = [
    ("CA", None, True, 3, 4, 1, 1, 0),
    ("AS", True, True, 1, 1, 0, 0, 0),
    ("AS", False, False, 1, 2, 1, 1, 0),
    ("SP", True, True, 1, 1, 0, 0, 0),
    ("SP", False, False, 2, 2, 0, 0, 0),
    ("assessed", None, None, 6, 11, 5, 3, 0),
    (None, None, None, 6, 10, None, 0, 0),
]


def stage_counts(rows):
    """Rows as COUNTS, in the types of collected counts."""
    frame = pd.DataFrame(rows, columns=_COLUMNS)
    integers = dict.fromkeys(_COLUMNS[3:], "Int64")
    return frame.astype({"after_previous": "boolean", "after_all": "boolean"} | integers)
