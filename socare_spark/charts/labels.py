"""Short labels of charts that stay different from each other."""

from collections import Counter
from collections.abc import Sequence

_DOTS = "…"
_SEPARATOR = " > "


def distinct_labels(names: Sequence[str], width: int) -> list[str]:
    """Shortens names to a width. Different names get different labels.

    A name of two parts, such as `A > B`, keeps the beginning of both. Labels that would be equal
    keep the ends of the parts as well, and otherwise get a number.

    Args:
        names: The names, all different.
        width: Largest number of characters, without the number.

    Returns:
        The labels, in the order of the names.
    """
    labels = [_short(name, width, ends=False) for name in names]
    labels = [
        _short(name, width, ends=True) if number > 1 else label
        for name, label, number in zip(names, labels, _times(labels), strict=True)
    ]
    seen: Counter[str] = Counter()
    for place, (label, number) in enumerate(zip(labels, _times(labels), strict=True)):
        if number > 1:
            seen[label] += 1
            labels[place] = f"{label} ({seen[label]})"
    return labels


def _times(labels: Sequence[str]) -> list[int]:
    counts = Counter(labels)
    return [counts[label] for label in labels]


def _short(name: str, width: int, *, ends: bool) -> str:
    parts = name.split(_SEPARATOR)
    if len(name) <= width or len(parts) != 2:
        return _cut(name, width, ends=ends)
    first, second = parts
    room = width - len(_SEPARATOR)
    left = max(room - len(second), min(len(first), room // 2))
    return _SEPARATOR.join(
        (_cut(first, left, ends=ends), _cut(second, max(room - left, room // 2), ends=ends))
    )


def _cut(text: str, width: int, *, ends: bool) -> str:
    if len(text) <= width:
        return text
    if not ends:
        return text[: width - 1].rstrip() + _DOTS
    tail = (width - 1) // 2
    return text[: width - 1 - tail].rstrip() + _DOTS + text[-tail:].lstrip()
