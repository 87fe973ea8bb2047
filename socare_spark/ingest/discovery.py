"""Finds the files of each dataset in the landing folder and checks that they are readable.

A file whose name, header or bytes do not match its contract is refused as a whole with one reason.
Other files are not affected.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from socare_spark.contracts.contract import Contract
from socare_spark.contracts.periods import (
    financial_years,
    names_two_years,
    possible_quarters,
)
from socare_spark.errors import DataError
from socare_spark.ingest.canonical_csv import csv_of
from socare_spark.ingest.file_names import name_below, unusable_name
from socare_spark.ingest.file_profile import FileProfile, Head, profile_file, read_head
from socare_spark.ingest.format_diagnosis import wrong_header
from socare_spark.ingest.header import Columns, match_header
from socare_spark.ingest.landed_file import LandedFile
from socare_spark.ingest.ledger import RefusalKey
from socare_spark.storage.local_files import sha256_of


@dataclass(frozen=True)
class ReadableFile:
    """A landed file that can be read, with its profile and the fields of its columns.

    Attributes:
        landed: The file.
        profile: Profile of its bytes.
        columns: Field name of each column of the header; None for a column of no field.
        dropped: Header of each column of no field -> missing field with a similar name, or an empty
            text.
        uri: Location of the CSV file for Spark; empty for the file of the profile.
    """

    landed: LandedFile
    profile: FileProfile
    columns: tuple[str | None, ...]
    dropped: Mapping[str, str]
    uri: str = ""

    @property
    def location(self) -> str:
        """Absolute path or URI of the CSV file, for Spark."""
        return self.uri or str(self.profile.path.resolve())


@dataclass(frozen=True)
class RefusedFile:
    """A landed file that is refused.

    Attributes:
        landed: The file.
        sha256: Digest of the file; empty if it cannot be read.
        reason: The reason, in a form that can follow the name of the file.
    """

    landed: LandedFile
    sha256: str
    reason: str

    @property
    def key(self) -> RefusalKey:
        """Dataset, file, digest and reason: a refusal with the same key is not reported again."""
        return (self.landed.contract.name, self.landed.name, self.sha256, self.reason)


def discover_files(
    landing: Path, contract: Contract
) -> tuple[list[LandedFile], list[RefusedFile], list[str]]:
    """Finds the files of a contract. Of several revisions only the highest is kept.

    Args:
        landing: The landing folder.
        contract: The contract.

    Returns:
        The files; the files refused for their name (invalid period or revision, two files of one
        period, links to one file); the names of files with a lower revision.
    """
    by_identity: dict[tuple[str, str, str], list[LandedFile]] = defaultdict(list)
    refused: list[RefusedFile] = []
    pattern = re.compile(contract.socare.files)
    paths = sorted(p for p in landing.rglob("*") if p.is_file())
    claimed = [
        (p, m.groupdict()) for p in paths if (m := pattern.fullmatch(name_below(landing, p)))
    ]
    doubtful = _doubtful_periods(contract, [groups["period"] or "" for _, groups in claimed])
    for path, groups in claimed:
        landed = _landed_file(contract, landing, path, groups, doubtful)
        if isinstance(landed, RefusedFile):
            refused.append(landed)
        else:
            by_identity[landed.identity].append(landed)
    newest: list[LandedFile] = []
    older: list[str] = []
    for _, copies in sorted(by_identity.items()):
        latest = max(a.revision for a in copies)
        candidates = [a for a in copies if a.revision == latest]
        older += [a.name for a in copies if a.revision < latest]
        newest += candidates if len(candidates) == 1 else []
        refused += _refuse_rivals(candidates) if len(candidates) > 1 else []
    linked = _linked_files(newest)
    return [a for a in newest if a not in linked], [*refused, *_refuse_aliases(linked)], older


def _landed_file(
    contract: Contract,
    landing: Path,
    path: Path,
    groups: Mapping[str, str | None],
    doubtful: Mapping[str, str],
) -> LandedFile | RefusedFile:
    period, revision = groups["period"] or "", groups.get("revision") or "0"
    other_groups = sorted(
        (k, v) for k, v in groups.items() if k not in ("period", "revision") and v
    )
    part = "|".join(f"{k}={v}" for k, v in other_groups)
    has_number = revision.isdecimal()
    name = name_below(landing, path)
    landed = LandedFile(contract, path, name, period, part, int(revision) if has_number else 0)
    unusable = unusable_name(landing, path, contract.name)
    if unusable:
        return _refuse(landed, unusable)
    if period in doubtful:
        return _refuse(landed, doubtful[period])
    try:
        contract.calendar.last(period)
    except ValueError as error:
        return _refuse(landed, f"the name has no valid period ({error}): rename the file")
    if not has_number:
        return _refuse(landed, "the revision in the name is not an integer: rename the file")
    return landed


def _doubtful_periods(contract: Contract, periods: Sequence[str]) -> dict[str, str]:
    """Period that can be read in two ways, or that only other years can have -> the reason."""
    if not contract.calendar.has_calendar_years:
        return {}
    declare = (
        f"declare the last day of a year (socare.year_ends: 03-31) in the contract {contract.name}"
    )
    reasons = dict.fromkeys(
        filter(names_two_years, periods),
        f"the name has a year of two numbers, but the years of the dataset are calendar years: "
        f"{declare}, or rename the file",
    )
    reasons |= dict.fromkeys(
        financial_years(periods),
        "the periods in the file names of the dataset look like financial years (2011-12), but "
        f"can be months: {declare}, or write the last day of a month in the name (2011-12-31)",
    )
    reasons |= dict.fromkeys(
        possible_quarters(periods),
        "the period in the name can be a month or a quarter: write 2017-01 for a month, or 2017-Q1 "
        "for a quarter",
    )
    return reasons


def _refuse_rivals(rivals: Sequence[LandedFile]) -> list[RefusedFile]:
    names = " and ".join(file.name for file in rivals)
    reason = f"{names} claim the same period: keep one of them in the landing folder"
    return [_refuse(landed, reason) for landed in rivals]


def _linked_files(files: Sequence[LandedFile]) -> list[LandedFile]:
    """The files that links resolve to a path shared with another file of the dataset."""
    targets = Counter(file.path.resolve() for file in files)
    return [file for file in files if targets[file.path.resolve()] > 1]


def _refuse_aliases(files: Sequence[LandedFile]) -> list[RefusedFile]:
    names = " and ".join(file.name for file in files)
    reason = f"{names} are links to one file: keep one of them, or replace them by copies"
    return [_refuse(file, reason) for file in files]


def _refuse(landed: LandedFile, reason: str) -> RefusedFile:
    try:
        return RefusedFile(landed, sha256_of(landed.path), reason)
    except OSError:
        return RefusedFile(landed, "", reason)


def inspect_file(landed: LandedFile, folder: Path) -> ReadableFile | RefusedFile:
    """Profiles a file and matches its header. Every error refuses the file and none is raised.

    Args:
        landed: The file.
        folder: Folder for files of the run.
    """
    contract = landed.contract
    try:
        # The digest is taken first, so that the next run reads a file again that changes meanwhile.
        digest = "" if contract.is_plain else sha256_of(landed.path)
        file = csv_of(landed, folder)
        head = read_head(file.path, file.encoding, file.delimiter)
        columns, dropped = _match_columns(head, contract, landed.as_of)
        dropped |= dict.fromkeys(file.unread, "")
        fields = [None if c is None else contract.field(c) for c in columns]
        profile = profile_file(file.path, file.encoding, file.delimiter, fields)
        if file.path != landed.path:
            size = landed.path.stat().st_size
            profile = replace(profile, sha256=digest, size=size)
    except DataError as error:
        return _refuse(landed, str(error))
    except OSError as error:
        return RefusedFile(
            landed, "", f"cannot be read ({error.strerror}): check the permissions and the disk"
        )
    except Exception as error:
        # An error of a library must not affect other files. Its message can contain cell values.
        return _refuse(landed, f"cannot be read ({type(error).__name__}): ask for the file again")
    return ReadableFile(landed, profile, columns, dropped)


def _match_columns(head: Head, contract: Contract, day: date) -> tuple[Columns, dict[str, str]]:
    try:
        return match_header(head.header, contract, day)
    except DataError:
        spellings = contract.spellings_of(day)
        reason = wrong_header(head.text, contract.dialect.delimiter, spellings)
        if reason:
            raise DataError(reason) from None
        raise
