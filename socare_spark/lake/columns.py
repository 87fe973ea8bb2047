"""Checks and converts columns to the names and types that a reader requires."""

import re
from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import (
    BooleanType,
    DataType,
    DateType,
    NumericType,
    StringType,
    StructType,
    TimestampNTZType,
    TimestampType,
)

_DAYS = (DateType, TimestampType, TimestampNTZType)
# Types whose name in JSON differs from their name in SQL.
_JSON_NAMES = {"bigint": "long", "int": "integer", "smallint": "short", "tinyint": "byte"}


def data_type(text: str) -> DataType:
    """The type with a Spark SQL name, such as `decimal(20,2)` or `array<string>`.

    Unlike `DataType.fromDDL` it needs no session, and it accepts no structs, maps or intervals.
    """
    field = {"name": "value", "type": _json_type(text), "nullable": True, "metadata": {}}
    return StructType.fromJson({"type": "struct", "fields": [field]})["value"].dataType


def _json_type(text: str) -> object:
    array = re.fullmatch("array<(.*)>", text)
    if array:
        return {"type": "array", "elementType": _json_type(array[1]), "containsNull": True}
    return _JSON_NAMES.get(text, text)


def is_readable(schema: StructType, column: str, type_: str) -> bool:
    """Whether a schema has a column that can be converted to a type.

    Any type converts to a string, a timestamp to a date and a number to another number. A string
    does not convert to a date or a number because its format is unknown.

    Args:
        schema: The columns of a table.
        column: Name of the column.
        type_: Spark SQL type; empty for any type.
    """
    if column not in schema.names:
        return False
    if not type_:
        return True
    actual, required = schema[column].dataType, data_type(type_)
    if isinstance(required, StringType):
        return True
    if isinstance(required, BooleanType):
        return isinstance(actual, BooleanType)
    return isinstance(actual, _DAYS if isinstance(required, _DAYS) else NumericType)


def with_columns_as(frame: DataFrame, types: Mapping[str, str]) -> DataFrame:
    """Converts columns of a frame to the required types.

    Args:
        frame: Any frame.
        types: Column -> Spark SQL type; empty for any type.

    Returns:
        The frame with all columns in `types`; a missing or inconvertible column is null.
    """
    changed = {
        name: _convert(frame.schema, name, type_)
        for name, type_ in types.items()
        if not _needs_no_change(frame.schema, name, type_)
    }
    return frame.withColumns(changed) if changed else frame


def _needs_no_change(schema: StructType, name: str, type_: str) -> bool:
    """Whether a frame has a column of a type."""
    if name not in schema.names:
        return False
    return not type_ or _is_same_type(schema[name].dataType, data_type(type_))


def _is_same_type(actual: DataType, required: DataType) -> bool:
    """Whether two types are equal except for their precision."""
    return type(actual) is type(required)


def _convert(schema: StructType, name: str, type_: str) -> Column:
    value = F.col(name) if is_readable(schema, name, type_) else F.lit(None)
    return value.try_cast(type_ or "string")


def value_of(key: Column, values: Mapping[str, str]) -> Column:
    """The value of a key; null for a key without a value."""
    pairs = [F.lit(text) for pair in values.items() for text in pair]
    return F.try_element_at(F.create_map(*pairs).cast("map<string,string>"), key)
