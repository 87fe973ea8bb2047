"""Decides which files of the landing folder are loaded and which are refused as a whole.

Before staging a file is compared with the ledger and inspected. After staging its rows are compared
with the limits of the contract. Other refusals are raised where a file is read (`discovery`,
`file_profile`) and reach this module as `RefusedFile`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from socare_spark.contracts.contract import Contract
from socare_spark.errors import ConfigurationError
from socare_spark.ingest.discovery import (
    ReadableFile,
    RefusedFile,
    discover_files,
    inspect_file,
)
from socare_spark.ingest.landed_file import LandedFile
from socare_spark.ingest.ledger import Identity, LedgerEntry, LedgerState
from socare_spark.ingest.repeated_keys import (
    count_repeated_keys,
    refusal_reason,
)
from socare_spark.ingest.staging import StagedDataset
from socare_spark.lake.pool import worker_pool
from socare_spark.plurals import agreeing, counted
from socare_spark.storage.local_files import sha256_of

# Files that are inspected at the same time.
_WORKERS = 2
EMPTY_REPLACEMENT = (
    "the file contains no record, but the lake has records of its period: ask for the file again"
)
SEE_REJECTED = "; see the rejected lines"
UNREADABLE = "cannot be read to its end, or has changed since the run began: ask for the file again"


@dataclass(frozen=True)
class DatasetFiles:
    """The files of one contract, by outcome.

    Attributes:
        contract: The contract.
        accepted: New or changed files that can be read.
        refused: Files that are refused.
        older: Names of files that a higher revision replaces.
        unchanged: Files with the content and contract under which they were loaded.
        rebuild: Whether the table is emptied and all files are read again.
        skipped: Name of each file that is not loaded although it is readable -> reason.
        gone: Names of loaded files that are no longer in the landing folder.
    """

    contract: Contract
    accepted: Sequence[ReadableFile] = ()
    refused: Sequence[RefusedFile] = ()
    older: Sequence[str] = ()
    unchanged: Sequence[LandedFile] = ()
    rebuild: bool = False
    skipped: Mapping[str, str] = field(default_factory=dict)
    gone: Sequence[str] = ()


@dataclass(frozen=True)
class JudgedDataset:
    """A staged dataset with the decision on each of its files.

    Attributes:
        staged: The staged rows.
        accepted: Indices of the accepted files.
        refused: Index of each file refused after staging -> reason.
        repeated: Index of file -> rows whose key a later row of the file has; without a primary
            key, rows that equal a later row.
        rebuild: Whether the table is emptied first because the contract changed for all files.
    """

    staged: StagedDataset
    accepted: Sequence[int]
    refused: Mapping[int, str]
    repeated: Mapping[int, int] = field(default_factory=dict)
    rebuild: bool = False


def classify_files(
    landing: Path, contract: Contract, ledger: LedgerState, folder: Path
) -> DatasetFiles:
    """Sorts the files of a contract by outcome.

    Args:
        landing: The landing folder.
        contract: The contract.
        ledger: The ledger.
        folder: Folder for files of the run.
    """
    current = ledger.current
    newest, refused, older = discover_files(landing, contract)
    outdated = {file.name: reason for file in newest if (reason := outdated_reason(file, ledger))}
    files = [file for file in newest if file.name not in outdated]
    dated = [*files, *(r.landed for r in refused if r.landed.extract)]
    rebuild = check_contract(contract, dated, current)
    inspect = partial(inspect_file, folder=folder)
    with worker_pool(_WORKERS) as pool:
        entries = [None if rebuild else current.get(landed.identity) for landed in files]
        states = list(zip(files, pool.map(is_unchanged, files, entries), strict=True))
        inspected = list(pool.map(inspect, [f for f, unchanged in states if not unchanged]))
    checked = [_check_emptied(file, current) for file in inspected]
    return DatasetFiles(
        contract,
        accepted=[file for file in checked if isinstance(file, ReadableFile)],
        refused=[*refused, *(file for file in checked if isinstance(file, RefusedFile))],
        older=older,
        unchanged=[file for file, unchanged in states if unchanged],
        rebuild=rebuild,
        skipped=outdated,
        gone=_files_gone(contract, dated, current),
    )


def outdated_reason(file: LandedFile, ledger: LedgerState) -> str:
    """Checks whether the content was withdrawn or a higher revision is or was loaded.

    Returns:
        The reason not to load the file; empty if it can be loaded.
    """
    withdrawn, entry = ledger.withdrawn.get(file.identity), ledger.current.get(file.identity)
    if withdrawn is not None and withdrawn.sha256 == _digest(file):
        return f"not loaded, this content was withdrawn ({withdrawn.file})"
    newer = withdrawn or entry
    if newer is None or file.revision >= newer.revision or newer.sha256 == _digest(file):
        return ""
    state = "was withdrawn" if withdrawn else "is in the lake"
    return (
        f"not loaded, revision {file.revision} is older than {newer.file} (revision "
        f"{newer.revision}), which {state}; to load the file, give its name a higher revision"
    )


def _digest(file: LandedFile) -> str:
    """SHA-256 of the file; empty if it cannot be read."""
    try:
        return sha256_of(file.path)
    except OSError:
        return ""


def _files_gone(
    contract: Contract, files: Sequence[LandedFile], entries: Mapping[Identity, LedgerEntry]
) -> list[str]:
    """Names of loaded files that are no longer in the landing folder."""
    present = {file.identity for file in files}
    return sorted(e.file for i, e in entries.items() if i[0] == contract.name and i not in present)


def is_unchanged(landed: LandedFile, entry: LedgerEntry | None) -> bool:
    """Whether the file and its contract are unchanged since it was loaded.

    A file that cannot be read counts as changed.
    """
    if entry is None or entry.contract != landed.contract.digest(landed.as_of):
        return False
    return entry.sha256 == _digest(landed)


def _check_emptied(
    file: ReadableFile | RefusedFile, entries: Mapping[Identity, LedgerEntry]
) -> ReadableFile | RefusedFile:
    """Refuses a file without records if the lake has records of its period."""
    if isinstance(file, RefusedFile) or file.profile.records:
        return file
    entry = entries.get(file.landed.identity)
    if entry is None or not entry.rows_kept:
        return file
    return RefusedFile(file.landed, file.profile.sha256, EMPTY_REPLACEMENT)


def check_contract(
    contract: Contract, files: Sequence[LandedFile], entries: Mapping[Identity, LedgerEntry]
) -> bool:
    """Decides whether all files of a dataset must be read again because its contract changed.

    If the contract changed for some periods only, their files are read again as corrected files.

    Returns:
        Whether the table must be rebuilt.

    Raises:
        ConfigurationError: a file that must be read again is not in the landing folder.
    """
    loaded = {i: e for i, e in entries.items() if i[0] == contract.name}
    identities = {file.name: file.identity for file in files}
    # A file whose name now parses to another identity would be loaded twice.
    moved = {i for i, e in loaded.items() if identities.get(e.file, i) != i}
    changed = {
        i: e for i, e in loaded.items() if i in moved or e.contract != contract.digest(e.day)
    }
    rebuild = bool(loaded) and (bool(moved) or len(changed) == len(loaded))
    present = {file.identity for file in files} | moved
    missing = sorted(
        e.file for i, e in (loaded if rebuild else changed).items() if i not in present
    )
    if missing:
        raise ConfigurationError(
            f"conf/datasets/{contract.name}.yaml has changed since {counted(len(changed), 'file')} "
            f"{agreeing(len(changed), 'was', 'were')} read, and {len(missing)} of them "
            f"{agreeing(len(missing), 'is', 'are')} no longer in the landing folder ({missing[0]} "
            "first): put them back so that they can be read again, restore the contract, or "
            "remove a file with ingest --withdraw."
        )
    return rebuild


def apply_file_limits(staged: StagedDataset, *, rebuild: bool, refused: int) -> JudgedDataset:
    """Decides which staged files are accepted.

    A file is refused if Spark and the profile count different records, if more rows than the
    contract allows would be quarantined, or if too many rows repeat a key.

    Args:
        staged: The staged files of a dataset.
        rebuild: Whether the table is rebuilt; then all files are accepted or none.
        refused: Number of files of the dataset that were refused before staging.
    """
    accepted: list[int] = []
    reasons: dict[int, str] = {}
    repeated = count_repeated_keys(staged)
    for i, (file, tally) in enumerate(zip(staged.files, staged.tallies, strict=True)):
        share = tally.quarantined / tally.rows if tally.rows else 0.0
        max_share = staged.contract.socare.gate
        if tally.rows != file.profile.records:
            reasons[i] = (
                f"the file contains {counted(file.profile.records, 'record')} by its line ends and "
                f"quotes, but Spark reads {tally.rows}: ask for the file again with quotes doubled "
                "in cells"
                if _digest(file.landed) == file.profile.sha256
                else UNREADABLE
            )
        elif share > max_share:
            common = ", ".join(f"{code} {n}" for code, n in Counter(tally.reasons).most_common(3))
            reasons[i] = (
                f"{tally.quarantined} of {counted(tally.rows, 'row')} ({share:.1%}) would be "
                f"quarantined, and the contract allows {max_share:.1%} (most often "
                f"{common}){SEE_REJECTED}"
                f"{file.profile.hint if 'row_shape' in tally.reasons else ''}"
            )
        elif reason := refusal_reason(staged.contract, tally, repeated[i]):
            reasons[i] = reason
        else:
            accepted.append(i)
    if rebuild and (reasons or refused):
        reasons |= dict.fromkeys(
            accepted, "the contract has changed and another file cannot be read"
        )
        accepted = []
    return JudgedDataset(staged, accepted, reasons, repeated, rebuild=rebuild)


def refused_by_limits(judged: Sequence[JudgedDataset]) -> list[RefusedFile]:
    """The staged files that `apply_file_limits` refused, with the reason of each."""
    return [
        RefusedFile(dataset.staged.files[i].landed, dataset.staged.files[i].profile.sha256, reason)
        for dataset in judged
        for i, reason in dataset.refused.items()
    ]
