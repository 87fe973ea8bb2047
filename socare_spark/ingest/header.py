"""Assigns the columns of a file's header to the fields of its contract."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from socare_spark.contracts.contract import Contract
from socare_spark.contracts.field import Field
from socare_spark.contracts.header_names import normalise_header
from socare_spark.errors import DataError
from socare_spark.ingest.format_diagnosis import NO_HEADER
from socare_spark.spelling import closest_names

Columns = tuple[str | None, ...]


def columns_of(header: Sequence[str], contract: Contract, day: date) -> Columns:
    """Field name of each column of a header; None for a column of no field.

    A field with a position is the column at this position, if it has one of the field's headers.

    Args:
        header: Names of the columns, as written.
        contract: The contract.
        day: As-of day of the file, which decides the spellings.
    """
    positioned = {f.socare.position: f for f in contract.fields if f.socare.position}
    by_position = {field.name for field in positioned.values()}
    spellings = {
        text: name for text, name in contract.spellings_of(day).items() if name not in by_position
    }

    def field_at(position: int, text: str) -> str | None:
        field = positioned.get(position)
        if field is not None and text in contract.headers_of(field, day):
            return field.name
        return spellings.get(text)

    return tuple(field_at(i, normalise_header(name)) for i, name in enumerate(header, 1))


def match_header(
    header: Iterable[str], contract: Contract, day: date
) -> tuple[Columns, dict[str, str]]:
    """Assigns the columns of a header to the fields of a contract by name.

    Args:
        header: Names of the columns, as written.
        contract: The contract.
        day: As-of day of the file, which decides the spellings and the optional columns.

    Returns:
        Field name of each column, None for a column of no field; and the header of each column of
        no field -> missing field with a similar name, or an empty text.

    Raises:
        DataError: a required column is missing, or two columns are the same field.
    """
    header = list(header)
    columns = columns_of(header, contract, day)
    matched = [c for c in columns if c is not None]
    repeated = sorted({c for c in matched if matched.count(c) > 1})
    if repeated:
        raise DataError(
            f"the header has the column {', '.join(repeated)} more than once: declare a field with "
            "socare.position for each of these columns, or ask for the file again with each column "
            "once"
        )
    missing = [f for f in contract.fields if f.name not in matched]
    unknown = [name for name, column in zip(header, columns, strict=True) if column is None]
    dropped = {name: _closest_name(name, [f.name for f in missing]) for name in unknown}
    if not matched:
        raise DataError(NO_HEADER)
    required = [
        _with_position(f) for f in missing if contract.is_read(f) and not contract.may_lack(f, day)
    ]
    if required:
        raise DataError(_missing_columns_message(required, dropped))
    return columns, dropped


def _with_position(field: Field) -> str:
    position = field.socare.position
    return field.name if position is None else f"{field.name} at position {position}"


def _closest_name(header: str, names: Sequence[str]) -> str:
    by_normalised = {normalise_header(name): name for name in names}
    close = closest_names(normalise_header(header), by_normalised, most=1, cutoff=0.75)
    return by_normalised[close[0]] if close else ""


def _missing_columns_message(missing: Sequence[str], dropped: Mapping[str, str]) -> str:
    hints = [f"'{head}' looks like {name}" for head, name in dropped.items() if name in missing]
    hint = f" ({'; '.join(hints)})" if hints else ""
    return (
        f"the header lacks the column {', '.join(missing)}{hint}, which the contract requires: "
        "declare its spelling under socare.spellings, declare optional: true under socare of the "
        "column, or ask for the file again"
    )
