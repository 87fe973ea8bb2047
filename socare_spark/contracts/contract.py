"""A contract: a Frictionless data resource with additional keys under `socare`.

Guarantee: only declared columns are processed, and each has an explicit treatment. No column is
kept by default.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Self

from pydantic import Field as Key
from pydantic import field_validator, model_validator

from socare_spark.config import StrictModel, read_model
from socare_spark.contracts.contract_faults import (
    form_fault,
    key_fault,
    place_fault,
    position_fault,
    span_fault,
    spelling_fault,
)
from socare_spark.contracts.dialect import (
    LATER_DIALECT_KEYS,
    Dialect,
    Format,
)
from socare_spark.contracts.encodings import Encoding
from socare_spark.contracts.extension import Extension
from socare_spark.contracts.field import Constraints, Field
from socare_spark.contracts.field_faults import FALSE, TRUE
from socare_spark.contracts.header_names import NAME, normalise_header
from socare_spark.contracts.periods import Calendar
from socare_spark.contracts.place_columns import PLACE
from socare_spark.contracts.spans import Span
from socare_spark.errors import ConfigurationError, raise_faults

PERSON = "person"
NO_KEY = "none"
SOURCE_LINE = ("source_file", "line")
# Keys that contracts did not always have, with their defaults. The digest of a contract leaves out
# defaults, so that lakes keep their files.
_LATER_KEYS = {
    "true_values": [*TRUE],
    "false_values": [*FALSE],
    "missing_values": None,
    "status": None,
    "position": None,
    "zone": None,
    "day": None,
    "trailing_delimiter": False,
    "merged_cells": None,
    "xml": None,
    "place": None,
    **LATER_DIALECT_KEYS,
}


class Schema(StrictModel):
    """The columns, the texts that mean a missing value, and the key.

    Attributes:
        fields: The columns of the extract. Columns that are not declared are not read.
        missing_values: Texts that mean a missing value.
        primary_key: Columns that identify a record; `none`, or an empty list, keeps every record.
            `socare.extract_column` can be one of them: a record is then identified within its
            extract.
    """

    fields: tuple[Field, ...]
    missing_values: tuple[str, ...] = Key(default=("",), alias="missingValues")
    primary_key: tuple[str, ...] = Key(alias="primaryKey")

    @model_validator(mode="after")
    def _has_no_missing_boolean(self) -> Self:
        for field in self.fields:
            texts = {*field.true_values, *field.false_values} & {*self.missing_texts(field)}
            if field.is_boolean and texts:
                raise ValueError(f"{field.name}: a text of missingValues means true or false")
        return self

    def missing_texts(self, field: Field) -> Sequence[str]:
        """Texts that mean a missing value in a column."""
        own = field.missing_values
        return self.missing_values if own is None else tuple(own)

    @field_validator("primary_key", mode="before", json_schema_input_type=list[str] | str)
    @classmethod
    def _as_names(cls, value: object) -> object:
        if isinstance(value, str):
            return () if value.lower() == NO_KEY else (value,)
        if not isinstance(value, (list, tuple)):
            raise ValueError("must be a column, a list of columns, or none")
        return value


class Contract(StrictModel):
    """The contract of one dataset: `conf/datasets/NAME.yaml`.

    Attributes:
        name: Name of the dataset and of its table, like the name of the file.
        path: Folder of the files, for other programs.
        title: Title for readers.
        description: Description for readers.
        format: Format of the files.
        mediatype: Media type of the files, for other programs.
        encoding: Encoding of the files.
        dialect: Form of the records.
        schema_: The columns and the key.
        socare: Keys of this project.
    """

    name: str = Key(pattern=NAME)
    path: str = ""
    title: str = ""
    description: str = ""
    format: Format = "csv"
    mediatype: str = "text/csv"
    encoding: Encoding = "utf-8"
    dialect: Dialect = Dialect()
    schema_: Schema = Key(alias="schema")
    socare: Extension

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [f.name for f in self.fields]
        if len(set(map(normalise_header, names))) != len(names):
            raise ValueError("schema.fields: two fields have the same name")
        if "" in map(normalise_header, names):
            raise ValueError("schema.fields: a name has no letter or digit")
        settings = self.socare
        mentioned = [*self.key_fields, *self.dated]
        mentioned += [s.column for s in settings.spellings]
        mentioned += [f.socare.age.at for f in self.fields if f.socare.age]
        mentioned += settings.xml.fields if settings.xml else ()
        mentioned += settings.place.columns if settings.place else ()
        unknown = sorted(set(mentioned) - set(names))
        if unknown:
            raise ValueError(f"names columns that are not in schema.fields: {unknown}")
        fault = (
            span_fault(settings, self.fields)
            or spelling_fault(self.fields, settings)
            or key_fault(self)
            or form_fault(self)
            or position_fault(self)
            or place_fault(self)
        )
        if fault:
            raise ValueError(fault)
        conflicting = [f.name for f in self.fields if f.constraints.required and f.socare.optional]
        if conflicting:
            raise ValueError(f"{', '.join(conflicting)}: a required column cannot be optional")
        ages = [f.socare.age for f in self.fields if f.socare.age]
        dates = [*self.dated, *(a.at for a in ages)]
        other_types = sorted({name for name in dates if not self.field(name).is_date})
        if other_types:
            raise ValueError(
                "date_order, not_after_extract and age.at need fields of type date or datetime; "
                f"these have another type: {other_types}"
            )
        outputs = [f.output for f in self.fields if not f.socare.drop]
        outputs += [a.name for a in ages]
        outputs += [f.socare.status for f in self.fields if f.socare.status]
        outputs += [f.socare.day for f in self.fields if f.socare.day]
        outputs += [PLACE] if settings.place else []
        outputs += [settings.extract_column, *SOURCE_LINE]
        if len(set(outputs)) != len(outputs):
            raise ValueError(
                "two fields are written to the same column, or one to a reserved column "
                f"({settings.extract_column}, source_file or line): set another name with 'as'"
            )
        if not any(not f.socare.drop or f.socare.age for f in self.fields) and not settings.place:
            raise ValueError(
                "schema.fields: every column is dropped, so that no record has a value"
            )
        if PERSON in outputs and not self.person_scheme:
            raise ValueError(f"{PERSON}: a column of this name must be pseudonymised")
        return self

    @property
    def fields(self) -> tuple[Field, ...]:
        """The declared columns."""
        return self.schema_.fields

    def field(self, name: str) -> Field:
        """The field with a name."""
        return next(f for f in self.fields if f.name == name)

    @property
    def person(self) -> Field | None:
        """The field whose token is the column `person`."""
        return next((f for f in self.fields if f.output == PERSON and not f.socare.drop), None)

    @property
    def person_scheme(self) -> str:
        """The identifier scheme of the column `person`; empty if the contract has none."""
        return (self.person and self.person.socare.pseudonymise) or ""

    @property
    def dated(self) -> frozenset[str]:
        """Names of the fields that `date_order` or `not_after_extract` reads."""
        orders = [name for order in self.socare.date_order for name in (order.first, order.then)]
        return frozenset([*orders, *self.socare.not_after_extract])

    def is_read(self, field: Field) -> bool:
        """Whether a field is written, or an age, a constraint or a date rule reads it."""
        place = self.socare.place
        checked = field.constraints != Constraints() or field.name in self.dated
        checked = checked or (place is not None and field.name in place.columns)
        return not field.socare.drop or field.socare.age is not None or checked

    @property
    def key_fields(self) -> list[str]:
        """Names of the fields in `schema.primaryKey`, without `socare.extract_column`."""
        fields, day = {field.name for field in self.fields}, self.socare.extract_column
        return [name for name in self.schema_.primary_key if name in fields or name != day]

    @property
    def own_key(self) -> list[str]:
        """Columns of the restricted table that identify a record within its extract."""
        return [self.field(name).output for name in self.key_fields]

    @property
    def key_has_day(self) -> bool:
        """Whether `schema.primaryKey` has the day of the extract."""
        return len(self.key_fields) < len(self.schema_.primary_key)

    @property
    def key(self) -> list[str]:
        """Columns of the restricted table that identify a row.

        These are the primary key, or file and line without one. The extract's day is one of them
        for snapshots, and if the primary key has it.
        """
        names = self.own_key or list(SOURCE_LINE)
        has_day = self.socare.snapshots or self.key_has_day
        return [self.socare.extract_column, *names] if has_day else names

    @property
    def table(self) -> str:
        """Path of the restricted table, `restricted/NAME`."""
        return f"restricted/{self.name}"

    def digest(self, day: date) -> str:
        """Digest of the keys that determine the rows of an extract.

        Titles, descriptions, nouns, file limits, file names and declarations for other periods are
        excluded.

        Args:
            day: As-of day of the extract.

        Returns:
            16 hexadecimal digits.
        """
        data = self.model_dump(mode="json", exclude={"title", "description", "path", "mediatype"})
        for field in data["schema_"]["fields"]:
            field.pop("title"), field.pop("description"), field["socare"].pop("optional")
            _drop_defaults(field, field["socare"])
        settings = data["socare"]
        _drop_defaults(data["dialect"], settings)
        for key in (
            "gate",
            "repeated_keys",
            "repeated_keys_gate",
            "files",
            "year_ends",
            "years_named_by",
            "encodings",
            "spellings",
            "noun",
        ):
            settings.pop(key)
        data["encoding"] = self.encoding_of(day)
        effective = [data, self.spellings_of(day)]
        text = json.dumps(effective, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def calendar(self) -> Calendar:
        """The years of the dataset, by which the names of its files are read."""
        return self.socare.calendar

    def encoding_of(self, day: date) -> str:
        """The declared encoding of the extract of a day."""
        matching = [e.encoding for e in self.socare.encodings if e.contains(day, self.calendar)]
        return (matching[-1] if matching else self.encoding).lower()

    def spellings_of(self, day: date) -> Mapping[str, str]:
        """Normalised header -> field name, for the extract of a day."""
        names = {normalise_header(f.name): f.name for f in self.fields}
        for spelling in self.socare.spellings:
            if spelling.contains(day, self.calendar):
                names.update({normalise_header(other): spelling.column for other in spelling.also})
        return names

    def headers_of(self, field: Field, day: date) -> set[str]:
        """The normalised headers that a column can have in the extract of a day."""
        also = [
            text
            for s in self.socare.spellings
            if s.column == field.name and s.contains(day, self.calendar)
            for text in s.also
        ]
        return {normalise_header(text) for text in (field.name, *also)}

    @property
    def is_plain(self) -> bool:
        """Whether the files are read without a conversion: CSV files of RFC 4180."""
        return self.format == "csv" and self.dialect.is_plain and not self.socare.trailing_delimiter

    def may_lack(self, field: Field, day: date) -> bool:
        """Whether the extract of a day can lack a column."""
        optional = field.socare.optional
        return optional.contains(day, self.calendar) if isinstance(optional, Span) else optional


def _drop_defaults(*declared: dict[str, object]) -> None:
    """Removes keys of `_LATER_KEYS` that have their defaults."""
    for keys in declared:
        for key, default in _LATER_KEYS.items():
            if keys.get(key, default) == default:
                keys.pop(key, None)


def read_contracts(conf: Path) -> Sequence[Contract]:
    """Reads all contracts in `conf/datasets`, ordered by name.

    Raises:
        ConfigurationError: the folder has no contract, a contract is invalid, or a contract's name
            differs from its file name.
    """
    paths = sorted((conf / "datasets").glob("*.yaml"))
    if not paths:
        raise ConfigurationError(
            f"{conf / 'datasets'} contains no contract (NAME.yaml): --conf must name the folder "
            "with the council's configuration."
        )
    contracts, faults = [], list[str]()
    for path in paths:
        try:
            contracts.append(read_contract(path))
        except ConfigurationError as error:
            faults += error.faults
    raise_faults(faults)
    return contracts


def read_contract(path: Path) -> Contract:
    """Reads a contract.

    Raises:
        ConfigurationError: the contract is invalid, or its name differs from its file name.
    """
    contract = read_model(path, Contract)
    if path.stem != contract.name:
        raise ConfigurationError(f"{path}: name must be '{path.stem}', like the file name.")
    return contract
