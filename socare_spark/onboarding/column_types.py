"""Finds the type of a column from its texts."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from socare_spark.onboarding.date_formats import (
    formats_of,
    has_time,
    is_midnight,
    is_numeric_order,
    pattern_of,
    swapped,
)
from socare_spark.onboarding.header_words import word_set, words_of
from socare_spark.onboarding.missing_texts import ALWAYS, can_be_missing, in_order

# Different texts by which a type is proposed. All texts decide.
SAMPLE = 1_000
# Share of the rows with a text that can be of another type. They would be quarantined.
MAX_MISMATCH = 0.01
_BOOLEANS = (
    (("Y",), ("N",)), (("y",), ("n",)), (("Yes",), ("No",)), (("YES",), ("NO",)),
    (("yes",), ("no",)),
    (("true",), ("false",)), (("True",), ("False",)), (("TRUE",), ("FALSE",)), (("T",), ("F",)),
    (("1",), ("0",)), (("1.0",), ("0.0",)), (("Y", "Yes"), ("N", "No")),
)  # fmt: skip
_DATE_WORDS = word_set("date day dob birth dt start end opened closed created updated")
_INTEGER = r"[+-]?[0-9]{1,18}(?:\.0*)?"
_CURRENCY = re.compile("[£$€]")
_LEADING_ZERO = re.compile(r"[+-]?0[0-9]")
_E_NOTATION = re.compile(r"[+-]?[0-9]+([.,][0-9]+)?[eE][+-]?[0-9]+")
_OPEN_ENDS = ("9999-12-31", "2999-12-31", "2099-12-31")


@dataclass(frozen=True)
class ColumnType:
    """The type of a column, as a contract declares it.

    Attributes:
        name: `string`, `integer`, `number`, `boolean`, `date` or `datetime`.
        formats: Formats of a date, the most frequent first.
        keys: Further keys of the field, such as `groupChar` and `trueValues`.
        treatment: Further keys of `socare` of the field, such as `brackets`.
        missing: Texts that mean a missing value.
        mismatches: Number of rows with a text of another type.
        doubts: Sentences on findings that a person must decide.
    """

    name: str = "string"
    formats: tuple[str, ...] = ()
    keys: Mapping[str, object] = field(default_factory=dict)
    treatment: Mapping[str, object] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    mismatches: int = 0
    doubts: tuple[str, ...] = ()

    @property
    def is_date(self) -> bool:
        """Whether the column has dates or times."""
        return self.name in ("date", "datetime")

    @property
    def has_short_years(self) -> bool:
        """Whether a format has a year of two digits, which means 1969 to 2068."""
        return any("%y" in form for form in self.formats)


@dataclass(frozen=True)
class Texts:
    """The different texts of a column that are not missing, with their number of rows."""

    texts: pa.Array
    counts: npt.NDArray[np.int64]

    @property
    def rows(self) -> int:
        """Number of rows with a text."""
        return int(self.counts.sum())

    def sample(self, size: int = SAMPLE) -> list[str]:
        """Texts at even distances, at most twice as many as `size`."""
        step = max(len(self.texts) // size, 1)
        positions = pa.array(range(0, len(self.texts), step), pa.int64())
        return [str(text) for text in self.texts.take(positions)]

    def matching(self, pattern: str) -> npt.NDArray[np.bool_]:
        """Whether each text matches a regular expression as a whole."""
        mask = pc.match_substring_regex(self.texts, f"^(?:{pattern})$")
        return np.asarray(mask, dtype=bool)

    def where(self, mask: npt.NDArray[np.bool_]) -> "Texts":
        """The texts at which a mask is true."""
        return Texts(self.texts.filter(pa.array(mask)), self.counts[mask])


def filled_texts(texts: pa.Array, counts: npt.NDArray[np.int64]) -> tuple[Texts, tuple[str, ...]]:
    """Separates the texts of a column from those that are always missing values."""
    filled, missing = split(Texts(texts, counts), ALWAYS)
    return filled, tuple(in_order(missing))


def split(filled: Texts, missing: Sequence[str]) -> tuple[Texts, list[str]]:
    """Separates texts from missing values. Returns the missing values that occur."""
    mask = pc.is_in(filled.texts, value_set=pa.array(missing, pa.string()))
    found = filled.texts.filter(mask).to_pylist()
    return (filled.where(~np.asarray(mask, dtype=bool)) if found else filled), found


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
        or _dates(name, filled, values)
        or _numbers(filled, values)
        or ColumnType(doubts=_doubts_of_text(values))
    )
    missing = {*always, *found.missing}
    return ColumnType(
        found.name,
        found.formats,
        found.keys,
        found.treatment,
        tuple(in_order(missing)),
        found.mismatches,
        found.doubts,
    )


def _rest(filled: Texts, matched: npt.NDArray[np.bool_]) -> tuple[tuple[str, ...], int]:
    """The missing texts among those that did not match, and the number of other rows."""
    others = filled.where(~matched)
    mismatches, missing = 0, set()
    for i in range(min(len(others.texts), SAMPLE)):
        text = str(others.texts[i])
        if can_be_missing(text):
            missing.add(text)
        else:
            mismatches += int(others.counts[i])
    mismatches += int(others.counts[SAMPLE:].sum())
    return tuple(missing), mismatches


def _is_accepted(filled: Texts, mismatches: int) -> bool:
    return mismatches <= MAX_MISMATCH * filled.rows


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


def _dates(name: str, filled: Texts, values: Sequence[str]) -> ColumnType | None:
    fitting = _agreed(formats_of(values))
    if not {*words_of(name)} & _DATE_WORDS:
        fitting = [form for form in fitting if form != "%Y%m%d"]
    formats: list[str] = []
    matched = np.zeros(len(filled.texts), bool)
    doubts: list[str] = []
    for proposed in fitting[:6]:
        form, mask, doubt = _in_order(proposed, filled)
        if doubt and mask is None:
            return ColumnType(doubts=(doubt,))
        new = mask & ~matched if mask is not None else matched
        if new.any():
            formats.append(form)
            matched = matched | new
            doubts += [doubt] if doubt else []
    missing, mismatches = _rest(filled, matched)
    if not formats or not _is_accepted(filled, mismatches):
        return None
    timed = [form for form in formats if has_time(form)]
    days_only = not any("%z" in form for form in formats) and all(
        is_midnight(text) for text in values if ":" in text
    )
    type_ = "datetime" if timed and not days_only else "date"
    if type_ == "datetime" and not any("%z" in form for form in formats):
        doubts.append("the times have no zone and are read as UTC")
    treatment: dict[str, object] = {}
    ends = [day for day in _OPEN_ENDS if any(day in _iso(text, formats) for text in values)]
    if ends:
        treatment["open_ended"] = ends
    return ColumnType(
        type_, tuple(formats), {}, treatment, missing, mismatches, tuple(dict.fromkeys(doubts))
    )


def _agreed(formats: Sequence[str]) -> list[str]:
    """Formats without those that differ from an earlier one in the order of day and month."""
    agreed: list[str] = []
    for form in formats:
        if swapped(form) not in agreed:
            agreed.append(form)
    return agreed


def _in_order(form: str, filled: Texts) -> tuple[str, npt.NDArray[np.bool_] | None, str]:
    """Decides the order of day and month by all texts.

    Returns:
        The format, the texts that it fits, and a doubt. No text fits if texts of both orders occur.
    """
    mask = filled.matching(pattern_of(form))
    if not is_numeric_order(form):
        return form, mask, ""
    other = swapped(form)
    other_mask = filled.matching(pattern_of(other))
    only, only_other = (mask & ~other_mask).any(), (other_mask & ~mask).any()
    if only and only_other:
        return form, None, "the column has dates with the day first and others with the month first"
    if only_other:
        return other, other_mask, ""
    if only:
        return form, mask, ""
    day_first = form if form.index("%d") < form.index("%m") else other
    return day_first, mask, "no day is after the 12th, so day and month can be the other way round"


def _iso(text: str, formats: Sequence[str]) -> str:
    """The day of a text in ISO form, if the text has a year of an open end."""
    for form in formats:
        match = re.fullmatch(re.sub(r"\(\?:|\(\?i:", "(", pattern_of(form)), text)
        if match and text.strip():
            numbers = re.findall("[0-9]+", text)
            year = next((n for n in numbers if n in ("9999", "2999", "2099")), "")
            if year and "31" in numbers and "12" in numbers:
                return f"{year}-12-31"
    return ""


def _numbers(filled: Texts, values: Sequence[str]) -> ColumnType | None:
    if any(map(_LEADING_ZERO.match, values)) and not any("." in v or "," in v for v in values):
        return None
    if _are_plain_integers(filled.texts):
        return ColumnType("integer")
    integer = filled.matching(_INTEGER)
    missing, mismatches = _rest(filled, integer)
    if _is_accepted(filled, mismatches):
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
    unit = r"(?:[£$€]\s*)?"
    if any(map(_CURRENCY.search, values)):
        keys["bareNumber"] = False
    else:
        unit = ""
    if any(re.fullmatch(rf"\({unit}[0-9.,]+\)", v) for v in values):
        treatment["brackets"] = True
    groups = rf"[0-9]{{1,3}}(?:{re.escape(group)}[0-9]{{3}})+|" if group else ""
    body = rf"(?:{groups}[0-9]{{1,10}})(?:{re.escape(point)}[0-9]{{0,2}}0*)?"
    signed = rf"{unit}[+-]?\s*{unit}{body}"
    pattern = rf"{signed}|\({unit}{body}\)" if treatment else signed
    keys |= {"decimalChar": point} if point != "." else {}
    keys |= {"groupChar": group} if group else {}
    matched = filled.matching(pattern)
    missing, mismatches = _rest(filled, matched)
    if not _is_accepted(filled, mismatches):
        return None
    has_decimals = any(point in v and v.rpartition(point)[2].strip("0)") for v in values)
    type_ = "number" if has_decimals or keys.get("bareNumber") is False or treatment else "integer"
    return ColumnType(type_, (), keys, treatment, missing, mismatches)


def _has_decimal_comma(values: Sequence[str]) -> bool:
    """Whether commas are decimal marks: some do not separate groups of three digits."""
    commas = [v for v in values if "," in v]
    return bool(commas) and any(
        re.search(r",[0-9]{1,2}$", v) or re.search(r",[0-9]{4,}$", v) for v in commas
    )


def _doubts_of_text(values: Sequence[str]) -> tuple[str, ...]:
    size = len(values)
    if sum(map(bool, map(_E_NOTATION.fullmatch, values))) * 20 > size:
        return ("numbers in E-notation have lost digits in a spreadsheet",)
    if all(re.fullmatch(r"-?[0-9]+([.][0-9]+)?", v) for v in values):
        if any("." in v for v in values):
            return ("numbers with more than two decimals are kept as text",)
        return ("numbers with leading zeros or more than 18 digits are kept as text",)
    if all(re.fullmatch(r"-?[0-9.]+ ?%", v) for v in values):
        return ("percentages are kept as text",)
    return ()
