"""The columns of a dataset over all its files, with the differences between the files."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import partial
from itertools import combinations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from socare_spark.contracts.header_names import normalise_header
from socare_spark.onboarding.candidate_keys import Keys, count_equal_rows, find_keys
from socare_spark.onboarding.column_facts import PERSONAL, ColumnFacts, Role
from socare_spark.onboarding.column_roles import role_of
from socare_spark.onboarding.column_types import (
    MAX_MISMATCH,
    ColumnType,
    Texts,
    filled_texts,
    split,
)
from socare_spark.onboarding.file_periods import FileNames, find_periods
from socare_spark.onboarding.header_words import has_any, words_of
from socare_spark.onboarding.matched_columns import matched_columns
from socare_spark.onboarding.missing_texts import ALL
from socare_spark.onboarding.personal_words import IDENTIFIER
from socare_spark.onboarding.source_table import WORKERS, Column, SourceTable
from socare_spark.onboarding.type_inference import type_of
from socare_spark.postcodes import unit_postcode

_SAMPLE = 2_000
_MAX_DAYS = 5_000
# Share of the rows that repeat an identifier of records, such as that of a joined export.
_MAX_REPEATS = 0.1
# In a file of fewer rows, nearly every column of texts is unique by chance.
_FEW_ROWS = 20
_FIRST_DAY = date(1900, 1, 1)
PERSON_ROLES = (Role.PERSON, Role.NHS)
_ID_ROLES = (Role.OTHER_ID, *PERSON_ROLES)
# Columns that are dropped, or that do not identify a record.
_NO_KEY = PERSONAL - {Role.PERSON, Role.NHS, Role.POSTCODE, Role.RARE}


@dataclass(frozen=True)
class DatasetColumn:
    """A column over all files of a dataset.

    Attributes:
        name: Name in the newest file that has it; unique in the dataset.
        header: Header as written in that file. It differs from the name if the header repeats.
        position: Position in that file, from 1.
        repeated: Whether the header occurs more than once in a file.
        type: Type of the column.
        role: Subject of the column.
        rows: Number of rows of the files that have the column.
        filled: Number of rows with a value.
        distinct: Number of different values.
        longest: Number of characters of the longest text.
        invalid_postcodes: Share of the texts that cannot be unit postcodes, in such a column.
        spellings: File -> header, where it differs from the name by more than case and marks.
        absent: Files without the column.
    """

    name: str
    header: str
    position: int
    repeated: bool
    type: ColumnType
    role: Role
    rows: int
    filled: int
    distinct: int
    longest: int
    invalid_postcodes: float = 0.0
    spellings: Mapping[str, str] = field(default_factory=dict)
    absent: Sequence[str] = ()

    @property
    def has_valid_postcodes(self) -> bool:
        """Whether so few texts cannot be postcodes that their rows can be quarantined."""
        return self.invalid_postcodes <= MAX_MISMATCH

    @property
    def is_complete(self) -> bool:
        """Whether each row has a value."""
        return self.rows > 0 and self.filled == self.rows and not self.absent


@dataclass(frozen=True)
class Dataset:
    """The files of a dataset.

    Attributes:
        tables: Path below the landing folder -> file.
        columns: The columns, in the order of the newest file.
        keys: Path -> keys of the file.
        names: Periods in the names of the files.
    """

    tables: Mapping[str, SourceTable]
    columns: Sequence[DatasetColumn]
    keys: Mapping[str, Keys]
    names: FileNames

    @property
    def has_no_header(self) -> bool:
        """Whether the files have no header."""
        return any(table.header.row is None for table in self.tables.values())

    @property
    def alternatives(self) -> list[tuple[str, str]]:
        """Pairs of columns with one type and subject. Each file has one column of a pair."""
        missing = [column for column in self.columns if column.absent]
        files = {path for path, table in self.tables.items() if table.columns}
        return [
            (first.name, second.name)
            for first, second in combinations(missing, 2)
            if (first.type.name, first.role) == (second.type.name, second.role)
            and {*first.absent} == files - {*second.absent}
        ]

    @property
    def is_sampled(self) -> bool:
        """Whether the columns and keys are known from a part of the rows only."""
        return any(table.is_sampled for table in self.tables.values())

    @property
    def common_keys(self) -> list[tuple[str, ...]]:
        """Keys of all files that have records: identifiers first, people and dates last."""
        found = [
            k.keys for k, t in zip(self.keys.values(), self.tables.values(), strict=True) if t.rows
        ]
        common = set(found[0]).intersection(*found[1:]) if found else set()
        columns = {column.name: column for column in self.columns}

        def order(key: tuple[str, ...]) -> tuple[bool, bool, bool]:
            parts = [columns[name] for name in key]
            is_id = any(c.role in (Role.RECORD, *_ID_ROLES) for c in parts)
            is_person = all(c.role in PERSON_ROLES for c in parts)
            return not is_id, is_person, all(c.type.is_date for c in parts)

        return sorted((key for key in (found[0] if found else ()) if key in common), key=order)


def read_dataset(tables: Mapping[str, SourceTable]) -> Dataset:
    """Compares the files of a dataset and finds types, subjects and keys of their columns.

    Args:
        tables: Path below the landing folder -> file.

    Raises:
        DataError: a file has too few columns in common with the others.
    """
    groups = matched_columns(tables)
    repeated = {path: _repeated_headers(table) for path, table in tables.items()}
    describe = partial(_dataset_column, tables, repeated)
    with ThreadPoolExecutor(WORKERS) as executor:
        equal = executor.map(count_equal_rows, [table.columns for table in tables.values()])
        columns = list(executor.map(describe, groups, groups.values()))
    keys = {}
    for (path, table), equal_rows in zip(tables.items(), equal, strict=True):
        candidates = [
            (column, replace(groups[column.name][path], name=column.name))
            for column in columns
            if path in groups[column.name]
            and _can_identify(column)
            and _is_filled(groups[column.name][path])
        ]
        ids = [own for column, own in candidates if column.role in _ID_ROLES]
        rows = table.columns[0].rows if table.columns else 0
        keys[path] = find_keys(rows, equal_rows, [own for _, own in candidates], ids)
    columns = _with_record_ids(columns, keys.values())
    newest = {path: day for path in tables if (day := _newest(path, groups, columns))}
    return Dataset(tables, columns, keys, find_periods([*tables], newest))


def _repeated_headers(table: SourceTable) -> set[str]:
    """The normalised headers that occur more than once."""
    counts = Counter(normalise_header(column.name) for column in table.columns)
    return {header for header, count in counts.items() if count > 1}


def _dataset_column(
    tables: Mapping[str, SourceTable],
    repeated: Mapping[str, Collection[str]],
    name: str,
    group: Mapping[str, Column],
) -> DatasetColumn:
    texts, counts = _merged([*group.values()])
    type_ = type_of(name, texts, counts)
    filled, _ = split(Texts(texts, counts), type_.missing)
    sample = filled.sample(_SAMPLE)
    mean = sum(map(len, sample)) / max(len(sample), 1)
    facts = ColumnFacts(name, type_, sample, len(filled.texts), filled.rows, mean)
    shown = next(group[path] for path in reversed([*tables]) if path in group)
    text = normalise_header(name)
    role = role_of(facts)
    if role in _ID_ROLES:
        # In a column of identifiers, texts such as UNKNOWN are missing values.
        filled, _ = split(filled, ALL)
    repeats = any(normalise_header(c.name) in repeated[path] for path, c in group.items())
    spellings = {
        path: column.name for path, column in group.items() if normalise_header(column.name) != text
    }
    return DatasetColumn(
        name,
        shown.name,
        shown.position,
        repeats,
        type_,
        role,
        int(counts.sum()),
        filled.rows,
        len(filled.texts),
        pc.max(pc.utf8_length(texts)).as_py() or 0,
        _invalid_share(sample) if role is Role.POSTCODE else 0.0,
        spellings,
        [path for path in tables if path not in group and tables[path].columns],
    )


def _merged(columns: Sequence[Column]) -> tuple[pa.Array, np.ndarray]:
    """The different texts of several files with their number of rows."""
    if len(columns) == 1:
        return columns[0].texts, columns[0].counts
    texts = pa.concat_arrays([c.texts.cast(pa.string()) for c in columns]).dictionary_encode()
    counts = np.zeros(len(texts.dictionary), np.int64)
    np.add.at(counts, np.asarray(texts.indices), np.concatenate([c.counts for c in columns]))
    return texts.dictionary, counts


def _invalid_share(sample: Sequence[str]) -> float:
    return sum(not unit_postcode(text) for text in sample) / max(len(sample), 1)


def _is_filled(column: Column) -> bool:
    filled, _ = filled_texts(column.texts, column.counts)
    return filled.rows == column.rows


def _can_identify(column: DatasetColumn) -> bool:
    """Whether a column can be part of a key: amounts and free text cannot."""
    if column.role in _NO_KEY or column.type.name == "number":
        return False
    if column.role is Role.RARE and column.rows < _FEW_ROWS:
        return False
    return column.is_complete or bool(column.filled and not column.type.missing)


def _with_record_ids(
    columns: Sequence[DatasetColumn], keys: Collection[Keys]
) -> list[DatasetColumn]:
    """Marks the identifiers of records: columns that look like one and hardly repeat."""
    single = {name for k in keys for names in k.keys if len(names) == 1 for name in names}
    nearest = {k.nearest for k in keys if k.nearest and k.repeats <= _MAX_REPEATS * k.rows}
    return [
        replace(c, role=Role.RECORD)
        if (c.role is Role.OTHER_ID and c.name in single | nearest)
        or (c.name in single and _looks_like_number(c))
        else c
        for c in columns
    ]


def _looks_like_number(column: DatasetColumn) -> bool:
    """Whether a key is probably a running number: whole numbers in the first column."""
    is_plain = column.role is Role.NONE and column.type.name == "integer"
    return is_plain and (column.position == 1 or has_any(words_of(column.name), IDENTIFIER))


def _newest(
    path: str, groups: Mapping[str, Mapping[str, Column]], columns: Sequence[DatasetColumn]
) -> date | None:
    days = [
        day
        for column in columns
        if column.type.is_date and column.role is not Role.BIRTH and path in groups[column.name]
        for day in [newest_day(groups[column.name][path].texts, column.type.formats)]
        if day is not None
    ]
    return max(days, default=None)


def newest_day(texts: pa.Array, formats: Sequence[str]) -> date | None:
    """The newest day of a column from 1900 to today; None without one.

    Of very many different texts, those at even distances are read.
    """
    step = max(len(texts) // _MAX_DAYS, 1)
    days = (
        _day(str(text), formats)
        for text in texts.take(pa.array(range(0, len(texts), step), pa.int64()))
    )
    today = date.today()
    return max((day for day in days if day and _FIRST_DAY <= day <= today), default=None)


def _day(text: str, formats: Sequence[str]) -> date | None:
    for form in formats:
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            continue
    return None
