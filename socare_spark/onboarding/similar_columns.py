"""Decides whether columns of two files with similar names are one column."""

import re
from collections import Counter

from socare_spark.onboarding.cell_kinds import kind_of
from socare_spark.onboarding.column_facts import FEW
from socare_spark.onboarding.source_table import Column
from socare_spark.spelling import closest_names

_SAMPLE = 200
_CUTOFF = 0.75
# Ratio of the mean lengths of the texts of one column in two files.
_LENGTHS = 2


def are_similar(name: str, column: Column, other_name: str, other: Column) -> bool:
    """Whether two columns can be one that is spelled in two ways.

    Each word must have a similar word in the other name, and numbers must be equal: `line_1` is not
    `line_2`. The texts must be of one kind, and categories must have a text in common.

    Args:
        name: Normalised name of the first column.
        column: The first column.
        other_name: Normalised name of the other column.
        other: The other column.
    """
    if re.findall("[0-9]+", name) != re.findall("[0-9]+", other_name):
        return False
    words, other_words = name.split("_"), other_name.split("_")
    if len(words) == len(other_words) and not all(
        closest_names(word, [second], cutoff=_CUTOFF)
        for word, second in zip(sorted(words), sorted(other_words), strict=True)
    ):
        return False
    first, second = _sample(column), _sample(other)
    if not first or not second:
        return True
    kind = _usual_kind(first)
    if kind != _usual_kind(second):
        return False
    if kind in ("text", "code") and len(column.texts) < FEW and len(other.texts) < FEW:
        return bool({*first} & {*second})
    lengths = sorted(sum(map(len, texts)) / len(texts) for texts in (first, second))
    return lengths[1] <= _LENGTHS * lengths[0]


def _sample(column: Column) -> list[str]:
    step = max(len(column.texts) // _SAMPLE, 1)
    texts = column.texts.take(list(range(0, len(column.texts), step)))
    return [text for text in texts.to_pylist() if text]


def _usual_kind(texts: list[str]) -> str:
    return Counter(map(kind_of, texts)).most_common(1)[0][0]
