"""Matches the columns of the files of a dataset, by their names and their content."""

import re
from collections import Counter
from collections.abc import Collection, Mapping
from itertools import count as count_from

from socare_spark.contracts.header_names import normalise_header
from socare_spark.errors import DataError
from socare_spark.onboarding.cell_kinds import kind_of
from socare_spark.onboarding.column_facts import FEW
from socare_spark.onboarding.source_table import Column, SourceTable
from socare_spark.spelling import closest_names

# Share of the columns that files of one dataset have in common.
_SHARED = 0.5
_SAMPLE = 200
_CUTOFF = 0.75
# Ratio of the mean lengths of the texts of one column in two files.
_LENGTHS = 2


def matched_columns(tables: Mapping[str, SourceTable]) -> dict[str, dict[str, Column]]:
    """Name -> path -> column. Columns match by name, and by similar names if they do not.

    A column whose name has no letter or digit cannot be read, and is left out.
    """
    newest = [*tables][-1]
    groups: dict[str, dict[str, Column]] = {}
    labels: dict[str, str] = {}
    headers = {normalise_header(c.name) for table in tables.values() for c in table.columns}
    for path in [newest, *(p for p in tables if p != newest)]:
        unmatched = []
        used: set[str] = set()
        for column in tables[path].columns:
            if not column.is_named:
                continue
            key = _key_of(column.name, used, headers)
            used.add(key)
            if key in labels:
                groups[labels[key]][path] = column
            else:
                unmatched.append((key, column))
        free = {key: name for key, name in labels.items() if path not in groups[name]}
        for key, column in unmatched:
            label = _similar(key, column, free, groups)
            labels[key] = label or _label(key, column)
            free.pop(normalise_header(label), None)
            groups.setdefault(labels[key], {})[path] = column
    _check_shared(groups, tables)
    return groups


def _key_of(name: str, used: Collection[str], headers: Collection[str]) -> str:
    """The normalised name of a column, with a number if the file has it already.

    Args:
        name: Name of the column as written.
        used: The keys of earlier columns of the file.
        headers: The normalised headers of all files, which no numbered key can be.
    """
    text = normalise_header(name)
    if text not in used:
        return text
    numbered = (f"{text}_{n}" for n in count_from(2))
    return next(key for key in numbered if key not in used and key not in headers)


def _label(key: str, column: Column) -> str:
    """Name of the field of a column: its header, with a number if the header repeats."""
    if key == normalise_header(column.name):
        return column.name
    return f"{column.name} {key.rpartition('_')[2]}"


def _similar(
    key: str,
    column: Column,
    free: Mapping[str, str],
    groups: Mapping[str, Mapping[str, Column]],
) -> str:
    """Name of the column of other files that has a similar name and content; empty if none has."""
    close = closest_names(key, free, most=3, cutoff=_CUTOFF) if free else []
    for other in close:
        if _are_similar(key, column, other, next(iter(groups[free[other]].values()))):
            return free[other]
    return ""


def _check_shared(
    groups: Mapping[str, Mapping[str, Column]], tables: Mapping[str, SourceTable]
) -> None:
    newest = [*tables][-1]
    for path, table in tables.items():
        shared = sum(path in group and newest in group for group in groups.values())
        named = sum(c.is_named for c in table.columns)
        if named and shared < _SHARED * max(named, 1):
            raise DataError(
                f"{path} shares {shared} of its {named} columns with {newest}, so they are files "
                "of different datasets: name the files of one dataset only."
            )


def _are_similar(name: str, column: Column, other_name: str, other: Column) -> bool:
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
