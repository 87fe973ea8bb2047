"""The declaration of a column: type, constraints and treatment."""

import unicodedata
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Literal, Self
from zoneinfo import available_timezones

from pydantic import ConfigDict, field_validator, model_validator
from pydantic import Field as Key
from pydantic.config import JsonDict

from socare_spark.config import StrictModel
from socare_spark.contracts.field_faults import FALSE, TRUE, field_fault
from socare_spark.contracts.header_names import NAME, normalise_header
from socare_spark.contracts.patterns import portable
from socare_spark.contracts.spans import Span
from socare_spark.postcodes import letters_and_digits

_DATES = ("date", "datetime")


class Constraints(StrictModel):
    """Constraints on the cells of a column (Data Package v2, field constraints).

    Attributes:
        required: Whether a missing value is quarantined.
        enum: The allowed values.
        pattern: Regular expression that the whole cell must match.
        minimum: Smallest allowed number, date or time.
        maximum: Largest allowed number, date or time.
        min_length: Smallest number of characters.
        max_length: Largest number of characters.
    """

    required: bool = False
    enum: tuple[str, ...] = ()
    pattern: str | None = None
    minimum: str | int | float | None = None
    maximum: str | int | float | None = None
    min_length: int | None = Key(default=None, alias="minLength")
    max_length: int | None = Key(default=None, alias="maxLength")

    @field_validator("minimum", "maximum", mode="before")
    @classmethod
    def _as_written(cls, value: object) -> object:
        # YAML parses 2017-06-01 as a date.
        return value.isoformat() if isinstance(value, date) else value

    @field_validator("pattern")
    @classmethod
    def _is_pattern(cls, value: str | None) -> str | None:
        return None if value is None else portable(value)


class Age(StrictModel):
    """Age in completed years at another date of the row.

    Attributes:
        at: Field of the other date.
        name: Name of the output column.
        steps: Lower edges of age bands, ascending from 0. If given, the output is the lower edge of
            the band; otherwise it is the age.
    """

    at: str
    name: str = Key(alias="as", pattern=NAME)
    steps: tuple[int, ...] = ()

    @field_validator("steps")
    @classmethod
    def _ascending(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if value and (value[0] != 0 or list(value) != sorted(set(value))):
            raise ValueError("steps must begin with 0 and ascend")
        return value


def _one_treatment() -> Iterator[JsonDict]:
    """Yields the JSON Schemas of the treatments; a null or `drop: false` is none."""
    for key in ("pseudonymise", "degrade", "keep"):
        yield {"required": [key], "properties": {key: {"type": "string"}}}
    yield {"required": ["drop"], "properties": {"drop": {"const": True}}}


class Treatment(StrictModel):
    """The treatment of a column: exactly one of its first four keys.

    Attributes:
        pseudonymise: Identifier scheme; the column is replaced by a token.
        degrade: Precision to which the column is reduced.
        keep: Keep the column as it is, or as a normalised postcode.
        drop: Do not write the column.
        name: Name of the output column; the normalised field name by default.
        age: Age to compute from the column.
        optional: Whether a file can lack the column, always or in some periods.
        currency: Texts allowed before or after a number.
        brackets: Whether a number in brackets is negative.
        open_ended: Dates that mean an open end; they are written as null.
        no_place: Valid texts that are not a postcode; `*` at the end matches any text.
        status: Name of a column with the meaning of a missing value.
        position: Position of the column in the file, from 1. It is declared for columns whose name
            the header repeats, and for files without a header.
        zone: Time zone of local times, such as Europe/London. They are converted to UTC.
        day: Name of a column with the day of the time in its zone.
    """

    model_config = ConfigDict(json_schema_extra={"oneOf": [*_one_treatment()]})

    pseudonymise: str | None = None
    degrade: Literal["month", "year", "sector", "district"] | None = None
    keep: Literal["as_is", "postcode"] | None = None
    drop: bool = False
    name: str | None = Key(default=None, alias="as")
    age: Age | None = None
    optional: bool | Span = False
    currency: tuple[str, ...] = ()
    brackets: bool = False
    open_ended: tuple[date, ...] = ()
    no_place: tuple[str, ...] = ()
    status: str | None = Key(default=None, pattern=NAME)
    position: int | None = Key(default=None, ge=1)
    zone: str | None = None
    day: str | None = Key(default=None, pattern=NAME)

    @field_validator("zone")
    @classmethod
    def _is_zone(cls, value: str | None) -> str | None:
        if value is not None and ("/" not in value or value not in available_timezones()):
            raise ValueError("must be the name of a time zone, such as Europe/London")
        return value

    @field_validator("no_place")
    @classmethod
    def _are_texts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(letters_and_digits(entry) and "*" not in entry.rstrip("* ") for entry in value):
            raise ValueError("no_place needs a letter or digit in each text, and * only at its end")
        return value

    @field_validator("currency")
    @classmethod
    def _are_currencies(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(map(_is_currency, value)):
            raise ValueError(
                "currency needs a letter or a currency sign in each text, and no digit, sign or "
                "bracket"
            )
        return value

    @model_validator(mode="after")
    def _has_one_treatment(self) -> Self:
        treatments = [self.pseudonymise, self.degrade, self.keep, self.drop or None]
        if sum(treatment is not None for treatment in treatments) != 1:
            raise ValueError("needs exactly one of pseudonymise, degrade, keep, drop")
        return self

    @property
    def is_postcode(self) -> bool:
        """Whether the cells are parsed as postcodes."""
        return self.keep == "postcode" or self.degrade in ("sector", "district")


class Field(StrictModel):
    """A column of the extract (Data Package v2, table schema field).

    Attributes:
        name: Name in the header; case and punctuation do not count.
        type: Type of the values.
        title: Title for readers.
        description: Description for readers; it is in the schema of the table.
        format: Format of dates in the form of strptime, such as %d/%m/%Y; by default %Y-%m-%d, for
            a datetime %Y-%m-%dT%H:%M:%S.
        also_formats: Further formats of dates.
        decimal_char: Decimal mark of numbers.
        group_char: Mark between thousands.
        bare_number: Whether a number has nothing before or after it; false allows £, $ and €.
        true_values: Texts that mean true, in quotes.
        false_values: Texts that mean false, in quotes.
        missing_values: Texts that mean a missing value in this column, with or without a meaning
            each.
        constraints: Limits of the values.
        socare: Treatment of the column.
    """

    name: str
    type: Literal["string", "integer", "number", "boolean", "date", "datetime"] = "string"
    title: str = ""
    description: str = ""
    format: str | None = None
    also_formats: tuple[str, ...] = Key(default=(), alias="alsoFormats")
    decimal_char: str = Key(default=".", alias="decimalChar", pattern=r"^[^0-9+\-]$")
    group_char: str | None = Key(default=None, alias="groupChar", pattern=r"^[^0-9+\-]$")
    bare_number: bool = Key(default=True, alias="bareNumber")
    true_values: tuple[str, ...] = Key(default=TRUE, alias="trueValues")
    false_values: tuple[str, ...] = Key(default=FALSE, alias="falseValues")
    missing_values: Mapping[str, str | None] | None = Key(default=None, alias="missingValues")
    constraints: Constraints = Constraints()
    socare: Treatment

    @field_validator("true_values", "false_values", mode="before")
    @classmethod
    def _are_quoted(cls, value: object) -> object:
        if not isinstance(value, (list, tuple)) or not all(isinstance(t, str) for t in value):
            raise ValueError('must be a list of texts in quotes, such as ["Yes", "1"]')
        return value

    @field_validator(
        "missing_values",
        mode="before",
        json_schema_input_type=dict[str, str | None] | list[str] | list[dict[str, str]] | None,
    )
    @classmethod
    def _with_meanings(cls, value: object) -> object:
        """Text -> its meaning or None, from each form of the key."""
        if value is None:
            return None
        if isinstance(value, (list, tuple)):
            # The standard has texts, or pairs of a value and a label.
            pairs = [
                (e.get("value"), e.get("label")) if isinstance(e, dict) else (e, None)
                for e in value
            ]
        else:
            pairs = [*value.items()] if isinstance(value, dict) else [(None, None)]
        if not all(_is_missing_text(text, meaning) for text, meaning in pairs):
            raise ValueError(
                "must be a list of texts in quotes, or texts in quotes with a meaning each, all "
                "without blanks at their ends"
            )
        return dict(pairs)

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        fault = field_fault(self)
        if fault:
            raise ValueError(f"{self.name}: {fault}")
        return self

    @property
    def formats(self) -> tuple[str, ...]:
        """The strptime formats of a date, the main one first."""
        default = "%Y-%m-%d" if self.type == "date" else "%Y-%m-%dT%H:%M:%S"
        main = default if self.format in (None, "default") else self.format
        return (main or default, *self.also_formats)

    @property
    def missing_meanings(self) -> Mapping[str, str]:
        """Text of a missing value -> its meaning; empty if none is declared."""
        return {text: meaning for text, meaning in (self.missing_values or {}).items() if meaning}

    @property
    def is_date(self) -> bool:
        """Whether the cells are dates or times."""
        return self.type in _DATES

    @property
    def is_boolean(self) -> bool:
        """Whether the cells are yes or no."""
        return self.type == "boolean"

    @property
    def currencies(self) -> tuple[str, ...]:
        """Texts allowed before or after a number."""
        return self.socare.currency or (() if self.bare_number else ("£", "$", "€"))

    @property
    def output(self) -> str:
        """Name of the column in the restricted table."""
        return self.socare.name or normalise_header(self.name)


def _is_missing_text(text: object, meaning: object) -> bool:
    """Whether a text can mean a missing value, with a meaning or without one."""
    has_meaning = isinstance(meaning, str) and bool(meaning.strip())
    return isinstance(text, str) and text == text.strip() and (meaning is None or has_meaning)


def _is_currency(text: str) -> bool:
    categories = {unicodedata.category(c) for c in text}
    has_name = "Sc" in categories or any(map(str.isalpha, text))
    return has_name and not categories & {"Nd", "Pd", "Ps", "Pe", "Sm"}
