"""Which files in the landing folder belong to which dataset and period, and which can be taken.

A file is refused whole, with one sentence, where its header or its bytes are not as the contract
says; the others go on.
"""

import difflib
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from socare_spark.contracts.contract import (
    PERIOD_FORMS,
    Contract,
    financial_years,
    normalise_header,
    period_end,
)
from socare_spark.errors import DataError
from socare_spark.ingest.file_names import name_below, unusable_name
from socare_spark.ingest.file_profile import FileProfile, Head, profile_file, read_head, sha256_of
from socare_spark.ingest.format_diagnosis import wrong_header


@dataclass(frozen=True)
class LandedFile:
    """A file that a contract claims.

    Attributes:
        contract: The contract.
        path: The file.
        name: Its path below the landing folder, with forward slashes.
        period: As written in its name.
        part: Everything else its name tells apart within a period, but for the revision.
        revision: Order of corrected copies; 0 where the name holds none.
    """

    contract: Contract
    path: Path
    name: str
    period: str
    part: str
    revision: int

    @property
    def as_of(self) -> date:
        """The extract's day: the last of its period."""
        return period_end(self.period)

    @property
    def extract(self) -> date | None:
        """The extract's day; None where its name holds none."""
        try:
            return self.as_of
        except ValueError:
            return None

    @property
    def identity(self) -> tuple[str, str, str]:
        """What a corrected file has in common with the one it replaces."""
        return (self.contract.name, str(self.as_of), self.part)

    @property
    def encoding(self) -> str:
        """The encoding declared for its period."""
        return self.contract.encoding_of(self.period)


@dataclass(frozen=True)
class ReadableFile:
    """An arrival that can be read: what was seen of it and which field each column is.

    Attributes:
        landed: The file.
        profile: What one look at its bytes found.
        columns: For each column of the header the field it is, or None.
        dropped: Headers that no field claims, each with a field it resembles or an empty text.
    """

    landed: LandedFile
    profile: FileProfile
    columns: tuple[str | None, ...]
    dropped: Mapping[str, str]


@dataclass(frozen=True)
class RefusedFile:
    """An arrival that cannot be read, and why."""

    landed: LandedFile
    sha256: str
    reason: str

    @property
    def key(self) -> tuple[str, str, str]:
        """File, digest and reason: the same refusal again is no news."""
        return (self.landed.name, self.sha256, self.reason)


def discover_files(
    landing: Path, contract: Contract
) -> tuple[list[LandedFile], list[RefusedFile], list[str]]:
    """The files a contract claims, by period; of corrected copies only the newest.

    Returns:
        The files; those whose names alone refuse them: no period, no revision, or the period of
        another file; and the names of older copies.
    """
    found: dict[tuple[str, str, str], list[LandedFile]] = defaultdict(list)
    refused: list[RefusedFile] = []
    pattern = re.compile(contract.socare.files)
    paths = sorted(p for p in landing.rglob("*") if p.is_file())
    claimed = [
        (p, m.groupdict()) for p in paths if (m := pattern.fullmatch(name_below(landing, p)))
    ]
    years = financial_years(groups["period"] or "" for _, groups in claimed)
    for path, groups in claimed:
        landed = _landed_file(contract, landing, path, groups, years)
        if isinstance(landed, RefusedFile):
            refused.append(landed)
        else:
            found[landed.identity].append(landed)
    newest: list[LandedFile] = []
    older: list[str] = []
    for _, copies in sorted(found.items()):
        best = max(a.revision for a in copies)
        rivals = [a for a in copies if a.revision == best]
        older += [a.name for a in copies if a.revision < best]
        newest += rivals if len(rivals) == 1 else []
        refused += _refuse_rivals(rivals) if len(rivals) > 1 else []
    linked = _linked_files(newest)
    return [a for a in newest if a not in linked], [*refused, *_refuse_aliases(linked)], older


def _landed_file(
    contract: Contract,
    landing: Path,
    path: Path,
    groups: Mapping[str, str | None],
    financial: Collection[str],
) -> LandedFile | RefusedFile:
    period, revision = groups["period"] or "", groups.get("revision") or "0"
    others = sorted((k, v) for k, v in groups.items() if k not in ("period", "revision") and v)
    part = "|".join(f"{k}={v}" for k, v in others)
    whole = revision.isdecimal()
    name = name_below(landing, path)
    landed = LandedFile(contract, path, name, period, part, int(revision) if whole else 0)
    unusable = unusable_name(landing, path)
    if unusable:
        return _refuse(landed, unusable)
    if period in financial:
        return _refuse(
            landed,
            "the periods in the names of the dataset's files look like financial years (2011-12), "
            f"and a period is {PERIOD_FORMS}: write its last day in the name, 2012-03-31 for a "
            "financial year or 2011-12-31 for a month",
        )
    if landed.extract is None:
        return _refuse(
            landed,
            f"the period in its name is not {PERIOD_FORMS}: rename the file, or correct "
            f"socare.files of the contract {contract.name}",
        )
    if not whole:
        return _refuse(landed, "the revision in its name is not a whole number: rename the file")
    return landed


def _refuse_rivals(rivals: Sequence[LandedFile]) -> list[RefusedFile]:
    names = " and ".join(a.name for a in rivals)
    reason = f"{names} claim the same period: keep one of them in the landing folder"
    return [_refuse(landed, reason) for landed in rivals]


def _linked_files(files: Sequence[LandedFile]) -> list[LandedFile]:
    """The files that are one through links; no reader could tell their rows apart."""
    targets = Counter(file.path.resolve() for file in files)
    return [file for file in files if targets[file.path.resolve()] > 1]


def _refuse_aliases(files: Sequence[LandedFile]) -> list[RefusedFile]:
    names = " and ".join(file.name for file in files)
    reason = f"{names} are one file through links: keep one name, or copies"
    return [_refuse(file, reason) for file in files]


def _refuse(landed: LandedFile, reason: str) -> RefusedFile:
    try:
        return RefusedFile(landed, sha256_of(landed.path), reason)
    except OSError:
        return RefusedFile(landed, "", reason)


def inspect_file(landed: LandedFile) -> ReadableFile | RefusedFile:
    """Looks at a file and matches its header; never raises for what is wrong with it."""
    contract, delimiter = landed.contract, landed.contract.dialect.delimiter
    try:
        head = read_head(landed.path, landed.encoding, delimiter)
        columns, dropped = _match_columns(head, contract, landed.period)
        fields = [None if c is None else contract.field(c) for c in columns]
        profile = profile_file(landed.path, landed.encoding, delimiter, fields)
    except DataError as error:
        return _refuse(landed, str(error))
    except OSError as error:
        return RefusedFile(
            landed, "", f"it cannot be read ({error.strerror}): check its permissions and disk"
        )
    except Exception as error:
        # Whatever a library makes of its bytes is this file's fault alone; texts may quote cells.
        return _refuse(landed, f"it cannot be read ({type(error).__name__}): ask for it again")
    return ReadableFile(landed, profile, columns, dropped)


def _match_columns(
    head: Head, contract: Contract, period: str
) -> tuple[tuple[str | None, ...], dict[str, str]]:
    try:
        return match_header(head.header, contract, period)
    except DataError:
        known = contract.spellings_of(period)
        reason = wrong_header(head.text, contract.dialect.delimiter, known)
        if reason:
            raise DataError(reason) from None
        raise


def match_header(
    header: Iterable[str], contract: Contract, period: str
) -> tuple[tuple[str | None, ...], dict[str, str]]:
    """Which field each column is, by name, and which columns no field claims.

    Raises:
        DataError: a column that is not optional is lacking, or one is there twice.
    """
    known = contract.spellings_of(period)
    columns = tuple(known.get(normalise_header(name)) for name in header)
    taken = [c for c in columns if c is not None]
    doubled = sorted({c for c in taken if taken.count(c) > 1})
    if doubled:
        raise DataError(
            f"its header has the column {', '.join(doubled)} more than once: ask for the file "
            "again with each column once"
        )
    lost = [f for f in contract.fields if f.name not in taken]
    unknown = [name for name, column in zip(header, columns, strict=True) if column is None]
    dropped = {name: _closest_name(name, [f.name for f in lost]) for name in unknown}
    if not taken:
        raise DataError(
            "its first line names no column of the contract, so it seems to have no header: ask "
            "for the file again with its header"
        )
    needed = [f.name for f in lost if contract.is_read(f) and not f.may_lack(period)]
    if needed:
        raise DataError(_missing_columns_message(needed, dropped))
    return columns, dropped


def _closest_name(header: str, names: Sequence[str]) -> str:
    by_plain = {normalise_header(name): name for name in names}
    close = difflib.get_close_matches(normalise_header(header), list(by_plain), n=1, cutoff=0.75)
    return by_plain[close[0]] if close else ""


def _missing_columns_message(needed: Sequence[str], dropped: Mapping[str, str]) -> str:
    hints = [f"'{head}' looks like {name}" for head, name in dropped.items() if name in needed]
    hint = f" ({'; '.join(hints)})" if hints else ""
    return (
        f"its header lacks the column {', '.join(needed)}{hint}, which the contract declares: "
        "declare the spelling under socare.spellings, or optional: true under socare of a column "
        "that files may lack, or ask for the file again"
    )
