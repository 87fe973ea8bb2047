"""Stages the converted rows of a dataset and counts its valid and invalid rows.

A row's line number is its block's offset plus its position in the block, so line numbers need
neither a second read nor a sort.
"""

import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import reduce
from operator import and_, or_
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from socare_spark.contracts.contract import Contract
from socare_spark.errors import InfrastructureError
from socare_spark.ingest.conversion import BITS_PER_WORD, failed_rule_names
from socare_spark.ingest.discovery import ReadableFile
from socare_spark.ingest.pseudonym import Keyring
from socare_spark.ingest.reader import DIGEST, MASK, ROW, read_extracts, rule_names
from socare_spark.ingest.stage_files import StageFiles
from socare_spark.lake.lake import READ_IN_BATCHES, Lake

# Below these limits the driver is faster than starting Spark tasks.
DRIVER_MAX_ROWS = 250_000
DRIVER_MAX_BYTES = 200_000_000
_BLOCK = ["_file", "_block"]
# Folder of the lake for the staged datasets of a run.
STAGE = "restricted/_stage"


@dataclass(frozen=True)
class Tally:
    """Row counts of one staged file.

    Attributes:
        rows: Staged rows.
        valid: Rows that fail no rule.
        reasons: Reason code -> rows with this reason.
    """

    rows: int = 0
    valid: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)

    @property
    def quarantined(self) -> int:
        """Rows that fail at least one rule."""
        return self.rows - self.valid


@dataclass(frozen=True)
class StagedDataset:
    """The staged rows of a dataset.

    Attributes:
        contract: The contract.
        files: The files; `_file` is the index of a row's file.
        stored: The files with the staged rows.
        frame: The staged rows, with the columns that `read_extracts` returns.
        rules: Code and column of each rule, in the order of their bits.
        tallies: Row counts of each file.
        blocks: One row for each block of a file: `_file`, `_block`; `_base`, the line offset (a
            line is `_base` + `_row`); `bad`, the number of invalid rows; `part`, the name of the
            Parquet file.
    """

    contract: Contract
    files: Sequence[ReadableFile]
    stored: StageFiles
    frame: DataFrame
    rules: Sequence[tuple[str, str]]
    tallies: Sequence[Tally]
    blocks: pd.DataFrame

    def valid_rows(self, indices: Sequence[int]) -> DataFrame:
        """Valid rows of the files at some indices, with `source_file` and `line`."""
        return self._with_line_numbers(self.valid_staged_rows(indices), indices).drop(DIGEST)

    def invalid_rows(self, i: int) -> Iterator[tuple[int, tuple[int, ...]]]:
        """Yields line and rule words of each invalid row of a file, in line order.

        The rows are read in batches.
        """
        words = mask_words(self.frame)
        blocks = self.blocks[(self.blocks["_file"] == i) & (self.blocks["bad"] > 0)]
        blocks = blocks.sort_values("_block")[["_block", "_base", "part"]]
        # All rows of a block are in one Parquet file, in line order.
        for block, base, part in blocks.itertuples(index=False):
            in_block = (pc.field("_file") == i) & (pc.field("_block") == block)
            batches = self.stored.dataset(part).to_batches(
                columns=["_row", *words], filter=in_block & _any_failed(words), **READ_IN_BATCHES
            )
            for batch in batches:
                lines = pc.add(batch["_row"], base).to_pylist()
                bits = zip(*[batch[word].to_pylist() for word in words], strict=True)
                yield from zip(lines, bits, strict=True)

    def invalid_rows_spark(self, indices: Sequence[int]) -> DataFrame:
        """Invalid rows of the files at some indices: `file`, `line`, `reasons`, `columns`."""
        words = mask_words(self.frame)
        invalid = self.frame.where(" or ".join(f"{w} != 0" for w in words))
        codes, columns = failed_rule_names([F.col(w) for w in words], self.rules)
        return self._with_line_numbers(
            invalid.where(F.col("_file").isin(*indices)), indices
        ).select(
            F.col("source_file").alias("file"),
            "line",
            codes.alias("reasons"),
            columns.alias("columns"),
        )

    def _with_line_numbers(self, rows: DataFrame, indices: Sequence[int]) -> DataFrame:
        """Replaces file index, block and row id by `source_file` and `line`."""
        schema = "_file int, _block bigint, _base bigint, source_file string"
        blocks = rows.sparkSession.createDataFrame(self._blocks_of(indices), schema)
        return (
            rows.join(F.broadcast(blocks), _BLOCK)
            .withColumn("line", F.col("_base") + F.col("_row"))
            .drop(*_BLOCK, "_row", "_base")
        )

    def valid_staged_rows(self, indices: Sequence[int]) -> DataFrame:
        """Valid rows of the files at some indices, with the staged columns but the rule words."""
        words = mask_words(self.frame)
        rows = self.frame.where(" and ".join(f"{w} = 0" for w in words)).drop(*words)
        return rows.where(F.col("_file").isin(*indices))

    def valid_rows_arrow(self, indices: Sequence[int], *columns: str) -> pa.Table:
        """Driver-side equivalent of `valid_rows` for few rows.

        Args:
            indices: Indices of the files.
            columns: Names of the columns to return; `_digest` is allowed.
        """
        conditions = [pc.field(word) == 0 for word in mask_words(self.frame)]
        rows = self.stored.dataset().to_table(
            [*(c for c in columns if c in self.frame.columns), "_file", "_block", "_row"],
            reduce(and_, conditions, pc.field("_file").isin(list(indices))),
        )
        positions = rows.select(["_file", "_block", "_row"]).to_pandas()
        positions = positions.merge(self._blocks_of(indices), on=["_file", "_block"], how="left")
        rows = rows.append_column("source_file", pa.array(positions["source_file"], pa.string()))
        rows = rows.append_column(
            "line", pa.array(positions["_base"] + positions["_row"], pa.int64())
        )
        return rows.select(columns)

    def _blocks_of(self, indices: Sequence[int]) -> pd.DataFrame:
        names = pd.Series({i: self.files[i].landed.name for i in indices}, name="source_file")
        return self.blocks[[*_BLOCK, "_base"]].join(names, on="_file", how="inner")

    def fits_on_driver(self, indices: Sequence[int]) -> bool:
        """Whether the files at some indices are small enough to process on the driver."""
        return (
            sum(self.tallies[i].valid for i in indices) <= DRIVER_MAX_ROWS
            and sum(self.stored.parts.values()) <= DRIVER_MAX_BYTES
        )


def staging_folder(lake: Lake) -> Path:
    """Folder of this machine for the converted files of a run."""
    return lake.storage.drafts / STAGE


def remove_stage(lake: Lake) -> None:
    """Removes the staged datasets and the converted files."""
    shutil.rmtree(staging_folder(lake), ignore_errors=True)
    # After the loss of the lock they can be those of the next holder.
    with suppress(OSError, InfrastructureError):
        lake.storage.check_held()
        lake.storage.remove_tree(STAGE)


def stage_dataset(
    spark: SparkSession,
    lake: Lake,
    contract: Contract,
    files: Sequence[ReadableFile],
    keyring: Keyring,
) -> StagedDataset:
    """Reads files once and stages their rows.

    Args:
        spark: The session.
        lake: The lake.
        contract: The contract of the files.
        files: The files.
        keyring: The keyring for the tokens.
    """
    frame = read_extracts(spark, contract, files, keyring)
    stored = StageFiles(lake.storage, f"{STAGE}/{contract.name}")
    stored.write(frame, (DIGEST, ROW, *contract.own_key))
    rows = stored.read(frame)
    names = rule_names(contract, keyring)
    words = mask_words(rows)
    counts = _counts(stored, words, names)
    offsets = pd.DataFrame(_line_offsets(counts), columns=[*_BLOCK, "_base"])
    blocks = offsets.merge(counts[[*_BLOCK, "bad", "part"]], on=_BLOCK)
    return StagedDataset(
        contract, files, stored, rows, names, _tallies(counts, names, len(files)), blocks
    )


def mask_words(rows: DataFrame | pd.DataFrame) -> list[str]:
    """Names of the columns with the bits of the failed rules."""
    return [c for c in rows.columns if c.startswith(MASK)]


def _counts(
    stored: StageFiles, words: Sequence[str], names: Sequence[tuple[str, str]]
) -> pd.DataFrame:
    """Counts the staged rows by file and block.

    The driver reads the block, the row id and the rule words of all rows in batches. It keeps one
    row for each batch and block.

    Returns:
        One row for each block: `_file`, `_block`; `rows`; `first`, the smallest row id; `bad`, the
        number of invalid rows; the number of invalid rows for each reason code; `part`, the Parquet
        file.
    """
    codes = list(dict.fromkeys(code for code, _ in names))
    counted = [pd.DataFrame(columns=[*_BLOCK, "rows", "first", "bad", *codes, "part"])]
    for part in stored.parts:
        batches = stored.dataset(part).to_batches(
            columns=[*_BLOCK, "_row", *words], **READ_IN_BATCHES
        )
        counted += [
            _count_failed(batch, words, names).assign(part=part) for batch in batches if len(batch)
        ]
    sums = dict.fromkeys(["rows", "bad", *codes], "sum")
    grouped = pd.concat(counted[1:] or counted).groupby(_BLOCK, as_index=False)
    counts: pd.DataFrame = grouped.agg({**sums, "first": "min", "part": "first"})
    return counts


def _count_failed(
    batch: pa.RecordBatch, words: Sequence[str], names: Sequence[tuple[str, str]]
) -> pd.DataFrame:
    rows = pa.Table.from_batches([batch])
    totals = rows.group_by(_BLOCK).aggregate([("_row", "count"), ("_row", "min")]).to_pandas()
    totals = totals.rename(columns={"_row_count": "rows", "_row_min": "first"})
    invalid = rows.filter(_any_failed(words)).to_pandas()
    flags = pd.DataFrame({"bad": 1}, index=invalid.index)
    for code, bits in _rule_bits(words, names).items():
        flags[code] = reduce(or_, [invalid[word] & mask != 0 for word, mask in bits]).astype(int)
    sums = pd.concat([invalid[_BLOCK], flags], axis=1).groupby(_BLOCK, as_index=False).sum()
    counted: pd.DataFrame = totals.merge(sums, on=_BLOCK, how="left").fillna(0)
    return counted


def _rule_bits(
    words: Sequence[str], names: Sequence[tuple[str, str]]
) -> dict[str, list[tuple[str, int]]]:
    """Reason code -> word and mask of each of its rules."""
    bits: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for i, (code, _) in enumerate(names):
        bits[code].append((words[i // BITS_PER_WORD], 1 << (i % BITS_PER_WORD)))
    return bits


def _any_failed(words: Sequence[str]) -> pc.Expression:
    """Condition for invalid rows."""
    return reduce(or_, [pc.field(word) != 0 for word in words])


def _tallies(counts: pd.DataFrame, names: Sequence[tuple[str, str]], files: int) -> Sequence[Tally]:
    tallies = [Tally() for _ in range(files)]
    codes = list(dict.fromkeys(code for code, _ in names))
    sums = counts.groupby("_file")[["rows", "bad", *codes]].sum().astype("int64")
    for row in sums.reset_index().to_dict("records"):
        reasons = {code: row[code] for code in codes if row[code]}
        tallies[row["_file"]] = Tally(row["rows"], row["rows"] - row["bad"], reasons)
    return tallies


def _line_offsets(counts: pd.DataFrame) -> list[tuple[int, int, int]]:
    """File, block and offset of each block; the offset turns a row id into a line number."""
    offsets, lines = [], defaultdict[int, int](int)
    blocks = counts.groupby(["_file", "_block"], sort=True).agg(
        rows=("rows", "sum"), first=("first", "min")
    )
    for (file, block), rows, first in blocks.itertuples():
        offsets.append((int(file), int(block), lines[file] + 1 - int(first)))
        lines[file] += int(rows)
    return offsets
