"""Records of an XML file, such as the returns SSDA903 and CIN census.

An element of a declared path is a record. Its values are the texts of elements below it, of
elements of the elements above it, and of attributes. Namespaces do not count.
"""

import csv
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from socare_spark.contracts.dialect import XmlRecords
from socare_spark.errors import DataError
from socare_spark.ingest.csv_records import byte_stream, chunks

_UP = ".."
_ATTRIBUTE = "@"


def write_records(
    source: Path, names: Sequence[str], declared: XmlRecords, target: Path
) -> list[str]:
    """Writes the records of an XML file as CSV.

    The header has the fields with a value or an empty element in at least one record.

    Args:
        source: The XML file.
        names: Names of the fields.
        declared: The elements of records and fields.
        target: The CSV file: UTF-8, RFC 4180, with commas.

    Returns:
        The paths of elements and attributes of records that no field reads, in alphabetical order.

    Raises:
        DataError: the file is not XML, it has no record, or a field has two values in a record.
    """
    paths = {name: declared.fields.get(name, name).split("/") for name in names}
    found: set[str] = set()
    present: set[str] = set()
    read = {"/".join(path) for path in paths.values()}
    count = 0
    body = target.with_suffix(".body")
    with body.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        for ancestors in _records(source, declared.record.split("/"), _height(paths)):
            count += 1
            row = []
            for name, path in paths.items():
                values = _values(ancestors, path)
                if len(values) > 1:
                    raise DataError(
                        f"record {count} has {len(values)} values of {name}: declare the element "
                        "that is repeated as socare.xml.record, or drop the field"
                    )
                found.update([name] if values else [])
                row.append(values[0] if values else "")
            writer.writerow(row)
            present |= _leaves(ancestors[-1])
    if not found:
        body.unlink()
        raise DataError(
            f"{count} records {declared.record} have none of the declared fields: declare the path "
            "of a record from the root element as socare.xml.record, and of each field under "
            "socare.xml.fields"
        )
    _join(target, body, names, found)
    return sorted(present - read)


def _join(target: Path, body: Path, names: Sequence[str], found: set[str]) -> None:
    """Writes the header and then the records. Fields of no record have an empty name."""
    with (
        target.open("w", encoding="utf-8", newline="") as file,
        body.open(encoding="utf-8", newline="") as records,
    ):
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow([name if name in found else "" for name in names])
        shutil.copyfileobj(records, file)
    body.unlink()


def _height(paths: Mapping[str, Sequence[str]]) -> int:
    """The number of elements above a record that its fields need."""
    return max(path.count(_UP) for path in paths.values())


def _records(source: Path, path: Sequence[str], height: int) -> Iterator[list[Element]]:
    """Yields each record with the elements above it, the record last.

    A record is complete when the highest element that its fields need has ended. The element is
    then removed, so that memory holds one of them at a time.
    """
    above: list[Element] = []
    anchor_depth = len(path) - height
    pending: list[list[Element]] = []
    for event, element in element_events(source):
        if event == "start":
            above.append(element)
            if len(above) == len(path) and [local_name(e.tag) for e in above] == path:
                pending.append([*above])
            continue
        depth = len(above)
        above.pop()
        if depth == anchor_depth:
            yield from pending
            pending = []
        if depth <= anchor_depth and above:
            above[-1].remove(element)


def element_events(source: Path) -> Iterator[tuple[str, Element]]:
    """Yields `start` or `end` with each element of an XML file.

    Raises:
        DataError: the file is not XML, or it declares entities.
    """
    try:
        yield from iterparse(byte_stream(chunks(source)), events=("start", "end"))
    except ParseError as error:
        line, _ = error.position
        raise DataError(
            f"the file is not well-formed XML (line {line}): ask for the file again"
        ) from None
    except DefusedXmlException:
        raise DataError(
            "the file declares entities, which are not read: ask for the file without them"
        ) from None


def local_name(name: str) -> str:
    """The name of an element or an attribute without its namespace."""
    return name.rpartition("}")[2]


def _values(ancestors: Sequence[Element], path: Sequence[str]) -> list[str]:
    """The texts at a path from the last of some nested elements.

    Raises:
        DataError: an element of the path has no text of its own.
    """
    height = path.count(_UP)
    elements = [ancestors[-1 - height]]
    for part in path[height:]:
        if part.startswith(_ATTRIBUTE):
            return [
                text
                for element in elements
                for name, text in element.attrib.items()
                if local_name(name) == part[1:]
            ]
        elements = [child for e in elements for child in e if local_name(child.tag) == part]
    if any(len(element) for element in elements):
        raise DataError(
            f"the element {path[-1]} contains other elements: declare the path of the element with "
            "the value under socare.xml.fields"
        )
    return ["".join(element.itertext()).strip() for element in elements]


def _leaves(record: Element, prefix: str = "") -> set[str]:
    """Paths of the attributes and of the elements without children of a record."""
    names = {f"{prefix}{_ATTRIBUTE}{local_name(name)}" for name in record.attrib}
    for child in record:
        path = f"{prefix}{local_name(child.tag)}"
        names |= _leaves(child, f"{path}/") if len(child) or child.attrib else {path}
    return names
