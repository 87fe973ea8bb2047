"""Contradictions between the keys of a contract."""

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from socare_spark.contracts.dialect import WORKBOOKS, Dialect
from socare_spark.contracts.extension import Extension
from socare_spark.contracts.field import Field
from socare_spark.contracts.header_names import normalise_header
from socare_spark.contracts.spans import Span

if TYPE_CHECKING:
    from socare_spark.contracts.contract import Contract


def span_fault(settings: Extension, fields: Sequence[Field]) -> str:
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


def spelling_fault(declared: Sequence[Field], settings: Extension) -> str:
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


def key_fault(contract: "Contract") -> str:
    """The first fault of the primary key; empty if there is none."""
    settings, key = contract.socare, contract.schema_.primary_key
    day = settings.extract_column
    if not key and settings.repeated_keys_gate is not None:
        return "socare.repeated_keys_gate needs a schema.primaryKey: remove it"
    if len(set(key)) != len(key):
        return "primaryKey names a column more than once"
    if contract.key_has_day and settings.snapshots:
        return (
            f"primaryKey has {day}, the day of the extract, which snapshots: true adds to the key. "
            "Remove snapshots: true if each extract has the records of its own period and all "
            f"extracts count. Remove {day} from primaryKey if each extract is a whole copy and the "
            "newest one counts"
        )
    if key and not contract.key_fields:
        return f"primaryKey needs a column of the records besides {day}, the day of the extract"
    valid = {f.name for f in contract.fields if f.constraints.required and not f.socare.drop}
    invalid = next((name for name in contract.key_fields if name not in valid), None)
    return f"primaryKey {invalid} must be required and not dropped" if invalid else ""


def form_fault(contract: "Contract") -> str:
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
    faults = {
        "dialect and socare.encodings have no effect on XML: remove them": (
            format_ == "xml" and (dialect != Dialect() or settings.encodings)
        ),
        "dialect: sheetName and sheetNumber need format: xlsx, xls or ods": (
            (dialect.sheet_name or dialect.sheet_number) and format_ not in WORKBOOKS
        ),
        f"dialect: a {format_} file has header, headerRows, headerJoin, commentChar, sheetName and "
        "sheetNumber only": format_ in WORKBOOKS and dialect != of_sheets,
        "socare.merged_cells needs format: xlsx, xls or ods": (
            settings.merged_cells and format_ not in WORKBOOKS
        ),
        "socare.trailing_delimiter needs format: csv": (
            settings.trailing_delimiter and format_ != "csv"
        ),
        "socare.xml and format: xml need each other": (
            (format_ == "xml") != (settings.xml is not None)
        ),
    }
    return next((fault for fault, applies in faults.items() if applies), "")


def place_fault(contract: "Contract") -> str:
    """The first fault of the columns of a place; empty if there is none."""
    place = contract.socare.place
    if place is None:
        return ""
    other = [n for n in place.columns if contract.field(n).type != "string"]
    if other:
        return f"socare.place: {other[0]} must be of the type string, which keeps all decimals"
    return ""


def position_fault(contract: "Contract") -> str:
    """The first fault of the positions of columns; empty if there is none."""
    positions = [f.socare.position for f in contract.fields if f.socare.position]
    if len(set(positions)) < len(positions):
        return "two columns have the same socare.position"
    if positions and contract.format == "xml":
        return "socare.position has no effect on XML: remove it"
    if not contract.dialect.header and positions and len(positions) < len(contract.fields):
        return "header: false needs socare.position for all columns or for none"
    return ""
