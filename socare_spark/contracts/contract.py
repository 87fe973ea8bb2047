"""A contract: a Frictionless data resource, with this project's own keys under `socare`.

Guarantee: what is not declared is not processed. Every field has a treatment, so nothing is kept
because somebody forgot to say otherwise.
"""

import calendar
import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from itertools import combinations
from pathlib import Path
from typing import Literal, Self

from pydantic import Field as Key
from pydantic import field_validator, model_validator

from socare_spark.config import StrictModel, read_model
from socare_spark.contracts.patterns import portable
from socare_spark.errors import ConfigurationError

UTF_16 = ("utf-16", "utf-16le", "utf-16be")
ENCODINGS = ("utf-8", "us-ascii", "windows-1252", "iso-8859-1", "iso-8859-15", *UTF_16)
DIRECTIVES = tuple("YymdHMSIpbBfj")
# Directives that say the same; a format has one of each row at most.
_ALTERNATIVES = ("Yy", "mbBj", "dj", "HI", "M", "S", "f", "p", "z")
PERSON = "person"
SOURCE_LINE = ("source_file", "line")
_FIXED_OFFSET = re.compile(r"%[MSf][+-][0-9]{2}:?[0-9]{2}")
PERIOD_FORMS = "a year, a month or a day (2017, 2017-06 or 2017-06-30), from 1900 to 2100"
_COLUMN = r"^[a-z][a-z0-9_]*$"
_DATES = ("date", "datetime")
_NUMBERS = ("integer", "number")
_PERIOD = re.compile(r"([0-9]{4})(?:[-_.]?([0-9]{2})(?:[-_.]?([0-9]{2}))?)?")
_YEARS = range(1900, 2101)


class Constraints(StrictModel):
    """What a cell must satisfy (Data Package v2, field constraints)."""

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
        # YAML reads 2017-06-01 as a day.
        return value.isoformat() if isinstance(value, date) else value

    @field_validator("pattern")
    @classmethod
    def _is_pattern(cls, value: str | None) -> str | None:
        return None if value is None else portable(value)


class Age(StrictModel):
    """Age in whole years at another date of the row.

    Attributes:
        at: The other date.
        name: Name of the column.
        steps: Lower edges of bands, from 0: the column holds the lower edge of the age's band.
            Without steps it holds the age.
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
    """Some periods; without an end, all from its start on, and the other way round.

    Attributes:
        start: A year, a month or a day; its first day is the first.
        end: A year, a month or a day; its last day is the last.
    """

    start: str | None = Key(default=None, alias="from")
    end: str | None = Key(default=None, alias="to")

    @field_validator("start", "end", mode="before")
    @classmethod
    def _is_period(cls, value: object) -> object:
        # YAML reads 2017 as a number and 2017-06-01 as a day.
        text = None if value is None else str(value)
        if text is not None:
            period_days(text)
        return text

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not _in_order(self.start, self.end):
            raise ValueError("'to' must not be before 'from'")
        return self

    def overlaps(self, other: "Span") -> bool:
        """Whether some day is in both."""
        return _in_order(self.start, other.end) and _in_order(other.start, self.end)


class Treatment(StrictModel):
    """What becomes of a column: exactly one of its first four keys.

    Attributes:
        optional: Whether a file may lack the column, always or in some periods.
        currency: Texts that may stand before or after a number.
        brackets: A number in brackets is negative.
        open_ended: Dates that mean that there is no end.
        no_place: Texts instead of a postcode that are right and are no place; `*` at the end stands
            for any text.
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

    @field_validator("no_place")
    @classmethod
    def _are_texts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(postcode_letters(entry) and "*" not in entry.rstrip("* ") for entry in value):
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
    def _one(self) -> Self:
        given = [self.pseudonymise, self.degrade, self.keep, self.drop or None]
        if sum(g is not None for g in given) != 1:
            raise ValueError("needs exactly one of pseudonymise, degrade, keep, drop")
        return self

    @property
    def is_postcode(self) -> bool:
        """Whether the cell is read as a postcode."""
        return self.keep == "postcode" or self.degrade in ("sector", "district")


class Field(StrictModel):
    """A column of the extract (Data Package v2, table schema field)."""

    name: str
    type: Literal["string", "integer", "number", "date", "datetime"] = "string"
    title: str = ""
    description: str = ""
    format: str | None = None
    also_formats: tuple[str, ...] = Key(default=(), alias="alsoFormats")
    decimal_char: str = Key(default=".", alias="decimalChar", pattern=r"^[^0-9+\-]$")
    group_char: str | None = Key(default=None, alias="groupChar", pattern=r"^[^0-9+\-]$")
    bare_number: bool = Key(default=True, alias="bareNumber")
    constraints: Constraints = Constraints()
    socare: Treatment

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        wrong = field_fault(self)
        if wrong:
            raise ValueError(f"{self.name}: {wrong}")
        return self

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats a date may be written in, the usual one first."""
        usual = "%Y-%m-%d" if self.type == "date" else "%Y-%m-%dT%H:%M:%S"
        first = usual if self.format in (None, "default") else self.format
        return (first or usual, *self.also_formats)

    @property
    def is_date(self) -> bool:
        """Whether its cells are dates or times."""
        return self.type in _DATES

    @property
    def currencies(self) -> tuple[str, ...]:
        """Texts allowed before or after a number."""
        return self.socare.currency or (() if self.bare_number else ("£", "$", "€"))

    def may_lack(self, period: str) -> bool:
        """Whether a file of that period may lack the column."""
        optional = self.socare.optional
        if isinstance(optional, Span):
            return _within(period, optional.start, optional.end)
        return optional

    @property
    def output(self) -> str:
        """Name of the column in the restricted table."""
        return self.socare.name or snake(self.name)


def field_fault(field: Field) -> str:
    """What cannot be right about a field, or an empty text."""
    how, limits = field.socare, field.constraints
    is_text, is_number = field.type == "string", field.type in _NUMBERS
    bounds = [b for b in (limits.minimum, limits.maximum) if b is not None]
    lengths = [n for n in (limits.min_length, limits.max_length) if n is not None]
    dated = [how.degrade in ("month", "year"), how.age, how.open_ended, field.also_formats]
    needs_date = any(dated) or field.format not in (None, "default")
    needs_number = field.group_char or field.decimal_char != "." or not field.bare_number
    faults = [
        (needs_date and not field.is_date, "only a date has formats, an age, open ends, a month"),
        ((needs_number or how.currency or how.brackets) and not is_number, "is no number"),
        (field.group_char == field.decimal_char, "groupChar and decimalChar are the same"),
        ((how.is_postcode or lengths) and not is_text, "only a string has lengths or a postcode"),
        (how.no_place and not how.is_postcode, "no_place belongs to a postcode"),
        (bounds and (is_text or how.pseudonymise), "a text has no minimum or maximum"),
        (lengths != sorted(lengths) or min(lengths, default=0) < 0, "its lengths are no range"),
        (not re.search(_COLUMN, field.output), "needs 'as' with a name of a column"),
        (field.is_date and any(_is_unknown(f, field.type) for f in field.formats),
         "a format has an unknown directive or no year: allowed are "
         f"{' '.join('%' + d for d in DIRECTIVES)}, and %z for a datetime alone"),
        (field.is_date and any(map(_is_ambiguous, field.formats)), "a format names a part twice,"
         " a day without a month, minutes without hours, or only one of %I and %p"),
        (field.is_date and _are_ambiguous(field.formats),
         "two formats read one text as different days: declare one of them"),
        (field.is_date and any(map(_FIXED_OFFSET.search, field.formats)),
         "a format has a fixed offset, which would not count: use %z"),
    ]  # fmt: skip
    found = next((text for wrong, text in faults if wrong), "")
    return found or _value_fault(field, bounds)


def _is_unknown(form: str, type_: str) -> bool:
    """Whether a format has a directive that is not read, or none for the year."""
    allowed = set(DIRECTIVES) | ({"z"} if type_ == "datetime" else set())
    used = set(_directives(form))
    return not used <= allowed or not used & {"Y", "y"}


def _is_ambiguous(form: str) -> bool:
    """Whether the parts of a format do not make one date or time."""
    used = _directives(form)
    repeated = any(sum(used.count(d) for d in same) > 1 for same in _ALTERNATIVES)
    lacking = [("d", "mbB"), ("I", "p"), ("p", "I"), ("M", "HI"), ("S", "M"), ("f", "S")]
    return repeated or any(d in used and not set(used) & set(needs) for d, needs in lacking)


def _are_ambiguous(formats: Sequence[str]) -> bool:
    """Whether two formats differ only in which number is the day, the month or the short year."""
    distinct = set(formats)
    return len({re.sub("%[dmy]", "%d", form) for form in distinct}) < len(distinct)


def _directives(form: str) -> list[str]:
    return re.findall(r"%(.?)", form)


def _value_fault(field: Field, bounds: Sequence[str | int | float]) -> str:
    limits = field.constraints
    try:
        low_to_high = [_value(field, str(b)) for b in bounds]
        values = [_value(field, e) for e in limits.enum]
    except (ValueError, InvalidOperation):
        return f"minimum, maximum or enum holds no value of the type {field.type}"
    if len(low_to_high) == 2 and low_to_high[0] > low_to_high[1]:  # type: ignore[operator]
        return "its minimum is greater than its maximum"
    cannot = any(e != e.strip() or not e for e in limits.enum)
    if limits.pattern is not None and field.type == "string":
        cannot = cannot or not all(re.fullmatch(limits.pattern, e) for e in limits.enum)
    return "enum holds a value that no cell can have" if cannot and values else ""


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
    """The columns, the values that mean nothing, and the key; without a key every record counts."""

    fields: tuple[Field, ...]
    missing_values: tuple[str, ...] = Key(default=("",), alias="missingValues")
    primary_key: tuple[str, ...] = Key(alias="primaryKey")


class Dialect(StrictModel):
    """How cells are told apart (Data Package v2, CSV dialect)."""

    delimiter: str = Key(default=",", min_length=1, max_length=1)
    quote_char: Literal['"'] = Key(default='"', alias="quoteChar")
    double_quote: Literal[True] = Key(default=True, alias="doubleQuote")
    header: Literal[True] = True

    @field_validator("delimiter")
    @classmethod
    def _one_byte(cls, value: str) -> str:
        if not value.isascii() or value in '"\\\r\n\0':
            raise ValueError(
                "delimiter must be one ASCII character, and no quote, backslash or line end"
            )
        return value


class HeaderSpelling(Span):
    """Another way a column was headed, in some or all periods."""

    column: str
    also: tuple[str, ...]


def _spelling_fault(names: Sequence[str], spellings: Sequence[HeaderSpelling]) -> str:
    """Why a header could mean no column or two; empty where it cannot."""
    fields = {normalise_header(name): name for name in names}
    each = [(normalise_header(text), s) for s in spellings for text in s.also]
    if any(not text for text, _ in each):
        return "a text has no letter or digit"
    if any(fields.get(text, s.column) != s.column for text, s in each):
        return "a text is the name of another field"
    for (text, one), (again, other) in combinations(each, 2):
        if text == again and one.column != other.column and one.overlaps(other):
            return f"a text means two columns in one period: {one.column} and {other.column}"
    return ""


class PeriodEncoding(Span):
    """The encoding of some periods."""

    encoding: str


class DateOrder(StrictModel):
    """A date that must not come before another."""

    first: str
    then: str


class Extension(StrictModel):
    """What Frictionless has no word for.

    Attributes:
        files: Regular expression over the path below the landing folder. The group `period` holds a
            year, a month or a day; other groups tell parts of one period apart; `revision` orders
            corrected copies.
        extract_column: Name of the column that holds the extract's as-of day.
        snapshots: Each extract is a whole copy: its day is part of the key, nothing is superseded.
        date_order: Pairs of dates in their order.
        not_after_extract: Date columns that cannot lie after the extract's as-of day.
        earliest: Dates before this day are out of range.
        gate: Largest share of a file's rows that may be quarantined.
        repeated_keys: Largest share of a file's rows that may have the key of a later row of the
            file without a report.
        repeated_keys_gate: The share of such rows above which the file is refused; none by default.
    """

    files: str
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


class Contract(StrictModel):
    """One dataset: `conf/datasets/NAME.yaml`."""

    name: str = Key(pattern=r"^[a-z][a-z0-9_]*$")
    path: str = ""
    title: str = ""
    description: str = ""
    format: Literal["csv"] = "csv"
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
        ours = self.socare
        mentioned = [*self.schema_.primary_key, *self.dated]
        mentioned += [s.column for s in ours.spellings]
        mentioned += [f.socare.age.at for f in self.fields if f.socare.age]
        unknown = sorted(set(mentioned) - set(names))
        if unknown:
            raise ValueError(f"names columns that schema.fields does not have: {unknown}")
        fault = _spelling_fault(names, ours.spellings)
        if fault:
            raise ValueError(f"socare.spellings: {fault}")
        both = [f.name for f in self.fields if f.constraints.required and f.socare.optional]
        if both:
            raise ValueError(f"{', '.join(both)}: a required column cannot be optional")
        ages = [f.socare.age for f in self.fields if f.socare.age]
        dates = [*self.dated, *(a.at for a in ages)]
        no_dates = sorted({name for name in dates if not self.field(name).is_date})
        if no_dates:
            raise ValueError(
                "date_order, not_after_extract and age.at need fields of type date or datetime; "
                f"these are not: {no_dates}"
            )
        encodings = {self.encoding, *(e.encoding for e in ours.encodings)}
        if not {e.lower() for e in encodings} <= set(ENCODINGS):
            raise ValueError(f"encoding: allowed are {', '.join(ENCODINGS)}")
        if len(set(self.schema_.primary_key)) != len(self.schema_.primary_key):
            raise ValueError("primaryKey names a column twice")
        for key in self.schema_.primary_key:
            field = self.field(key)
            if field.socare.drop or not field.constraints.required:
                raise ValueError(f"primaryKey {key} must be required and not dropped")
        outputs = [f.output for f in self.fields if not f.socare.drop]
        outputs += [a.name for a in ages]
        outputs += [ours.extract_column, *SOURCE_LINE]
        if len(set(outputs)) != len(outputs):
            raise ValueError(
                f"two fields are written to the same column, or one to {ours.extract_column}, "
                "source_file or line, which are ours: use 'as'"
            )
        if PERSON in outputs and not self.person_scheme:
            raise ValueError(f"{PERSON}: a column of this name must be pseudonymised")
        return self

    @property
    def fields(self) -> tuple[Field, ...]:
        """The declared columns."""
        return self.schema_.fields

    def field(self, name: str) -> Field:
        """The field of that name."""
        return next(f for f in self.fields if f.name == name)

    @property
    def person(self) -> Field | None:
        """The field whose token is the column `person`."""
        return next((f for f in self.fields if f.output == PERSON and not f.socare.drop), None)

    @property
    def person_scheme(self) -> str:
        """The scheme of the column `person`; empty where the contract has none."""
        return (self.person and self.person.socare.pseudonymise) or ""

    @property
    def dated(self) -> frozenset[str]:
        """The fields that a rule about dates reads."""
        orders = [name for order in self.socare.date_order for name in (order.first, order.then)]
        return frozenset([*orders, *self.socare.not_after_extract])

    def is_read(self, field: Field) -> bool:
        """Whether a field is kept, or an age, a constraint or a rule about dates reads it."""
        checked = field.constraints != Constraints() or field.name in self.dated
        return not field.socare.drop or field.socare.age is not None or checked

    @property
    def own_key(self) -> list[str]:
        """Columns of the restricted table that hold the key which a record has in its file."""
        return [self.field(name).output for name in self.schema_.primary_key]

    @property
    def key(self) -> list[str]:
        """Columns of the restricted table that identify a record; its place where it has no key."""
        names = self.own_key or list(SOURCE_LINE)
        return [self.socare.extract_column, *names] if self.socare.snapshots else names

    @property
    def table(self) -> str:
        """Zone and name of the restricted table."""
        return f"restricted/{self.name}"

    def digest(self, day: date) -> str:
        """A digest of everything that decides what the rows of an extract look like.

        Titles, texts and limits do not count, nor does where files are. What is declared for
        other periods than that of the extract's as-of day does not count either.
        """
        data = self.model_dump(mode="json", exclude={"title", "description", "path", "mediatype"})
        for field in data["schema_"]["fields"]:
            field.pop("title"), field.pop("description"), field["socare"].pop("optional")
        ours, period = data["socare"], day.isoformat()
        for key in (
            "gate",
            "repeated_keys",
            "repeated_keys_gate",
            "files",
            "encodings",
            "spellings",
        ):
            ours.pop(key)
        data["encoding"] = self.encoding_of(period)
        read_as = [_declared_for(data, period), self.spellings_of(period)]
        text = json.dumps(read_as, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def encoding_of(self, period: str) -> str:
        """The declared encoding of a period's files."""
        fitting = [e.encoding for e in self.socare.encodings if _within(period, e.start, e.end)]
        return (fitting[-1] if fitting else self.encoding).lower()

    def spellings_of(self, period: str) -> Mapping[str, str]:
        """Header (made plain) -> field name, for a period's files."""
        known = {normalise_header(f.name): f.name for f in self.fields}
        for spelling in self.socare.spellings:
            if _within(period, spelling.start, spelling.end):
                known.update({normalise_header(other): spelling.column for other in spelling.also})
        return known


def postcode_letters(text: str) -> str:
    """The letters and digits of a text that may be a postcode, in upper case."""
    return re.sub("[^A-Z0-9]", "", text.upper())


def _is_currency(text: str) -> bool:
    kinds = {unicodedata.category(c) for c in text}
    named = "Sc" in kinds or any(map(str.isalpha, text))
    return named and not kinds & {"Nd", "Pd", "Ps", "Pe", "Sm"}


def normalise_header(header: str) -> str:
    """A header without case, blanks and punctuation, as headers are compared."""
    return re.sub(r"[^0-9a-z]+", "_", header.strip().lower()).strip("_")


def snake(name: str) -> str:
    """Lower snake case."""
    return normalise_header(name)


def period_days(period: str) -> tuple[date, date]:
    """The first and the last day of a period written as year, month or day.

    Raises:
        ValueError: it is none of these.
    """
    found = _PERIOD.fullmatch(period)
    try:
        year, month, day = (int(part or 1) for part in found.groups()) if found else (0, 0, 0)
        first = date(year, month, day)
    except ValueError:
        year = 0
    if found is None or year not in _YEARS:
        raise ValueError(f"a period is {PERIOD_FORMS}")
    if found[3]:
        return first, first
    if found[2]:
        return first, date(year, month, calendar.monthrange(year, month)[1])
    return first, date(year, 12, 31)


def financial_years(periods: Iterable[str]) -> frozenset[str]:
    """Those that seem to be financial years: 2010-11 and 2011-12, which could be months.

    They are of at least two years, and each names the next year where others would name a month.
    """
    parts = {p: m.groups() for p in periods if (m := _PERIOD.fullmatch(p)) and m[2] and not m[3]}
    next_years = all((int(year) + 1) % 100 == int(after) for year, after, _ in parts.values())
    several = len({year for year, _, _ in parts.values()}) > 1
    return frozenset(parts if several and next_years else ())


def period_end(period: str) -> date:
    """The last day of a period.

    Raises:
        ValueError: it is not a year, a month or a day.
    """
    return period_days(period)[1]


def _in_order(start: str | None, end: str | None) -> bool:
    """Whether the first day of one period is not after the last of another."""
    return start is None or end is None or period_days(start)[0] <= period_end(end)


def _within(period: str, start: str | None, end: str | None) -> bool:
    """Whether the last day of a period lies between the first of one and the last of another."""
    day = period_end(period)
    return (start is None or day >= period_days(start)[0]) and (
        end is None or day <= period_end(end)
    )


def _declared_for(declared: object, period: str) -> object:
    """A declaration without what is declared for other periods alone (`from`, `to`)."""
    if isinstance(declared, list):
        return [_declared_for(d, period) for d in declared if _applies(d, period)]
    if isinstance(declared, dict):
        dated = _has_periods(declared)
        return {
            key: _declared_for(value, period)
            for key, value in declared.items()
            if _applies(value, period) and not (dated and key in ("start", "end"))
        }
    return declared


def _has_periods(declared: object) -> bool:
    return isinstance(declared, dict) and {"start", "end"} <= declared.keys()


def _applies(declared: object, period: str) -> bool:
    if not isinstance(declared, dict) or not _has_periods(declared):
        return True
    return _within(period, declared["start"], declared["end"])


def read_contracts(conf: Path) -> Sequence[Contract]:
    """All contracts under `conf/datasets`, in the order of their names.

    Raises:
        ConfigurationError: there is none, one is not usable, or a file's name is not its dataset's.
    """
    paths = sorted((conf / "datasets").glob("*.yaml"))
    if not paths:
        raise ConfigurationError(
            f"{conf / 'datasets'} holds no contract (NAME.yaml): --conf must name the folder "
            "with the council's configuration."
        )
    contracts = [read_model(path, Contract) for path in paths]
    for path, contract in zip(paths, contracts, strict=True):
        if path.stem != contract.name:
            raise ConfigurationError(f"{path}: name must be '{path.stem}', as the file is called.")
    return contracts
