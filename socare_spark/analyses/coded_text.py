"""Codes as the case system prints them: `CODE - description (period)`, taken apart natively.

The first dash of any kind, with or without blanks about it, parts the code from what it says: a
code itself holds no dash, a description often does (`TES_SDQ - TESS - SDQ Summary Scores`). A text
without a dash is a code that says nothing. Every record passes `code` and `description`, so they do
without regular expressions, which take many times as long.
Source: thesis, Tables 18, 19 and 21 to 23.
"""

from collections.abc import Iterable

from pyspark.sql import Column
from pyspark.sql import functions as F

# Hyphen, non-breaking hyphen, figure, en and em dash, horizontal bar, minus: all become "-".
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
# Tab, line breaks and the blank that does not break.
_BLANKS = "\t\n\r\u00a0"
_PERIOD = r"\(([^()]*[0-9]{2}[^()]*)\)$"


def code(text: Column) -> Column:
    """The code in upper case: `er34 - Referral Form` gives `ER34`; null for an empty text."""
    before = _before_dash(text)
    return F.nullif(F.upper(F.when(before == "", trimmed(text)).otherwise(before)), F.lit(""))


def is_one_of(text: Column, wanted: Iterable[str]) -> Column:
    """Whether the text's code is one of those wanted; told in one pass over the text."""
    return F.upper(_before_dash(text)).isin(*(one.upper() for one in wanted))


def description(text: Column) -> Column:
    """What stands after the first dash, its period in brackets kept; null where nothing does.

    Where nothing stands before that dash, the text is a code that says nothing.
    """
    dash = F.instr(_plain(text), "-")
    after = trimmed(F.substr(text, dash + 1))
    return F.when((dash > 0) & (_before_dash(text) != ""), F.nullif(after, F.lit("")))


def period(text: Column) -> Column:
    """The period of use in brackets at the end, as written: `Oct 12 - Feb 15`; null without one.

    Brackets without a year, such as `(Children)`, are part of the description.
    """
    return F.nullif(F.trim(F.regexp_extract(trimmed(text), _PERIOD, 1)), F.lit(""))


def _plain(text: Column) -> Column:
    """The text with every dash a hyphen; as long as it was."""
    return F.translate(text, _DASHES, "-" * len(_DASHES))


def _before_dash(text: Column) -> Column:
    """What stands before the first dash, or all of a text without one."""
    return trimmed(F.substring_index(_plain(text), "-", 1))


def trimmed(text: Column) -> Column:
    """The text without blanks of any kind at its ends."""
    return F.btrim(text, F.lit(" " + _BLANKS))
