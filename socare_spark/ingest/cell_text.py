"""Texts of the cells of a workbook.

Values are those that the workbook stores; formats of numbers do not count.
"""

from datetime import date, datetime, time, timedelta
from decimal import Decimal

from socare_spark.contracts.field import Field

Cell = str | bool | float | int | date | datetime | time | timedelta
# Excel keeps 15 digits of a number.
_DIGITS = 15


def text_of(cell: Cell, field: Field | None = None) -> str:
    """The text of a cell.

    Args:
        cell: The cell.
        field: Its field. A date or time gets the first format of the field that keeps all its
            parts; a boolean gets the field's text.
    """
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        if field is not None and field.is_boolean:
            return (field.true_values if cell else field.false_values)[0]
        return str(cell).upper()
    if isinstance(cell, (int, float)):
        # A small number, such as a longitude, is written without an exponent.
        text = f"{cell:.{_DIGITS}g}"
        return format(Decimal(text), "f") if "e-" in text else text
    if isinstance(cell, date):
        return _text_of_date(cell, field)
    return cell.isoformat() if isinstance(cell, time) else str(cell)


def _text_of_date(day: date, field: Field | None) -> str:
    moment = day if isinstance(day, datetime) else datetime(day.year, day.month, day.day)
    formats = field.formats if field is not None and field.is_date else ()
    for form in formats:
        text = moment.strftime(form)
        if "%z" not in form and datetime.strptime(text, form) == moment:
            return text
    if formats and moment != day and "%y" not in formats[0]:
        # The cell is a date, and no format keeps the day. The first one keeps less. Two digits of
        # a year can mean another century.
        return moment.strftime(formats[0])
    return moment.isoformat() if moment.time() != time() else moment.date().isoformat()
