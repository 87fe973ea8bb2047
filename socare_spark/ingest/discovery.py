"""Finds the files of each dataset in the landing folder and checks that they are readable.

A file whose name, header or bytes do not match its contract is refused as a whole with one reason.
Other files are not affected.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from socare_spark.contracts.contract import Contract, normalise_header
from socare_spark.contracts.periods import (
    financial_years,
    names_two_years,
    possible_quarters,
)
from socare_spark.errors import DataError
from socare_spark.files import sha256_of
from socare_spark.ingest.file_names import name_below, unusable_name
from socare_spark.ingest.file_profile import FileProfile, Head, profile_file, read_head
from socare_spark.ingest.format_diagnosis import NO_HEADER, wrong_header
from socare_spark.spelling import closest_names


@dataclass(frozen=True)
class LandedFile:
    """A file whose name matches `socare.files` of a contract.

    Attributes:
        contract: The contract.
        path: The file.
        name: Path below the landing folder, with forward slashes.
        period: Period as written in the name.
        part: All named groups of the name except period and revision, as `group=value|…`. It
            identifies one of several files of a period.
        revision: Revision of the file; 0 if the name has none. The highest replaces the others.
    """

    contract: Contract
    path: Path
    name: str
    period: str
    part: str
    revision: int

    @property
    def as_of(self) -> date:
        """Last day of the period.

        Raises:
            ValueError: the period cannot be parsed.
        """
        return self.contract.calendar.last(self.period)

    @property
    def extract(self) -> date | None:
        """Last day of the period; None if the period cannot be parsed."""
        try:
            return self.as_of
        except ValueError:
            return None

    @property
    def identity(self) -> tuple[str, str, str]:
        """Dataset, as-of day and part: a corrected file shares them with the file it replaces."""
        return (self.contract.name, str(self.as_of), self.part)

    @property
    def encoding(self) -> str:
        """The encoding declared for the period."""
        return self.contract.encoding_of(self.as_of)


@dataclass(frozen=True)
class ReadableFile:
    """A landed file that can be read, with its profile and the fields of its columns.

    Attributes:
        landed: The file.
        profile: Profile of its bytes.
        columns: Field name of each column of the header; None for a column of no field.
        dropped: Header of each column of no field -> missing field with a similar name, or an empty
            text.
    """

    landed: LandedFile
    profile: FileProfile
    columns: tuple[str | None, ...]
    dropped: Mapping[str, str]


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
    def key(self) -> tuple[str, str, str]:
        """File name, digest and reason: a refusal with the same key is not reported again."""
        return (self.landed.name, self.sha256, self.reason)


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
    unusable = unusable_name(landing, path)
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


def inspect_file(landed: LandedFile) -> ReadableFile | RefusedFile:
    """Profiles a file and matches its header. Every error refuses the file and none is raised."""
    contract, delimiter = landed.contract, landed.contract.dialect.delimiter
    try:
        head = read_head(landed.path, landed.encoding, delimiter)
        columns, dropped = _match_columns(head, contract, landed.as_of)
        fields = [None if c is None else contract.field(c) for c in columns]
        profile = profile_file(landed.path, landed.encoding, delimiter, fields)
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


def _match_columns(
    head: Head, contract: Contract, day: date
) -> tuple[tuple[str | None, ...], dict[str, str]]:
    try:
        return match_header(head.header, contract, day)
    except DataError:
        spellings = contract.spellings_of(day)
        reason = wrong_header(head.text, contract.dialect.delimiter, spellings)
        if reason:
            raise DataError(reason) from None
        raise


def match_header(
    header: Iterable[str], contract: Contract, day: date
) -> tuple[tuple[str | None, ...], dict[str, str]]:
    """Assigns the columns of a header to the fields of a contract by name.

    Args:
        header: Names of the columns, as written.
        contract: The contract.
        day: As-of day of the file, which decides the spellings and the optional columns.

    Returns:
        Field name of each column, None for a column of no field; and the header of each column of
        no field -> missing field with a similar name, or an empty text.

    Raises:
        DataError: a required column is missing, or two columns are the same field.
    """
    spellings = contract.spellings_of(day)
    columns = tuple(spellings.get(normalise_header(name)) for name in header)
    matched = [c for c in columns if c is not None]
    repeated = sorted({c for c in matched if matched.count(c) > 1})
    if repeated:
        raise DataError(
            f"the header has the column {', '.join(repeated)} more than once: ask for the file "
            "again with each column once"
        )
    missing = [f for f in contract.fields if f.name not in matched]
    unknown = [name for name, column in zip(header, columns, strict=True) if column is None]
    dropped = {name: _closest_name(name, [f.name for f in missing]) for name in unknown}
    if not matched:
        raise DataError(NO_HEADER)
    required = [f.name for f in missing if contract.is_read(f) and not contract.may_lack(f, day)]
    if required:
        raise DataError(_missing_columns_message(required, dropped))
    return columns, dropped


def _closest_name(header: str, names: Sequence[str]) -> str:
    by_normalised = {normalise_header(name): name for name in names}
    close = closest_names(normalise_header(header), by_normalised, most=1, cutoff=0.75)
    return by_normalised[close[0]] if close else ""


def _missing_columns_message(missing: Sequence[str], dropped: Mapping[str, str]) -> str:
    hints = [f"'{head}' looks like {name}" for head, name in dropped.items() if name in missing]
    hint = f" ({'; '.join(hints)})" if hints else ""
    return (
        f"the header lacks the column {', '.join(missing)}{hint}, which the contract requires: "
        "declare its spelling under socare.spellings, declare optional: true under socare of the "
        "column, or ask for the file again"
    )
