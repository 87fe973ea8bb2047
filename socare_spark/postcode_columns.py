"""Postcodes in columns of Spark: their normal form, and the areas that they name."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from socare_spark.postcodes import DIGIT_LETTERS, UNIT

_UNIT = rf"^{UNIT}\z"


def letters_and_digits_column(text: Column) -> Column:
    """Applies `letters_and_digits` to a column."""
    return F.regexp_replace(F.upper(text), "[^A-Z0-9]", "")


def normalise_postcode(text: Column) -> Column:
    """Applies `unit_postcode` to a column.

    Returns:
        The postcode; null where the text is not a unit postcode.
    """
    compact = letters_and_digits_column(text)
    size = F.length(compact)
    sector = F.translate(compact.substr(size - 2, F.lit(1)), *DIGIT_LETTERS)
    candidate = F.concat(
        compact.substr(F.lit(1), size - 3), F.lit(" "), sector, compact.substr(size - 1, F.lit(2))
    )
    corrected = F.when(size.between(5, 7) & candidate.rlike(_UNIT), candidate)
    return F.when(text.rlike(_UNIT), text).otherwise(corrected)


def is_unit_postcode(value: Column) -> Column:
    """Whether a value is a normalised unit postcode."""
    return value.rlike(_UNIT)


def district_of(postcode: Column) -> Column:
    """The district of a normalised postcode, as `B21`."""
    return F.substring_index(postcode, " ", 1)


def sector_of(postcode: Column) -> Column:
    """The sector of a normalised postcode, as `B21 8`; empty for another text."""
    return F.regexp_extract(postcode, r"^(\S+ \d)", 1)
