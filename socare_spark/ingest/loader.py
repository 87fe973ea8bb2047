"""Bringing staged rows into the restricted tables.

A table holds each key once. Rows that a newer extract replaced are kept apart in
`restricted/superseded/NAME`, so that they come back when the newer file is corrected.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from socare_spark.contracts.contract import Contract
from socare_spark.ingest.discovery import LandedFile
from socare_spark.ingest.precedence import (
    existing_versions,
    find_dropped_arrow,
    precedence_columns,
    resolve,
)
from socare_spark.ingest.staging import StagedDataset
from socare_spark.lake import table
from socare_spark.lake.lake import DRIVER_MAX_SCAN_BYTES, Lake
from socare_spark.lake.table import TableSpec, Zone

# Rows of whose keys the driver sorts eight bytes each: 80 MB. Tasks compare the keys of more.
DRIVER_MAX_SORTED_KEYS = 10_000_000
# Bytes of files that the driver writes again rather than Spark's tasks.
DRIVER_MAX_REWRITE_BYTES = 30_000_000


@dataclass(frozen=True)
class LoadOutcome:
    """How the files of a dataset stand after its commit.

    Attributes:
        dropped: Rows by file and way (`duplicate`, `superseded`) that lost in this run.
        recount: Rows in the table and among the superseded by file, where all were counted again
            because a file was replaced; None otherwise.
    """

    dropped: Mapping[tuple[str, str], int]
    recount: Mapping[str, tuple[int, int]] | None = None


def restricted_table(contract: Contract, types: Mapping[str, str]) -> TableSpec:
    """The declaration of a dataset's table.

    Args:
        contract: The contract.
        types: Spark SQL type of each column.
    """
    ours, descriptions = contract.socare, {}
    for field in contract.fields:
        descriptions[field.output] = field.description or f"{field.name} as extracted."
        if field.socare.age:
            descriptions[field.socare.age.name] = f"Whole years at {field.socare.age.at}."
    descriptions[ours.extract_column] = "As-of day of the extract."
    descriptions["source_file"] = "File the row came from, below the landing folder."
    descriptions["line"] = "Ordinal of the record in its file, from 1."
    columns = [
        table.ColumnSpec(n, types[n], descriptions[n])
        for n in [*_values(types), "source_file", "line"]
    ]
    key = [c for c in columns if c.name in contract.key]
    rest = [c for c in columns if c.name not in contract.key]
    return TableSpec(
        Zone.RESTRICTED,
        contract.name,
        contract.title or f"Records of {contract.name}, each key once.",
        tuple(key),
        tuple(rest),
        source=f"conf/datasets/{contract.name}.yaml",
        partition_by=(ours.extract_column,),
    )


def superseded_table(table: TableSpec) -> TableSpec:
    """The declaration of the versions that lost."""
    return TableSpec(
        Zone.RESTRICTED,
        f"superseded/{table.name}",
        f"Versions of records of {table.name} that a newer extract replaced.",
        table.dims,
        table.measures,
        table.source,
        partition_by=table.partition_by,
    )


def existing_table(lake: Lake, spark: SparkSession, contract: Contract) -> TableSpec | None:
    """The declaration of a dataset's table as the lake has it; None where the key is another."""
    schema = lake.read(spark, contract.table).schema
    columns = [
        table.ColumnSpec(f.name, f.dataType.simpleString(), f.metadata.get("comment", ""))
        for f in schema.fields
    ]
    day = contract.socare.extract_column
    if not {*contract.key, day} <= set(schema.names):
        return None
    return TableSpec(
        Zone.RESTRICTED, contract.name, contract.title, tuple(columns), partition_by=(day,)
    )


def _values(types: Mapping[str, str]) -> list[str]:
    return [n for n in types if not n.startswith("_") and n not in ("source_file", "line")]


def staged_table(stage: StagedDataset) -> TableSpec:
    """The declaration of the table that a stage belongs to."""
    types = {f.name: f.dataType.simpleString() for f in stage.frame.schema.fields}
    return restricted_table(stage.contract, {**types, "source_file": "string", "line": "bigint"})


@dataclass(frozen=True)
class DatasetLoader:
    """The tables of one dataset.

    Attributes:
        lake: The lake.
        contract: The dataset's contract.
        table: Where rows stand.
        note: What the commits say of themselves.
    """

    lake: Lake
    contract: Contract
    table: TableSpec
    note: Mapping[str, str]

    @property
    def superseded(self) -> TableSpec:
        """Where superseded versions are."""
        return superseded_table(self.table)

    def plan(
        self, stage: StagedDataset, accepted: Sequence[int], replaced: Sequence[str]
    ) -> Callable[[], LoadOutcome]:
        """Finds which good rows of staged files stand; what is returned commits them.

        Args:
            stage: The dataset's stage.
            accepted: Indices of the files that are taken.
            replaced: Names, in the table, of the files whose rows go.
        """
        begun = self.lake.exists(self.table)
        if stage.fits_on_driver(accepted) and not replaced:
            by_driver = self._plan_on_driver(stage.valid_rows_arrow(accepted, *self.table.names))
            if by_driver is not None:
                return by_driver
        new = self.table.conform(stage.valid_rows(accepted))
        if begun and replaced:
            return self._plan_replacement(new, replaced)
        if begun:
            return self._plan_append(new, [stage.files[i].landed for i in accepted])
        return self._plan_first_load(
            new, many=sum(stage.tallies[i].valid for i in accepted) > DRIVER_MAX_SORTED_KEYS
        )

    def plan_removal(self, spark: SparkSession, files: Sequence[str]) -> Callable[[], LoadOutcome]:
        """Finds what comes back when files are taken out; what is returned commits it."""
        return self._plan_replacement(self.lake.read(spark, self.table).limit(0), files)

    def _plan_on_driver(self, new: pa.Table) -> Callable[[], LoadOutcome] | None:
        """By the driver: for the rows of a month the start of Spark's tasks would take longest.

        None where the table is too large for the driver to look for their keys, or where they meet
        more rows than the driver should write again.
        """
        if self.lake.size(self.table) > DRIVER_MAX_SCAN_BYTES:
            return None
        place = [self.contract.socare.extract_column, "source_file", "line"]
        keys = new.select(self.contract.key)
        known = self.lake.lookup(self.table, keys, *precedence_columns(self.contract))
        losers = find_dropped_arrow(new, known, self.contract)
        ours, theirs = losers[losers["at"] >= 0], losers[losers["at"] < 0]
        days = [*new[place[0]].unique().to_pylist(), *theirs[place[0]]]
        if len(theirs) and self.lake.size(self.table, days) > DRIVER_MAX_REWRITE_BYTES:
            return None
        replaced = new.take(pa.array(ours.loc[ours["lost"] == "superseded", "at"]))
        stands = new.filter(pa.array(~np.isin(np.arange(len(new)), ours["at"])))
        gone = pa.Table.from_pandas(theirs[place], preserve_index=False)

        def commit() -> LoadOutcome:
            older = self.lake.lookup(self.table, gone, *self.table.names)
            lost = pa.concat_tables([older, replaced.cast(older.schema)])
            if len(lost):
                self.lake.append_arrow(self.superseded, lost, self.note)
            if len(gone):
                self.lake.replace_rows(self.table, gone, stands, self.note)
            elif len(stands) or not self.lake.exists(self.table):
                self.lake.append_arrow(self.table, stands, self.note)
            return LoadOutcome(Counter(zip(losers["source_file"], losers["lost"], strict=True)))

        return commit

    def _plan_first_load(self, new: DataFrame, *, many: bool) -> Callable[[], LoadOutcome]:
        found = resolve(new, self.contract, many=many)

        def commit() -> LoadOutcome:
            self.lake.append(self.table, found.without_dropped(new), self.note)
            if found.any_superseded:
                self.lake.append(self.superseded, found.superseded(new), self.note)
            return LoadOutcome(found.counts)

        return commit

    def _plan_append(
        self, new: DataFrame, files: Sequence[LandedFile]
    ) -> Callable[[], LoadOutcome]:
        key, extract = self.contract.key, self.contract.socare.extract_column
        known = self.lake.read(new.sparkSession, self.table)
        days = {f.as_of for f in files}
        near = known.where(F.col(extract).isin(*days)) if extract in key else known
        rivals = existing_versions(near, self.contract).join(new.select(*key), key, "left_semi")
        found = resolve(new, self.contract, known=rivals.cache())
        ours = {f.name for f in files}

        def commit() -> LoadOutcome:
            if found.any_superseded:
                older = known.where(F.col(extract).isin(*found.extracts))
                both = new.unionByName(older.select(*self.table.names))
                self.lake.append(self.superseded, found.superseded(both), self.note)
            stands = found.without_dropped(new)
            if all(name in ours for name, _ in found.counts):
                self.lake.append(self.table, stands, self.note)
            else:
                self._rewrite(found.extracts | days, found.without_dropped, stands)
            return LoadOutcome(found.counts)

        return commit

    def _plan_replacement(
        self, new: DataFrame, replaced: Sequence[str]
    ) -> Callable[[], LoadOutcome]:
        """Takes the rows of replaced files away and lets what they had superseded come back."""
        spark, key, names = new.sparkSession, self.contract.key, self.table.names
        extract = self.contract.socare.extract_column
        known = self.lake.read(spark, self.table)
        old = (
            self.lake.read(spark, self.superseded)
            if self.lake.exists(self.superseded)
            else known.limit(0)
        )
        gone = F.col("source_file").isin(*replaced)
        leaving = known.where(gone)
        keys = new.select(*key).unionByName(leaving.select(*key)).distinct().cache()
        pool = new
        for rows in (known, old):
            pool = pool.unionByName(rows.where(~gone).join(keys, key, "left_semi").select(*names))
        found = resolve(pool.cache(), self.contract)
        days = {
            row[0]
            for row in pool.select(extract)
            .unionByName(leaving.select(extract))
            .distinct()
            .collect()
        }
        apart = old.where(~gone).join(keys, key, "left_anti").select(*names)
        apart = apart.unionByName(found.superseded(pool).select(*names)).cache()

        def commit() -> LoadOutcome:
            if self.lake.exists(self.superseded) or found.any_superseded:
                self.lake.replace(self.superseded, apart, self.note)
            self._rewrite(
                days,
                lambda rows: rows.where(~gone).join(keys, key, "left_anti"),
                found.without_dropped(pool),
            )
            kept, aside = _by_file(self.lake.read(spark, self.table)), _by_file(apart)
            return LoadOutcome(found.counts, {n: (kept[n], aside[n]) for n in {*kept, *aside}})

        return commit

    def _rewrite(
        self,
        days: Collection[date],
        kept: Callable[[DataFrame], DataFrame],
        more: DataFrame,
    ) -> None:
        """One commit: of some extracts' rows those that are kept, and more."""
        if not days:
            return
        where = f"{self.contract.socare.extract_column} IN ({_as_sql_list(days)})"
        rows = kept(self.lake.read(more.sparkSession, self.table).where(where))
        self.lake.replace(
            self.table,
            rows.select(*self.table.names).unionByName(more.select(*self.table.names)),
            self.note,
            where,
        )


def _as_sql_list(days: Iterable[date]) -> str:
    return ", ".join(f"DATE'{day}'" for day in sorted(days))


def _by_file(rows: DataFrame) -> Counter[str]:
    counted = rows.groupBy("source_file").count().collect()
    return Counter({r["source_file"]: r["count"] for r in counted})
