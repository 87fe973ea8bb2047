"""Texts that usually mean a missing value."""

from collections.abc import Iterable

# These are missing values in every column.
ALWAYS = (
    "", "NULL", "null", "Null", "(null)", "N/A", "n/a", "#N/A", "NaN", "nan", "\\N", "-", "--",
    "?", "(blank)",
)  # fmt: skip
# Marks of statistics: suppressed, not available, low, not applicable.
MARKS = ("*", "**", "..", ".", ":", "[c]", "[x]", "[z]", "[low]", "[u]", "~")
# These are missing values in a column of numbers, dates or codes. In a column of texts they can be
# a category.
WORDS = (
    "NA", "na", "None", "none", "NONE", "Nil", "nil", "Unknown", "UNKNOWN", "unknown", "Not known",
    "Not Known", "not known", "NOT KNOWN", "Not recorded", "Not Recorded", "not recorded",
    "Not stated", "Not Stated", "not stated", "Not applicable", "Not Applicable", "N/K", "NK",
    "n/k", "TBC", "tbc", "missing", "Missing", "c", "x", "z", "u",
)  # fmt: skip
ALL = (*ALWAYS, *MARKS, *WORDS)
_ALWAYS, _ALL = frozenset(ALWAYS), frozenset(ALL)


def is_always_missing(text: str) -> bool:
    """Whether a text is a missing value in every column."""
    return text in _ALWAYS


def can_be_missing(text: str) -> bool:
    """Whether a text is a missing value in a column of numbers, dates or codes."""
    return text in _ALL


def in_order(texts: Iterable[str]) -> list[str]:
    """The missing texts that are among some texts, the empty one first."""
    found = set(texts)
    return [text for text in ALL if text in found]
