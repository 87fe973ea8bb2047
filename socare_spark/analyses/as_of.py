"""Last days of the records: the as-of day of open agreements, and the end of a follow-up."""

from datetime import date

from socare_spark.analyses.extracts import extract_column, newest_extract, restricted
from socare_spark.inputs import Inputs


def last_day(inputs: Inputs, dataset: str) -> date:
    """Day to which open agreements run: the as-of date, otherwise the day of the newest extract."""
    if inputs.as_of is not None:
        return inputs.as_of
    return newest_extract(inputs, dataset) or date.min


def followed_until(inputs: Inputs, dataset: str, last_record: date | None) -> date | None:
    """Last day to which the records of a dataset are followed.

    This is the day of the newest extract, but not after the as-of date.

    Args:
        inputs: The inputs of the run.
        dataset: Name of the dataset.
        last_record: Day of the last record. It is used for a dataset without a column of extracts.

    Returns:
        The day; None if the dataset has no extract, no record and the run has no as-of date.
    """
    if inputs.has_column(restricted(dataset), extract_column(inputs, dataset), ""):
        last_record = newest_extract(inputs, dataset)
    limits = [day for day in (last_record, inputs.as_of) if day is not None]
    return min(limits, default=None)
