"""Suggestions for names that are not known."""

import difflib
from collections.abc import Iterable

_CUTOFF = 0.6


def closest_names(
    name: str, known: Iterable[str], *, most: int = 3, cutoff: float = _CUTOFF
) -> list[str]:
    """The known names that resemble a name, the closest first.

    Args:
        name: The name that is not known.
        known: The known names.
        most: Largest number of names to return.
        cutoff: Smallest similarity, from 0 to 1 (the ratio of Ratcliff and Obershelp).
    """
    return difflib.get_close_matches(name, list(known), n=most, cutoff=cutoff)
