"""The findings on a dataset as text. It has names of columns and files, and no value of a cell."""

from collections.abc import Iterator, Sequence

from socare_spark.contracts.header_names import normalise_header
from socare_spark.onboarding.candidate_keys import Keys
from socare_spark.onboarding.column_facts import PERSONAL
from socare_spark.onboarding.dataset import Dataset, DatasetColumn
from socare_spark.onboarding.file_periods import depends_on_years
from socare_spark.onboarding.source_table import SourceTable
from socare_spark.plurals import counted, listed

_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_MAX_NAMED = 12
_MAX_WIDTH = 34


def findings_text(dataset: Dataset) -> str:
    """The findings on the files and the columns of a dataset."""
    lines = [line for path, table in dataset.tables.items() for line in _file_lines(path, table)]
    lines += ["", *_column_lines(dataset)]
    lines += ["", *_key_lines(dataset), *_period_lines(dataset), *_difference_lines(dataset)]
    return "\n".join(lines).rstrip() + "\n"


def _file_lines(path: str, table: SourceTable) -> Iterator[str]:
    width = max([len(table.header.names), *(c.position for c in table.columns)], default=0)
    parts = [
        counted(table.rows, "row"),
        counted(width, "column"),
        *_form(table),
        _header_text(table),
    ]
    yield f"{path}: {', '.join(part for part in parts if part)}"
    if table.is_sampled:
        yield (
            f"  The rows are counted over the whole file. All other facts are from the first "
            f"{counted(table.sampled, 'row')}."
        )
    if not table.header.certain:
        yield (
            f"  It is not certain whether the file has a header: {table.header.reason}. Set it "
            "with --header NUMBER or --header none. Names of columns are not shown until then."
        )
    odd_rows, notes = table.odd_rows - table.footers, table.notes + table.footers
    if odd_rows:
        yield (
            f"  Rows with another number of cells than the header: {odd_rows:,} (reason row_shape)."
        )
    if notes:
        yield (
            f"  Rows at the end that are probably totals or notes: {notes:,}. They are "
            "not among the facts below."
        )
    if table.units:
        yield (
            f"  Rows below the header with units or further names: {table.units:,}. They are not "
            "among the facts below."
        )
    if table.merged:
        yield (
            f"  Groups of cells that are merged over several rows: {table.merged:,}. Only the "
            "first row of each has the value."
        )
    others = [repr(name) for name in table.sheets if name != table.sheet]
    if others and table.sheet:
        yield f"  Other sheets with cells (--sheet NAME): {_listed(others)}."
    if table.repeated:
        yield (
            "  Elements that repeat within a record, and are not columns (--record PATH): "
            f"{_listed(table.repeated)}."
        )
    known = {*table.repeated, table.xml.record if table.xml is not None else ""}
    paths = [p for p in table.record_paths if p not in known]
    if paths:
        yield f"  Other elements that can be records (--record PATH): {_listed(paths)}."
    unnamed = [c.position for c in table.columns if not c.is_named]
    if unnamed:
        yield (
            f"  Columns without a letter or digit in their name: {_listed([*map(str, unnamed)])}. "
            "They are not read."
        )
    for problem in table.problems:
        yield f"  ingest would refuse the file: {problem}."


def _form(table: SourceTable) -> list[str]:
    if table.xml is not None:
        return [f"xml, a record is {table.xml.record}"]
    if table.layout is None:
        return [table.format, f"sheet {table.sheet!r}" if table.sheet else ""]
    layout = table.layout
    encoding = f"{table.encoding} (ASCII only)" if table.ascii_only else table.encoding
    parts = [encoding, f"delimiter {_DELIMITERS[layout.delimiter]}"]
    parts += [f"quote {layout.quote}"] if layout.quote != '"' else []
    parts += [f"escape {layout.escape}"] if layout.escape else []
    parts += ["a delimiter at the end of each row"] if layout.trailing else []
    return parts


def _header_text(table: SourceTable) -> str:
    row = table.header.row
    if table.xml is not None:
        return ""
    if row is None:
        return "no header"
    return f"header in row {row}"


def _column_lines(dataset: Dataset) -> Iterator[str]:
    head = ("column", "type", "missing", "distinct", "findings")
    rows = [head, *map(_cells, dataset.columns)]
    widths = [min(max(len(row[i]) for row in rows), _MAX_WIDTH) for i in range(len(head) - 1)]
    for row in rows:
        cells = [
            cell.rjust(width) if i in (2, 3) else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=False))
        ]
        yield "  ".join([*cells, row[-1]]).rstrip()


def _cells(column: DatasetColumn) -> tuple[str, ...]:
    missing = (column.rows - column.filled) / column.rows if column.rows else 0.0
    distinct = column.distinct / column.filled if column.filled else 0.0
    return (
        column.name,
        column.type.name,
        _percent(missing),
        _percent(distinct),
        "; ".join(_column_findings(column)),
    )


def _percent(share: float) -> str:
    """A share in per cent; only no row and all rows have 0 and 100."""
    percent = 100 * share
    if 0 < percent < 0.1:
        return "<0.1 %"
    if 99.9 < percent < 100:
        return ">99.9 %"
    return f"{percent:.0f} %" if percent in (0, 100) or percent >= 10 else f"{percent:.1f} %"


def _column_findings(column: DatasetColumn) -> Iterator[str]:
    if column.role:
        yield f"{column.role}{' (personal)' if column.role in PERSONAL else ''}"
    if column.type.formats:
        yield " and ".join(column.type.formats)
    missing = [text or "empty" for text in column.type.missing]
    if missing and (missing != ["empty"]):
        yield f"missing: {', '.join(missing)}"
    keys = {k: v for k, v in column.type.keys.items() if k != "bareNumber"}
    for key, value in {**keys, **column.type.treatment}.items():
        yield f"{key} {value!r}" if not isinstance(value, list) else f"{key} {', '.join(value)}"
    if column.type.mismatches:
        yield f"{counted(column.type.mismatches, 'row')} of another type"
    yield from column.type.doubts
    if not column.filled:
        yield "no value"


def _key_lines(dataset: Dataset) -> Iterator[str]:
    common = dataset.common_keys
    if common:
        part = " (of the rows that were read)" if dataset.is_sampled else ""
        yield f"Candidate keys{part}: {'; '.join(' + '.join(key) for key in common[:_MAX_NAMED])}"
    else:
        yield "Candidate keys: none of one or two columns"
        for path, keys in dataset.keys.items():
            if keys.nearest and keys.repeats:
                yield (
                    f"  {path}: {keys.nearest} has the most different values, and repeats in "
                    f"{counted(keys.repeats, 'row')}"
                )
    yield from (_equal_rows(path, keys) for path, keys in dataset.keys.items() if keys.equal_rows)


def _equal_rows(path: str, keys: Keys) -> str:
    return f"  {path}: rows that equal another row in all columns: {keys.equal_rows:,}"


def _period_lines(dataset: Dataset) -> Iterator[str]:
    names = dataset.names
    if names.periods:
        periods = list(dict.fromkeys(names.periods.values()))
        ends = "years end on 31 March" if names.year_ends else "calendar years"
        # Days and months are the same in all years.
        text = f" ({ends})" if names.year_ends or any(map(depends_on_years, periods)) else ""
        yield f"Periods: {_listed(periods)}{text}"
    yield from (f"  {doubt[0].upper()}{doubt[1:]}." for doubt in names.doubts if len(names.periods))
    yield from (f"  {problem}." for problem in names.problems[:_MAX_NAMED])
    if len(names.problems) > _MAX_NAMED:
        more = len(names.problems) - _MAX_NAMED
        yield f"  The same holds for {counted(more, 'more file')}."


def _difference_lines(dataset: Dataset) -> Iterator[str]:
    for first, second in dataset.alternatives:
        yield f"Each file has either {first} or {second}, which can be one column"
    for column in dataset.columns:
        if column.repeated and normalise_header(column.header) != normalise_header(column.name):
            yield f"The name {column.header!r} repeats: {column.name} is column {column.position}"
            continue
        for path, spelling in column.spellings.items():
            yield f"{path}: the column {column.name} is probably spelled {spelling!r}"
        if column.absent:
            yield f"The column {column.name} is absent from {_listed([*column.absent])}"


def _listed(texts: Sequence[str]) -> str:
    return listed(texts, _MAX_NAMED)
