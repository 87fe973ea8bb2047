"""Counts people, records and cost for all results of the package.

Rows are grouped by cell and person and then by cell. So people are distinct and the cost of each
person is known; the two largest costs of each cell are kept. No result is computed from the token
of a person, because in a cell with one person it would identify that person.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

_SALTS = 64
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
        records: Column of the number of records that a row represents; None means 1.
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
        (F.col(records) if records else F.lit(1)).cast("bigint").alias("_records"),
        *sums,
        *people_with,
    )
    more_measures = _MoreMeasures(tuple(sums), tuple(people_with))
    return _count(rows, list(dims), more_measures, cost=cost is not None)


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
    by_person = rows.groupBy(*dims, "_person").agg(
        F.sum("_records").alias("_records"),
        *([F.sum("_cost").alias("_cost")] if cost else []),
        *more_measures.of_a_person(),
    )
    by_cell = (
        _with_cost(by_person, dims, more_measures)
        if cost
        else _without_cost(by_person, dims, more_measures)
    )
    providers = F.lit(None).cast("bigint")
    return by_cell.withColumn("providers", providers).select(
        *dims, *_MEASURES, *more_measures.names
    )


def _without_cost(by_person: DataFrame, dims: list[str], more_measures: _MoreMeasures) -> DataFrame:
    no_cost = F.lit(None).cast("decimal(20,2)")
    return by_person.groupBy(*dims).agg(
        F.count("_person").alias("people"),
        F.sum("_records").alias("records"),
        no_cost.alias("cost"),
        no_cost.alias("cost_top1"),
        no_cost.alias("cost_top2"),
        *more_measures.of_people(),
    )


def _with_cost(by_person: DataFrame, dims: list[str], more_measures: _MoreMeasures) -> DataFrame:
    # The two largest costs are first kept per salt, so a total over all people is not collected in
    # one row.
    person_cost = F.when(F.col("_person").isNotNull(), F.col("_cost"))
    salted = (
        by_person.withColumn("_salt", F.pmod(F.hash("_person"), F.lit(_SALTS)))
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
