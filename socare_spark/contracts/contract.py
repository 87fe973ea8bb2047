"""A contract: a Frictionless data resource with additional keys under `socare`.

Guarantee: only declared columns are processed, and each has an explicit treatment. No column is
kept by default.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from itertools import combinations
from pathlib import Path
from typing import Literal, Self
from zoneinfo import available_timezones

from pydantic import Field as Key
from pydantic import field_validator, model_validator

from socare_spark.config import StrictModel, read_model
from socare_spark.contracts.dialect import (
    LATER_DIALECT_KEYS,
    WORKBOOKS,
    Dialect,
    Format,
    XmlRecords,
)
from socare_spark.contracts.nouns import Noun
from socare_spark.contracts.patterns import portable
from socare_spark.contracts.periods import Calendar
from socare_spark.contracts.place_columns import PLACE, PlaceColumns
from socare_spark.errors import ConfigurationError, raise_faults
from socare_spark.postcodes import letters_and_digits

UTF_16 = ("utf-16", "utf-16le", "utf-16be")
ENCODINGS = ("utf-8", "us-ascii", "windows-1252", "iso-8859-1", "iso-8859-15", *UTF_16)
DIRECTIVES = tuple("YymdHMSIpbBfj")
# Directives that give the same part of a date or time; a format has at most one of each group.
_ALTERNATIVES = ("Yy", "mbBj", "dj", "HI", "M", "S", "f", "p", "z")
PERSON = "person"
NO_KEY = "none"
SOURCE_LINE = ("source_file", "line")
_FIXED_OFFSET = re.compile(r"%[MSf][+-][0-9]{2}:?[0-9]{2}")
_COLUMN = r"^[a-z][a-z0-9_]*$"
_DATES = ("date", "datetime")
_NUMBERS = ("integer", "number")
# Default texts of a boolean (Data Package v2).
_TRUE, _FALSE = ("true", "True", "TRUE", "1"), ("false", "False", "FALSE", "0")
# Keys that contracts did not always have, with their defaults. The digest of a contract leaves out
# defaults, so that lakes keep their files.
_LATER_KEYS = {
    "true_values": [*_TRUE],
    "false_values": [*_FALSE],
    "missing_values": None,
    "status": None,
    "position": None,
    "zone": None,
    "day": None,
    "trailing_delimiter": False,
    "xml": None,
    "place": None,
    **LATER_DIALECT_KEYS,
}


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
    name: str = Key(alias="as", pattern=_COLUMN)
    steps: tuple[int, ...] = ()

    @field_validator("steps")
    @classmethod
    def _ascending(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if value and (value[0] != 0 or list(value) != sorted(set(value))):
            raise ValueError("steps must begin with 0 and ascend")
        return value


class Span(StrictModel):
    """A range of periods, open on a side without a bound.

    The calendar of the contract decides the days of a period.

    Attributes:
        start: A period; the range begins with its first day.
        end: A period; the range ends with its last day.
    """

    start: str | None = Key(default=None, alias="from")
    end: str | None = Key(default=None, alias="to")

    @field_validator("start", "end", mode="before", json_schema_input_type=str | int | None)
    @classmethod
    def _is_text(cls, value: object) -> object:
        # YAML reads 2017 as a number and 2017-06-01 as a date, but also 2017.10 as 2017.1 and
        # 2017_1_1 as 201711.
        text = None if value is None else str(value)
        if isinstance(value, (int, float)) and len(text or "") not in (4, 8):
            raise ValueError("a period must be in quotes, because YAML reads it as a number")
        return text

    def fault(self, calendar: Calendar) -> str:
        """The first fault of the range; empty for a valid one."""
        try:
            first, last = self.days(calendar)
        except ValueError as error:
            return str(error)
        return "" if first <= last else "'to' must not be before 'from'"

    def days(self, calendar: Calendar) -> tuple[date, date]:
        """The first and the last day of the range.

        Raises:
            ValueError: a bound is not a period of the calendar.
        """
        first = date.min if self.start is None else calendar.days(self.start)[0]
        return first, date.max if self.end is None else calendar.last(self.end)

    def contains(self, day: date, calendar: Calendar) -> bool:
        """Whether a day is in the range."""
        first, last = self.days(calendar)
        return first <= day <= last

    def overlaps(self, other: "Span", calendar: Calendar) -> bool:
        """Whether both ranges contain a common day."""
        (first, last), (other_first, other_last) = self.days(calendar), other.days(calendar)
        return first <= other_last and other_first <= last


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
    status: str | None = Key(default=None, pattern=_COLUMN)
    position: int | None = Key(default=None, ge=1)
    zone: str | None = None
    day: str | None = Key(default=None, pattern=_COLUMN)

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
    true_values: tuple[str, ...] = Key(default=_TRUE, alias="trueValues")
    false_values: tuple[str, ...] = Key(default=_FALSE, alias="falseValues")
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


def field_fault(field: Field) -> str:
    """Checks a field for contradictions.

    Returns:
        The first fault found, as a clause that can follow the field name; empty for a valid field.
    """
    treatment, limits = field.socare, field.constraints
    is_text, is_number = field.type == "string", field.type in _NUMBERS
    bounds = [b for b in (limits.minimum, limits.maximum) if b is not None]
    lengths = [n for n in (limits.min_length, limits.max_length) if n is not None]
    date_keys = [
        treatment.degrade in ("month", "year"),
        treatment.age,
        treatment.open_ended,
        field.also_formats,
    ]
    needs_date = any(date_keys) or field.format not in (None, "default")
    needs_number = field.group_char or field.decimal_char != "." or not field.bare_number
    faults = [
        (needs_date and not field.is_date,
         "formats, age, open_ended and degrade to month or year need a date"),
        ((needs_number or treatment.currency or treatment.brackets) and not is_number,
         "groupChar, decimalChar, bareNumber, currency and brackets need a number"),
        (field.group_char == field.decimal_char, "groupChar and decimalChar are the same"),
        ((treatment.is_postcode or lengths) and not is_text, "lengths and postcodes need a string"),
        (treatment.no_place and not treatment.is_postcode, "no_place needs a postcode"),
        (bounds and (is_text or treatment.pseudonymise or field.is_boolean),
         "minimum and maximum need a number or a date"),
        (treatment.status and not field.missing_meanings,
         "status needs missingValues with the meaning of each text"),
        (treatment.status and treatment.drop, "a dropped column has no status"),
        (not field.is_boolean and (field.true_values, field.false_values) != (_TRUE, _FALSE),
         "trueValues and falseValues need a boolean"),
        (field.is_boolean and (limits.enum or limits.pattern or treatment.pseudonymise),
         "a boolean cannot have an enum or a pattern, and cannot be pseudonymised"),
        (field.is_boolean and _is_blank_or_shared(field.true_values, field.false_values),
         "trueValues and falseValues need one text or more each, all different, without blanks at "
         "their ends"),
        (lengths != sorted(lengths) or min(lengths, default=0) < 0,
         "minLength must be at least 0 and at most maxLength"),
        (not re.search(_COLUMN, field.output), "needs 'as' with a valid column name"),
        (field.is_date and any(_is_unknown(f, field.type) for f in field.formats),
         "a format has an unknown directive or no year: allowed are "
         f"{' '.join('%' + d for d in DIRECTIVES)}, and %z for a datetime"),
        (field.is_date and any(map(_is_ambiguous, field.formats)), "a format has a part twice,"
         " a day without a month, minutes without hours, or only one of %I and %p"),
        (field.is_date and _are_ambiguous(field.formats),
         "two formats read one text as different days: declare one of them"),
        (field.is_date and any(map(_FIXED_OFFSET.search, field.formats)),
         "a format has a fixed offset, which would be ignored: use %z"),
        (treatment.zone and field.type != "datetime", "zone needs a datetime"),
        (treatment.zone and not treatment.day and all("%z" in form for form in field.formats),
         "zone has no effect, because all formats have an offset (%z)"),
        (treatment.day and not treatment.zone, "day needs the zone of the time"),
    ]  # fmt: skip
    fault = next((text for wrong, text in faults if wrong), "")
    return fault or _value_fault(field, bounds)


def _is_missing_text(text: object, meaning: object) -> bool:
    """Whether a text can mean a missing value, with a meaning or without one."""
    has_meaning = isinstance(meaning, str) and bool(meaning.strip())
    return isinstance(text, str) and text == text.strip() and (meaning is None or has_meaning)


def _is_blank_or_shared(true: Sequence[str], false: Sequence[str]) -> bool:
    """Whether a list is empty, a text has blanks at its ends, or both lists have a text."""
    texts = [*true, *false]
    stripped = all(text and text == text.strip() for text in texts)
    return not (true and false and stripped) or bool(set(true) & set(false))


def _is_unknown(form: str, type_: str) -> bool:
    """Whether a format has an unsupported directive or no year."""
    allowed = set(DIRECTIVES) | ({"z"} if type_ == "datetime" else set())
    used = set(_directives(form))
    return not used <= allowed or not used & {"Y", "y"}


def _is_ambiguous(form: str) -> bool:
    """Whether the parts of a format do not determine one date or time."""
    used = _directives(form)
    repeated = any(sum(used.count(d) for d in group) > 1 for group in _ALTERNATIVES)
    requirements = [("d", "mbB"), ("I", "p"), ("p", "I"), ("M", "HI"), ("S", "M"), ("f", "S")]
    return repeated or any(
        d in used and not set(used) & set(alternatives) for d, alternatives in requirements
    )


def _are_ambiguous(formats: Sequence[str]) -> bool:
    """Whether two formats differ only in the positions of day, month and two-digit year."""
    distinct = set(formats)
    return len({re.sub("%[dmy]", "%d", form) for form in distinct}) < len(distinct)


def _directives(form: str) -> list[str]:
    return re.findall(r"%(.?)", form)


def _value_fault(field: Field, bounds: Sequence[str | int | float]) -> str:
    limits = field.constraints
    try:
        low_high = [_value(field, str(b)) for b in bounds]
        values = [_value(field, e) for e in limits.enum]
    except (ValueError, InvalidOperation):
        return f"minimum, maximum or enum has a value that is not of the type {field.type}"
    if len(low_high) == 2 and low_high[0] > low_high[1]:  # type: ignore[operator]
        return "its minimum is greater than its maximum"
    has_impossible = any(e != e.strip() or not e for e in limits.enum)
    if limits.pattern is not None and field.type == "string":
        has_impossible = has_impossible or not all(
            re.fullmatch(limits.pattern, e) for e in limits.enum
        )
    return "enum has a value that no cell can have" if has_impossible and values else ""


def _value(field: Field, text: str) -> object:
    match field.type:
        case "integer":
            return int(text)
        case "number":
            number = Decimal(text)
            if not number.is_finite():
                raise ValueError
            return number
        case "date":
            return date.fromisoformat(text)
        case "datetime":
            return datetime.fromisoformat(text)
    return text


class Schema(StrictModel):
    """The columns, the texts that mean a missing value, and the key.

    Attributes:
        fields: The columns of the extract. Columns that are not declared are not read.
        missing_values: Texts that mean a missing value.
        primary_key: Columns that identify a record; `none`, or an empty list, keeps every record.
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


class HeaderSpelling(Span):
    """Other headers of a column, in some or all periods.

    Attributes:
        column: Name of the field.
        also: The other headers.
    """

    column: str
    also: tuple[str, ...]


class PeriodEncoding(Span):
    """The encoding of some periods.

    Attributes:
        encoding: Name of the encoding.
    """

    encoding: str


class DateOrder(StrictModel):
    """Two date fields; `then` must not be before `first`.

    Attributes:
        first: Field with the earlier date.
        then: Field with the later date.
    """

    first: str
    then: str


class Extension(StrictModel):
    """The keys under `socare`, which Frictionless does not define.

    Attributes:
        files: Regular expression for the path below the landing folder. The group `period` matches
            a period, `revision` orders corrected copies, and other groups identify one of several
            files of a period.
        year_ends: Month and day on which a year of the dataset ends, such as 03-31.
        years_named_by: Whether a year of one number starts or ends in this calendar year. It is
            declared only for years that do not end on 31 December.
        extract_column: Name of the column with the extract's as-of day.
        snapshots: Whether each extract is a full copy. Its day is then part of the key and no row
            is superseded.
        spellings: Other headers of columns.
        encodings: Encodings of some periods.
        date_order: Pairs of date fields in chronological order.
        not_after_extract: Date fields that must not be after the extract's as-of day.
        earliest: Earliest valid day of these fields.
        gate: Maximum share of a file's rows that can be quarantined.
        repeated_keys: Maximum share of a file's rows with the key of a later row of the file that
            is not reported.
        repeated_keys_gate: Share of such rows above which the file is refused; no limit by default.
        trailing_delimiter: Whether a delimiter at the end of a record does not begin a cell.
        xml: The elements that are records of an XML file.
        place: Columns with an area code or coordinates, written as the column `place`.
        noun: Name of the records in charts; None means `record` and `records`.
    """

    files: str
    year_ends: str = "12-31"
    years_named_by: Literal["start", "end"] | None = None
    extract_column: str = Key(default="extract", pattern=r"^[a-z][a-z0-9_]*$")
    snapshots: bool = False
    spellings: tuple[HeaderSpelling, ...] = ()
    encodings: tuple[PeriodEncoding, ...] = ()
    date_order: tuple[DateOrder, ...] = ()
    not_after_extract: tuple[str, ...] = ()
    earliest: date = date(1900, 1, 1)
    gate: float = Key(default=0.05, ge=0, le=1)
    repeated_keys: float = Key(default=0.01, ge=0, le=1)
    repeated_keys_gate: float | None = Key(default=None, ge=0, le=1)
    trailing_delimiter: bool = False
    xml: XmlRecords | None = None
    place: PlaceColumns | None = None
    noun: Noun | None = None

    @field_validator("files")
    @classmethod
    def _has_period(cls, value: str) -> str:
        try:
            groups = re.compile(value).groupindex
        except re.error:
            raise ValueError("is not a regular expression") from None
        if "period" not in groups:
            raise ValueError("needs a group named period: (?P<period>...)")
        return value

    @field_validator("year_ends", mode="before")
    @classmethod
    def _is_day(cls, value: object) -> object:
        try:
            date.fromisoformat(f"2001-{value}")
        except ValueError:
            raise ValueError("must be a month and a day of every year, such as 03-31") from None
        return value

    @model_validator(mode="after")
    def _names_years(self) -> Self:
        if self.years_named_by and self.calendar.has_calendar_years:
            raise ValueError("years_named_by needs year_ends with another day than 12-31")
        return self

    @property
    def calendar(self) -> Calendar:
        """The years of the dataset."""
        month, day = map(int, self.year_ends.split("-"))
        return Calendar(month, day, self.years_named_by)


def _span_fault(settings: Extension, fields: Sequence[Field]) -> str:
    """The first fault of a `from` or `to`; empty if there is none."""
    spans: list[tuple[str, object]] = [
        *((f"socare.spellings: {s.column}", s) for s in settings.spellings),
        *((f"socare.encodings: {e.encoding}", e) for e in settings.encodings),
        *((f"{f.name}: optional", f.socare.optional) for f in fields),
    ]
    for where, span in spans:
        fault = span.fault(settings.calendar) if isinstance(span, Span) else ""
        if fault:
            return f"{where}: {fault}"
    return ""


def _spelling_fault(declared: Sequence[Field], settings: Extension) -> str:
    """Checks the declared spellings of headers.

    Returns:
        The first spelling fault: a header that means no field or two fields; empty if none.
    """
    fields = {normalise_header(field.name): field.name for field in declared}
    # Columns with a position can have the same header.
    positioned = {field.name for field in declared if field.socare.position}
    headers = [(normalise_header(text), s) for s in settings.spellings for text in s.also]
    if any(not text for text, _ in headers):
        return "socare.spellings: a text has no letter or digit"
    if any(
        fields.get(text, s.column) != s.column and not {fields[text], s.column} <= positioned
        for text, s in headers
    ):
        return "socare.spellings: a text is the name of another field"
    for (text, first), (other_text, second) in combinations(headers, 2):
        if {first.column, second.column} <= positioned:
            continue
        both = text == other_text and first.overlaps(second, settings.calendar)
        if both and first.column != second.column:
            columns = f"{first.column} and {second.column}"
            return f"socare.spellings: a text means two columns in one period: {columns}"
    return ""


def _key_fault(schema: Schema, settings: Extension) -> str:
    """The first fault of the primary key; empty if there is none."""
    key = schema.primary_key
    if not key and settings.repeated_keys_gate is not None:
        return "socare.repeated_keys_gate needs a schema.primaryKey: remove it"
    if len(set(key)) != len(key):
        return "primaryKey names a column more than once"
    valid = {f.name for f in schema.fields if f.constraints.required and not f.socare.drop}
    invalid = next((name for name in key if name not in valid), None)
    return f"primaryKey {invalid} must be required and not dropped" if invalid else ""


def _form_fault(contract: "Contract") -> str:
    """The first key that the format of the files does not have; empty if there is none."""
    settings, dialect, format_ = contract.socare, contract.dialect, contract.format
    of_sheets = Dialect(
        header=dialect.header,
        headerRows=dialect.header_rows,
        headerJoin=dialect.header_join,
        commentChar=dialect.comment_char,
        sheetName=dialect.sheet_name,
        sheetNumber=dialect.sheet_number,
    )
    if format_ in WORKBOOKS and dialect != of_sheets:
        return (
            f"dialect: a {format_} file has header, headerRows, headerJoin, commentChar, "
            "sheetName and sheetNumber only"
        )
    if format_ == "csv" and (dialect.sheet_name or dialect.sheet_number):
        return "dialect: sheetName and sheetNumber need format: xlsx, xls or ods"
    if format_ == "xml" and (dialect != Dialect() or settings.encodings):
        return "dialect and socare.encodings have no effect on XML: remove them"
    if (format_ == "xml") != (settings.xml is not None):
        return "socare.xml and format: xml need each other"
    if format_ != "csv" and settings.trailing_delimiter:
        return "socare.trailing_delimiter needs format: csv"
    return ""


def _place_fault(contract: "Contract") -> str:
    """The first fault of the columns of a place; empty if there is none."""
    place = contract.socare.place
    if place is None:
        return ""
    other = [n for n in place.columns if contract.field(n).type != "string"]
    if other:
        return f"socare.place: {other[0]} must be of the type string, which keeps all decimals"
    return ""


def _position_fault(contract: "Contract") -> str:
    """The first fault of the positions of columns; empty if there is none."""
    positions = [f.socare.position for f in contract.fields if f.socare.position]
    if len(set(positions)) < len(positions):
        return "two columns have the same socare.position"
    if positions and contract.format == "xml":
        return "socare.position has no effect on XML: remove it"
    if not contract.dialect.header and positions and len(positions) < len(contract.fields):
        return "header: false needs socare.position for all columns or for none"
    return ""


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

    name: str = Key(pattern=r"^[a-z][a-z0-9_]*$")
    path: str = ""
    title: str = ""
    description: str = ""
    format: Format = "csv"
    mediatype: str = "text/csv"
    encoding: str = "utf-8"
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
        mentioned = [*self.schema_.primary_key, *self.dated]
        mentioned += [s.column for s in settings.spellings]
        mentioned += [f.socare.age.at for f in self.fields if f.socare.age]
        mentioned += settings.xml.fields if settings.xml else ()
        mentioned += settings.place.columns if settings.place else ()
        unknown = sorted(set(mentioned) - set(names))
        if unknown:
            raise ValueError(f"names columns that are not in schema.fields: {unknown}")
        fault = (
            _span_fault(settings, self.fields)
            or _spelling_fault(self.fields, settings)
            or _key_fault(self.schema_, settings)
            or _form_fault(self)
            or _position_fault(self)
            or _place_fault(self)
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
        encodings = {self.encoding, *(e.encoding for e in settings.encodings)}
        if not {e.lower() for e in encodings} <= set(ENCODINGS):
            raise ValueError(f"encoding: allowed are {', '.join(ENCODINGS)}")
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
    def own_key(self) -> list[str]:
        """Columns of the restricted table for `schema.primaryKey`."""
        return [self.field(name).output for name in self.schema_.primary_key]

    @property
    def key(self) -> list[str]:
        """Columns of the restricted table that identify a row.

        These are the primary key, or file and line without one, and the extract's day for
        snapshots.
        """
        names = self.own_key or list(SOURCE_LINE)
        return [self.socare.extract_column, *names] if self.socare.snapshots else names

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


def _is_currency(text: str) -> bool:
    categories = {unicodedata.category(c) for c in text}
    has_name = "Sc" in categories or any(map(str.isalpha, text))
    return has_name and not categories & {"Nd", "Pd", "Ps", "Pe", "Sm"}


def normalise_header(header: str) -> str:
    """Normalises a header to lower snake case. Headers are compared in this form."""
    return re.sub(r"[^0-9a-z]+", "_", header.strip().lower()).strip("_")


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
