"""Events of a flow: records with a case, an activity and a time.

Events at the same time are ordered by the declared order of stages, or by the key of the log.
Events of the same stage and time are equal in every table, so their order does not matter.
"""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import reduce
from operator import or_

import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DateType, TimestampNTZType, TimestampType

from socare_spark.analyses.extracts import current_rows
from socare_spark.analyses.flow.parts import Outcomes, Selection
from socare_spark.analyses.flow.settings import Flow
from socare_spark.errors import ConfigurationError
from socare_spark.inputs import Inputs

MICROSECONDS_A_DAY = 86_400_000_000
EPOCH = date(1970, 1, 1)
SEPARATOR = " > "
Read = Callable[[str], DataFrame]
# Dataset -> last day to which its records are followed; None if it is not known.
Ends = Mapping[str, date | None]


def reader(inputs: Inputs) -> Read:
    """Function that reads the current records of a dataset at the version of the run."""

    def read(dataset: str) -> DataFrame:
        return current_rows(inputs, dataset)

    return read


def escaped(activity: Column) -> Column:
    r"""Name of an activity within the name of a variant: `>` is written `\>`.

    Only the `>` of a separator has a space before it, so that different variants have different
    names.
    """
    return F.replace(activity, F.lit(">"), F.lit("\\>"))


def transition_name(from_activity: str, to_activity: str) -> str:
    """Name of a transition: both activities, with `>` written as in `escaped`."""
    return SEPARATOR.join(name.replace(">", "\\>") for name in (from_activity, to_activity))


def all_events(flow: Flow, read: Read) -> DataFrame:
    """Reads all events of a flow, including incomplete ones.

    Returns:
        One row per event: dataset, case, activity, at (microseconds since 1970; midnight for a
        date), tie. A missing case, activity or time is null.

    Raises:
        ConfigurationError: a column is missing, or the time is not a date or a timestamp.
    """
    if flow.log is not None:
        log = flow.log
        frame = selected(flow, log, read)
        return frame.select(
            F.lit(log.dataset).alias("dataset"),
            F.col(log.case).alias("case"),
            F.col(log.activity).cast("string").alias("activity"),
            microseconds(flow, frame, log.time).alias("at"),
            log.order.alias("tie"),
        )
    parts = [_stage_events(flow, place, read) for place in range(len(flow.stages))]
    events = parts[0]
    for part in parts[1:]:
        events = events.unionByName(part)
    return events


def check_cases(flow: Flow, read: Read) -> None:
    """Checks that all columns of cases have one type, so that they can be compared.

    Raises:
        ConfigurationError: the columns of cases have several types.
    """
    parts = [*(stage.records for stage in flow.stages), flow.assessed, flow.outcomes]
    named = [(part.dataset, part.case) for part in parts if part is not None]
    types = {
        (dataset, case): read(dataset).schema[case].dataType.simpleString()
        for dataset, case in dict.fromkeys(named)
    }
    if len({*types.values()}) > 1:
        listed = (f"{case} of {dataset} is {type_}" for (dataset, case), type_ in types.items())
        raise ConfigurationError(
            f"Flow {flow.flow} takes its cases from columns of several types: "
            f"{', '.join(listed)}. Give them one type and one pseudonymisation scheme in their "
            "contracts."
        )


def _stage_events(flow: Flow, place: int, read: Read) -> DataFrame:
    stage, meant = flow.stages[place], flow.stages[place].records
    frame = selected(flow, meant, read)
    return frame.select(
        F.lit(meant.dataset).alias("dataset"),
        F.col(meant.case).alias("case"),
        F.lit(stage.code).alias("activity"),
        microseconds(flow, frame, meant.time).alias("at"),
        F.lit(place).alias("tie"),
    )


def assessed_cases(flow: Flow, read: Read, ends: Ends) -> DataFrame | None:
    """One row per assessment of any kind: case. None if no assessments are declared.

    Args:
        flow: The flow.
        read: Reads a dataset.
        ends: Last day of each dataset. Later assessments are left out.
    """
    if flow.assessed is None:
        return None
    rows = selected(flow, flow.assessed, read)
    at = microseconds(flow, rows, flow.assessed.time)
    rows = rows.where(~is_later(F.lit(flow.assessed.dataset), at, ends))
    return rows.select(F.col(flow.assessed.case).alias("case"))


def complete_events(events: DataFrame) -> DataFrame:
    """Events with a case, an activity and a time."""
    return events.dropna(subset=["case", "activity", "at"])


def is_later(dataset: Column, at: Column, ends: Ends) -> Column:
    """Whether a time is after the last day to which a dataset is followed; false for null.

    Args:
        dataset: Name of the dataset.
        at: Microseconds since 1970.
        ends: Last day of each dataset.
    """
    after = [(dataset == name) & (at >= _next_day(day)) for name, day in ends.items() if day]
    return F.coalesce(reduce(or_, after, F.lit(False)), F.lit(False))


def _next_day(day: date) -> int:
    """The first microsecond after a day."""
    return ((day - EPOCH).days + 1) * MICROSECONDS_A_DAY


def count_later(events: DataFrame, ends: Ends) -> DataFrame:
    """Counts complete events after the last day to which their dataset is followed.

    Args:
        events: Result of `all_events`.
        ends: Last day of each dataset.

    Returns:
        One row per dataset with such events: dataset, later.
    """
    later = complete_events(events).where(is_later(F.col("dataset"), F.col("at"), ends))
    return later.groupBy("dataset").agg(F.count(F.lit(1)).alias("later"))


def count_events(events: DataFrame) -> DataFrame:
    """Counts the events of each dataset.

    Args:
        events: Result of `all_events`.

    Returns:
        One row per dataset: dataset, events (all), without_case, without_time and without_activity
        (first missing one only), activities (different ones of complete events), last (`at` of the
        last complete event).
    """
    no_case, no_time, no_activity = F.isnull("case"), F.isnull("at"), F.isnull("activity")
    complete = ~no_case & ~no_time & ~no_activity
    return events.groupBy("dataset").agg(
        F.count(F.lit(1)).alias("events"),
        F.count_if(no_case).alias("without_case"),
        F.count_if(~no_case & no_time).alias("without_time"),
        F.count_if(~no_case & ~no_time & no_activity).alias("without_activity"),
        F.count_distinct(F.when(complete, F.col("activity"))).alias("activities"),
        F.max(F.when(complete, F.col("at"))).alias("last"),
    )


def incomplete_events(counted: pd.DataFrame) -> dict[str, int]:
    """Numbers of all events and of incomplete events, for the run record.

    Args:
        counted: Result of `count_events`.
    """
    names = ["events", "without_case", "without_time", "without_activity"]
    return {name: int(counted[name].sum()) for name in names}


def last_days(counted: pd.DataFrame) -> dict[str, date]:
    """Dataset -> day of its last event.

    Args:
        counted: Result of `count_events`. A dataset without complete events is left out.
    """
    dated = counted.dropna(subset=["last"])
    return {
        dataset: EPOCH + timedelta(int(last / MICROSECONDS_A_DAY))
        for dataset, last in zip(dated["dataset"], dated["last"], strict=True)
    }


def selected(flow: Flow, part: Selection, read: Read) -> DataFrame:
    """Reads the columns of the selected records of a part of a flow."""
    return columns_of(flow, part, read, *part.columns).where(part.where)


def columns_of(flow: Flow, part: Selection | Outcomes, read: Read, *names: str) -> DataFrame:
    """Reads some columns of the dataset of a part of a flow.

    Raises:
        ConfigurationError: a column is not in the dataset.
    """
    frame = read(part.dataset)
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise ConfigurationError(
            f"Flow {flow.flow} names column {missing[0]}, which dataset {part.dataset} does not "
            f"have; it has {', '.join(sorted(frame.columns))}. Correct the name in conf/flows."
        )
    return frame.select(*dict.fromkeys(names))


def outcome_records(flow: Flow, part: Outcomes, read: Read) -> DataFrame:
    """One row per assessment with an outcome: case, outcome, team (the last two as written)."""
    frame = columns_of(flow, part, read, *part.columns)
    return frame.select(
        F.col(part.case).alias("case"),
        F.col(part.outcome).alias("outcome"),
        F.col(part.team).alias("team"),
    )


def microseconds(flow: Flow, frame: DataFrame, name: str) -> Column:
    """Microseconds since 1970. A day has 24 hours in any time zone of the session.

    Raises:
        ConfigurationError: the column is not a date or a timestamp.
    """
    kind, value = frame.schema[name].dataType, F.col(name)
    if isinstance(kind, DateType):
        return F.unix_date(value).cast("bigint") * MICROSECONDS_A_DAY
    if isinstance(kind, TimestampType):
        return F.unix_micros(value)
    if isinstance(kind, TimestampNTZType):
        epoch = F.lit("1970-01-01").cast("timestamp_ntz")
        return F.timestamp_diff("MICROSECOND", epoch, value)
    raise ConfigurationError(
        f"Flow {flow.flow} takes its time from {name}, which is {kind.simpleString()}: it must be "
        "a date or a timestamp."
    )
