"""Tables of a lake, written and read by the driver."""

from dataclasses import replace

import pyarrow as pa

from socare_spark.lake.lake import Lake
from socare_spark.lake.table import ColumnSpec, TableSpec, Zone

TABLE = TableSpec(
    Zone.RESTRICTED,
    "ledger",
    "A file.",
    (ColumnSpec("file", "string", "Name."),),
    (ColumnSpec("kept", "bigint", "Rows."), ColumnSpec("expired", "bigint", "Rows.")),
)


def test_column_that_is_no_longer_declared_becomes_null(tmp_path):
    lake = Lake(tmp_path)
    lake.append_arrow(TABLE, pa.table({"file": ["a"], "kept": [1], "expired": [2]}), {})
    fewer = replace(TABLE, measures=TABLE.measures[:1])
    lake.append_arrow(fewer, pa.table({"file": ["b"], "kept": [3]}), {})
    assert lake.to_dicts(TABLE, order="file") == [
        {"file": "a", "kept": 1, "expired": 2},
        {"file": "b", "kept": 3, "expired": None},
    ]
