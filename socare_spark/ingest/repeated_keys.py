"""Counts keys that repeat within one file, or equal rows of a file without keys.

Repeated keys indicate that the keys lost digits or that the primary key lacks a column. The driver
reads the keys of one batch of files at a time, of bounded size. Spark tasks count those of a larger
file.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from operator import and_

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import functions as F

from socare_spark.contracts.contract import Contract
from socare_spark.ingest.restricted_tables import value_columns
from socare_spark.ingest.staging import StagedDataset, Tally, mask_words
from socare_spark.plurals import agreeing, counted

# Maximum number of rows in a batch on the driver, with a key and with all columns.
_BATCH_ROWS = 1_000_000
_BATCH_WHOLE_ROWS = 200_000


def count_repeated_keys(stage: StagedDataset) -> Counter[int]:
    """Counts the valid rows whose key a later valid row of the same file has.

    Without a primary key, all columns of the table are compared.

    Returns:
        Index of file -> count.
    """
    limit = _BATCH_ROWS if stage.contract.own_key else _BATCH_WHOLE_ROWS
    large = [i for i, tally in enumerate(stage.tallies) if tally.valid > limit]
    counts = _count_with_spark(stage, large) if large else Counter[int]()
    for batch in _batches(stage.tallies, limit):
        counts += _count_on_driver(stage, batch)
    return counts


def _key(stage: StagedDataset) -> list[str]:
    """File index and key of a row; without a primary key, file index and all columns."""
    return ["_file", *(stage.contract.own_key or value_columns(stage.frame.columns))]


def refusal_reason(contract: Contract, tally: Tally, repeated: int) -> str:
    """Checks the repeated keys of a file against `socare.repeated_keys_gate`.

    Returns:
        The reason to refuse the file; empty if it is accepted.
    """
    max_share = contract.socare.repeated_keys_gate
    if max_share is None or not repeated or repeated / tally.valid <= max_share:
        return ""
    return (
        f"{_describe(contract, tally, repeated)}, and the contract allows {max_share:.1%}: ask for "
        "the file again with whole keys, or correct schema.primaryKey"
    )


def repeated_keys_warning(
    contract: Contract, name: str, tally: Tally, repeated: int, duplicate: int
) -> str:
    """Checks the repeated keys of an accepted file against `socare.repeated_keys`.

    Args:
        contract: The contract.
        name: Name of the file.
        tally: Row counts of the file.
        repeated: Number of rows whose key a later row of the file has.
        duplicate: Number of these rows that equal a later row in all columns.

    Returns:
        A warning; empty if the share of repeated keys is within the limit.
    """
    if not repeated or repeated / tally.valid <= contract.socare.repeated_keys:
        return ""
    return (
        f"{name}: {_describe(contract, tally, repeated)} and {agreeing(repeated, 'was', 'were')} "
        f"not kept; {duplicate} of them {agreeing(duplicate, 'equals', 'equal')} a later row in "
        "all columns. Ask for the file again if its keys lost digits, or correct "
        "schema.primaryKey; primaryKey: none keeps all records."
    )


def equal_rows_warning(contract: Contract, equal: Mapping[str, int], rows: int) -> str:
    """Reports rows of a dataset without a key that equal another row of their file.

    Args:
        contract: The contract.
        equal: Name of each file with such rows -> rows that equal a later row in all columns of the
            table. Dropped columns are not compared.
        rows: Valid rows of all accepted files.

    Returns:
        A warning; empty if there is no such row.
    """
    if not equal:
        return ""
    total, most = sum(equal.values()), max(equal, key=lambda name: equal[name])
    files = most if len(equal) == 1 else f"{len(equal)} files, most of them in {most}"
    return (
        f"{contract.name}: {total} of {counted(rows, 'row')} ({total / rows:.1%}) "
        f"{agreeing(total, 'equals', 'equal')} a later row of the same file in all columns of the "
        f"table (in {files}). All rows were kept, because the contract has no primaryKey: declare "
        "one if these are copies."
    )


def _describe(contract: Contract, tally: Tally, repeated: int) -> str:
    return (
        f"{repeated} of {counted(tally.valid, 'row')} ({repeated / tally.valid:.1%}) "
        f"{agreeing(repeated, 'has', 'have')} the key ({', '.join(contract.key_fields)}) of a "
        "later row of the file"
    )


def _batches(tallies: Sequence[Tally], limit: int) -> Iterator[list[int]]:
    """Yields batches of indices of files that the driver counts together."""
    batch: list[int] = []
    rows = 0
    for i, tally in enumerate(tallies):
        if not 0 < tally.valid <= limit:
            continue
        if rows + tally.valid > limit:
            yield batch
            batch, rows = [], 0
        batch.append(i)
        rows += tally.valid
    if batch:
        yield batch


def _count_on_driver(stage: StagedDataset, files: Sequence[int]) -> Counter[int]:
    key = _key(stage)
    blocks = stage.blocks
    parts = blocks.loc[blocks["_file"].isin(files), "part"].unique().tolist()
    conditions = [pc.field(word) == 0 for word in mask_words(stage.frame)]
    rows = stage.stored.dataset(*parts).to_table(
        key, reduce(and_, conditions, pc.field("_file").isin(files))
    )
    distinct = rows.group_by(key).aggregate([]).group_by("_file").aggregate([([], "count_all")])
    return _repeated(stage, distinct)


def _count_with_spark(stage: StagedDataset, files: Sequence[int]) -> Counter[int]:
    key = _key(stage)
    distinct = stage.valid_staged_rows(files).select(*key).distinct().groupBy("_file")
    counts = distinct.agg(F.count(F.lit(1)).alias("count_all"))
    return _repeated(stage, counts.toArrow())


def _repeated(stage: StagedDataset, distinct: pa.Table) -> Counter[int]:
    """Index of file -> valid rows less distinct keys (or rows), without zeros."""
    keys = {row["_file"]: row["count_all"] for row in distinct.to_pylist()}
    return Counter({i: count for i, n in keys.items() if (count := stage.tallies[i].valid - n)})
