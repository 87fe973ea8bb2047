"""Writing the stage, and knowing from it what became of every row.

The stage is the one result of the pass over the files. Where a row stands in its file follows from
where its block begins and how many rows precede it there: no second read, no sort.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
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

from socare_spark.contracts.contract import Contract
from socare_spark.ingest.conversion import BITS_PER_WORD, failed_rule_names
from socare_spark.ingest.discovery import ReadableFile
from socare_spark.ingest.pseudonym import Keyring
from socare_spark.ingest.reader import DIGEST, MASK, ROW, read_extracts, rule_names
from socare_spark.lake.lake import READ_IN_BATCHES, Lake
from socare_spark.lake.paths import literal_path

# So many rows, of so many bytes, the driver holds, and is done with before Spark's tasks would be.
DRIVER_MAX_ROWS = 250_000
DRIVER_MAX_BYTES = 200_000_000
_BLOCK = ["_file", "_block"]


@dataclass
class Tally:
    """What the stage holds of one file."""

    rows: int = 0
    valid: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def quarantined(self) -> int:
        """Rows with a reason."""
        return self.rows - self.valid


@dataclass(frozen=True)
class StagedDataset:
    """A dataset's staged rows.

    Attributes:
        contract: The contract.
        files: The files, in the order of `_file`.
        folder: Where the Parquet files are.
        frame: The staged rows.
        rules: Code and column of each rule, in the order of their bits.
        tallies: What is staged of each file.
        blocks: Columns `_file`, `_block`; `_base`: line = `_base` + `_row`; `bad`, rows that break
            a rule; `part`, the Parquet file that holds the block.
    """

    contract: Contract
    files: Sequence[ReadableFile]
    folder: Path
    frame: DataFrame
    rules: Sequence[tuple[str, str]]
    tallies: Sequence[Tally]
    blocks: pd.DataFrame

    def valid_rows(self, indices: Sequence[int]) -> DataFrame:
        """The rows of some files that break no rule, with `source_file` and `line`."""
        return self._with_line_numbers(self.valid_staged_rows(indices), indices).drop(DIGEST)

    def invalid_rows(self, i: int) -> Iterator[tuple[int, tuple[int, ...]]]:
        """Line and rule bits of each row of a file that breaks a rule, by line, piece by piece."""
        words = mask_words(self.frame)
        ours = self.blocks[(self.blocks["_file"] == i) & (self.blocks["bad"] > 0)]
        ours = ours.sort_values("_block")[["_block", "_base", "part"]]
        # A block's rows are in one part, in the order of the file.
        for block, base, part in ours.itertuples(index=False):
            here = (pc.field("_file") == i) & (pc.field("_block") == block)
            pieces = dataset(part, format="parquet").to_batches(
                columns=["_row", *words], filter=here & _any_failed(words), **READ_IN_BATCHES
            )
            for piece in pieces:
                lines = pc.add(piece["_row"], base).to_pylist()
                bits = zip(*[piece[word].to_pylist() for word in words], strict=True)
                yield from zip(lines, bits, strict=True)

    def invalid_rows_spark(self, indices: Sequence[int]) -> DataFrame:
        """The rows of some files that break a rule: `file`, `line`, `reasons`, `columns`."""
        words = mask_words(self.frame)
        bad = self.frame.where(" or ".join(f"{w} != 0" for w in words))
        codes, columns = failed_rule_names([F.col(w) for w in words], self.rules)
        return self._with_line_numbers(bad.where(F.col("_file").isin(*indices)), indices).select(
            F.col("source_file").alias("file"),
            "line",
            codes.alias("reasons"),
            columns.alias("columns"),
        )

    def _with_line_numbers(self, rows: DataFrame, indices: Sequence[int]) -> DataFrame:
        """The rows with `source_file` and `line` in place of their block and number."""
        schema = "_file int, _block bigint, _base bigint, source_file string"
        places = rows.sparkSession.createDataFrame(self._blocks_of(indices), schema)
        return (
            rows.join(F.broadcast(places), _BLOCK)
            .withColumn("line", F.col("_base") + F.col("_row"))
            .drop(*_BLOCK, "_row", "_base")
        )

    def valid_staged_rows(self, indices: Sequence[int]) -> DataFrame:
        """The rows of some files that break no rule."""
        words = mask_words(self.frame)
        rows = self.frame.where(" and ".join(f"{w} = 0" for w in words)).drop(*words)
        return rows.where(F.col("_file").isin(*indices))

    def valid_rows_arrow(self, indices: Sequence[int], *columns: str) -> pa.Table:
        """Columns of what `good` returns, or the digest, where they are few: read by the driver."""
        sound = [pc.field(word) == 0 for word in mask_words(self.frame)]
        rows = dataset(self.folder, format="parquet").to_table(
            [*(c for c in columns if c in self.frame.columns), "_file", "_block", "_row"],
            reduce(and_, sound, pc.field("_file").isin(list(indices))),
        )
        found = rows.select(["_file", "_block", "_row"]).to_pandas()
        found = found.merge(self._blocks_of(indices), on=["_file", "_block"], how="left")
        rows = rows.append_column("source_file", pa.array(found["source_file"], pa.string()))
        rows = rows.append_column("line", pa.array(found["_base"] + found["_row"], pa.int64()))
        return rows.select(columns)

    def _blocks_of(self, indices: Sequence[int]) -> pd.DataFrame:
        names = pd.Series({i: self.files[i].landed.name for i in indices}, name="source_file")
        return self.blocks[[*_BLOCK, "_base"]].join(names, on="_file", how="inner")

    def fits_on_driver(self, indices: Sequence[int]) -> bool:
        """Whether some files hold so few rows that the driver is done before tasks would start."""
        size = sum(file.stat().st_size for file in self.folder.glob("*.parquet"))
        return (
            sum(self.tallies[i].valid for i in indices) <= DRIVER_MAX_ROWS
            and size <= DRIVER_MAX_BYTES
        )


def staging_folder(lake: Lake) -> Path:
    """Where stages are, while a run lasts."""
    return lake.root / "restricted" / "_stage"


def stage_dataset(
    spark: SparkSession,
    lake: Lake,
    contract: Contract,
    files: Sequence[ReadableFile],
    keyring: Keyring,
) -> StagedDataset:
    """Reads files once and stages their rows."""
    folder = staging_folder(lake) / contract.name
    frame = read_extracts(spark, contract, files, keyring)
    # What hardly repeats is not looked up in a dictionary first, and digests do not get smaller.
    plain = {f"parquet.enable.dictionary#{n}": False for n in (DIGEST, ROW, *contract.own_key)}
    frame.write.mode("overwrite").options(compression="uncompressed", **plain).parquet(str(folder))
    rows = spark.read.schema(frame.schema).parquet(literal_path(folder))
    names = rule_names(contract, keyring)
    words = mask_words(rows)
    counts = _counts(folder, words, names)
    bases = pd.DataFrame(_line_offsets(counts), columns=[*_BLOCK, "_base"])
    blocks = bases.merge(counts[[*_BLOCK, "bad", "part"]], on=_BLOCK)
    return StagedDataset(
        contract, files, folder, rows, names, _tallies(counts, names, len(files)), blocks
    )


def mask_words(rows: DataFrame | pd.DataFrame) -> list[str]:
    """The columns that hold the bits of broken rules."""
    return [c for c in rows.columns if c.startswith(MASK)]


def _counts(folder: Path, words: Sequence[str], names: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """By file and block: rows, first row number, bad rows, bad rows by reason, and where it is.

    The driver reads four narrow columns of every row for this, piece by piece. It keeps one line
    for each piece and block.
    """
    codes = list(dict.fromkeys(code for code, _ in names))
    found = [pd.DataFrame(columns=[*_BLOCK, "rows", "first", "bad", *codes, "part"])]
    for part in sorted(folder.glob("*.parquet")):
        pieces = dataset(part, format="parquet").to_batches(
            columns=[*_BLOCK, "_row", *words], **READ_IN_BATCHES
        )
        found += [_count_failed(p, words, names).assign(part=str(part)) for p in pieces if len(p)]
    sums = dict.fromkeys(["rows", "bad", *codes], "sum")
    by = pd.concat(found[1:] or found).groupby(_BLOCK, as_index=False)
    counts: pd.DataFrame = by.agg({**sums, "first": "min", "part": "first"})
    return counts


def _count_failed(
    piece: pa.RecordBatch, words: Sequence[str], names: Sequence[tuple[str, str]]
) -> pd.DataFrame:
    rows = pa.Table.from_batches([piece])
    every = rows.group_by(_BLOCK).aggregate([("_row", "count"), ("_row", "min")]).to_pandas()
    every = every.rename(columns={"_row_count": "rows", "_row_min": "first"})
    bad = rows.filter(_any_failed(words)).to_pandas()
    flags = pd.DataFrame({"bad": 1}, index=bad.index)
    for code, bits in _rule_bits(words, names).items():
        flags[code] = reduce(or_, [bad[word] & mask != 0 for word, mask in bits]).astype(int)
    sums = pd.concat([bad[_BLOCK], flags], axis=1).groupby(_BLOCK, as_index=False).sum()
    counted: pd.DataFrame = every.merge(sums, on=_BLOCK, how="left").fillna(0)
    return counted


def _rule_bits(
    words: Sequence[str], names: Sequence[tuple[str, str]]
) -> dict[str, list[tuple[str, int]]]:
    """The bits of each reason, by word."""
    found: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for i, (code, _) in enumerate(names):
        found[code].append((words[i // BITS_PER_WORD], 1 << (i % BITS_PER_WORD)))
    return found


def _any_failed(words: Sequence[str]) -> pc.Expression:
    """Whether a row of the stage breaks a rule."""
    return reduce(or_, [pc.field(word) != 0 for word in words])


def _tallies(counts: pd.DataFrame, names: Sequence[tuple[str, str]], files: int) -> Sequence[Tally]:
    tallies = [Tally() for _ in range(files)]
    codes = list(dict.fromkeys(code for code, _ in names))
    sums = counts.groupby("_file")[["rows", "bad", *codes]].sum().astype("int64")
    for row in sums.reset_index().to_dict("records"):
        reasons = Counter({code: row[code] for code in codes if row[code]})
        tallies[row["_file"]] = Tally(row["rows"], row["rows"] - row["bad"], reasons)
    return tallies


def _line_offsets(counts: pd.DataFrame) -> list[tuple[int, int, int]]:
    """For each block the number that makes a line of a row number."""
    bases, lines = [], defaultdict[int, int](int)
    blocks = counts.groupby(["_file", "_block"], sort=True).agg(
        rows=("rows", "sum"), first=("first", "min")
    )
    for (file, block), rows, first in blocks.itertuples():
        bases.append((int(file), int(block), lines[file] + 1 - int(first)))
        lines[file] += int(rows)
    return bases
