"""Bringing staged rows into the restricted tables.

A table holds each key once. Rows that a newer extract replaced are kept apart in
`restricted/superseded/NAME`, so that they come back when the newer file is corrected.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from delta.tables import DeltaTable
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from socare_spark.contracts.resource import Contract
from socare_spark.intake.arrivals import Arrival
from socare_spark.intake.resolve import resolve
from socare_spark.intake.stage import Stage
from socare_spark.lake import tables
from socare_spark.lake.tables import Table, Zone
from socare_spark.lake.zones import Lake

_NOTE = "spark.databricks.delta.commitInfo.userMetadata"
_GONE = "_gone"
_HELD = 1_000_000


@dataclass(frozen=True)
class Standing:
    """How the files of a dataset stand after its commit.

    Attributes:
        lost: Rows by file and way (`duplicate`, `superseded`) that lost in this run.
        recount: Rows in the table and among the superseded by file, where all were counted again
            because a file was replaced; None otherwise.
    """

    lost: Mapping[tuple[str, str], int]
    recount: Mapping[str, tuple[int, int]] | None = None


def restricted_table(contract: Contract, types: Mapping[str, str]) -> Table:
    """The declaration of a dataset's table.

    Args:
        contract: The contract.
        types: Spark SQL type of each column.
    """
    ours, says = contract.socare, {}
    for field in contract.fields:
        says[field.output] = field.description or f"{field.name} as extracted."
        if field.socare.age:
            says[field.socare.age.name] = f"Whole years at {field.socare.age.at}."
    says[ours.extract_column] = "As-of day of the extract."
    says["source_file"] = "File the row came from, below the landing folder."
    says["line"] = "Ordinal of the record in its file, from 1."
    columns = [
        tables.Column(n, types[n], says[n]) for n in [*_values(types), "source_file", "line"]
    ]
    key = [c for c in columns if c.name in contract.key]
    rest = [c for c in columns if c.name not in contract.key]
    return Table(
        Zone.RESTRICTED,
        contract.name,
        contract.title or f"Records of {contract.name}, each key once.",
        tuple(key),
        tuple(rest),
        source=f"conf/datasets/{contract.name}.yaml",
        partition_by=(ours.extract_column,),
    )


def superseded_table(table: Table) -> Table:
    """The declaration of the versions that lost."""
    return Table(
        Zone.RESTRICTED,
        f"superseded/{table.name}",
        f"Versions of records of {table.name} that a newer extract replaced.",
        table.dims,
        table.measures,
        table.source,
        partition_by=table.partition_by,
    )


def _values(types: Mapping[str, str]) -> list[str]:
    return [n for n in types if not n.startswith("_") and n not in ("source_file", "line")]


def table_of(stage: Stage) -> Table:
    """The declaration of the table that a stage belongs to."""
    types = {f.name: f.dataType.simpleString() for f in stage.frame.schema.fields}
    return restricted_table(stage.contract, {**types, "source_file": "string", "line": "bigint"})


@dataclass(frozen=True)
class Destination:
    """The tables of one dataset.

    Attributes:
        lake: The lake.
        contract: The dataset's contract.
        table: Where rows stand.
        note: What the commits say of themselves.
    """

    lake: Lake
    contract: Contract
    table: Table
    note: Mapping[str, str]

    @property
    def lost(self) -> Table:
        """Where superseded versions are."""
        return superseded_table(self.table)

    def prepared(
        self, stage: Stage, wanted: Sequence[int], replaced: Sequence[str]
    ) -> Callable[[], Standing]:
        """Finds which good rows of staged files stand; what is returned commits them.

        Args:
            stage: The dataset's stage.
            wanted: Indices of the files that are taken.
            replaced: Names, in the table, of the files whose rows go.
        """
        new = self.table.shape(stage.good(wanted))
        if sum(stage.tallies[i].good for i in wanted) <= _HELD:
            # Small enough to hold: what follows looks at these rows several times.
            new = new.cache()
        if not self.lake.exists(self.table):
            return self._begun(new)
        if replaced:
            return self._replaced(new, replaced)
        return self._added(new, [stage.files[i].arrival for i in wanted])

    def _begun(self, new: DataFrame) -> Callable[[], Standing]:
        found = resolve(new, self.contract)

        def commit() -> Standing:
            self.lake.append(self.table, found.without(new), self.note)
            if found.any_superseded:
                self.lake.append(self.lost, found.superseded(new), self.note)
            return Standing(found.counts)

        return commit

    def _added(self, new: DataFrame, files: Sequence[Arrival]) -> Callable[[], Standing]:
        key, extract = self.contract.key, self.contract.socare.extract_column
        known = self.lake.read(new.sparkSession, self.table)
        if self.contract.socare.snapshots:
            known = known.where(F.col(extract).isin(*{f.as_of for f in files}))
        keys = F.broadcast(new.select(*key).distinct())
        met = known.join(keys, key, "left_semi").select(*self.table.names).cache()
        pool = new.unionByName(met)
        found = resolve(pool, self.contract)
        ours = {f.name for f in files}

        def commit() -> Standing:
            if found.any_superseded:
                self.lake.append(self.lost, found.superseded(pool), self.note)
            if all(name in ours for name, _ in found.counts):
                self.lake.append(self.table, found.without(new), self.note)
            else:
                self._merge(found.without(new))
            return Standing(found.counts)

        return commit

    def _replaced(self, new: DataFrame, replaced: Sequence[str]) -> Callable[[], Standing]:
        """Takes the rows of replaced files away and lets what they had superseded come back."""
        spark, key, names = new.sparkSession, self.contract.key, self.table.names
        known = self.lake.read(spark, self.table)
        old = self.lake.read(spark, self.lost) if self.lake.exists(self.lost) else known.limit(0)
        gone = F.col("source_file").isin(*replaced)
        keys = new.select(*key).unionByName(known.where(gone).select(*key)).distinct().cache()
        pool = new
        for rows in (known, old):
            pool = pool.unionByName(rows.where(~gone).join(keys, key, "left_semi").select(*names))
        found = resolve(pool.cache(), self.contract)
        winners = found.without(pool)
        apart = old.where(~gone).join(keys, key, "left_anti").select(*names)
        apart = apart.unionByName(found.superseded(pool).select(*names)).cache()

        def commit() -> Standing:
            if self.lake.exists(self.lost) or found.any_superseded:
                self.lake.replace(self.lost, apart, self.note)
            self._merge(winners, keys.join(winners, key, "left_anti"))
            kept, aside = _by_file(self.lake.read(spark, self.table)), _by_file(apart)
            return Standing(found.counts, {n: (kept[n], aside[n]) for n in {*kept, *aside}})

        return commit

    def _merge(self, winners: DataFrame, orphans: DataFrame | None = None) -> None:
        """One commit: rows replace those they beat or are added; keys without a row go.

        Its note is that of `noted`.
        """
        spark, names = winners.sparkSession, self.table.names
        source = winners.withColumn(_GONE, F.lit(False))
        if orphans is not None:
            source = source.unionByName(
                orphans.withColumn(_GONE, F.lit(True)), allowMissingColumns=True
            )
        target = DeltaTable.forPath(spark, str(self.lake.folder(self.table)))
        same = " and ".join(f"t.{name} = s.{name}" for name in self.contract.key)
        values: dict[str, str | Column] = {name: f"s.{name}" for name in names}
        merge = target.alias("t").merge(source.alias("s"), same)
        if orphans is not None:
            merge = merge.whenMatchedDelete(f"s.{_GONE}")
        merge.whenMatchedUpdate(set=values).whenNotMatchedInsert(
            f"not s.{_GONE}", values=values
        ).execute()


def _by_file(rows: DataFrame) -> Counter[str]:
    counted = rows.groupBy("source_file").count().collect()
    return Counter({r["source_file"]: r["count"] for r in counted})


@contextmanager
def noted(spark: SparkSession, note: Mapping[str, str]) -> Iterator[None]:
    """While it lasts, merges leave this note: they take it from the session alone."""
    spark.conf.set(_NOTE, json.dumps(dict(note), sort_keys=True))
    try:
        yield
    finally:
        spark.conf.unset(_NOTE)
