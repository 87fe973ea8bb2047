"""The files of a staged dataset, which Spark writes and the driver reads.

On a disk they are plain Parquet. Elsewhere they are a Delta table: its commit names the files, and
needs fewer than half of the requests that Spark needs to write plain Parquet to an object store.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.fs import DeltaStorageHandler
from pyarrow.dataset import Dataset, dataset
from pyarrow.fs import PyFileSystem
from pyspark.sql import DataFrame

from socare_spark.storage.location import literal_path
from socare_spark.storage.storage import Storage

_SUFFIX = ".parquet"


@dataclass(frozen=True)
class StageFiles:
    """The files of a staged dataset.

    Attributes:
        storage: The storage of the lake.
        folder: Folder of the files.
    """

    storage: Storage
    folder: str

    def write(self, rows: DataFrame, plain: Collection[str]) -> None:
        """Writes the rows of the dataset.

        Args:
            rows: The rows.
            plain: Columns without a dictionary, because nearly all of their values differ.
        """
        self.storage.check_held()
        # Dictionary encoding and compression do not help near-unique columns such as digests.
        options: dict[str, Any] = {f"parquet.enable.dictionary#{name}": False for name in plain}
        options |= {"compression": "uncompressed", "overwriteSchema": "true"}
        writer = rows.write.mode("overwrite").options(**options)
        writer.format(self._format).save(self.storage.uri(self.folder))

    def read(self, schema_of: DataFrame) -> DataFrame:
        """The rows as a frame, with the schema of another frame."""
        reader = schema_of.sparkSession.read
        if self._is_plain:
            reader = reader.schema(schema_of.schema)
        return reader.format(self._format).load(literal_path(self.storage.uri(self.folder)))

    @cached_property
    def parts(self) -> dict[str, int]:
        """Name of each file -> size in bytes."""
        if self._is_plain:
            files = self.storage.files(self.folder)
            return {file.name: file.size for file in files if file.name.endswith(_SUFFIX)}
        actions = pa.table(self._delta.get_add_actions())
        names, sizes = (actions[name].to_pylist() for name in ("path", "size_bytes"))
        return dict(sorted(zip(names, sizes, strict=True)))

    def dataset(self, *parts: str) -> Dataset:
        """Some files as a dataset of Arrow; all files without an argument."""
        if self._is_plain:
            files = [self.storage.uri(name) for name in parts]
            return dataset(files or self.storage.uri(self.folder), format="parquet")
        if not parts:
            return self._delta.to_pyarrow_dataset()
        handler = DeltaStorageHandler.from_table(self._delta._table)
        return dataset([*parts], filesystem=PyFileSystem(handler), format="parquet")

    @property
    def _is_plain(self) -> bool:
        return self.storage.disk is not None

    @property
    def _format(self) -> str:
        return "parquet" if self._is_plain else "delta"

    @cached_property
    def _delta(self) -> DeltaTable:
        options = self.storage.delta_options()
        return DeltaTable(self.storage.uri(self.folder), storage_options=options)
