"""Names that are not known: suggestions, and probable misspellings."""

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


def is_misspelling(name: str, known: str) -> bool:
    """Whether a name differs from a known one in one letter or in its end only.

    One letter is missing, added or replaced, two neighbours are exchanged, or the shorter name is
    the beginning of the longer one and has most of its letters.
    """
    longer, shorter = sorted((name, known), key=len, reverse=True)
    if longer.startswith(shorter):
        return longer != shorter and len(shorter) > len(longer) / 2
    start = next(i for i, pair in enumerate(zip(name, known, strict=False)) if len({*pair}) > 1)
    rests = name[start:], known[start:]
    end = 0
    while end < min(map(len, rests)) and rests[0][-1 - end] == rests[1][-1 - end]:
        end += 1
    first, second = (rest[: len(rest) - end] for rest in rests)
    is_exchange = len(first) == 2 and first == second[::-1]
    return is_exchange or max(len(first), len(second)) == 1
