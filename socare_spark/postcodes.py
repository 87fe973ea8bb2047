"""Unit postcodes of the United Kingdom: their normal form.

Extracts and reference sources are normalised by this rule, so that a record finds its postcode.
`socare_spark.postcode_columns` applies the rule to columns of Spark.
"""

import re

# Letters by position, as Royal Mail assigns them (BS 7666), and the districts of W1 until 2000.
UNIT = (
    "([A-PR-UWYZ][0-9][0-9ABCDEFGHJKPSTUW]?|W1[LMNRVXY]|"
    "[A-PR-UWYZ][A-HK-Y][0-9][0-9ABEHMNPRVWXY]?) [0-9][ABD-HJLNP-UW-Z]{2}"
)
# Letters that are typed for digits, and the digits.
DIGIT_LETTERS = ("OIL", "011")


def letters_and_digits(text: str) -> str:
    """The letters and digits of a text in upper case, for comparison with a postcode."""
    return re.sub("[^A-Z0-9]", "", text.upper())


def unit_postcode(text: str) -> str:
    """Normalises a unit postcode to the form `B1 1AA`: upper case with one space.

    Other characters than letters and digits are dropped. The letters O, I and L are read as digits
    where the inward code has its digit.

    Returns:
        The postcode; empty if the text is not a unit postcode.
    """
    compact = letters_and_digits(text)
    if not 5 <= len(compact) <= 7:
        return ""
    digit = compact[-3].translate(str.maketrans(*DIGIT_LETTERS))
    candidate = f"{compact[:-3]} {digit}{compact[-2:]}"
    return candidate if re.fullmatch(UNIT, candidate) else ""
