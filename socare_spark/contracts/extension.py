"""The keys of a contract under `socare`, which Frictionless does not define."""

import re
from datetime import date
from typing import Literal, Self

from pydantic import Field as Key
from pydantic import field_validator, model_validator

from socare_spark.config import StrictModel
from socare_spark.contracts.dialect import XmlRecords
from socare_spark.contracts.encodings import Encoding
from socare_spark.contracts.header_names import NAME
from socare_spark.contracts.nouns import Noun
from socare_spark.contracts.periods import Calendar
from socare_spark.contracts.place_columns import PlaceColumns
from socare_spark.contracts.spans import Span


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

    encoding: Encoding


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
        merged_cells: Whether the value of cells of a workbook that are merged over several records
            counts for the `first` or for `all` of them. None refuses such a file.
        xml: The elements that are records of an XML file.
        place: Columns with an area code or coordinates, written as the column `place`.
        noun: Name of the records in charts; None means `record` and `records`.
    """

    files: str
    year_ends: str = "12-31"
    years_named_by: Literal["start", "end"] | None = None
    extract_column: str = Key(default="extract", pattern=NAME)
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
    merged_cells: Literal["first", "all"] | None = None
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
