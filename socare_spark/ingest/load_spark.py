"""Loads rows with Spark tasks: large loads, corrected files and removed files."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from socare_spark.ingest.load_plan import LoadOutcome, LoadTarget
from socare_spark.ingest.precedence import existing_versions, resolve
from socare_spark.ingest.staging import StagedDataset

# Up to this number of rows the driver sorts the key hashes (8 bytes each, 80 MB); above it Spark
# tasks do.
DRIVER_MAX_SORTED_KEYS = 10_000_000


@dataclass(frozen=True)
class SparkLoadPlan:
    """The commits of a load by Spark tasks.

    Attributes:
        target: The tables of the dataset.
        new: Rows to add to the table.
        dropped: As in `LoadOutcome`.
        superseded: Rows for the table of superseded rows; None if it does not change.
        all_superseded: Whether these are all its rows, and not only further ones.
        rewritten: Days of the extracts whose rows are rewritten; None if rows are only added.
        kept: Loaded rows of these days that stay; None if rows are only added.
        recount: Whether the rows of all files are counted again.
    """

    target: LoadTarget
    new: DataFrame
    dropped: Mapping[tuple[str, str], int]
    superseded: DataFrame | None = None
    all_superseded: bool = False
    rewritten: frozenset[date] | None = None
    kept: DataFrame | None = None
    recount: bool = False

    def commit(self) -> LoadOutcome:
        """Commits the rows and returns the row counts."""
        lake, metadata = self.target.lake, self.target.metadata
        if self.superseded is not None and self.all_superseded:
            lake.replace(self.target.superseded, self.superseded, metadata)
        elif self.superseded is not None:
            lake.append(self.target.superseded, self.superseded, metadata)
        if self.kept is None or self.rewritten is None:
            lake.append(self.target.table, self.new, metadata)
        elif self.rewritten:
            names = self.target.table.names
            rows = self.kept.select(*names).unionByName(self.new.select(*names))
            predicate = _on_days(self.target.contract.socare.extract_column, self.rewritten)
            lake.replace(self.target.table, rows, metadata, predicate)
        return LoadOutcome(self.dropped, self._recount() if self.recount else None)

    def _recount(self) -> dict[str, tuple[int, int]]:
        """File -> rows in the table and superseded rows."""
        table = self.target.lake.read(self.new.sparkSession, self.target.table)
        kept = _rows_by_file(table)
        superseded = Counter[str]() if self.superseded is None else _rows_by_file(self.superseded)
        return {name: (kept[name], superseded[name]) for name in {*kept, *superseded}}


@dataclass(frozen=True)
class SparkLoader:
    """Plans the load of staged files.

    Attributes:
        target: The tables of the dataset.
        staged: The staged dataset.
        accepted: Indices of the accepted files.
        replaced: Names of the loaded files whose rows are replaced.
    """

    target: LoadTarget
    staged: StagedDataset
    accepted: Sequence[int]
    replaced: Sequence[str]

    def plan(self) -> SparkLoadPlan:
        """Decides which rows are added, superseded and removed."""
        new = self.target.table.conform(self.staged.valid_rows(self.accepted))
        if not self.target.lake.exists(self.target.table):
            return self._first_load(new)
        if self.replaced:
            return plan_replacement(self.target, new, self.replaced)
        return self._append(new)

    def _first_load(self, new: DataFrame) -> SparkLoadPlan:
        rows = sum(self.staged.tallies[i].valid for i in self.accepted)
        resolution = resolve(new, self.target.precedence, many=rows > DRIVER_MAX_SORTED_KEYS)
        superseded = resolution.superseded(new) if resolution.any_superseded else None
        return SparkLoadPlan(
            self.target, resolution.without_dropped(new), resolution.counts, superseded
        )

    def _append(self, new: DataFrame) -> SparkLoadPlan:
        target, precedence = self.target, self.target.precedence
        key, extract = precedence.key, precedence.extract
        files = [self.staged.files[i].landed for i in self.accepted]
        days = frozenset(file.as_of for file in files)
        existing = target.lake.read(new.sparkSession, target.table)
        same_days = existing.where(F.col(extract).isin(*days)) if extract in key else existing
        versions = existing_versions(same_days, precedence).join(new.select(*key), key, "left_semi")
        resolution = resolve(new, precedence, existing=versions.cache())
        superseded = None
        if resolution.any_superseded:
            older = existing.where(F.col(extract).isin(*resolution.extracts))
            superseded = resolution.superseded(new.unionByName(older.select(*target.table.names)))
        kept_new = resolution.without_dropped(new)
        new_files = {file.name for file in files}
        if all(name in new_files for name, _ in resolution.counts):
            return SparkLoadPlan(target, kept_new, resolution.counts, superseded)
        rewritten = resolution.extracts | days
        kept = resolution.without_dropped(existing.where(_on_days(extract, rewritten)))
        return SparkLoadPlan(
            target, kept_new, resolution.counts, superseded, rewritten=rewritten, kept=kept
        )


def plan_removal(target: LoadTarget, spark: SparkSession, files: Sequence[str]) -> SparkLoadPlan:
    """Plans the removal of files. The superseded rows of their keys are restored.

    Args:
        target: The tables of the dataset.
        spark: The session.
        files: Names of the files.
    """
    return plan_replacement(target, target.lake.read(spark, target.table).limit(0), files)


def plan_replacement(target: LoadTarget, new: DataFrame, replaced: Sequence[str]) -> SparkLoadPlan:
    """Plans the removal of rows of replaced files, with the restored and the new rows.

    All versions of the affected keys are resolved again: new rows, loaded rows and superseded rows.

    Args:
        target: The tables of the dataset.
        new: Rows to add.
        replaced: Names of the loaded files whose rows are replaced.
    """
    lake, spark, names = target.lake, new.sparkSession, target.table.names
    key, extract = target.precedence.key, target.precedence.extract
    existing = lake.read(spark, target.table)
    has_superseded = lake.exists(target.superseded)
    superseded = lake.read(spark, target.superseded) if has_superseded else existing.limit(0)
    is_replaced = F.col("source_file").isin(*replaced)
    removed = existing.where(is_replaced)
    keys = new.select(*key).unionByName(removed.select(*key)).distinct().cache()
    candidates = new
    for rows in (existing, superseded):
        candidates = candidates.unionByName(
            rows.where(~is_replaced).join(keys, key, "left_semi").select(*names)
        )
    resolution = resolve(candidates.cache(), target.precedence)
    dated = candidates.select(extract).unionByName(removed.select(extract)).distinct()
    rewritten = frozenset(row[0] for row in dated.collect())
    other_superseded = superseded.where(~is_replaced).join(keys, key, "left_anti").select(*names)
    all_superseded = other_superseded.unionByName(resolution.superseded(candidates).select(*names))
    of_days = existing.where(_on_days(extract, rewritten)) if rewritten else existing.limit(0)
    return SparkLoadPlan(
        target,
        resolution.without_dropped(candidates),
        resolution.counts,
        all_superseded.cache() if has_superseded or resolution.any_superseded else None,
        all_superseded=True,
        rewritten=rewritten,
        kept=of_days.where(~is_replaced).join(keys, key, "left_anti"),
        recount=True,
    )


def _on_days(extract: str, days: Iterable[date]) -> str:
    """SQL condition that a row is of one of some extracts."""
    listed = ", ".join(f"DATE'{day}'" for day in sorted(days))
    return f"{extract} IN ({listed})"


def _rows_by_file(rows: DataFrame) -> Counter[str]:
    counted = rows.groupBy("source_file").count().collect()
    return Counter({row["source_file"]: row["count"] for row in counted})
