"""Finds files whose records two contracts read."""

from collections import defaultdict
from collections.abc import Collection, Iterable

from socare_spark.contracts.contract import Contract
from socare_spark.plurals import listed

# Files named in a warning.
_MAX_NAMED = 5


def shared_file_warnings(claims: Iterable[tuple[Contract, Collection[str]]]) -> list[str]:
    """Builds a warning for each group of contracts that read the same records of files.

    Contracts of different sheets of a workbook, or of different elements of an XML file, read
    different records.

    Args:
        claims: Contracts, each with the names of the files that match its `socare.files`.
    """
    readers: dict[tuple[str, object], list[str]] = defaultdict(list)
    for contract, files in claims:
        for file in files:
            readers[file, _records_of(contract)].append(contract.name)
    groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for (file, _), names in readers.items():
        if len(names) > 1:
            groups[tuple(names)].append(file)
    return [
        f"{listed(sorted(files), _MAX_NAMED)}: the contracts {' and '.join(names)} read the same "
        "records: make socare.files of one of them narrower if this is not intended."
        for names, files in groups.items()
    ]


def _records_of(contract: Contract) -> tuple[object, ...]:
    xml, dialect = contract.socare.xml, contract.dialect
    return (dialect.sheet_name, dialect.sheet_number, xml.record if xml else None)
