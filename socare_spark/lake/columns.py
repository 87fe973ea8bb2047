"""Columns as a reader needs them: present under their names, and of a type that can be read."""

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import (
    DataType,
    DateType,
    NumericType,
    StringType,
    StructType,
    TimestampNTZType,
    TimestampType,
    _parse_datatype_string,
)

_DAYS = (DateType, TimestampType, TimestampNTZType)


def is_readable(schema: StructType, column: str, type_: str) -> bool:
    """Whether a schema has a column that can be read as a type.

    Every type can be read as a string, a moment as a day and a number as another number. A string
    is not read as a day or a number: its format is not known here.

    Args:
        schema: The columns of a table.
        column: Name of the wanted column.
        type_: Spark SQL type; an empty one stands for any type.
    """
    if column not in schema.names:
        return False
    if not type_:
        return True
    held, wanted = schema[column].dataType, _parse_datatype_string(type_)
    if isinstance(wanted, StringType):
        return True
    family = _DAYS if isinstance(wanted, _DAYS) else NumericType
    return isinstance(held, family)


def with_columns_as(frame: DataFrame, types: Mapping[str, str]) -> DataFrame:
    """The frame with columns of some types; a column that cannot be read as its type is null.

    Args:
        frame: Any frame.
        types: Name of a column -> Spark SQL type; an empty one stands for any type.
    """
    changed = {
        name: _read_as(frame.schema, name, type_)
        for name, type_ in types.items()
        if not _has(frame.schema, name, type_)
    }
    return frame.withColumns(changed) if changed else frame


def _has(schema: StructType, name: str, type_: str) -> bool:
    """Whether a column needs no change."""
    if name not in schema.names:
        return False
    return not type_ or _same(schema[name].dataType, _parse_datatype_string(type_))


def _same(held: DataType, wanted: DataType) -> bool:
    """Whether two types are alike but for precision."""
    return type(held) is type(wanted)


def _read_as(schema: StructType, name: str, type_: str) -> Column:
    value = F.col(name) if is_readable(schema, name, type_) else F.lit(None)
    return value.try_cast(type_ or "string")
