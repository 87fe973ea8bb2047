"""Reading a configuration file into a strict model, with errors an operator can act on."""

from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from socare_spark.errors import ConfigurationError


class StrictModel(BaseModel):
    """A model that knows all its keys, cannot be changed, and never shows a value in an error."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, populate_by_name=True
    )


Model = TypeVar("Model", bound=BaseModel)


def read_model(path: Path, model: type[Model]) -> Model:
    """Reads a YAML file into a model.

    Raises:
        ConfigurationError: the file is not there, is not YAML, or does not fit; the text names the
            file, the key and the rule.
    """
    try:
        data = yaml.safe_load(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(
            f"{path} is not there: --conf must name the folder that holds it."
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise ConfigurationError(f"{path} is not readable as YAML{where}: mend it there.") from None
    try:
        return model.model_validate(data if data is not None else {})
    except ValidationError as error:
        raise ConfigurationError(f"{path}: {_first(error)}") from None


def _first(error: ValidationError) -> str:
    problems = error.errors(include_url=False, include_input=False)
    first = problems[0]
    key = ".".join(str(part) for part in first["loc"]) or "the file"
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{key}: {first['msg'].removeprefix('Value error, ')}{more}."
