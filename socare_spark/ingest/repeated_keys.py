"""Keys that repeat within one file: a key that lost digits, or that lacks a column, looks like it.

Guarantee: the driver holds the keys of one batch of files at a time, of bounded size. Tasks count
the keys of a larger file.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import reduce
from operator import and_

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow.dataset import dataset
from pyspark.sql import functions as F

from socare_spark.contracts.contract import Contract
from socare_spark.ingest.staging import StagedDataset, Tally, mask_words

# Rows of whose keys the driver holds at once.
_ROWS = 1_000_000


def count_repeated_keys(stage: StagedDataset) -> Counter[int]:
    """Counts by file the good rows whose key a later good row of the same file has."""
    if not stage.contract.own_key:
        return Counter()
    large = [i for i, tally in enumerate(stage.tallies) if tally.valid > _ROWS]
    counts = _counted_by_tasks(stage, large) if large else Counter[int]()
    for batch in _batches(stage.tallies):
        counts += _counted_by_driver(stage, batch)
    return counts


def refusal_reason(contract: Contract, tally: Tally, repeated: int) -> str:
    """Why the repeated keys of a file refuse it; empty where they do not."""
    gate = contract.socare.repeated_keys_gate
    if gate is None or not repeated or repeated / tally.valid <= gate:
        return ""
    return (
        f"{_describe(contract, tally, repeated)}, and the contract allows {gate:.1%}: ask for the "
        "file again with whole keys, or correct schema.primaryKey"
    )


def repeated_keys_warning(
    contract: Contract, name: str, tally: Tally, repeated: int, duplicate: int
) -> str:
    """Reports the repeated keys of a file that is taken; empty where they are few.

    Args:
        contract: The contract.
        name: The file.
        tally: Its rows.
        repeated: Rows whose key a later row of the file has.
        duplicate: Rows among them that are the same as a later row in every column.
    """
    if not repeated or repeated / tally.valid <= contract.socare.repeated_keys:
        return ""
    return (
        f"{name}: {_describe(contract, tally, repeated)} and were not kept; {duplicate} of them "
        f"{'is' if duplicate == 1 else 'are'} the same row again. Ask for the file again where its "
        "keys lost digits, or correct schema.primaryKey; primaryKey: [] keeps every record."
    )


def _describe(contract: Contract, tally: Tally, repeated: int) -> str:
    return (
        f"{repeated} of {tally.valid} rows ({repeated / tally.valid:.1%}) have the key "
        f"({', '.join(contract.schema_.primary_key)}) of a later row of the file"
    )


def _batches(tallies: Sequence[Tally]) -> Iterator[list[int]]:
    """Files in groups that the driver counts together."""
    batch: list[int] = []
    rows = 0
    for i, tally in enumerate(tallies):
        if not 0 < tally.valid <= _ROWS:
            continue
        if rows + tally.valid > _ROWS:
            yield batch
            batch, rows = [], 0
        batch.append(i)
        rows += tally.valid
    if batch:
        yield batch


def _counted_by_driver(stage: StagedDataset, files: Sequence[int]) -> Counter[int]:
    key = ["_file", *stage.contract.own_key]
    blocks = stage.blocks
    parts = blocks.loc[blocks["_file"].isin(files), "part"].unique().tolist()
    good = [pc.field(word) == 0 for word in mask_words(stage.frame)]
    rows = dataset(parts, format="parquet").to_table(
        key, reduce(and_, good, pc.field("_file").isin(files))
    )
    distinct = rows.group_by(key).aggregate([]).group_by("_file").aggregate([([], "count_all")])
    return _repeated(stage, distinct)


def _counted_by_tasks(stage: StagedDataset, files: Sequence[int]) -> Counter[int]:
    key = ["_file", *stage.contract.own_key]
    distinct = stage.valid_staged_rows(files).select(*key).distinct().groupBy("_file")
    found = distinct.agg(F.count(F.lit(1)).alias("count_all"))
    return _repeated(stage, found.toArrow())


def _repeated(stage: StagedDataset, distinct: pa.Table) -> Counter[int]:
    keys = {row["_file"]: row["count_all"] for row in distinct.to_pylist()}
    return Counter({i: more for i, n in keys.items() if (more := stage.tallies[i].valid - n)})
