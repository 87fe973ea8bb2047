"""Reads configuration files into strict models."""

from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from socare_spark.errors import ConfigurationError


class StrictModel(BaseModel):
    """An immutable model that rejects unknown keys and hides values in its errors."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, populate_by_name=True
    )


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
    try:
        data = yaml.safe_load(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(
            f"{path} does not exist: --conf must name the folder that contains it."
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise ConfigurationError(f"{path}{line} is not valid YAML.") from None
    except ValueError:
        # YAML converts a text in the form of a date, such as 2017-02-30.
        raise ConfigurationError(
            f"{path} has a day that does not exist: correct it, or write it in quotes if it is a "
            "text."
        ) from None
    try:
        return model.model_validate(data if data is not None else {})
    except ValidationError as error:
        raise ConfigurationError(f"{path}: {_first_problem(error)}") from None


def _first_problem(error: ValidationError) -> str:
    problems = error.errors(include_url=False, include_input=False)
    first = problems[0]
    key = ".".join(str(part) for part in first["loc"]) or "the file"
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{key}: {first['msg'].removeprefix('Value error, ')}{more}."
