"""Reference of settings: keys, types, defaults and meanings, from models and their docstrings."""

import inspect
import re
import types
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Union, get_args, get_origin

from pydantic import BaseModel, RootModel
from pydantic.fields import FieldInfo

from socare_spark.configuration.schemas import attributes_of

_NAMES = {
    str: "text",
    int: "whole number",
    float: "number",
    Decimal: "number",
    bool: "true or false",
    date: "date",
}
_LIMITS = {
    "ge": "at least",
    "gt": "more than",
    "le": "at most",
    "lt": "less than",
    "min_length": "at least",
    "max_length": "at most",
}
Model = type[BaseModel]


def settings_table(model: Model) -> str:
    """Lists the settings of a file as a Markdown table: key, type, default, meaning.

    Keys of nested settings are joined by points. `NAME` is a key that the file chooses, and `[]` an
    entry of a list.
    """
    rows = [
        f"| `{key}` | {kind} | {default} | {text} |" for key, kind, default, text in _rows(model)
    ]
    return "\n".join(["| key | type | default | meaning |", "|---|---|---|---|", *rows, ""])


def undescribed(model: Model) -> list[str]:
    """Keys of settings without a meaning in the docstring of their model."""
    return [key for key, _, _, text in _rows(model) if not text]


def _rows(model: Model, prefix: str = "") -> Iterator[tuple[str, str, str, str]]:
    for name, field in model.model_fields.items():
        key = f"{prefix}{field.alias or name}"
        meaning = re.sub(r"\bNone\b", "null", attributes_of(model).get(name, ""))
        yield key, _kind(field), _default(field), _cell(meaning)
        for suffix, nested in _nested(field.annotation):
            yield from _rows(nested, f"{key}{suffix}.")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel) or value in ((), {}):
        return ""
    return f"`{_written(value)}`"


def _written(value: object) -> str:
    """A value as in YAML."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_written, value))}]"
    return str(value) if value != "" else '""'


def _kind(field: FieldInfo) -> str:
    return _type(field.annotation) + _limits(field.metadata, _unit(field.annotation))


def _unit(annotation: object) -> str:
    return "characters" if annotation is str else "entries"


def _type(annotation: object) -> str:
    """Name of a type, as `list of texts`."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(arguments[0]) + _limits(arguments[1:], _unit(arguments[0]))
    if origin in (Union, types.UnionType):
        names = [_type(each) for each in arguments if each is not type(None)]
        return " or ".join([*names, *(["null"] if type(None) in arguments else [])])
    if origin is Literal:
        return ", ".join(f"`{each}`" for each in arguments)
    if inspect.isclass(origin):
        return _collection(origin, arguments)
    return _NAMES[annotation] if annotation in _NAMES else _type_of_model(annotation)


def _collection(origin: type, arguments: tuple[object, ...]) -> str:
    if issubclass(origin, Mapping):
        return f"mapping: {_type(arguments[0])} → {_type(arguments[1])}"
    entries = [each for each in arguments if each is not Ellipsis]
    number = f"{len(entries)} " if origin is tuple and Ellipsis not in arguments else ""
    return f"list of {number}{_plural(_type(entries[0]))}"


def _type_of_model(annotation: object) -> str:
    if inspect.isclass(annotation) and issubclass(annotation, RootModel):
        return _type(annotation.model_fields["root"].annotation)
    return "keys"


def _plural(name: str) -> str:
    first, mark, rest = name.partition(" (")
    plural = first if first.endswith(("s", "`")) or " or " in first else f"{first}s"
    return plural + mark + rest


def _limits(metadata: Iterable[object], unit: str = "entries") -> str:
    """Limits of a value, as ` (at least 1)`.

    Args:
        metadata: Metadata of the annotation.
        unit: Unit of lengths.
    """
    found = []
    for each in metadata:
        if isinstance(each, FieldInfo):
            found += [_limits(each.metadata, unit)[2:-1]]
            continue
        # The declared column of a role.
        if isinstance(type_ := getattr(each, "type", None), str):
            found.append(f"column of type {type_}")
        for name, words in _LIMITS.items():
            limit = getattr(each, name, None)
            if isinstance(limit, (int, float, Decimal)):
                of_length = f" {unit}" if name.endswith("length") else ""
                found.append(f"{words} {limit}{of_length}")
        if isinstance(pattern := getattr(each, "pattern", None), str):
            found.append(f"matches `{_cell(pattern)}`")
    found = [text for text in found if text]
    return f" ({', '.join(found)})" if found else ""


def _nested(annotation: object) -> Iterator[tuple[str, Model]]:
    """Models within a type, with the suffix of their keys."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if inspect.isclass(annotation) and issubclass(annotation, RootModel):
        yield from _nested(annotation.model_fields["root"].annotation)
    elif inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        yield "", annotation
    elif origin is Annotated:
        yield from _nested(arguments[0])
    elif origin in (tuple, list):
        yield from ((f"[]{suffix}", model) for suffix, model in _nested(arguments[0]))
    elif inspect.isclass(origin) and issubclass(origin, Mapping):
        yield from ((f".NAME{suffix}", model) for suffix, model in _nested(arguments[1]))
    else:
        for each in arguments:
            yield from _nested(each)
