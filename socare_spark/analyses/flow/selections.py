"""Selections of records by texts of a column: records left out, and texts that no record has."""

from collections.abc import Mapping

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.flow.bounds import Report
from socare_spark.analyses.flow.events import Read, columns_of
from socare_spark.analyses.flow.parts import Log, Matrix, Selection
from socare_spark.analyses.flow.settings import Flow
from socare_spark.analyses.vocabulary import unknown_codes

_NOT_SELECTED = "not_selected"


def selection_queries(flow: Flow, read: Read) -> dict[str, DataFrame]:
    """Counts the records with each text by which a flow selects records.

    Returns:
        Name of the selection of a part -> one row: the number of records with each text, in the
        columns 0, 1, ..., and not_selected, the number of other records.
    """
    return {
        _name(flow, key): _count_texts(columns_of(flow, part, read, str(part.column)), part)
        for key, part in _selections(flow).items()
    }


def report_selections(flow: Flow, counted: Mapping[str, pd.DataFrame]) -> Report:
    """Reports texts that no record has, and counts the events that a log or a matrix leaves out.

    Args:
        flow: The flow.
        counted: Collected results of `selection_queries`, and others.
    """
    warnings, left_out = [], {}
    for key, part in _selections(flow).items():
        numbers = counted[_name(flow, key)].iloc[0]
        found = {text for at, text in enumerate(part.conditions) if numbers[str(at)]}
        lacking = f"no record of {part.dataset} has in {part.column}"
        for kind, texts in (("codes", part.codes), ("values", part.values)):
            named = f"Flow {flow.flow}: {key}.{kind} in conf/{flow.file} names"
            present = [text for text in texts if (kind, text) in found]
            warnings += unknown_codes(named, texts, present, lacking, near=())
        if isinstance(part, Log | Matrix):
            left_out[_NOT_SELECTED] = int(numbers[_NOT_SELECTED])
    return warnings, left_out


def _selections(flow: Flow) -> dict[str, Selection]:
    """Key in the file -> part that selects records by a column."""
    return {key: part for key, part in flow.parts.items() if part.column is not None}


def _name(flow: Flow, key: str) -> str:
    """Name of a collected frame, for messages."""
    return f"records by {key} of flow {flow.flow}"


def _count_texts(records: DataFrame, part: Selection) -> DataFrame:
    texts = (F.count_if(has).alias(str(at)) for at, has in enumerate(part.conditions.values()))
    others = F.count(F.lit(1)) - F.count_if(part.where)
    return records.agg(*texts, others.alias(_NOT_SELECTED))
