"""The form of a file's records: CSV dialects, sheets of workbooks, elements of XML.

A plain CSV file is read as it is. A file of any other form is converted to one before it is read.
"""

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import Field as Key
from pydantic import field_validator, model_validator

from socare_spark.config import StrictModel

Format = Literal["csv", "xlsx", "xls", "ods", "xml"]
WORKBOOKS = ("xlsx", "xls", "ods")
# Keys of a dialect that contracts did not always have, with their defaults.
LATER_DIALECT_KEYS: Mapping[str, object] = {
    "escape_char": None,
    "header_rows": [1],
    "header_join": " ",
    "comment_char": None,
    "skip_initial_space": False,
    "sheet_name": None,
    "sheet_number": None,
}


class Dialect(StrictModel):
    """The form of the records of a CSV file or a sheet (Data Package v2, table dialect).

    Attributes:
        delimiter: The character between cells.
        quote_char: The character around cells that contain a delimiter; null if cells have no
            quotes.
        double_quote: Whether a quote within a quoted cell is doubled.
        escape_char: A character after which a delimiter or a quote belongs to the cell.
        header: Whether the file has the names of its columns.
        header_rows: Numbers of the rows with the names, from 1. Rows before the last of them are
            not records. The names of several rows are joined.
        header_join: Text between the names of several rows.
        comment_char: Character with which rows begin that are not records.
        skip_initial_space: Whether blanks after a delimiter do not belong to the cell.
        sheet_name: Name of the sheet of a workbook.
        sheet_number: Number of the sheet of a workbook, from 1.
    """

    delimiter: str = Key(default=",", min_length=1, max_length=1)
    quote_char: str | None = Key(default='"', alias="quoteChar", min_length=1, max_length=1)
    double_quote: bool = Key(default=True, alias="doubleQuote")
    escape_char: str | None = Key(default=None, alias="escapeChar", min_length=1, max_length=1)
    header: bool = True
    header_rows: tuple[int, ...] = Key(default=(1,), alias="headerRows", min_length=1)
    header_join: str = Key(default=" ", alias="headerJoin")
    comment_char: str | None = Key(default=None, alias="commentChar", min_length=1, max_length=1)
    skip_initial_space: bool = Key(default=False, alias="skipInitialSpace")
    sheet_name: str | None = Key(default=None, alias="sheetName", min_length=1)
    sheet_number: int | None = Key(default=None, alias="sheetNumber", ge=1)

    @field_validator("delimiter")
    @classmethod
    def _one_byte(cls, value: str) -> str:
        if not value.isascii() or value in '"\\\r\n\0':
            raise ValueError(
                "delimiter must be one ASCII character other than a quote, backslash or line end"
            )
        return value

    @field_validator("header_rows")
    @classmethod
    def _ascending(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if list(value) != sorted(set(value)) or value[0] < 1:
            raise ValueError("headerRows must be row numbers from 1, in ascending order")
        return value

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        special = [self.delimiter, self.quote_char, self.escape_char, self.comment_char]
        given = [character for character in special if character is not None]
        if len(set(given)) != len(given) or {"\r", "\n", "\0"} & {*given}:
            raise ValueError(
                "delimiter, quoteChar, escapeChar and commentChar must be different characters and "
                "no line end"
            )
        if not self.double_quote and self.quote_char and not self.escape_char:
            raise ValueError("doubleQuote: false needs an escapeChar for quotes within a cell")
        if not self.header and self.header_rows != (1,):
            raise ValueError("headerRows needs header: true")
        if self.sheet_name and self.sheet_number:
            raise ValueError("sheetName and sheetNumber are alternatives: remove one")
        return self

    @property
    def is_plain(self) -> bool:
        """Whether the records follow RFC 4180 below a header in the first line."""
        return self == Dialect(delimiter=self.delimiter)


class XmlRecords(StrictModel):
    """The elements of an XML file that are records, and the elements of their values.

    Paths have local names without a namespace, separated by slashes.

    Attributes:
        record: Path of the element of a record from the root element, the root included.
        fields: Field -> path from the element of the record: elements below it, `..` for the
            element above it, `@name` for an attribute at the end, `.` for the text of the record
            itself. A field without an entry is a child element of its name.
    """

    record: str = Key(pattern=r"^[^/\s@.][^/\s@]*(/[^/\s@.][^/\s@]*)*$")
    fields: Mapping[str, str] = {}

    @field_validator("fields")
    @classmethod
    def _are_paths(cls, value: Mapping[str, str]) -> Mapping[str, str]:
        for path in value.values():
            if path == ".":
                continue
            parts = path.split("/")
            below = [part for part in parts if part != ".."]
            upwards = parts[: len(parts) - len(below)]
            elements = below[:-1] if below and below[-1].startswith("@") else below
            if not below or [*upwards, *below] != parts:
                raise ValueError("a path is '..' parts, then elements, then at most one attribute")
            if not all(part and not part.startswith((".", "@")) for part in elements):
                raise ValueError("a path has an empty part, or an attribute before its end")
        return value

    @model_validator(mode="after")
    def _below_root(self) -> Self:
        depth = self.record.count("/") + 1
        if any(path.split("/").count("..") >= depth for path in self.fields.values()):
            raise ValueError("a path leads above the root element")
        return self
