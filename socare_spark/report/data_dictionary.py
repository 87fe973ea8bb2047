"""The data dictionary: description, columns, source and example rows of each table.

Descriptions come from the declarations of the tables, and for tables of contracts from the lake.
The examples are the first rows of a lake of the synthetic study.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from socare_spark.analysis import Job
from socare_spark.lake.lake import Lake
from socare_spark.lake.table import CELL_MEASURES, ColumnSpec, TableSpec, Zone

_EXAMPLES = 3
_LONGEST = 40
# Columns that differ between runs on the same data.
_RUN_COLUMNS = ("run_id", "at")
_MEASURES = {column.name for column in CELL_MEASURES}
_PREFACE = """# The tables

Every table of the lake: what a row is, what its columns mean, where the definition comes from, and
three rows of the synthetic study at scale 0.02. All are plain Delta tables. `scripts/tables` makes
this page from the declarations in the code; a test fails where it is out of date.

Tables that count people have these measures at their end, which are not repeated below:

"""


@dataclass(frozen=True)
class _Entry:
    """A table of the data dictionary."""

    path: str
    job: str
    description: str
    source: str
    dims: Sequence[ColumnSpec]
    measures: Sequence[ColumnSpec]


def data_dictionary(jobs: Iterable[Job], lake: Lake) -> str:
    """Writes the data dictionary as Markdown.

    Args:
        jobs: Jobs whose tables are described.
        lake: Lake of a finished study, for the tables of contracts and the examples.

    Returns:
        The text of the page.
    """
    entries = [_declared(job.name, table) for job in jobs for table in job.writes]
    declared_paths = {entry.path for entry in entries}
    entries += [entry for entry in _contracted(lake) if entry.path not in declared_paths]
    parts = [_PREFACE + _columns(CELL_MEASURES)]
    for zone in Zone:
        zone_entries = [entry for entry in entries if entry.path.startswith(f"{zone}/")]
        if zone_entries:
            zone_entries.sort(key=lambda entry: entry.path)
            parts.append(f"## {zone}/")
            parts += [_section(entry, lake) for entry in zone_entries]
    return "\n".join(parts)


def _declared(job: str, table: TableSpec) -> _Entry:
    measures = [c for c in table.measures if c not in CELL_MEASURES]
    has_cell_measures = len(measures) < len(table.measures)
    source = f"{table.source}." if table.source else ""
    if has_cell_measures:
        source += " Has the measures of people and cost."
    return _Entry(table.path, job, table.description, source.strip(), table.dims, measures)


def _contracted(lake: Lake) -> Iterable[_Entry]:
    """Entries of the tables of contracts, from the column comments in the lake."""
    for name in lake.tables(Zone.RESTRICTED):
        fields = json.loads(lake.delta(name).schema().to_json())["fields"]
        columns = [
            ColumnSpec(f["name"], _type(f["type"]), f["metadata"].get("comment", ""))
            for f in fields
        ]
        folder, _, dataset = name.rpartition("/")
        superseded = folder.endswith("/superseded")
        description = (
            f"Versions of records of {dataset} that a newer extract replaced."
            if superseded
            else f"Records of {dataset} as its contract keeps them, each key once."
        )
        yield _Entry(name, "ingest", description, f"conf/datasets/{dataset}.yaml.", columns, ())


def _type(type_: object) -> str:
    if isinstance(type_, dict):
        return f"array<{_type(type_['elementType'])}>"
    return {"long": "bigint", "integer": "int"}.get(str(type_), str(type_))


def _section(entry: _Entry, lake: Lake) -> str:
    lines = [
        f"### {entry.path}",
        "",
        entry.description,
        "",
        f"Written by `{entry.job}`. {entry.source}",
    ]
    lines += ["", _columns([*entry.dims, *entry.measures])]
    example = _example(entry, lake)
    if example:
        lines += [example]
    return "\n".join(lines)


def _columns(columns: Iterable[ColumnSpec]) -> str:
    rows = [f"| {c.name} | {c.type} | {_cell(c.description, None)} |" for c in columns]
    return "\n".join(["| column | type | |", "|---|---|---|", *rows, ""])


def _example(entry: _Entry, lake: Lake) -> str:
    """The first rows in order of all columns, so that each run shows the same rows."""
    if not lake.exists(entry.path):
        return ""
    table = lake.delta(entry.path)
    names = [f.name for f in table.schema().fields]
    dims = [c.name for c in entry.dims if c.name in names]
    rows = table.to_pyarrow_table().to_pylist()
    rows.sort(key=lambda row: [_order(row[name]) for name in (*dims, *names)])
    if not rows:
        return ""
    shown = [n for n in names if n not in _RUN_COLUMNS]
    lines = ["| " + " | ".join(shown) + " |", "|" + "---|" * len(shown)]
    lines += [
        "| " + " | ".join(_cell(row[n], _LONGEST) for n in shown) + " |" for row in rows[:_EXAMPLES]
    ]
    return "\n".join([*lines, ""])


def _order(value: object) -> tuple[bool, str]:
    if isinstance(value, float | int) and not isinstance(value, bool):
        return (False, f"{value:030.6f}")
    return (value is None, str(value))


def _cell(value: object, longest: int | None) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, bytes):
        text = value.hex()
    elif isinstance(value, date | datetime):
        text = value.isoformat()
    elif isinstance(value, list):
        text = ", ".join(map(str, value))
    else:
        text = str(value)
    if longest is not None and len(text) > longest:
        text = text[: longest - 1] + "…"
    return text.replace("|", "\\|").replace("\n", " ")
