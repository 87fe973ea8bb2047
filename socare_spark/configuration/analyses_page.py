"""The page `docs/analyses.md`: settings of each analysis, and the columns that its tables need."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from socare_spark.analysis import Analysis
from socare_spark.configuration.files import FILES
from socare_spark.configuration.settings_reference import settings_table
from socare_spark.contracts.contract import read_contracts
from socare_spark.inputs import Inputs, Need
from socare_spark.lake.lake import Lake
from socare_spark.registry import ANALYSES

_NO_LAKE = Path("/dev/null/lake")

_PREFACE = """# Analyses

The settings of each analysis in `conf/`, and the columns that its tables need.
`scripts/schemas` makes this page from the models of the settings and their docstrings,
and from the shipped configuration; a test fails if it is out of date. [tables.md](tables.md)
describes the tables, and [definitions.md](definitions.md) their figures.

A key with a point is within another key. `NAME` is a name that the file chooses, and `[]` an
entry of a list. A required key has no default. Unknown keys are refused.

## Roles

An analysis reads columns by their roles. `roles` maps a role to a column of the dataset; `null`
means that the data have no such column. The default of a role is the column that the shipped
contracts have:

```yaml
roles: {person: client_id, start: begin_date, element: code, age: null}
```

- A column that the contract does not keep, or that has another type, is refused before data are
  read (exit code 2).
- A table whose role has no column is left out, and an earlier version of it is emptied. The run
  names the role, the dataset and the file in one line. A job without any table ends with exit
  code 3 and changes no table: it reports the tables that keep the rows of an earlier run. A study
  continues. A table for which the configuration has no settings is not
  reported.
- A table under "empty without" is made without the column, as if all its values were missing. The
  run reports it.
- `person` must be pseudonymised under a scheme of people. `place` is a postcode, or a column
  `place` of the contract (`socare.place`).
- `count` is the number of records that a row represents, as in aggregated data. `requests`,
  `forecast`, `provision` and `cross_service` sum it. Rows without a number, or with a negative
  one, do not count, and the run reports them. The other analyses have no such role.
- A flow is left out without a table or a column of its stages, log or matrix, and with a column of
  another type. Its `assessed`, `outcomes` and `single_stage` are left out without theirs, and its
  rows of `stage_completion` without `assessed`. The other flows are followed.
- A flow whose data are refused, for example because its log has too many activities, is in no
  table. The other flows are, and the run ends with exit code 3.
- The day of the extract is the column that the contract names (`extract_column`). Open agreements
  run to it, unless `--as-of` sets another day.
- Of a dataset of snapshots the newest snapshot counts, except in `requests`, which counts each of
  them. Other datasets count whole.

"""


def analyses_page(conf: Path) -> str:
    """Writes the page as Markdown.

    Args:
        conf: The shipped configuration.
    """
    # The page needs no table and no session.
    inputs = Inputs(None, Lake(_NO_LAKE), conf, None)  # type: ignore[arg-type] # reads no table
    days = frozenset(contract.socare.extract_column for contract in read_contracts(conf))
    return _PREFACE + "\n".join(_section(analysis, inputs, days) for analysis in ANALYSES)


def _section(analysis: Analysis[Any], inputs: Inputs, days: frozenset[str]) -> str:
    parts = [f"## {analysis.name}", "", analysis.description, ""]
    for file in FILES:
        if file.analysis == analysis.name:
            parts += [f"### conf/{file.pattern}", "", settings_table(file.model)]
    settings = analysis.load_settings(inputs.conf)
    needs = analysis.needs(inputs, settings)
    if needs:
        parts += [f"### Columns of {analysis.name}", "", _needs_table(needs, days), ""]
    for condition, others in analysis.other_settings(settings).items():
        parts += [f"{condition}:", "", _needs_table(analysis.needs(inputs, others), days), ""]
    return "\n".join(parts)


def _needs_table(needs: Sequence[Need], days: frozenset[str]) -> str:
    """Table -> roles that it needs, and roles without which it has empty values.

    Args:
        needs: Columns that an analysis reads with the shipped configuration.
        days: Names of the columns with the day of an extract.
    """
    tables = {t.path: None for need in needs for t in (*need.tables, *need.without)}
    rows = []
    for path in tables:
        needed = [n for n in needs if path in {t.path for t in n.tables}]
        empty = [n for n in needs if path in {t.path for t in n.without}]
        rows.append(f"| `{path}` | {_roles(needed, days)} | {_roles(empty, days)} |")
    lines = ["| table | needs | empty without |", "|---|---|---|", *rows]
    others = [n for n in needs if not n.tables and not n.without]
    if others:
        lines += ["", f"Read as well, for parts of the tables: {_roles(others, days)}."]
    return "\n".join(lines)


def _roles(needs: Iterable[Need], days: frozenset[str]) -> str:
    return ", ".join(dict.fromkeys(_role(need, days) for need in needs))


def _role(need: Need, days: frozenset[str]) -> str:
    if need.assigned is not None:
        return f"`{need.assigned.role}`"
    return "day of the extract" if need.column in days else f"column `{need.column}`"
