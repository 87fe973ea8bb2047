"""Rows whose key a later row of their file has: counted by the driver and by tasks alike."""

from types import SimpleNamespace

import pandas as pd
import pytest

from socare_spark.ingest import repeated_keys
from socare_spark.ingest.stage_files import StageFiles
from socare_spark.ingest.staging import StagedDataset, Tally
from socare_spark.storage.local import LocalStorage

ROWS = pd.DataFrame(
    [
        *((0, 0, "a", 1, 0), (0, 0, "a", 1, 0), (0, 0, "a", 2, 0), (0, 0, "a", 1, 4)),
        *((1, 0, "a", 1, 0), (1, 9, "a", 1, 0), (1, 9, "b", 1, 0), (1, 9, "a", 1, 0)),
        *((2, 0, "a", 1, 0), (2, 0, "b", 1, 0), (2, 0, "b", 1, 1)),
    ],
    columns=["_file", "_block", "key", "other", "_mask0"],
).astype({"_file": "int32"})


@pytest.mark.parametrize("most", [100, 3])
@pytest.mark.parametrize("own_key", [["key", "other"], ["key"], []])
def test_rows_with_the_key_of_a_later_row_of_their_file(
    spark, tmp_path, monkeypatch, most, own_key
):
    monkeypatch.setattr(repeated_keys, "_BATCH_ROWS", most)
    monkeypatch.setattr(repeated_keys, "_BATCH_WHOLE_ROWS", most)
    parts = [tmp_path / f"{i}.parquet" for i in range(2)]
    for part, rows in zip(parts, (ROWS[:5], ROWS[5:]), strict=True):
        rows.to_parquet(part, index=False)
    blocks = pd.DataFrame(
        [
            (0, 0, parts[0].name),
            (1, 0, parts[0].name),
            (1, 9, parts[1].name),
            (2, 0, parts[1].name),
        ],
        columns=["_file", "_block", "part"],
    )
    tallies = [Tally(4, 3), Tally(4, 4), Tally(3, 2)]
    frame = spark.read.parquet(str(tmp_path))
    contract = SimpleNamespace(own_key=own_key)
    stored = StageFiles(LocalStorage(tmp_path), "")
    stage = StagedDataset(contract, [None] * 3, stored, frame, [], tallies, blocks)
    expected = {("key", "other"): {0: 1, 1: 2}, ("key",): {0: 2, 1: 2}, (): {0: 1, 1: 2}}
    assert dict(repeated_keys.count_repeated_keys(stage)) == expected[tuple(own_key)]
