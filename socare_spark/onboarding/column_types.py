"""The type of a column, and its different texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from socare_spark.onboarding.missing_texts import ALWAYS, can_be_missing, in_order

# Different texts by which a type is proposed. All texts decide.
SAMPLE = 1_000
# Share of the rows with a text that can be of another type. They would be quarantined.
MAX_MISMATCH = 0.01


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

    def rows_matching(self, pattern: str) -> int:
        """Number of rows with a text that matches a regular expression as a whole."""
        return int(self.counts[self.matching(pattern)].sum())

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


def without_type(filled: Texts, matched: npt.NDArray[np.bool_]) -> tuple[tuple[str, ...], int]:
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


def is_accepted(filled: Texts, mismatches: int) -> bool:
    """Whether so few rows are of another type that they can be quarantined."""
    return mismatches <= MAX_MISMATCH * filled.rows
