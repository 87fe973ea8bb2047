"""Warnings about files that are readable but unusual."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date

from socare_spark.contracts.contract import Contract
from socare_spark.contracts.encodings import UTF_16
from socare_spark.ingest.discovery import ReadableFile
from socare_spark.plurals import counted, listed

# Columns named in a warning; the run record and the ledger name all of them.
_MAX_NAMED = 10


def file_warnings(contract: Contract, files: Sequence[ReadableFile]) -> list[str]:
    """Builds the warnings about the files of a dataset.

    The warnings cover undeclared columns, missing optional columns, skipped lines, files without a
    record, byte order marks that differ from the contract, mojibake, and periods in the future.

    Args:
        contract: The contract.
        files: The readable files.

    Returns:
        One sentence for each warning.
    """
    return [
        *_undeclared(contract, files),
        *_missing_optional(contract, files),
        *_skipped_lines(files),
        *_byte_order_marks(files),
        *_mojibake(files),
        *_future_periods(contract, files),
    ]


def _undeclared(contract: Contract, files: Sequence[ReadableFile]) -> list[str]:
    """One warning about all columns that the contract does not declare.

    A missing field of a similar name is named, because the column may be misspelled.
    """
    # A column without a name of an XML file is a field that no record has.
    is_xml = contract.format == "xml"
    noun = "element" if is_xml else "column"
    similar: dict[str, str] = {}
    for file in files:
        similar |= {
            head: like or similar.get(head, "")
            for head, like in file.dropped.items()
            if head.strip() or not is_xml
        }
    if not similar:
        return []
    names = [file.landed.name for file in files if file.dropped]
    if len(similar) == 1:
        ((head, like),) = similar.items()
        hint = f", which looks like {like}," if like else ""
        column = (
            f"the {noun} '{head}'{hint} is not in the contract and"
            if head.strip()
            else ("a column without a name")
        )
        return [f"{_first_and_count(names)}: {column} was not read."]
    columns = sorted(similar.items(), key=lambda column: not column[1])
    heads = [
        (f"'{head}'" if head.strip() else "one without a name")
        + (f" (looks like {like})" if like else "")
        for head, like in columns
    ]
    count = len(heads)
    where = (
        f"{names[0]}: {count} {noun}s"
        if len(names) == 1
        else (f"{contract.name}: {count} {noun}s of {len(names)} files")
    )
    return [f"{where} are not in the contract and were not read: {listed(heads, _MAX_NAMED)}."]


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
    """Lines that were skipped, and files without a record: one warning each."""
    descriptions = {
        "before": "before the header",
        "blank": "without a value",
        "header": "that repeat the header",
    }
    total: Counter[str] = Counter()
    skipped, empty = [], []
    for file in files:
        total.update(file.profile.skipped)
        if file.profile.skipped:
            skipped.append(file.landed.name)
        if not file.profile.records:
            empty.append(file.landed.name)
    counts = ", ".join(f"{n} {descriptions[kind]}" for kind, n in sorted(total.items()))
    messages = [f"{_first_and_count(skipped)}: lines were skipped ({counts})."] if skipped else []
    if empty:
        contains = "the file contains" if len(empty) == 1 else "the files contain"
        messages.append(f"{_first_and_count(empty)}: {contains} a header and no record.")
    return messages


def _byte_order_marks(files: Sequence[ReadableFile]) -> list[str]:
    """Files whose byte order mark differs from the declared encoding."""
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for file in files:
        declared, encoding = file.landed.encoding, file.profile.encoding
        # A file of another form was converted to UTF-8.
        converted = not file.landed.contract.is_plain
        if (
            encoding != declared
            and not converted
            and not (declared == "utf-16" and encoding in UTF_16)
        ):
            groups[declared, encoding].append(file.landed.name)
    return [
        f"{_first_and_count(names)}: read as {encoding}, which the byte order mark names, but the "
        f"contract declares {declared}: declare {encoding} for the period under socare.encodings."
        for (declared, encoding), names in groups.items()
    ]


def _mojibake(files: Sequence[ReadableFile]) -> list[str]:
    """Columns with cells that their source decoded wrongly."""
    cells: Counter[str] = Counter()
    names: dict[str, list[str]] = defaultdict(list)
    for file in files:
        cells.update(file.profile.mojibake)
        for column in file.profile.mojibake:
            names[column].append(file.landed.name)
    return [
        f"{_first_and_count(names[column])}: the column {column} has {counted(count, 'cell')} that "
        "the source decoded with a wrong encoding (for example, one accented letter became two "
        "characters). The text is kept unchanged: ask for the file again, exported with the right "
        "encoding."
        for column, count in sorted(cells.items())
    ]


def _future_periods(contract: Contract, files: Sequence[ReadableFile]) -> list[str]:
    """A warning about files whose period begins after today."""
    today = date.today()
    names = [
        file.landed.name for file in files if contract.calendar.days(file.landed.period)[0] > today
    ]
    if not names:
        return []
    return [
        f"{_first_and_count(names)}: the period in the name is in the future. Records are followed "
        "to its last day: rename the file with the day on which its data end."
    ]


def _first_and_count(names: Sequence[str]) -> str:
    """The first name and the number of other files."""
    others = len(names) - 1
    return names[0] + (f" and {counted(others, 'more file')}" if others else "")
