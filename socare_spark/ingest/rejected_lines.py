"""The lines that were not kept, with their reasons, beside the landing folder.

Raw data stays where raw data already is: `rejected/` lies next to `landing/`, never in the lake. A
line is given back byte by byte as it stood, so that it can be mended and sent again.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain, tee
from pathlib import Path

from socare_spark.errors import DataError
from socare_spark.ingest.conversion import failed_rules
from socare_spark.ingest.discovery import LandedFile, ReadableFile
from socare_spark.ingest.file_profile import record_bytes

# Sets of broken rules whose text is kept.
_SPELLED = 10_000


class ChangedError(Exception):
    """A file is not there any more as it was read."""


def rejected_folder(landing: Path) -> Path:
    """Where rejected lines go: beside the landing folder."""
    return landing.resolve().parent / "rejected"


def write_rejected(
    landing: Path,
    file: ReadableFile,
    bad: Iterable[tuple[int, tuple[int, ...]]],
    names: Sequence[tuple[str, str]],
) -> None:
    """Writes the rejected lines of a file, or removes what an earlier state of it left.

    Args:
        landing: The landing folder.
        file: The file.
        bad: Line and rule bits of each rejected row, by line. They are passed on one by one.
        names: Reason code and column of each rule.

    Raises:
        ChangedError: the file has changed since it was read.
    """
    path = _path(landing, file.landed, ".rejected.csv")
    _path(landing, file.landed, ".refused.txt").unlink(missing_ok=True)
    rows = iter(bad)
    first = next(rows, None)
    if first is None:
        path.unlink(missing_ok=True)
        return
    _write(path, _lines(file, chain([first], rows), names))


def _lines(
    file: ReadableFile,
    bad: Iterable[tuple[int, tuple[int, ...]]],
    names: Sequence[tuple[str, str]],
) -> Iterator[bytes]:
    """The header and each rejected line, with the line's number and the reasons before it."""
    spelled = lru_cache(_SPELLED)(lambda words: _failed_rules_text(failed_rules(words, names)))
    noted, lines = tee(bad)
    told = chain([("line", "reasons")], ((line, spelled(words)) for line, words in noted))
    encoding, delimiter = file.landed.encoding, file.landed.contract.dialect.delimiter
    wanted = chain([0], (line for line, _ in lines))
    records = record_bytes(file.landed.path, wanted, file.profile, encoding, delimiter)
    for line, reasons in told:
        try:
            record = next(records)
        except (OSError, DataError, StopIteration):
            raise ChangedError(file.landed.name) from None
        yield f"{line}{delimiter}{reasons}{delimiter}".encode() + record + b"\n"


def has_reason(landing: Path, landed: LandedFile) -> bool:
    """Whether the sentence that says why a file was refused is there."""
    return os.path.exists(_path(landing, landed, ".refused.txt"))


def write_refused(landing: Path, landed: LandedFile, reason: str) -> None:
    """Leaves the sentence that says why a whole file was refused."""
    _write(_path(landing, landed, ".refused.txt"), [f"{landed.name}: {reason}.\n".encode()])


def remove_rejected(landing: Path, file: str) -> None:
    """Removes what was left of a file that is no longer in the lake."""
    for ending in (".rejected.csv", ".refused.txt"):
        (rejected_folder(landing) / f"{file}{ending}").unlink(missing_ok=True)


def _failed_rules_text(found: Iterable[tuple[str, str]]) -> str:
    return " ".join(f"{code}:{column}" if column else code for code, column in found)


def _path(landing: Path, landed: LandedFile, ending: str) -> Path:
    return rejected_folder(landing) / f"{landed.name}{ending}"


def _write(path: Path, lines: Iterable[bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = path.with_name(f"{path.name}.partial")
    try:
        with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.writelines(lines)
    except (ChangedError, OSError):
        partial.unlink(missing_ok=True)
        raise
    os.replace(partial, path)
