"""Codes as the case system prints them: `CODE - description (period)`, taken apart natively.

The first dash of any kind, with or without blanks about it, parts the code from what it says: a
code itself holds no dash, a description often does (`TES_SDQ - TESS - SDQ Summary Scores`). A text
without a dash is a code that says nothing. Source: thesis, Tables 18, 19 and 21 to 23.
"""

from pyspark.sql import Column
from pyspark.sql import functions as F

# Hyphen-minus, minus, then hyphen to horizontal bar: all that a keyboard or a word processor makes.
_DASHES = r"\-\u2212\u2010-\u2015"
_BLANKS = r"[\s\u00A0]+"
_CODED = f"(?s)^([^{_DASHES}]*[^{_DASHES} ]) ?[{_DASHES}] ?(.*)$"
_PERIOD = r"\(([^()]*[0-9]{2}[^()]*)\)$"


def code(text: Column) -> Column:
    """The code in upper case: `er34 - Referral Form` gives `ER34`; null for an empty text."""
    whole = tidy(text)
    found = F.regexp_extract(whole, _CODED, 1)
    return F.nullif(F.upper(F.when(found == "", whole).otherwise(found)), F.lit(""))


def description(text: Column) -> Column:
    """What stands after the first dash, its period in brackets kept; null where nothing does."""
    return F.nullif(F.regexp_extract(tidy(text), _CODED, 2), F.lit(""))


def period(text: Column) -> Column:
    """The period of use in brackets at the end, as written: `Oct 12 - Feb 15`; null without one.

    Brackets without a year, such as `(Children)`, are part of the description.
    """
    return F.nullif(F.trim(F.regexp_extract(tidy(text), _PERIOD, 1)), F.lit(""))


def tidy(text: Column) -> Column:
    """One blank for any run of white space, none at the ends."""
    return F.trim(F.regexp_replace(text, _BLANKS, " "))
