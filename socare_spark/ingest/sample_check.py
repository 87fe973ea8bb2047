"""Checks the first records of landed files by the rules of `ingest`, without a lake and a key.

The first records of each file are copied to a temporary folder, and pass through the inspection,
the reader and the limits of `ingest` there. Their tokens have a key that is thrown away.
"""

import codecs
import secrets
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from pyspark.sql import SparkSession

from socare_spark.contracts.contract import Contract
from socare_spark.contracts.encodings import UTF_16
from socare_spark.contracts.project import Project
from socare_spark.errors import DataError
from socare_spark.ingest.admission import SEE_REJECTED, apply_file_limits
from socare_spark.ingest.conversion import failed_rules
from socare_spark.ingest.csv_records import blocks, chunks
from socare_spark.ingest.discovery import ReadableFile, RefusedFile, inspect_file
from socare_spark.ingest.file_profile import read_head
from socare_spark.ingest.file_warnings import file_warnings
from socare_spark.ingest.format_diagnosis import BYTE_ORDER_MARKS
from socare_spark.ingest.landed_file import LandedFile
from socare_spark.ingest.pseudonym import Keyring
from socare_spark.ingest.staging import StagedDataset, stage_dataset
from socare_spark.lake.lake import Lake
from socare_spark.lake.pool import worker_pool
from socare_spark.plurals import counted

SAMPLE_ROWS = 10_000
# The outcomes of more files are added up.
_MOST_FILES = 20
_WORKERS = 2
_MARKS = {encoding: mark for mark, encoding in BYTE_ORDER_MARKS.items()}


@dataclass(frozen=True)
class FileSample:
    """The outcome of the first records of a file.

    Attributes:
        file: Path of the file below the landing folder.
        refused: Reason for which the file is refused; empty if it is not.
        rows: Records that were checked.
        kept: Records that fail no rule and do not repeat the key of a later one.
        repeated: Records whose key a later record has; they are not kept.
        failed: Reason code and column -> records that fail the rule.
        is_part: Whether the file has further records.
    """

    file: str
    refused: str = ""
    rows: int = 0
    kept: int = 0
    repeated: int = 0
    failed: Mapping[tuple[str, str], int] | None = None
    is_part: bool = False

    @property
    def quarantined(self) -> int:
        """Records that fail at least one rule."""
        return self.rows - self.kept - self.repeated


@dataclass(frozen=True)
class DatasetSample:
    """The outcome of the first records of the files of a dataset.

    Attributes:
        dataset: Name of the dataset.
        files: The files, by name.
        warnings: Warnings about the files.
    """

    dataset: str
    files: Sequence[FileSample]
    warnings: Sequence[str] = ()


def check_sample(
    spark: SparkSession, contract: Contract, project: Project, files: Sequence[LandedFile]
) -> DatasetSample:
    """Checks the first records of files of a dataset.

    Args:
        spark: The session.
        contract: The contract of the dataset.
        project: Council, project and schemes.
        files: The files, as `discover_files` finds them.
    """
    # The folder holds raw records, so it is readable by its owner only.
    with tempfile.TemporaryDirectory(prefix="socare-sample-") as name:
        folder = Path(name)

        def inspect(i: int) -> tuple[ReadableFile | RefusedFile, bool]:
            sample, is_part = first_records(files[i], folder / f"{i}.csv", SAMPLE_ROWS)
            return inspect_file(sample, folder), is_part

        with worker_pool(_WORKERS) as pool:
            outcomes = list(pool.map(inspect, range(len(files))))
        inspected = [file for file, _ in outcomes]
        parts = {file.landed.name for file, is_part in outcomes if is_part}
        readable = [file for file in inspected if isinstance(file, ReadableFile)]
        samples = [
            FileSample(file.landed.name, file.reason)
            for file in inspected
            if isinstance(file, RefusedFile)
        ]
        if readable:
            keyring = Keyring(secrets.token_bytes(32), project)
            staged = stage_dataset(spark, Lake(folder / "lake"), contract, readable, keyring)
            samples += _samples(staged)
    samples = [replace(sample, is_part=sample.file in parts) for sample in samples]
    in_order = sorted(samples, key=lambda sample: sample.file)
    return DatasetSample(contract.name, in_order, file_warnings(contract, readable))


def first_records(landed: LandedFile, path: Path, rows: int) -> tuple[LandedFile, bool]:
    """Copies the first records of a file.

    A file whose records cannot be separated is returned as it is, and `inspect_file` refuses it. So
    is a file of another form than a plain CSV, all of whose records are then checked.

    Args:
        landed: The file.
        path: The copy, which is not compressed.
        rows: Largest number of records, without the header.

    Returns:
        The copy, and whether the file has further records.
    """
    if not landed.contract.is_plain:
        # Its records are found by its conversion.
        return landed, False
    delimiter = landed.contract.dialect.delimiter
    try:
        encoding = read_head(landed.path, landed.encoding, delimiter).encoding
        pieces = chunks(landed.path)
        start = next(pieces, b"")
        pieces = chain([start], pieces)
        if encoding in UTF_16:
            pieces = map(str.encode, codecs.iterdecode(pieces, encoding))
        content, is_part = _records(pieces, delimiter, rows + 1)
    except (DataError, OSError, UnicodeError):
        return landed, False
    if encoding in UTF_16:
        content = content.decode().encode(encoding)
    mark = _MARKS.get(encoding, b"")
    path.write_bytes((mark if mark and start.startswith(mark) else b"") + content)
    return replace(landed, path=path), is_part


def _records(pieces: Iterator[bytes], delimiter: str, most: int) -> tuple[bytes, bool]:
    """The bytes of the first records, each with a line end, and whether there are more."""
    parts: list[bytes] = []
    for block in blocks(pieces, delimiter):
        if most < block.starts.size:
            parts += [block.data[: block.ends[most - 1]] + b"\n"] if most else []
            return b"".join(parts), True
        parts.append(block.data)
        most -= block.starts.size
    return b"".join(parts), False


def _samples(staged: StagedDataset) -> Iterator[FileSample]:
    """Yields the outcome of each staged file."""
    judged = apply_file_limits(staged, rebuild=False, refused=0)
    for i, (file, tally) in enumerate(zip(staged.files, staged.tallies, strict=True)):
        failed = Counter(
            rule
            for _, words in staged.invalid_rows(i)
            for rule in dict.fromkeys(failed_rules(words, staged.rules))
        )
        repeated = judged.repeated.get(i, 0) if staged.contract.own_key else 0
        yield FileSample(
            file.landed.name,
            judged.refused.get(i, "").replace(SEE_REJECTED, ""),
            tally.rows,
            tally.valid - repeated,
            repeated,
            failed,
        )


def sample_lines(sample: DatasetSample, refused: Sequence[RefusedFile] = ()) -> list[str]:
    """Describes the outcome of a dataset: a line for each file, reason, refusal and warning.

    The rows of many files are added up, and the first refusals are named.

    Args:
        sample: The outcome.
        refused: Files of the dataset that were refused for their names.
    """
    refusals = {file.landed.name: file.reason for file in refused}
    refusals |= {file.file: file.refused for file in sample.files if file.refused}
    lines = []
    if not sample.files and not refused:
        lines.append("no file")
    elif len(sample.files) > _MOST_FILES:
        lines += _count_lines(f"{len(sample.files)} files", sample.files)
    else:
        for file in sample.files:
            if file.rows or not file.refused:
                lines += _count_lines(file.file, [file])
    named = dict([*refusals.items()][:_MOST_FILES])
    lines += [f"{name}: refused: {reason}" for name, reason in named.items()]
    if len(refusals) > len(named):
        lines.append(f"refused: {counted(len(refusals) - len(named), 'more file')}")
    return [*lines, *(f"note: {warning}" for warning in sample.warnings)]


def _count_lines(title: str, files: Sequence[FileSample]) -> list[str]:
    """Describes rows kept and quarantined of one or more files, and the reasons."""
    total = sum(file.rows for file in files)
    kept, quarantined, repeated = (
        sum(getattr(file, name) for file in files) for name in ("kept", "quarantined", "repeated")
    )
    rows = counted(total, "row")
    if any(file.is_part for file in files):
        rows = f"first {rows}"
    counts = f"{kept:,} kept, {quarantined:,} quarantined"
    if repeated:
        counts += f", {repeated:,} with the key of a later row"
    failed: Counter[tuple[str, str]] = Counter()
    for file in files:
        failed.update(file.failed or {})
    most_first = sorted(failed.items(), key=lambda item: (-item[1], item[0]))
    reasons = [f"  {count:,} {code} {column}".rstrip() for (code, column), count in most_first]
    return [f"{title}: {rows}: {counts}", *reasons]
