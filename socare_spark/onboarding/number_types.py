"""Finds the form of numbers: whole numbers, decimals, marks and currencies."""

import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from socare_spark.onboarding.column_types import (
    MAX_MISMATCH,
    ColumnType,
    Texts,
    is_accepted,
    without_type,
)

# Numbers as 6.0 are whole numbers that a program wrote as decimals. 6.00 is an amount.
_INTEGER = r"[+-]?[0-9]{1,18}(?:\.0?|\.000+)?"
_CURRENCIES = ("£", "$", "€")
_LEADING_ZERO = re.compile(r"[+-]?0[0-9]")


def number_type(filled: Texts, values: Sequence[str]) -> ColumnType | None:
    """The type of a column of numbers; None if it has other texts."""
    if any(map(_LEADING_ZERO.match, values)) and not any("." in v or "," in v for v in values):
        return None
    if _are_plain_integers(filled.texts):
        return ColumnType("integer")
    integer = filled.matching(_INTEGER)
    missing, mismatches = without_type(filled, integer)
    if is_accepted(filled, mismatches):
        zeros = filled.where(integer).matching(r"[+-]?0[0-9]+.*")
        if zeros.any():
            return ColumnType(doubts=("numbers with leading zeros are kept as text",))
        return ColumnType("integer", missing=missing, mismatches=mismatches)
    return _decimals(filled, values)


def _are_plain_integers(texts: pa.Array) -> bool:
    """Whether all texts have digits only, without leading zeros. It is fast."""
    if not pc.all(pc.ascii_is_decimal(texts)).as_py():
        return False
    has_zero = pc.and_(pc.starts_with(texts, "0"), pc.greater(pc.binary_length(texts), 1))
    return pc.max(pc.binary_length(texts)).as_py() <= 18 and not pc.any(has_zero).as_py()


def _decimals(filled: Texts, values: Sequence[str]) -> ColumnType | None:
    keys: dict[str, object] = {}
    treatment: dict[str, object] = {}
    point, group = ".", ""
    if any(re.search(r",[0-9]{3}(\D|$)", v) for v in values) and not _has_decimal_comma(values):
        group = ","
    elif _has_decimal_comma(values):
        point = ","
        group = "." if any(re.search(r"[0-9]\.[0-9]{3}", v) for v in values) else ""
    signs = _currencies(filled)
    if len(signs) > 1:
        listed = " and ".join(signs)
        return ColumnType(doubts=(f"amounts in several currencies ({listed}) are kept as text",))
    unit = rf"(?:{re.escape(signs[0])}\s*)?" if signs else ""
    if signs:
        # Without the sign, an amount with another one would be read too.
        keys["bareNumber"] = False
        treatment["currency"] = signs
    if any(re.fullmatch(rf"\({unit}[0-9.,]+\)", v) for v in values):
        treatment["brackets"] = True
    groups = rf"[0-9]{{1,3}}(?:{re.escape(group)}[0-9]{{3}})+|" if group else ""
    body = rf"(?:{groups}[0-9]{{1,10}})(?:{re.escape(point)}[0-9]{{0,2}}0*)?"
    signed = rf"{unit}[+-]?\s*{unit}{body}"
    pattern = rf"{signed}|\({unit}{body}\)" if "brackets" in treatment else signed
    keys |= {"decimalChar": point} if point != "." else {}
    keys |= {"groupChar": group} if group else {}
    matched = filled.matching(pattern)
    missing, mismatches = without_type(filled, matched)
    if not is_accepted(filled, mismatches):
        return None
    has_decimals = any(
        (point in v and v.rpartition(point)[2].strip(")").removesuffix("000").strip("0") != "")
        or v.strip(")").endswith(f"{point}00")
        for v in values
    )
    type_ = "number" if has_decimals or keys.get("bareNumber") is False or treatment else "integer"
    return ColumnType(type_, (), keys, treatment, missing, mismatches)


def _currencies(filled: Texts) -> list[str]:
    """The currency signs of more than few rows, the most frequent first."""
    rows = {
        sign: int(filled.counts[np.asarray(pc.match_substring(filled.texts, sign))].sum())
        for sign in _CURRENCIES
    }
    most = max(rows.values())
    used = [s for s, n in rows.items() if n and (n == most or n > MAX_MISMATCH * filled.rows)]
    return sorted(used, key=lambda sign: -rows[sign])


def _has_decimal_comma(values: Sequence[str]) -> bool:
    """Whether commas are decimal marks: some do not separate groups of three digits."""
    commas = [v for v in values if "," in v]
    return bool(commas) and any(
        re.search(r",[0-9]{1,2}$", v) or re.search(r",[0-9]{4,}$", v) for v in commas
    )
