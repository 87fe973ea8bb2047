"""Sentences about unusual features of files that are read."""

from collections import defaultdict
from collections.abc import Sequence

from socare_spark.contracts.contract import UTF_16, Contract
from socare_spark.ingest.discovery import ReadableFile

# Names in a sentence; the run record and the ledger have all.
_NAMED = 10


def file_warnings(contract: Contract, files: Sequence[ReadableFile]) -> list[str]:
    """Describes the unusual features of the files of a dataset.

    Args:
        contract: The contract.
        files: Its files that can be read.
    """
    return [
        *_undeclared(files),
        *_absent(contract, files),
        *_passed_over(files),
        *_marked(files),
        *_mojibake(files),
    ]


def _undeclared(files: Sequence[ReadableFile]) -> list[str]:
    """The columns that no contract names, one sentence for the files that have the same ones."""
    groups: dict[tuple[tuple[str, str], ...], list[str]] = defaultdict(list)
    for file in files:
        if file.dropped:
            groups[tuple(file.dropped.items())].append(file.landed.name)
    return [f"{_some(names)}: {_unread(columns)}." for columns, names in groups.items()]


def _unread(columns: Sequence[tuple[str, str]]) -> str:
    """Names columns that were not read, each with the field that it resembles."""
    if len(columns) > 1:
        heads = [f"'{head}'" + (f" (looks like {like})" if like else "") for head, like in columns]
        count = len(columns)
        return f"{count} columns are in no contract and were not read: {_listed(heads)}"
    ((head, like),) = columns
    if not head.strip():
        return "a column without a name was not read"
    hint = f", which looks like {like}," if like else ""
    return f"the column '{head}'{hint} is in no contract and was not read"


def _absent(contract: Contract, files: Sequence[ReadableFile]) -> list[str]:
    """The optional columns that files lack, one sentence for the files that lack the same ones."""
    groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for file in files:
        lost = (f for f in contract.fields if f.name not in file.columns and contract.is_read(f))
        groups[tuple(field.name for field in lost)].append(file.landed.name)
    groups.pop((), None)
    return [
        f"{_some(names)}: the optional column {lost[0]} is not there."
        if len(lost) == 1
        else f"{_some(names)}: {len(lost)} optional columns are not there: {', '.join(lost)}."
        for lost, names in groups.items()
    ]


def _passed_over(files: Sequence[ReadableFile]) -> list[str]:
    """Lines that were not counted as records, and files without a record."""
    words = {
        "before": "before the header",
        "blank": "without a value",
        "header": "that repeat the header",
    }
    sentences = []
    for file in files:
        counts = [f"{n} {words[kind]}" for kind, n in sorted(file.profile.passed_over.items())]
        if counts:
            sentences.append(f"{file.landed.name}: lines were passed over ({', '.join(counts)}).")
        if not file.profile.records:
            sentences.append(f"{file.landed.name}: it holds a header and no record.")
    return sentences


def _marked(files: Sequence[ReadableFile]) -> list[str]:
    """Files whose byte order mark names another encoding than the contract."""
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for file in files:
        declared, found = file.landed.encoding, file.profile.encoding
        if found != declared and not (declared == "utf-16" and found in UTF_16):
            groups[declared, found].append(file.landed.name)
    return [
        f"{_some(names)}: read as {found}, which the byte order mark names, although the contract "
        f"declares {declared}: declare {found} for the period under socare.encodings."
        for (declared, found), names in groups.items()
    ]


def _mojibake(files: Sequence[ReadableFile]) -> list[str]:
    """Columns with text that their source decoded wrongly."""
    return [
        f"{file.landed.name}: the column {column} has {count} cells that their source decoded "
        "with a wrong encoding (for instance, one letter with an accent has become two signs). "
        "They are kept as they are: ask for the file again, exported with the right encoding."
        for file in files
        for column, count in sorted(file.profile.mojibake.items())
    ]


def _some(names: Sequence[str]) -> str:
    """The first of some files, and how many more there are."""
    more = len(names) - 1
    return names[0] + (f" and {more} more file{'s' * (more > 1)}" if more else "")


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
