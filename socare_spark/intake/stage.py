"""Writing the stage, and knowing from it what became of every row.

The stage is the one result of the pass over the files. Where a row stands in its file follows from
where its block begins and how many rows precede it there: no second read, no sort.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from socare_spark.contracts.resource import Contract
from socare_spark.intake.arrivals import Accepted
from socare_spark.intake.checks import broken
from socare_spark.intake.pseudonym import Keyring
from socare_spark.intake.reader import DIGEST, MASK, ROW, rule_names, staged
from socare_spark.lake.zones import Lake

# So many rows a single task does sooner than several that exchange them.
_FEW = 250_000


@dataclass
class Tally:
    """What the stage holds of one file."""

    rows: int = 0
    good: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def quarantined(self) -> int:
        """Rows with a reason."""
        return self.rows - self.good


@dataclass(frozen=True)
class Stage:
    """A dataset's staged rows.

    Attributes:
        contract: The contract.
        files: The files, in the order of `_file`.
        folder: Where the Parquet files are.
        frame: The staged rows.
        rules: Code and column of each rule, in the order of their bits.
        tallies: What is staged of each file.
        bad: `_file`, `line` and rule bits of each row that breaks a rule, by file and line.
        blocks: Columns `_file`, `_block`, `_base`: line = `_base` + `_row`.
    """

    contract: Contract
    files: Sequence[Accepted]
    folder: Path
    frame: DataFrame
    rules: Sequence[tuple[str, str]]
    tallies: Sequence[Tally]
    bad: pd.DataFrame
    blocks: pd.DataFrame

    def numbered(self, frame: DataFrame, wanted: Sequence[int]) -> DataFrame:
        """Rows of some files with `source_file` and `line`, without what ordered them."""
        names = pd.Series({i: self.files[i].arrival.name for i in wanted}, name="source_file")
        blocks = self.blocks.join(names, on="_file", how="inner")
        schema = "_file int, _block bigint, _base bigint, source_file string"
        places = frame.sparkSession.createDataFrame(blocks, schema)
        return (
            frame.join(F.broadcast(places), ["_file", "_block"])
            .withColumn("line", F.col("_base") + F.col("_row"))
            .drop("_file", "_block", "_row", "_base")
        )

    def good(self, wanted: Sequence[int]) -> DataFrame:
        """The rows of some files that break no rule, numbered."""
        return self.numbered(self.unbroken(wanted).drop(DIGEST), wanted)

    def unbroken(self, wanted: Sequence[int]) -> DataFrame:
        """The rows of some files that break no rule; a few in one piece."""
        words = mask_words(self.frame)
        rows = self.frame.where(" and ".join(f"{w} = 0" for w in words)).drop(*words)
        rows = rows.where(F.col("_file").isin(*wanted))
        return rows.coalesce(1) if self.few(wanted) else rows

    def few(self, wanted: Sequence[int]) -> bool:
        """Whether some files hold so few rows that work on them is quicker without exchanges."""
        return sum(self.tallies[i].good for i in wanted) <= _FEW


def staging_folder(lake: Lake) -> Path:
    """Where stages are, while a run lasts."""
    return lake.root / "restricted" / "_stage"


def stage(
    spark: SparkSession,
    lake: Lake,
    contract: Contract,
    files: Sequence[Accepted],
    keyring: Keyring,
) -> Stage:
    """Reads files once and stages their rows."""
    folder = staging_folder(lake) / contract.name
    frame = staged(spark, contract, files, keyring)
    # What hardly repeats is not looked up in a dictionary first, and digests do not get smaller.
    plain = {f"parquet.enable.dictionary#{n}": False for n in (DIGEST, ROW, *contract.key)}
    frame.write.mode("overwrite").options(compression="uncompressed", **plain).parquet(str(folder))
    rows = spark.read.schema(frame.schema).parquet(str(folder))
    names = rule_names(contract)
    counts = _counts(rows)
    tallies = _tallies(counts, names, len(files))
    blocks = pd.DataFrame(_bases(counts), columns=["_file", "_block", "_base"])
    bad = _bad(rows, blocks, some=any(t.quarantined for t in tallies))
    return Stage(contract, files, folder, rows, names, tallies, bad, blocks)


def mask_words(rows: DataFrame | pd.DataFrame) -> list[str]:
    """The columns that hold the bits of broken rules."""
    return [c for c in rows.columns if c.startswith(MASK)]


def _counts(rows: DataFrame) -> pd.DataFrame:
    """Rows and first row number by file, block and broken rules: a few hundred lines."""
    grouped = rows.groupBy("_file", "_block", *mask_words(rows))
    counts = grouped.agg(F.count(F.lit(1)).alias("rows"), F.min("_row").alias("first"))
    return counts.toPandas()


def _bad(rows: DataFrame, blocks: pd.DataFrame, *, some: bool) -> pd.DataFrame:
    """The place and the rule bits of each row that breaks a rule."""
    words = mask_words(rows)
    if not some:
        return pd.DataFrame(columns=["_file", "line", *words])
    broken_rows = rows.where(" or ".join(f"{w} <> 0" for w in words))
    found = broken_rows.select("_file", "_block", "_row", *words).toPandas()
    found = found.merge(blocks, on=["_file", "_block"])
    found["line"] = found["_row"] + found["_base"]
    return found[["_file", "line", *words]].sort_values(["_file", "line"], ignore_index=True)


def _tallies(counts: pd.DataFrame, names: Sequence[tuple[str, str]], files: int) -> Sequence[Tally]:
    words = mask_words(counts)
    tallies = [Tally() for _ in range(files)]
    for row in counts.to_dict("records"):
        tally = tallies[row["_file"]]
        tally.rows += row["rows"]
        reasons = {code for code, _ in broken([row[w] for w in words], names)}
        for code in reasons:
            tally.reasons[code] += row["rows"]
        tally.good += 0 if reasons else row["rows"]
    return tallies


def _bases(counts: pd.DataFrame) -> list[tuple[int, int, int]]:
    """For each block the number that makes a line of a row number."""
    bases, lines = [], defaultdict[int, int](int)
    blocks = counts.groupby(["_file", "_block"], sort=True).agg(
        rows=("rows", "sum"), first=("first", "min")
    )
    for (file, block), rows, first in blocks.itertuples():
        bases.append((int(file), int(block), lines[file] + 1 - int(first)))
        lines[file] += int(rows)
    return bases
