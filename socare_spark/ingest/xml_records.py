"""Records of an XML file, such as the returns SSDA903 and CIN census.

An element of a declared path is a record. Its values are the texts of elements below it, of
elements of the elements above it, and of attributes. Namespaces do not count.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from socare_spark.contracts.dialect import XmlRecords
from socare_spark.errors import DataError
from socare_spark.ingest.csv_records import byte_stream, chunks
from socare_spark.plurals import agreeing, counted

_UP = ".."
_SELF = "."
_ATTRIBUTE = "@"


@dataclass(frozen=True)
class _Path:
    """The path of a field.

    Attributes:
        height: Number of elements above a record at which the path begins.
        parts: Names of elements below it, and at most one attribute at the end. Without any, the
            value is the text of the element itself.
    """

    height: int
    parts: Sequence[str]

    @staticmethod
    def of(text: str) -> "_Path":
        """The path that a contract declares."""
        parts = [] if text == _SELF else text.split("/")
        height = parts.count(_UP)
        return _Path(height, parts[height:])

    @property
    def elements(self) -> Sequence[str]:
        """Names of the elements."""
        return [part for part in self.parts if not part.startswith(_ATTRIBUTE)]


# Texts of the fields whose paths begin at an element.
Values = dict[str, list[str]]


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
    records = _Records(
        declared.record.split("/"),
        {name: _Path.of(declared.fields.get(name, name)) for name in names},
    )
    body = target.with_suffix(".body")
    with body.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        for own in records.read(source):
            writer.writerow((own.get(name) or [""])[0] for name in names)
    found = records.found
    if not found:
        body.unlink()
        raise DataError(
            f"{counted(len(records.above), 'record')} {declared.record} "
            f"{agreeing(len(records.above), 'has', 'have')} none of the declared fields: "
            "declare the path of a record from the root element as socare.xml.record, and of each "
            "field under socare.xml.fields"
        )
    with (
        target.open("w", encoding="utf-8", newline="") as file,
        body.open(encoding="utf-8", newline="") as rows,
    ):
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow([name if name in found else "" for name in names])
        for row, above in zip(csv.reader(rows), records.above, strict=True):
            values = {name: texts[0] for part in above for name, texts in part.items() if texts}
            writer.writerow(values.get(name, text) for name, text in zip(names, row, strict=True))
    body.unlink()
    read = {declared.fields.get(name, name) for name in names}
    return sorted(records.present - read)


class _Records:
    """Reads the records of an XML file. Memory holds one record, and the values above records.

    Attributes:
        above: For each record, the values of the elements above it. They are complete when these
            elements have ended, which can be after the record.
        found: Fields with a value or an empty element in at least one record.
        present: Paths of the attributes and of the elements without children of all records.
    """

    def __init__(self, record: Sequence[str], fields: Mapping[str, _Path]) -> None:
        self.above: list[tuple[Values, ...]] = []
        self.found: set[str] = set()
        self.present: set[str] = set()
        self._record = record
        self._fields = fields
        # Elements that fields need, by the depth at which their path begins.
        self._needed = [
            (len(record) - path.height, [*record[: len(record) - path.height], *path.elements])
            for path in fields.values()
            if path.height
        ]

    def read(self, source: Path) -> Iterator[Values]:
        """Yields the values of each record that are not above it.

        Raises:
            DataError: as `write_records`.
        """
        opened: list[Element] = []
        path: list[str] = []
        values: list[Values] = []
        for event, element in element_events(source):
            if event == "start":
                opened.append(element)
                path.append(local_name(element.tag))
                values.append({})
                if path == self._record:
                    self._begin(values)
                continue
            depth = len(path)
            for name in values[-1]:
                values[-1][name] = self._values(name, element)
            if path == self._record:
                self.present |= _leaves(element)
                yield values[-1]
            if depth > 1 and not self._is_kept(path):
                opened[-2].remove(element)
            opened.pop()
            path.pop()
            values.pop()

    def _begin(self, values: Sequence[Values]) -> None:
        """Begins a record, given the values of the open elements."""
        for name, declared in self._fields.items():
            values[-1 - declared.height].setdefault(name, [])
        heights = {path.height for path in self._fields.values()} - {0}
        self.above.append(tuple(values[-1 - height] for height in heights))

    def _is_kept(self, path: Sequence[str]) -> bool:
        """Whether an element is part of a record that has not ended, or a field needs it."""
        depth = len(path)
        if depth > len(self._record) and path[: len(self._record)] == self._record:
            return True
        return any(
            begin < depth and path[: len(needed)] == needed[:depth]
            for begin, needed in self._needed
        )

    def _values(self, name: str, element: Element) -> list[str]:
        texts = _texts(element, self._fields[name].parts)
        if len(texts) > 1:
            raise DataError(
                f"record {len(self.above)} has {len(texts)} values of {name}: declare the element "
                "that is repeated as socare.xml.record, or drop the field"
            )
        self.found.update([name] if texts else [])
        return texts


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
    except (LookupError, ValueError):
        raise DataError(
            "the file declares an encoding that is not supported: ask for the file again in UTF-8"
        ) from None


def local_name(name: str) -> str:
    """The name of an element or an attribute without its namespace."""
    return name.rpartition("}")[2]


def _texts(element: Element, parts: Sequence[str]) -> list[str]:
    """The texts at a path from an element.

    Raises:
        DataError: an element of the path has no text of its own.
    """
    elements = [element]
    for part in parts:
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
            f"the element {local_name(elements[0].tag)} contains other elements: declare the path "
            "of the element with the value under socare.xml.fields"
        )
    return ["".join(element.itertext()).strip() for element in elements]


def _leaves(record: Element, prefix: str = "") -> set[str]:
    """Paths of the attributes and of the elements without children of a record."""
    names = {f"{prefix}{_ATTRIBUTE}{local_name(name)}" for name in record.attrib}
    for child in record:
        path = f"{prefix}{local_name(child.tag)}"
        names |= _leaves(child, f"{path}/") if len(child) or child.attrib else {path}
    return names
