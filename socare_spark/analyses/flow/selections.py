"""Selections of records by texts of a column: records left out, and texts that no record has."""

from collections import defaultdict
from collections.abc import Mapping

import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.flow.bounds import Report
from socare_spark.analyses.flow.events import Read, columns_of
from socare_spark.analyses.flow.parts import Log, Matrix, Selection
from socare_spark.analyses.flow.settings import Flow
from socare_spark.analyses.vocabulary import unknown_codes

_NOT_SELECTED = "not_selected"


def selection_queries(flow: Flow, read: Read) -> dict[str, DataFrame]:
    """Counts the records with each text by which a flow selects records.

    One query counts all selections of a dataset.

    Returns:
        Name of the selections of a dataset -> one row. For each of its parts, in columns that
        begin with the key in the file: the number of records with each text, and the number of
        other records.
    """
    parts: dict[str, dict[str, Selection]] = defaultdict(dict)
    for key, part in _selections(flow).items():
        parts[part.dataset][key] = part
    return {
        _name(flow, dataset): _count_texts(flow, selections, read)
        for dataset, selections in parts.items()
    }


def report_selections(flow: Flow, counted: Mapping[str, pd.DataFrame]) -> Report:
    """Reports texts that no record has, and counts the events that a log or a matrix leaves out.

    Args:
        flow: The flow.
        counted: Collected results of `selection_queries`, and others.
    """
    warnings, left_out = [], {}
    for key, part in _selections(flow).items():
        numbers = counted[_name(flow, part.dataset)].iloc[0]
        found = {text for at, text in enumerate(part.conditions) if numbers[f"{key} {at}"]}
        lacking = f"no record of {part.dataset} has in {part.column}"
        for kind, texts in (("codes", part.codes), ("values", part.values)):
            named = f"Flow {flow.flow}: {key}.{kind} in conf/{flow.file} names"
            present = [text for text in texts if (kind, text) in found]
            warnings += unknown_codes(named, texts, present, lacking, near=())
        if isinstance(part, Log | Matrix):
            left_out[_NOT_SELECTED] = int(numbers[f"{key} {_NOT_SELECTED}"])
    return warnings, left_out


def _selections(flow: Flow) -> dict[str, Selection]:
    """Key in the file -> part that selects records by a column."""
    return {key: part for key, part in flow.parts.items() if part.column is not None}


def _name(flow: Flow, dataset: str) -> str:
    """Name of a collected frame, for messages."""
    return f"selections of {dataset} in flow {flow.flow}"


def _count_texts(flow: Flow, selections: Mapping[str, Selection], read: Read) -> DataFrame:
    columns = [str(part.column) for part in selections.values()]
    records = columns_of(flow, next(iter(selections.values())), read, *columns)
    counts = [
        F.count_if(has).alias(f"{key} {name}")
        for key, part in selections.items()
        for name, has in [*enumerate(part.conditions.values()), (_NOT_SELECTED, _is_other(part))]
    ]
    return records.agg(*counts)


def _is_other(part: Selection) -> Column:
    # A record without a text in the column is not selected.
    return F.coalesce(~part.where, F.lit(True))
