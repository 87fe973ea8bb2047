"""JSON Schemas of the files of a configuration, generated from their models.

Editors check a configuration by them and show the description of each key, which is that of the
attribute in the docstring of the model.
"""

import inspect
import json
import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from socare_spark.config import DAY
from socare_spark.configuration.files import FILES, ConfigurationFile

FOLDER = "schema"
_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_ATTRIBUTE = re.compile(r"^    (\w+): (.*(?:\n {8,}.*)*)", re.MULTILINE)


def write_schemas(folder: Path) -> None:
    """Writes all schemas into a folder, `NAME.json` each, and removes other files there."""
    folder.mkdir(exist_ok=True)
    texts = {f"{file.name}.json": schema_text(file) for file in FILES}
    for path in folder.iterdir():
        if path.name not in texts:
            path.unlink()
    for name, text in texts.items():
        (folder / name).write_text(text, "utf-8")


def schema_text(file: ConfigurationFile) -> str:
    """The JSON Schema of a kind of file, as the text of a JSON file."""
    schema = file.model.model_json_schema(schema_generator=_Generator)
    return json.dumps({"$schema": _DRAFT, **schema}, indent=2, ensure_ascii=False) + "\n"


def schema_line(file: ConfigurationFile) -> str:
    """The first line of a configuration file, by which editors find its schema."""
    above = "../" * file.pattern.count("/")
    return f"# yaml-language-server: $schema={above}{FOLDER}/{file.name}.json"


def attributes_of(model: type[BaseModel]) -> dict[str, str]:
    """Attribute -> description, from the docstrings of a model and of its base classes."""
    texts: dict[str, str] = {}
    for each in reversed(model.__mro__):
        _, _, section = inspect.cleandoc(each.__dict__.get("__doc__") or "").partition(
            "Attributes:\n"
        )
        texts |= {name: " ".join(text.split()) for name, text in _ATTRIBUTE.findall(section)}
    return {name: text for name, text in texts.items() if name in model.model_fields}


class _Generator(GenerateJsonSchema):
    """Describes each key by its attribute in the docstring of the model."""

    def field_title_should_be_set(self, _schema: object) -> bool:
        """Titles would repeat the keys."""
        return False

    def date_schema(self, schema: core_schema.DateSchema) -> JsonSchemaValue:
        """The schema of a day."""
        return {**super().date_schema(schema), "pattern": f"^{DAY}$"}

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        """The schema of a model."""
        result = super().model_schema(schema)
        model: type[BaseModel] = schema["cls"]
        text, _, _ = inspect.getdoc(model).partition("\n\nAttributes:")  # type: ignore[union-attr]
        result["description"] = " ".join(text.split())
        properties: dict[str, Any] = result.get("properties", {})
        for name, description in attributes_of(model).items():
            key = model.model_fields[name].alias or name
            if key in properties:
                properties[key] = {**properties[key], "description": description}
        return result
