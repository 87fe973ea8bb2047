"""Finds the records of an XML file of unknown form and reads them into columns of text."""

import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv

from socare_spark.contracts.dialect import XmlRecords
from socare_spark.contracts.header_names import normalise_header
from socare_spark.errors import DataError
from socare_spark.ingest.xml_records import element_events, local_name, write_records
from socare_spark.onboarding.layout import Header
from socare_spark.onboarding.source_table import SourceTable, table_of

_MIN_FIELDS = 2
_MAX_LISTED = 8
# Path of the text of a record itself.
_SELF = "."
ElementPath = tuple[str, ...]


@dataclass
class _Elements:
    """The elements of a path.

    Attributes:
        count: Number of elements.
        most: Largest number of them in one element above.
        is_leaf: Whether no element contains other elements.
        attributes: Names of attributes.
    """

    count: int = 0
    most: int = 0
    is_leaf: bool = True
    attributes: set[str] = field(default_factory=set)


def read_xml_table(path: Path, record: str | None = None) -> SourceTable:
    """Reads the records of an XML file.

    The record is the repeated element with the most occurrences that has at least two values, or
    the given one. Its fields are the elements and attributes below it and below the elements above
    it that occur once.

    Args:
        path: The XML file.
        record: Path of the element of a record from the root element.

    Raises:
        DataError: the file has no such records. The message can follow the name of the file.
    """
    elements = _survey(path)
    candidates = _candidates(elements)
    chosen = tuple(record.split("/")) if record else next(iter(candidates), ())
    if chosen not in elements:
        listed = ", ".join("/".join(p) for p in [*candidates][:_MAX_LISTED]) or "none"
        raise DataError(
            f"the file has no records {record or ''}: set --record to the path of a repeated "
            f"element from the root element; repeated elements with values are {listed}"
        )
    repeated = ["/".join(p) for p in _repeated(elements, chosen)]
    fields = _fields(elements, chosen)
    declared = XmlRecords(record="/".join(chosen), fields=fields)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "records.csv"
        write_records(path, [*fields], declared, target)
        table = pa_csv.read_csv(
            target,
            read_options=pa_csv.ReadOptions(column_names=[*fields], skip_rows=1),
            parse_options=pa_csv.ParseOptions(newlines_in_values=True),
            convert_options=pa_csv.ConvertOptions(column_types=dict.fromkeys(fields, pa.string())),
        )
    own = {name: p for name, p in fields.items() if p != name}
    return table_of(
        table,
        Header(0, tuple(fields), True),
        path=path,
        format_="xml",
        xml=XmlRecords(record=declared.record, fields=own),
        records=["/".join(p) for p in candidates],
        repeated=repeated,
    )


def _survey(path: Path) -> Mapping[ElementPath, _Elements]:
    """Path -> elements of the path, in the order of the file."""
    elements: dict[ElementPath, _Elements] = defaultdict(_Elements)
    above: list[str] = []
    children: list[Counter[str]] = []
    for event, element in element_events(path):
        name = local_name(element.tag)
        if event == "start":
            above.append(name)
            found = elements[tuple(above)]
            found.count += 1
            found.attributes |= {local_name(each) for each in element.attrib}
            if children:
                children[-1][name] += 1
                elements[tuple(above[:-1])].is_leaf = False
            children.append(Counter())
            continue
        here = tuple(above)
        for child, count in children.pop().items():
            elements[*here, child].most = max(elements[*here, child].most, count)
        above.pop()
        element.clear()
    return elements


def _candidates(elements: Mapping[ElementPath, _Elements]) -> dict[ElementPath, int]:
    """Repeated elements with at least two values -> their number, the most frequent first."""
    counts = {
        path: found.count
        for path, found in elements.items()
        if found.most > 1 and len([*_values(elements, path)]) >= _MIN_FIELDS
    }
    return dict(sorted(counts.items(), key=lambda item: -item[1]))


def _values(elements: Mapping[ElementPath, _Elements], path: ElementPath) -> Iterator[ElementPath]:
    """Paths below an element of the values that occur at most once in it."""
    for attribute in sorted(elements[path].attributes):
        yield (f"@{attribute}",)
    depth = len(path)
    for below, found in elements.items():
        if below[:depth] != path or len(below) == depth:
            continue
        single = all(elements[below[:n]].most <= 1 for n in range(depth + 1, len(below) + 1))
        if not single:
            continue
        if found.is_leaf:
            yield below[depth:]
        if len(below) > depth:
            yield from ((*below[depth:], f"@{name}") for name in sorted(found.attributes))


def _repeated(
    elements: Mapping[ElementPath, _Elements], record: ElementPath
) -> Iterator[ElementPath]:
    """Paths of the elements that occur several times in a record."""
    depth = len(record)
    for path, found in elements.items():
        if path[:depth] == record and len(path) > depth and found.most > 1:
            yield path


def _fields(elements: Mapping[ElementPath, _Elements], record: ElementPath) -> dict[str, str]:
    """Field -> path from the element of a record."""
    paths: list[ElementPath] = [(_SELF,)] if elements[record].is_leaf else []
    paths += _values(elements, record)
    for height in range(1, len(record)):
        ancestor = record[:-height]
        inner = record[len(ancestor)]
        paths += [
            ("..",) * height + path for path in _values(elements, ancestor) if path[0] != inner
        ]
    fields: dict[str, str] = {}
    used: set[str] = set()
    for path in paths:
        parts = [part.lstrip("@") for part in path if part != ".."]
        parts = [record[-1]] if path == (_SELF,) else parts
        # The shortest end of the path that is no other field's name.
        names = ["_".join(parts[-n:]) for n in range(1, len(parts) + 1)]
        names += [f"{names[-1]}_{n}" for n in range(2, len(paths) + 2)]
        name = next(n for n in names if normalise_header(n) not in used)
        used.add(normalise_header(name))
        fields[name] = "/".join(path)
    return fields
