"""Reads configuration files into strict models."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, ValidationError
from pydantic_core import CoreSchema
from pydantic_core.core_schema import no_info_before_validator_function

from socare_spark.errors import ConfigurationError

# Folders of conf that are no part of a council's configuration: properties of Spark, JSON Schemas,
# complete configurations of other councils, and files for Airflow and Kubernetes.
OTHER_FOLDERS = ("spark", "schema", "examples", "airflow", "kubernetes")
_MERGE = "tag:yaml.org,2002:merge"
_REPEATS = "repeats the key"
# A day in a configuration.
DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
# Messages in place of those of pydantic, by type of the problem.
_MESSAGES = {
    "extra_forbidden": "the key is not known: correct or remove it",
    "missing": "the key is missing: add it",
    "bool_type": "must be true or false without quotes",
    "string_type": (
        "must be a text: write it in quotes, because YAML reads numbers, days and words such as no "
        "and off as other types"
    ),
}


def _is_number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError("must be a number without quotes")
    return value


def _is_day(value: object) -> object:
    if not isinstance(value, date) and not (isinstance(value, str) and _DAY.fullmatch(value)):
        raise ValueError("must be a day, such as 2017-06-30")
    return value


_CHECKS: Mapping[str, Callable[[object], object]] = {
    "int": _is_number, "float": _is_number, "date": _is_day,
}  # fmt: skip
_DAY = re.compile(DAY)
# Parts of a schema of pydantic that are not schemas.
_NO_SCHEMAS = ("default", "metadata", "function", "expected", "cls")


def _strict_scalars(schema: Any, model: type) -> Any:  # noqa: ANN401 - any part of a schema
    """A schema that takes no text for a number, and no number for a day or a boolean.

    pydantic would convert them, and the JSON Schema of the model does not allow them.

    Args:
        schema: A schema of pydantic, or a part of it.
        model: The model. Models of its fields have strict scalars already.
    """
    if isinstance(schema, (list, tuple)):
        return type(schema)(_strict_scalars(part, model) for part in schema)
    if not isinstance(schema, dict):
        return schema
    kind = schema.get("type")
    if kind == "bool":
        return {**schema, "strict": True}
    if isinstance(kind, str) and kind in _CHECKS:
        checked: Any = schema
        return no_info_before_validator_function(_CHECKS[kind], checked)
    if kind == "model" and schema["cls"] is not model and issubclass(schema["cls"], StrictModel):
        return schema
    strict = {
        key: part if key in _NO_SCHEMAS else _strict_scalars(part, model)
        for key, part in schema.items()
    }
    if isinstance(fields := schema.get("fields"), dict):
        # The names of fields are no keys of a schema.
        strict["fields"] = {name: _strict_scalars(field, model) for name, field in fields.items()}
    return strict


class StrictModel(BaseModel):
    """An immutable model that rejects unknown keys and hides values in its errors."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, populate_by_name=True
    )

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: type[BaseModel], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        schema: CoreSchema = _strict_scalars(handler(source), source)
        return schema


def check_order(model: BaseModel, first: str, last: str) -> None:
    """Checks that one value of a model is not before another one. None means no limit.

    Args:
        model: The model.
        first: Name of the lower value.
        last: Name of the upper value.

    Raises:
        ValueError: the upper value is less than the lower one.
    """
    low, high = getattr(model, first), getattr(model, last)
    if low is not None and high is not None and high < low:
        raise ValueError(f"'{last}' must not be before '{first}'")


Model = TypeVar("Model", bound=BaseModel)


def read_model(path: Path, model: type[Model]) -> Model:
    """Reads a YAML file into a model.

    Args:
        path: The file.
        model: The model; an empty file is read as a mapping without keys.

    Raises:
        ConfigurationError: the file is missing, is not valid YAML, or does not fit the model. The
            message names the file, the key and the rule.
    """
    data = read_yaml(path)
    try:
        # A key has its name in the documentation only, and not that of the attribute.
        return model.model_validate(data if data is not None else {}, by_alias=True, by_name=False)
    except ValidationError as error:
        first, *others = (f"{path}: {problem}" for problem in _problems(error))
        more = f" (and {len(others)} more)" if others else ""
        raise ConfigurationError(f"{first.removesuffix('.')}{more}.", [first, *others]) from None


# The parser in C is several times faster, where PyYAML was built with it.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _UniqueKeyLoader(_Loader):  # type: ignore[misc]
    """Refuses a mapping with a repeated key. YAML would keep the last value."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == _MERGE:
                continue
            if key.value in seen:
                problem = f"{_REPEATS} {key.value}"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(key.value)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        return mapping


def read_yaml(path: Path) -> Any:  # noqa: ANN401 - any YAML
    """Reads a YAML file.

    Raises:
        ConfigurationError: the file is missing, is not valid YAML, or has a key twice.
    """
    try:
        return yaml.load(path.read_text("utf-8"), _UniqueKeyLoader)  # noqa: S506 - a safe loader
    except FileNotFoundError:
        raise ConfigurationError(
            f"{path} does not exist: --conf must name the folder that contains it."
        ) from None
    except UnicodeDecodeError as error:
        number = error.object[: error.start].count(b"\n") + 1
        raise ConfigurationError(
            f"{path}:{number} is not UTF-8: save the file in the encoding UTF-8."
        ) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or ""
        fault = (
            f"{problem}: remove one of them"
            if problem.startswith(_REPEATS)
            else ("is not valid YAML")
        )
        raise ConfigurationError(f"{path}{line} {fault}.") from None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read ({error.strerror}).") from None
    except ValueError:
        # YAML converts a text in the form of a date, such as 2017-02-30.
        raise ConfigurationError(
            f"{path} has a day that does not exist: correct it, or write it in quotes if it is a "
            "text."
        ) from None


def _problems(error: ValidationError) -> Iterator[str]:
    """Key and rule of each problem."""
    for problem in error.errors(include_url=False, include_input=False):
        key = ".".join(str(part) for part in problem["loc"]) or "the file"
        message = _MESSAGES.get(problem["type"], problem["msg"].removeprefix("Value error, "))
        yield f"{key}: {message}."
