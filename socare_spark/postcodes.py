"""Unit postcodes of the United Kingdom: their normal form, and the areas that they name.

Extracts and reference sources are normalised by this rule, so that a record finds its postcode.
"""

import re

from pyspark.sql import Column
from pyspark.sql import functions as F

# Letters by position, as Royal Mail assigns them (BS 7666), and the districts of W1 until 2000.
_FORM = (
    "([A-PR-UWYZ][0-9][0-9ABCDEFGHJKPSTUW]?|W1[LMNRVXY]|"
    "[A-PR-UWYZ][A-HK-Y][0-9][0-9ABEHMNPRVWXY]?) [0-9][ABD-HJLNP-UW-Z]{2}"
)
_UNIT = rf"^{_FORM}\z"
_DIGIT_LETTERS = ("OIL", "011")


def letters_and_digits(text: str) -> str:
    """The letters and digits of a text in upper case, for comparison with a postcode."""
    return re.sub("[^A-Z0-9]", "", text.upper())


def letters_and_digits_column(text: Column) -> Column:
    """Applies `letters_and_digits` to a column."""
    return F.regexp_replace(F.upper(text), "[^A-Z0-9]", "")


def normalise_postcode(text: Column) -> Column:
    """Normalises a unit postcode to the form `B1 1AA`: upper case with one space.

    Other characters than letters and digits are dropped. The letters O, I and L are read as digits
    where the inward code has its digit.

    Returns:
        The postcode; null where the text is not a unit postcode.
    """
    compact = letters_and_digits_column(text)
    size = F.length(compact)
    sector = F.translate(compact.substr(size - 2, F.lit(1)), *_DIGIT_LETTERS)
    candidate = F.concat(
        compact.substr(F.lit(1), size - 3), F.lit(" "), sector, compact.substr(size - 1, F.lit(2))
    )
    corrected = F.when(size.between(5, 7) & candidate.rlike(_UNIT), candidate)
    return F.when(text.rlike(_UNIT), text).otherwise(corrected)


def unit_postcode(text: str) -> str:
    """Applies `normalise_postcode` to a text. The result is empty if it is not a unit postcode."""
    compact = letters_and_digits(text)
    if not 5 <= len(compact) <= 7:
        return ""
    digit = compact[-3].translate(str.maketrans(*_DIGIT_LETTERS))
    candidate = f"{compact[:-3]} {digit}{compact[-2:]}"
    return candidate if re.fullmatch(_FORM, candidate) else ""


def is_unit_postcode(value: Column) -> Column:
    """Whether a value is a normalised unit postcode."""
    return value.rlike(_UNIT)


def district_of(postcode: Column) -> Column:
    """The district of a normalised postcode, as `B21`."""
    return F.substring_index(postcode, " ", 1)


def sector_of(postcode: Column) -> Column:
    """The sector of a normalised postcode, as `B21 8`; empty for another text."""
    return F.regexp_extract(postcode, r"^(\S+ \d)", 1)
