"""Counts people, records and cost for all results of the package.

Rows are grouped by cell and person and then by cell. So people are distinct and the cost of each
person is known; the two largest costs of each cell are kept. No result is computed from the token
of a person, because in a cell with one person it would identify that person.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import chain, combinations
from operator import and_

import pandas as pd
import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from socare_spark.lake.collect import to_pandas
from socare_spark.lake.table import TableSpec

_SALTS = 64
# Column that spreads records without a person over tasks.
PART = "_part"
# Column with the number of records that a row represents. Without it each row is one record.
COUNT = "_count"
_MEASURES = ("people", "records", "cost", "cost_top1", "cost_top2", "providers")


def count_people(
    frame: DataFrame,
    dims: Sequence[str],
    *,
    person: str = "person",
    cost: str | None = None,
    records: str | None = None,
    totals: Sequence[str] = (),
    sums: Sequence[str] = (),
    people_with: Sequence[str] = (),
) -> DataFrame:
    """Counts people, records and cost for each combination of dimensions that occurs.

    Args:
        frame: One row for each record.
        dims: Columns that define a cell. Null is a value like any other, except in `totals`.
        person: Column of the pseudonym (BIGINT); null for a record without a person.
        cost: Column of the cost in pounds (DECIMAL); None if records have no cost.
        records: Column of the number of records that a row represents; None means COUNT, or 1 if
            the frame does not have it.
        totals: Dimensions for which a total over all values is added, with null in the dimension.
            People are distinct in it. A record with null in the dimension counts only in the total.
        sums: Numeric columns to sum over the records of a cell.
        people_with: Boolean columns. Each becomes the number of distinct people with a record for
            which it is true.

    Returns:
        One row for each cell: `dims`, then `people`, `records`, `cost`, `cost_top1`, `cost_top2`,
        `providers` (null because no contract has a provider), then the columns of `sums` and
        `people_with`.
    """
    for name in totals:
        frame = frame.withColumn(name, _with_total(name))
    rows = frame.select(
        *dims,
        F.col(person).alias("_person"),
        (F.col(cost) if cost else F.lit(None)).cast("decimal(20,2)").alias("_cost"),
        (F.col(records) if records else number_of_records(frame)).cast("bigint").alias("_records"),
        *([PART] if PART in frame.columns else []),
        *sums,
        *people_with,
    )
    more_measures = _MoreMeasures(tuple(sums), tuple(people_with))
    return _count(rows, list(dims), more_measures, cost=cost is not None)


def count_column(frame: DataFrame) -> list[str]:
    """COUNT in a list if a frame has it, for projections; otherwise an empty list."""
    return [COUNT] if COUNT in frame.columns else []


def number_of_records(frame: DataFrame) -> Column:
    """Number of records that a row represents."""
    return F.col(COUNT) if COUNT in frame.columns else F.lit(1)


@dataclass(frozen=True)
class Grouping:
    """Cells of a result that are counted in one pass with those of other results.

    Attributes:
        table: The result. Its columns have the names and types of the dimensions.
        dims: Name of a dimension -> its value of a record. Null is a value like any other, except
            in `totals`.
        where: Condition of the records that count; None means all records.
        totals: Dimensions with a total over all values, as in `count_people`.
    """

    table: TableSpec
    dims: Mapping[str, Column]
    where: Column | None = None
    totals: tuple[str, ...] = ()

    def cells(self, number: int, keys: int) -> Iterator[Column]:
        """The cells of a record, as structs: `_grouping`, `_key0`, `_key1`, ...

        A cell is null for a record that does not count in it.

        Args:
            number: Number of the grouping.
            keys: Number of keys of all groupings; further keys are null.
        """
        subsets = (combinations(self.totals, size) for size in range(len(self.totals) + 1))
        for all_values in chain.from_iterable(subsets):
            values = [
                F.lit(None) if name in all_values else value for name, value in self.dims.items()
            ]
            padding = [F.lit(None)] * (keys - len(values))
            texts = [
                value.cast("string").alias(f"_key{at}")
                for at, value in enumerate([*values, *padding])
            ]
            cell = F.struct(F.lit(number).alias("_grouping"), *texts)
            named = (self.dims[name] for name in self.totals if name not in all_values)
            conditions = [value.isNotNull() for value in named]
            if self.where is not None:
                conditions.append(self.where)
            yield F.when(reduce(and_, conditions), cell) if conditions else cell


def count_groupings(
    frame: DataFrame,
    groupings: Sequence[Grouping],
    *,
    person: str = "person",
    cost: str | None = None,
    records: str | None = None,
    sums: Sequence[str] = (),
    people_with: Sequence[str] = (),
) -> DataFrame:
    """Counts people, records and cost of several results in one pass over the same records.

    Args:
        frame: One row for each record. If a record has many cells, pass the result of `by_person`:
            then the records are shuffled, and not their cells.
        groupings: The results with their dimensions.
        person: As in `count_people`.
        cost: As in `count_people`.
        records: As in `count_people`.
        sums: As in `count_people`, for all results.
        people_with: As in `count_people`, for all results.

    Returns:
        One row for each grouping and cell, for `split_groupings`.
    """
    keys = max(len(grouping.dims) for grouping in groupings)
    cells = [cell for at, g in enumerate(groupings) for cell in g.cells(at, keys)]
    named = (person, cost, records, *sums, *people_with)
    measures = dict.fromkeys(name for name in named if name)
    part = [PART] if PART in frame.columns else []
    rows = frame.select(
        *measures, *part, *count_column(frame), F.inline(F.array_compact(F.array(*cells)))
    )
    names = ["_grouping", *(f"_key{at}" for at in range(keys))]
    return count_people(
        rows,
        names,
        person=person,
        cost=cost,
        records=records,
        sums=sums,
        people_with=people_with,
    )


def by_person(frame: DataFrame, person: str = "person") -> DataFrame:
    """Shuffles the records of a person to one task, for counts that need no further shuffle.

    Args:
        frame: One row for each record. A repeated computation must give the same values, because
            records without a person are placed by them.
        person: Column of the pseudonym.

    Returns:
        The rows with `PART`: 0 for the records of a person. Records without a person are spread by
        their content.
    """
    spread = F.pmod(F.hash(*frame.columns), F.lit(_SALTS))
    part = F.when(F.col(person).isNotNull(), F.lit(0)).otherwise(spread)
    return frame.withColumn(PART, part).repartition(person, PART)


def split_groupings(
    cells: pd.DataFrame, groupings: Sequence[Grouping]
) -> dict[TableSpec, pd.DataFrame]:
    """Separates the results of `count_groupings`.

    Args:
        cells: The collected rows.
        groupings: The same groupings.

    Returns:
        Table -> one row for each cell: its dimensions in their declared types, and the measures.
        Groupings of one table are concatenated.
    """
    results: dict[TableSpec, list[pd.DataFrame]] = {}
    measures = [name for name in cells.columns if not name.startswith(("_grouping", "_key"))]
    for at, grouping in enumerate(groupings):
        rows = cells[cells["_grouping"] == at].reset_index(drop=True)
        types = grouping.table.arrow_schema
        keys = {name: f"_key{key}" for key, name in enumerate(grouping.dims)}
        texts = [pa.array(rows[key], pa.string(), from_pandas=True) for key in keys.values()]
        typed = [text.cast(types.field(name).type) for name, text in zip(keys, texts, strict=True)]
        dims = to_pandas(pa.table(typed, names=list(keys)))
        results.setdefault(grouping.table, []).append(dims.join(rows[measures]))
    return {table: pd.concat(parts, ignore_index=True) for table, parts in results.items()}


@dataclass(frozen=True)
class _MoreMeasures:
    """Further measures of a cell, and their aggregates in each grouping step."""

    sums: tuple[str, ...]
    people_with: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all further measures."""
        return self.sums + self.people_with

    def of_a_person(self) -> list[Column]:
        """Aggregates over the records of one person."""
        return [*_sums(self.sums), *(F.bool_or(name).alias(name) for name in self.people_with)]

    def of_people(self) -> list[Column]:
        """Aggregates over people; `people_with` excludes records without a person."""
        has_person = F.col("_person").isNotNull()
        people_counts = [
            F.count_if(has_person & F.col(name)).alias(name) for name in self.people_with
        ]
        return [*_sums(self.sums), *people_counts]

    def of_parts(self) -> list[Column]:
        """Aggregates over parts of a cell that have no person in common."""
        return _sums(self.names)


def _sums(names: Sequence[str]) -> list[Column]:
    return [F.sum(name).alias(name) for name in names]


def _with_total(name: str) -> Column:
    """Explodes a value to itself and null, which marks the total."""
    value, all_values = F.col(name), F.lit(None)
    values = F.when(value.isNull(), F.array(all_values)).otherwise(F.array(value, all_values))
    return F.explode(values)


def _count(
    rows: DataFrame, dims: list[str], more_measures: _MoreMeasures, *, cost: bool
) -> DataFrame:
    part = [PART] if PART in rows.columns else []
    of_person = rows.groupBy(*dims, "_person", *part).agg(
        F.sum("_records").alias("_records"),
        *([F.sum("_cost").alias("_cost")] if cost else []),
        *more_measures.of_a_person(),
    )
    by_cell = (
        _with_cost(of_person, dims, more_measures)
        if cost
        else _without_cost(of_person, dims, more_measures)
    )
    providers = F.lit(None).cast("bigint")
    return by_cell.withColumn("providers", providers).select(
        *dims, *_MEASURES, *more_measures.names
    )


def _without_cost(of_person: DataFrame, dims: list[str], more_measures: _MoreMeasures) -> DataFrame:
    no_cost = F.lit(None).cast("decimal(20,2)")
    return of_person.groupBy(*dims).agg(
        F.count("_person").alias("people"),
        F.sum("_records").alias("records"),
        no_cost.alias("cost"),
        no_cost.alias("cost_top1"),
        no_cost.alias("cost_top2"),
        *more_measures.of_people(),
    )


def _with_cost(of_person: DataFrame, dims: list[str], more_measures: _MoreMeasures) -> DataFrame:
    # The two largest costs are first kept per salt, so a total over all people is not collected in
    # one row.
    person_cost = F.when(F.col("_person").isNotNull(), F.col("_cost"))
    salted = (
        of_person.withColumn("_salt", F.pmod(F.hash("_person"), F.lit(_SALTS)))
        .groupBy(*dims, "_salt")
        .agg(
            F.count("_person").alias("people"),
            F.sum("_records").alias("records"),
            F.sum("_cost").alias("cost"),
            F.slice(F.sort_array(F.collect_list(person_cost), asc=False), 1, 2).alias("_top"),
            *more_measures.of_people(),
        )
    )
    merged = salted.groupBy(*dims).agg(
        F.sum("people").alias("people"),
        F.sum("records").alias("records"),
        F.sum("cost").alias("cost"),
        F.sort_array(F.flatten(F.collect_list("_top")), asc=False).alias("_top"),
        *more_measures.of_parts(),
    )
    return merged.select(
        *dims,
        "people",
        "records",
        F.col("cost").cast("decimal(20,2)").alias("cost"),
        F.get("_top", F.lit(0)).alias("cost_top1"),
        F.get("_top", F.lit(1)).alias("cost_top2"),
        *more_measures.names,
    )
