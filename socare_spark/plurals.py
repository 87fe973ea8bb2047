"""Numbers with their noun, and lists of names, in messages."""

from collections.abc import Sequence


def counted(number: int, noun: str) -> str:
    """A number with its noun in the singular or plural: `1 row`, `2,000 rows`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listed(names: Sequence[str], most: int) -> str:
    """The first names and the number of the others: `a, b and 3 more`."""
    others = len(names) - most
    return ", ".join(names[:most]) + (f" and {others} more" if others > 0 else "")


def agreeing(number: int, singular: str, plural: str) -> str:
    """The form of a word that agrees with a number: `is` or `are`."""
    return singular if number == 1 else plural
