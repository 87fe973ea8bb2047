"""Each key once: which row of a key stands, and which are duplicate or superseded.

Of rows of one key the newest extract wins; within an extract the last file by name, within a file
the last line. A row that stands in its file again, the same in every column, is a duplicate. The
outcome depends on the files alone, not on the order in which they came.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from socare_spark.contracts.resource import Contract

_PLACE = ["source_file", "line"]


@dataclass(frozen=True)
class Resolution:
    """What becomes of rows that share a key with others.

    Attributes:
        losers: `source_file`, `line`, `lost` (`duplicate` or `superseded`); cached and small.
        counts: Rows by file and way of losing.
        extracts: Days of the extracts that lose rows.
    """

    losers: DataFrame
    counts: dict[tuple[str, str], int]
    extracts: frozenset[date]

    def without(self, rows: DataFrame) -> DataFrame:
        """The rows that stand."""
        return rows if not self.counts else rows.join(self.losers, _PLACE, "left_anti")

    def superseded(self, rows: DataFrame) -> DataFrame:
        """The rows that a newer extract replaced."""
        lost = self.losers.where("lost = 'superseded'")
        return rows.join(lost, _PLACE, "left_semi")

    @property
    def any_superseded(self) -> bool:
        """Whether there are such rows."""
        return any(lost == "superseded" for _, lost in self.counts)


def resolve(rows: DataFrame, contract: Contract, *, few: bool = False) -> Resolution:
    """Finds the rows that do not stand among rows that may share keys.

    Args:
        rows: The rows, as their table has them.
        contract: Names the key and the column of the extract's day.
        few: Whether they are so few that ranking all is quicker than a look for shared keys.
    """
    losers = _losers(rows if few else _contested(rows, contract.key), contract).cache()
    counted = losers.groupBy("source_file", "extract", "lost").count().collect()
    return Resolution(
        F.broadcast(losers) if sum(r["count"] for r in counted) < 1_000_000 else losers,
        {(r["source_file"], r["lost"]): r["count"] for r in counted},
        frozenset(r["extract"] for r in counted),
    )


def _contested(rows: DataFrame, key: list[str]) -> DataFrame:
    """The rows whose key another row has too."""
    shared = rows.groupBy(*key).agg(F.count(F.lit(1)).alias("_n")).where("_n > 1").select(*key)
    return rows.join(F.broadcast(shared.cache()), key, "left_semi")


def _losers(contested: DataFrame, contract: Contract) -> DataFrame:
    key, extract = contract.key, contract.socare.extract_column
    content = [c for c in contested.columns if c != "line" and not c.startswith("_")]
    rows = contested.select(
        *{*key, extract, *_PLACE}, F.xxhash64(*_comparable(contested, content)).alias("_content")
    )
    same = Window.partitionBy(*key, "source_file", "_content").orderBy(F.desc("line"))
    newest = Window.partitionBy(*key).orderBy(
        F.desc(extract), F.desc("source_file"), F.desc("line")
    )
    ranked = rows.select(
        *_PLACE,
        F.col(extract).alias("extract"),
        F.row_number().over(same).alias("_same"),
        F.row_number().over(newest).alias("_rank"),
    )
    lost = F.when(F.col("_same") > 1, "duplicate").when(F.col("_rank") > 1, "superseded")
    return ranked.select(*_PLACE, "extract", lost.alias("lost")).where("lost is not null")


def _comparable(rows: DataFrame, names: Sequence[str]) -> list[Column]:
    """Columns so written that a null is not passed over: (null, a) is not (a, null)."""
    columns: list[Column] = []
    for name in names:
        columns += [F.col(name), F.col(name).isNull()]
    return columns
