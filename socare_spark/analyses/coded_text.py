"""Parser of texts of the case system: `CODE - description (period)`, as Spark expressions.

The first dash of any kind, with or without spaces around it, separates the code from the
description. A code contains no dash, but a description can (`TES_SDQ - TESS - SDQ Summary Scores`).
A text without a dash is a code without a description. `code` and `description` are evaluated for
every record and do not use regular expressions, which are many times slower.
Source: thesis, Tables 18, 19 and 21 to 23.
"""

from collections.abc import Iterable

from pyspark.sql import Column
from pyspark.sql import functions as F

# Hyphen, non-breaking hyphen, figure, en and em dash, horizontal bar, minus; each becomes "-".
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
# Space, tab, line breaks and non-breaking space.
WHITE_SPACE = " \t\n\r\u00a0"
_PERIOD = r"\(([^()]*[0-9]{2}[^()]*)\)$"


def code(text: Column) -> Column:
    """Code in upper case, such as `ER34` of `er34 - Referral Form`; null for an empty text."""
    before = _before_dash(text)
    return F.nullif(F.upper(F.when(before == "", trimmed(text)).otherwise(before)), F.lit(""))


def is_one_of(text: Column, wanted: Iterable[str]) -> Column:
    """Whether the code of a text is one of some codes. Case is ignored."""
    return F.upper(_before_dash(text)).isin(*(wanted_code.upper() for wanted_code in wanted))


def description(text: Column) -> Column:
    """Text after the first dash, with its period in brackets; null if it is empty.

    A text that begins with a dash is a code without a description.
    """
    dash = F.instr(_plain(text), "-")
    after = trimmed(F.substr(text, dash + 1))
    return F.when((dash > 0) & (_before_dash(text) != ""), F.nullif(after, F.lit("")))


def period(text: Column) -> Column:
    """Period of use in brackets at the end, such as `Oct 12 - Feb 15`; null if there is none.

    Brackets without a year, such as `(Children)`, are part of the description.
    """
    return F.nullif(F.trim(F.regexp_extract(trimmed(text), _PERIOD, 1)), F.lit(""))


def _plain(text: Column) -> Column:
    """The text with each dash replaced by a hyphen. Its length does not change."""
    return F.translate(text, _DASHES, "-" * len(_DASHES))


def _before_dash(text: Column) -> Column:
    """Text before the first dash, or the whole text if it has no dash."""
    return trimmed(F.substring_index(_plain(text), "-", 1))


def trimmed(text: Column) -> Column:
    """The text without white space at its ends."""
    return F.btrim(text, F.lit(WHITE_SPACE))
