"""Warnings about files that are readable but unusual."""

from collections import defaultdict
from collections.abc import Sequence

from socare_spark.contracts.contract import UTF_16, Contract
from socare_spark.ingest.discovery import ReadableFile

# Columns named in a warning; the run record and the ledger name all of them.
_MAX_NAMED = 10


def file_warnings(contract: Contract, files: Sequence[ReadableFile]) -> list[str]:
    """Builds the warnings about the files of a dataset.

    The warnings cover undeclared columns, missing optional columns, skipped lines, files without a
    record, byte order marks that differ from the contract, and mojibake.

    Args:
        contract: The contract.
        files: The readable files.

    Returns:
        One sentence for each warning.
    """
    return [
        *_undeclared(files),
        *_missing_optional(contract, files),
        *_skipped_lines(files),
        *_byte_order_marks(files),
        *_mojibake(files),
    ]


def _undeclared(files: Sequence[ReadableFile]) -> list[str]:
    """Columns that the contract does not declare, one warning for all files with the same ones."""
    groups: dict[tuple[tuple[str, str], ...], list[str]] = defaultdict(list)
    for file in files:
        if file.dropped:
            groups[tuple(file.dropped.items())].append(file.landed.name)
    return [
        f"{_first_and_count(names)}: {_undeclared_message(columns)}."
        for columns, names in groups.items()
    ]


def _undeclared_message(columns: Sequence[tuple[str, str]]) -> str:
    """Names undeclared columns, each with the missing field of a similar name."""
    if len(columns) > 1:
        heads = [f"'{head}'" + (f" (looks like {like})" if like else "") for head, like in columns]
        count = len(columns)
        return f"{count} columns are not in the contract and were not read: {_join_names(heads)}"
    ((head, like),) = columns
    if not head.strip():
        return "a column without a name was not read"
    hint = f", which looks like {like}," if like else ""
    return f"the column '{head}'{hint} is not in the contract and was not read"


def _missing_optional(contract: Contract, files: Sequence[ReadableFile]) -> list[str]:
    """Missing optional columns, one warning for all files that lack the same ones."""
    groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for file in files:
        missing = (f for f in contract.fields if f.name not in file.columns and contract.is_read(f))
        groups[tuple(field.name for field in missing)].append(file.landed.name)
    groups.pop((), None)
    return [
        f"{_first_and_count(names)}: the optional column {missing[0]} is missing."
        if len(missing) == 1
        else f"{_first_and_count(names)}: {len(missing)} optional columns are missing: "
        f"{', '.join(missing)}."
        for missing, names in groups.items()
    ]


def _skipped_lines(files: Sequence[ReadableFile]) -> list[str]:
    """Lines that were skipped, and files without a record."""
    descriptions = {
        "before": "before the header",
        "blank": "without a value",
        "header": "that repeat the header",
    }
    messages = []
    for file in files:
        counts = [f"{n} {descriptions[kind]}" for kind, n in sorted(file.profile.skipped.items())]
        if counts:
            messages.append(f"{file.landed.name}: lines were skipped ({', '.join(counts)}).")
        if not file.profile.records:
            messages.append(f"{file.landed.name}: the file contains a header and no record.")
    return messages


def _byte_order_marks(files: Sequence[ReadableFile]) -> list[str]:
    """Files whose byte order mark differs from the declared encoding."""
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for file in files:
        declared, encoding = file.landed.encoding, file.profile.encoding
        if encoding != declared and not (declared == "utf-16" and encoding in UTF_16):
            groups[declared, encoding].append(file.landed.name)
    return [
        f"{_first_and_count(names)}: read as {encoding}, which the byte order mark names, but the "
        f"contract declares {declared}: declare {encoding} for the period under socare.encodings."
        for (declared, encoding), names in groups.items()
    ]


def _mojibake(files: Sequence[ReadableFile]) -> list[str]:
    """Columns with cells that their source decoded wrongly."""
    return [
        f"{file.landed.name}: the column {column} has {count} cells that their source decoded "
        "with a wrong encoding (for example, one accented letter became two characters). They are "
        "kept unchanged: ask for the file again, exported with the right encoding."
        for file in files
        for column, count in sorted(file.profile.mojibake.items())
    ]


def _first_and_count(names: Sequence[str]) -> str:
    """The first name and the number of other files."""
    others = len(names) - 1
    return names[0] + (f" and {others} more file{'s' * (others > 1)}" if others else "")


def _join_names(names: Sequence[str]) -> str:
    others = len(names) - _MAX_NAMED
    return ", ".join(names[:_MAX_NAMED]) + (f" and {others} more" if others > 0 else "")
