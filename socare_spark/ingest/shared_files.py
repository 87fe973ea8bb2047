"""Finds files whose records two contracts read."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from socare_spark.contracts.contract import Contract
from socare_spark.contracts.dialect import WORKBOOKS
from socare_spark.errors import DataError
from socare_spark.ingest.workbooks import sheet_names
from socare_spark.plurals import listed

# Files named in a warning.
_MAX_NAMED = 5


def shared_file_warnings(
    claims: Iterable[tuple[Contract, Collection[str]]], landing: Path
) -> list[str]:
    """Builds a warning for each group of contracts that read the same records of files.

    Contracts of different sheets of a workbook, or of different elements of an XML file, read
    different records.

    Args:
        claims: Contracts, each with the names of the files that match its `socare.files`.
        landing: The landing folder.
    """
    contracts: dict[str, list[Contract]] = defaultdict(list)
    for contract, files in claims:
        for file in files:
            contracts[file].append(contract)
    groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for file, claiming in contracts.items():
        for names in _readers_of_same(landing / file, claiming):
            groups[names].append(file)
    return [
        f"{listed(sorted(files), _MAX_NAMED)}: the contracts {' and '.join(names)} read the same "
        "records: make socare.files of one of them narrower if this is not intended."
        for names, files in groups.items()
    ]


def _readers_of_same(path: Path, contracts: Sequence[Contract]) -> list[tuple[str, ...]]:
    """Groups of contracts that read the same records of a file."""
    sheets = _sheets(path, contracts)
    readers: dict[object, list[str]] = defaultdict(list)
    for contract in contracts:
        xml = contract.socare.xml
        readers[sheets[contract.name], xml.record if xml else None].append(contract.name)
    return [tuple(names) for names in readers.values() if len(names) > 1]


def _sheets(path: Path, contracts: Sequence[Contract]) -> Mapping[str, object]:
    """Contract -> the sheet of a workbook that it reads.

    The workbook is read only if the contracts declare its sheets in different ways.
    """
    declared = {c.name: (c.dialect.sheet_name, c.dialect.sheet_number) for c in contracts}
    ways = {(name is None, number is None) for name, number in declared.values()}
    format_ = next((c.format for c in contracts if c.format in WORKBOOKS), None)
    if len(ways) == 1 or format_ is None:
        return declared
    try:
        found = sheet_names(path, format_, [contract.dialect for contract in contracts])
    except (DataError, OSError):
        # Ingest refuses the file.
        return declared
    return {
        contract.name: name or declared[contract.name]
        for contract, name in zip(contracts, found, strict=True)
    }
