"""Finds the type of a column from its texts."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from socare_spark.onboarding.cell_kinds import DATE, E_NOTATION
from socare_spark.onboarding.column_types import SAMPLE, ColumnType, Texts, filled_texts
from socare_spark.onboarding.date_types import date_type
from socare_spark.onboarding.missing_texts import can_be_missing, in_order
from socare_spark.onboarding.number_types import number_type
from socare_spark.plurals import agreeing, counted

_BOOLEANS = (
    (("Y",), ("N",)), (("y",), ("n",)), (("Yes",), ("No",)), (("YES",), ("NO",)),
    (("yes",), ("no",)),
    (("true",), ("false",)), (("True",), ("False",)), (("TRUE",), ("FALSE",)), (("T",), ("F",)),
    (("1",), ("0",)), (("1.0",), ("0.0",)), (("Y", "Yes"), ("N", "No")),
)  # fmt: skip
# A spreadsheet keeps 15 digits of a number.
_DIGITS = 15
_FEW_DATES = 0.05


def type_of(name: str, texts: pa.Array, counts: npt.NDArray[np.int64]) -> ColumnType:
    """Finds the type of a column.

    Args:
        name: Name of the column.
        texts: Its different texts, without blanks at their ends.
        counts: Number of rows with each of them.
    """
    filled, always = filled_texts(texts, counts)
    sample = filled.sample()
    # In a column of another type, texts such as "Unknown" and "*" are missing values.
    values = [text for text in sample if not can_be_missing(text)]
    if not values:
        return ColumnType(missing=always)
    found = (
        _boolean(filled)
        or date_type(name, filled, values)
        or number_type(filled, values)
        or ColumnType(doubts=_doubts_of_text(values))
    )
    doubts = list(found.doubts)
    if found.name in ("string", "integer", "number"):
        doubts += _doubts_of_digits(filled)
    missing = tuple(in_order({*always, *found.missing}))
    return replace(found, missing=missing, doubts=tuple(doubts))


def _boolean(filled: Texts) -> ColumnType | None:
    if not 2 <= len(filled.texts) <= SAMPLE // 50:
        return None
    texts = [str(text) for text in filled.texts]
    values = {text for text in texts if not can_be_missing(text)}
    for true, false in _BOOLEANS:
        if values == {*true, *false}:
            missing = tuple(text for text in texts if text not in values)
            keys = {"trueValues": [*true], "falseValues": [*false]}
            doubts = ("1 and 0 are read as yes and no",) if "1" in true or "1.0" in true else ()
            return ColumnType("boolean", keys=keys, missing=missing, doubts=doubts)
    return None


def _doubts_of_digits(filled: Texts) -> Iterator[str]:
    """Sentences on digits that a spreadsheet has changed."""
    if pc.any(pc.match_substring(filled.texts, "E", ignore_case=True)).as_py():
        rows = filled.rows_matching(E_NOTATION)
        if rows:
            values = f"{counted(rows, 'value')} {agreeing(rows, 'is', 'are')}"
            yield f"{values} in E-notation, so a spreadsheet has changed their digits"
    if pc.max(pc.binary_length(filled.texts)).as_py() <= _DIGITS:
        return
    long = filled.rows_matching(rf"[0-9]{{{_DIGITS + 1},}}")
    rounded = filled.rows_matching(rf"[0-9]{{{_DIGITS}}}0+")
    if rounded > 1 and rounded >= 0.9 * long:
        yield f"numbers end in zeros after {_DIGITS} digits, so a spreadsheet has changed them"


def _doubts_of_text(values: Sequence[str]) -> tuple[str, ...]:
    if all(re.fullmatch(r"-?[0-9]+([.][0-9]+)?", v) for v in values):
        if any("." in v for v in values):
            return ("numbers with more than two decimals are kept as text",)
        return ("numbers with leading zeros or more than 18 digits are kept as text",)
    if all(re.fullmatch(r"-?[0-9.]+ ?%", v) for v in values):
        return ("percentages are kept as text",)
    dates = sum(DATE.fullmatch(v) is not None for v in values) / len(values)
    if dates >= _FEW_DATES:
        return (
            f"about {dates:.0%} of the different values look like dates, and not all have a known "
            "form, so all are kept as text",
        )
    return ()
