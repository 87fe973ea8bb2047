"""Writes rejected lines with their reasons to the folder `rejected` beside the landing folder.

Raw data is never written to the lake. A rejected line is copied byte by byte so that its sender can
correct it and send it again.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain, tee

from socare_spark.errors import DataError
from socare_spark.ingest.conversion import failed_rules
from socare_spark.ingest.discovery import ReadableFile
from socare_spark.ingest.file_profile import record_bytes
from socare_spark.ingest.landed_file import LandedFile
from socare_spark.storage.landing import Landing

REJECTED, REFUSED = ".rejected.csv", ".refused.txt"
# Number of sets of failed rules whose text is cached.
_MAX_CACHED_TEXTS = 10_000


class ChangedError(Exception):
    """A file was changed or removed after it was read."""


def rejected_names(file: str, dataset: str) -> tuple[str, str]:
    """Names of the files of rejected lines of a landed file, without their ending.

    The contracts of several datasets can read one file.

    Returns:
        The name, and that of CSV files in earlier versions.
    """
    return f"{file}.{dataset}", file


def write_rejected(
    landing: Landing,
    file: ReadableFile,
    rejected: Iterable[tuple[int, tuple[int, ...]]],
    names: Sequence[tuple[str, str]],
) -> None:
    """Writes the rejected lines of a file, or removes those of an earlier run.

    Args:
        landing: The landing folder.
        file: The file.
        rejected: Line and rule words of each rejected row, in line order; read lazily.
        names: Reason code and column of each rule, in the order of their bits.

    Raises:
        ChangedError: the file was changed or removed after it was read.
        OSError: the folder or the disk does not permit writing.
    """
    storage, name = landing.rejected, _name(file.landed, REJECTED)
    rows = iter(rejected)
    first = next(rows, None)
    storage.remove([_name(file.landed, REFUSED)])
    if first is None:
        storage.remove([name])
        return
    with storage.replacement(name) as path, path.open("wb") as target:
        target.writelines(_lines(file, chain([first], rows), names))


def _lines(
    file: ReadableFile,
    rejected: Iterable[tuple[int, tuple[int, ...]]],
    names: Sequence[tuple[str, str]],
) -> Iterator[bytes]:
    """Yields the header and each rejected line, prefixed by the line number and the reasons."""
    reasons_text = lru_cache(_MAX_CACHED_TEXTS)(
        lambda words: _failed_rules_text(failed_rules(words, names))
    )
    rows, lines = tee(rejected)
    prefixes = chain([("line", "reasons")], ((line, reasons_text(words)) for line, words in rows))
    delimiter = file.profile.delimiter
    records = record_bytes(file.profile, chain([0], (line for line, _ in lines)))
    for line, reasons in prefixes:
        try:
            record = next(records)
        except (OSError, DataError, StopIteration):
            raise ChangedError(file.landed.name) from None
        yield f"{line}{delimiter}{reasons}{delimiter}".encode() + record + b"\n"


def has_reason(landing: Landing, landed: LandedFile) -> bool:
    """Whether the reason of a refusal is already written."""
    return landing.rejected.is_file(_name(landed, REFUSED))


def write_refused(landing: Landing, landed: LandedFile, reason: str) -> None:
    """Writes the reason why a file was refused as a whole to `NAME.DATASET.refused.txt`."""
    text = f"{landed.name}: {reason}.\n"
    landing.rejected.write(_name(landed, REFUSED), text.encode())


def remove_rejected(landing: Landing, file: str, dataset: str) -> None:
    """Removes the rejected lines and the reason of a file, those of earlier versions included."""
    names = rejected_names(file, dataset)
    landing.rejected.remove(f"{name}{end}" for name in names for end in (REJECTED, REFUSED))


def _failed_rules_text(failed: Iterable[tuple[str, str]]) -> str:
    return " ".join(f"{code}:{column}" if column else code for code, column in failed)


def _name(landed: LandedFile, ending: str) -> str:
    name, _ = rejected_names(landed.name, landed.contract.name)
    return f"{name}{ending}"
