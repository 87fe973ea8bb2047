"""Counting people: the one way every result of the project does it.

Grouping goes in two steps, first by the cell and the person, then by the cell, so that people are
distinct, nothing has to be counted twice and one person's share of a cost is known. The same pass
takes the two largest contributors of each cell. No result holds a value that is computed from a
person's token: the sum of such values over a cell of one person would be a name for that person.
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
    """Counts people, records and cost for every combination of dimensions that occurs.

    Args:
        frame: One row per record, with the columns named here.
        dims: Columns that make a cell. A null in one is a value like any other, except in `totals`.
        person: BIGINT pseudonym; null where a record has none.
        cost: DECIMAL pounds of a record, or None where records carry no cost.
        records: Column that says how many records a row stands for; None means one each.
        totals: Dimensions of which a row for all values is wanted too, with null in the dimension;
            people are distinct in it. A record with null in the dimension counts in it alone.
        sums: Columns of numbers that are added up over the records of a cell.
        people_with: Columns of truth values, each of which becomes the number of distinct people
            with a record for which it holds.

    Returns:
        `dims`, then `people`, `records`, `cost`, `cost_top1`, `cost_top2`, `providers` (null: no
        contract names a provider), then the columns of `sums` and `people_with`.
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
    more = _Extras(tuple(sums), tuple(people_with))
    return _counted(rows, list(dims), more, cost=cost is not None)


@dataclass(frozen=True)
class _Extras:
    """Further columns of a cell, and how each step of the grouping carries them."""

    sums: tuple[str, ...]
    people_with: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All further columns."""
        return self.sums + self.people_with

    def of_a_person(self) -> list[Column]:
        """Aggregates over the records of one person."""
        return [*_added(self.sums), *(F.bool_or(name).alias(name) for name in self.people_with)]

    def of_people(self) -> list[Column]:
        """Aggregates over people; records without a person are nobody's."""
        known = F.col("_person").isNotNull()
        holding = [F.count_if(known & F.col(name)).alias(name) for name in self.people_with]
        return [*_added(self.sums), *holding]

    def of_parts(self) -> list[Column]:
        """Aggregates over parts of a cell that share nobody."""
        return _added(self.names)


def _added(names: Sequence[str]) -> list[Column]:
    return [F.sum(name).alias(name) for name in names]


def _with_total(name: str) -> Column:
    """The value itself, and null for the row of all values."""
    value, all_values = F.col(name), F.lit(None)
    both = F.when(value.isNull(), F.array(all_values)).otherwise(F.array(value, all_values))
    return F.explode(both)


def _counted(rows: DataFrame, dims: list[str], more: _Extras, *, cost: bool) -> DataFrame:
    by_person = rows.groupBy(*dims, "_person").agg(
        F.sum("_records").alias("_records"),
        *([F.sum("_cost").alias("_cost")] if cost else []),
        *more.of_a_person(),
    )
    by_cell = _with_cost(by_person, dims, more) if cost else _without_cost(by_person, dims, more)
    providers = F.lit(None).cast("bigint")
    return by_cell.withColumn("providers", providers).select(*dims, *_MEASURES, *more.names)


def _without_cost(by_person: DataFrame, dims: list[str], more: _Extras) -> DataFrame:
    none = F.lit(None).cast("decimal(20,2)")
    return by_person.groupBy(*dims).agg(
        F.count("_person").alias("people"),
        F.sum("_records").alias("records"),
        none.alias("cost"),
        none.alias("cost_top1"),
        none.alias("cost_top2"),
        *more.of_people(),
    )


def _with_cost(by_person: DataFrame, dims: list[str], more: _Extras) -> DataFrame:
    # The two largest are kept per salt first: a city's total must not gather all people in one row.
    known = F.when(F.col("_person").isNotNull(), F.col("_cost"))
    salted = (
        by_person.withColumn("_salt", F.pmod(F.hash("_person"), F.lit(_SALTS)))
        .groupBy(*dims, "_salt")
        .agg(
            F.count("_person").alias("people"),
            F.sum("_records").alias("records"),
            F.sum("_cost").alias("cost"),
            F.slice(F.sort_array(F.collect_list(known), asc=False), 1, 2).alias("_top"),
            *more.of_people(),
        )
    )
    merged = salted.groupBy(*dims).agg(
        F.sum("people").alias("people"),
        F.sum("records").alias("records"),
        F.sum("cost").alias("cost"),
        F.sort_array(F.flatten(F.collect_list("_top")), asc=False).alias("_top"),
        *more.of_parts(),
    )
    return merged.select(
        *dims,
        "people",
        "records",
        F.col("cost").cast("decimal(20,2)").alias("cost"),
        F.get("_top", F.lit(0)).alias("cost_top1"),
        F.get("_top", F.lit(1)).alias("cost_top2"),
        *more.names,
    )
