"""Writing the stage, and knowing from it what became of every row.

The stage is the one result of the pass over the files. Where a row stands in its file follows from
where its block begins and how many rows precede it there: no second read, no sort.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import and_, or_
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow.dataset import dataset
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from socare_spark.contracts.resource import Contract
from socare_spark.intake.arrivals import Accepted
from socare_spark.intake.checks import broken
from socare_spark.intake.pseudonym import Keyring
from socare_spark.intake.reader import DIGEST, MASK, ROW, rule_names, staged
from socare_spark.lake.zones import Lake

# So many rows, of so many bytes, the driver holds, and is done with before Spark's tasks would be.
_FEW = 250_000
_SMALL = 200_000_000


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

    def good(self, wanted: Sequence[int]) -> DataFrame:
        """The rows of some files that break no rule, with `source_file` and `line`."""
        schema = "_file int, _block bigint, _base bigint, source_file string"
        places = self.frame.sparkSession.createDataFrame(self._named(wanted), schema)
        return (
            self.unbroken(wanted)
            .join(F.broadcast(places), ["_file", "_block"])
            .withColumn("line", F.col("_base") + F.col("_row"))
            .drop("_file", "_block", "_row", "_base", DIGEST)
        )

    def unbroken(self, wanted: Sequence[int]) -> DataFrame:
        """The rows of some files that break no rule."""
        words = mask_words(self.frame)
        rows = self.frame.where(" and ".join(f"{w} = 0" for w in words)).drop(*words)
        return rows.where(F.col("_file").isin(*wanted))

    def good_few(self, wanted: Sequence[int], *columns: str) -> pa.Table:
        """Columns of what `good` returns, or the digest, where they are few: read by the driver."""
        sound = [pc.field(word) == 0 for word in mask_words(self.frame)]
        rows = dataset(self.folder, format="parquet").to_table(
            [*(c for c in columns if c in self.frame.columns), "_file", "_block", "_row"],
            reduce(and_, sound, pc.field("_file").isin(list(wanted))),
        )
        found = rows.select(["_file", "_block", "_row"]).to_pandas()
        found = found.merge(self._named(wanted), on=["_file", "_block"], how="left")
        rows = rows.append_column("source_file", pa.array(found["source_file"], pa.string()))
        rows = rows.append_column("line", pa.array(found["_base"] + found["_row"], pa.int64()))
        return rows.select(columns)

    def _named(self, wanted: Sequence[int]) -> pd.DataFrame:
        names = pd.Series({i: self.files[i].arrival.name for i in wanted}, name="source_file")
        return self.blocks.join(names, on="_file", how="inner")

    def few(self, wanted: Sequence[int]) -> bool:
        """Whether some files hold so few rows that the driver is done before tasks would start."""
        size = sum(file.stat().st_size for file in self.folder.glob("*.parquet"))
        return sum(self.tallies[i].good for i in wanted) <= _FEW and size <= _SMALL


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
    names = rule_names(contract, keyring)
    words = mask_words(rows)
    counts = _counts(folder, words)
    tallies = _tallies(counts, names, len(files))
    blocks = pd.DataFrame(_bases(counts), columns=["_file", "_block", "_base"])
    bad = _bad(folder, words, blocks, some=any(t.quarantined for t in tallies))
    return Stage(contract, files, folder, rows, names, tallies, bad, blocks)


def mask_words(rows: DataFrame | pd.DataFrame) -> list[str]:
    """The columns that hold the bits of broken rules."""
    return [c for c in rows.columns if c.startswith(MASK)]


def _counts(folder: Path, words: Sequence[str]) -> pd.DataFrame:
    """Rows and first row number by file, block and broken rules: a few hundred lines."""
    by = ["_file", "_block", *words]
    data = dataset(folder, format="parquet")
    # Batch by batch: a gzipped file is one task's, so it may be one large file of the stage.
    pieces = [
        pa.Table.from_batches([batch]).group_by(by).aggregate([("_row", "count"), ("_row", "min")])
        for batch in data.to_batches(columns=[*by, "_row"])
        if len(batch)
    ]
    if not pieces:
        return pd.DataFrame(columns=[*by, "rows", "first"])
    every = pa.concat_tables(pieces).group_by(by)
    counts = every.aggregate([("_row_count", "sum"), ("_row_min", "min")])
    names = {"_row_count_sum": "rows", "_row_min_min": "first"}
    found: pd.DataFrame = counts.rename_columns(names).to_pandas()
    return found


def _bad(folder: Path, words: Sequence[str], blocks: pd.DataFrame, *, some: bool) -> pd.DataFrame:
    """The place and the rule bits of each row that breaks a rule."""
    if not some:
        return pd.DataFrame(columns=["_file", "line", *words])
    place = ["_file", "_block", "_row"]
    broken_some = reduce(or_, [pc.field(word) != 0 for word in words])
    found = dataset(folder, format="parquet").to_table([*place, *words], broken_some).to_pandas()
    found = found.merge(blocks, on=["_file", "_block"])
    found["line"] = found["_row"] + found["_base"]
    found = found.sort_values(["_file", "line"], ignore_index=True)
    bad: pd.DataFrame = found[["_file", "line", *words]]
    return bad


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
