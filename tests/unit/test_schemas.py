"""The JSON Schemas are those of the models, and every shipped file fits its schema."""

import json
from contextlib import nullcontext
from pathlib import Path

import jsonschema
import pytest
import yaml

from socare_spark.config import read_model
from socare_spark.configuration.files import FILES
from socare_spark.configuration.schemas import attributes_of, schema_line, schema_text
from socare_spark.contracts.contract import Contract, Schema
from socare_spark.errors import ConfigurationError
from socare_spark.tracking.run import configuration_digest

ROOT = Path(__file__).parents[2]
CONF = ROOT / "conf"
EXAMPLES = sorted((CONF / "examples").glob("*/"))
SHIPPED = [(f, path) for conf in (CONF, *EXAMPLES) for f in FILES for path in f.paths(conf)]


class TextLoader(yaml.SafeLoader):
    """Reads days as texts, as JSON does."""


TextLoader.add_constructor(
    "tag:yaml.org,2002:timestamp", lambda loader, node: loader.construct_scalar(node)
)


def schema_of(file):
    return json.loads((CONF / "schema" / f"{file.name}.json").read_text("utf-8"))


def faults(file, text):
    data = yaml.load(text, TextLoader)
    return [*jsonschema.Draft202012Validator(schema_of(file)).iter_errors(data)]


def test_schemas_are_those_of_the_models():
    written = {path.name: path.read_text("utf-8") for path in (CONF / "schema").iterdir()}
    assert set(written) == {f"{file.name}.json" for file in FILES}
    outdated = [f.name for f in FILES if written[f"{f.name}.json"] != schema_text(f)]
    assert outdated == [], "run scripts/schemas"


@pytest.mark.parametrize(
    ("file", "path"), SHIPPED, ids=[p.relative_to(CONF).as_posix() for _, p in SHIPPED]
)
def test_shipped_file_fits_its_schema_and_names_it(file, path):
    text = path.read_text("utf-8")
    line, _, _ = text.partition("\n")
    is_example = CONF / "examples" in path.parents
    assert line == schema_line(file).replace("=", "=../../" if is_example else "=")
    assert (path.parent / line.partition("$schema=")[2]).is_file()
    assert faults(file, text) == []


CONTRACT = next(file for file in FILES if file.model is Contract)
FIELD = "{name: A, socare: {keep: as_is}, %s}"


def contract(field="type: string", key="none", more=""):
    return (
        f"name: a\nschema: {{primaryKey: {key}, fields: [{FIELD % field}]}}\n"
        f"socare: {{files: '(?P<period>x)', {more}}}\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        contract(),
        contract(key="[A]"),
        contract(key="A"),
        contract('missingValues: {"*": suppressed, "": unknown}'),
        contract('missingValues: ["*"]'),
        contract('missingValues: [{value: "*", label: suppressed}]'),
        contract("type: date, constraints: {minimum: 2017-06-01}"),
        contract(more="spellings: [{column: A, also: [B], from: 2017}]"),
        contract(more="earliest: 1900-01-01, year_ends: 03-31"),
    ],
)
def test_forms_that_a_contract_allows_fit_the_schema(text):
    assert faults(CONTRACT, text) == []


TREATED = """{name: a, schema: {primaryKey: none, fields: [{name: A, socare: {%s}},
{name: B, socare: {keep: as_is}}]}, socare: {files: '(?P<period>x)'}}"""


@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        (contract("kind: string"), False),
        (contract("type: text"), False),
        ("name: a\n", False),
        *((contract(more=f"gate: {value}"), accepted) for value, accepted in [
            ("2", False), ("0.05", True), ("1", True), ('"0.05"', False), ("true", False),
        ]),
        *((contract(more=f"snapshots: {value}"), accepted) for value, accepted in [
            ("true", True), ('"true"', False), ('"yes"', False), ("1", False),
        ]),
        *((contract(more=f"earliest: {value}"), accepted) for value, accepted in [
            ("1950-01-01", True), ('"1950-01-01"', True), ("0", False), ("soon", False),
            ('"1950-01-01T00:00:00"', False),
        ]),
        *((contract(more=f"encodings: [{{encoding: {value}}}]"), accepted) for value, accepted in [
            ("windows-1252", True), ("Windows-1252", True), ("UTF-16LE", True), ("utf-7", False),
            ("utf8", False), ("1252", False),
        ]),
        *((f"encoding: {value}\n{contract()}", accepted) for value, accepted in [
            ("UTF-8", True), ("iso-8859-15", True), ("ebcdic", False),
        ]),
        *((TREATED % value, accepted) for value, accepted in [
            ("keep: as_is", True), ("drop: true", True), ("drop: false", False),
            ("pseudonymise: person", True), ("keep: as_is, drop: false", True),
            ("keep: as_is, degrade: null", True), ("keep: as_is, drop: true", False),
            ("keep: as_is, pseudonymise: person", False), ("optional: true", False),
            ("keep: as_is, name: c", False), ("keep: as_is, as: c", True),
            ("keep: as_is, position: 7", True), ('keep: as_is, position: "7"', False),
            ("keep: as_is, position: true", False), ("keep: as_is, position: 7.0", True),
            ("keep: as_is, position: 7.5", False), ("keep: as_is, position: 0", False),
        ]),
        (contract().replace("primaryKey", "primary_key"), False),
        (contract('constraints: {minimum: true}, type: integer'), False),
        (contract('constraints: {minimum: 1}, type: integer'), True),
        (contract('constraints: {minLength: "1"}'), False),
        (contract('constraints: {required: "true"}'), False),
    ],
)  # fmt: skip
def test_the_schema_accepts_and_refuses_as_the_model(tmp_path, text, accepted):
    (tmp_path / "a.yaml").write_text(text)
    with nullcontext() if accepted else pytest.raises(ConfigurationError):
        read_model(tmp_path / "a.yaml", Contract)
    assert (faults(CONTRACT, text) == []) is accepted


def test_a_file_in_another_encoding_is_named_with_its_line(tmp_path):
    (tmp_path / "a.yaml").write_bytes(contract().encode() + "# Café\n".encode("latin-1"))
    with pytest.raises(ConfigurationError, match=r"a\.yaml:4 is not UTF-8: save the file"):
        read_model(tmp_path / "a.yaml", Contract)


def test_descriptions_are_those_of_the_docstrings():
    described = schema_of(CONTRACT)["$defs"]["Schema"]["properties"]["primaryKey"]["description"]
    assert described == attributes_of(Schema)["primary_key"]
    assert described.startswith("Columns that identify a record")


@pytest.mark.parametrize("file", FILES, ids=[file.name for file in FILES])
def test_every_key_has_a_description(file):
    models = {file.name: (schema := schema_of(file)), **schema.get("$defs", {})}
    properties = {
        f"{name}.{key}": declared
        for name, model in models.items()
        for key, declared in model.get("properties", {}).items()
    }
    without = [key for key, declared in properties.items() if not declared.get("description")]
    assert without == [], "add the attribute to the docstring of the model, and run scripts/schemas"


def test_schemas_do_not_change_the_digest_of_a_configuration(tmp_path):
    (tmp_path / "project.yaml").write_text("council: c\n")
    digest = configuration_digest(tmp_path)
    for folder in ("schema", "examples"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "project.json").write_text("{}")
        (tmp_path / folder / "project.yaml").write_text("council: d\n")
    assert configuration_digest(tmp_path) == digest
