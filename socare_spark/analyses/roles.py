"""Roles of an analysis: the meanings of the columns that it reads, mapped to columns of a dataset.

Each analysis declares a model of its roles. `roles` in `conf/analyses/NAME.yaml` assigns columns to
them. An analysis reads the column of a role under the name that is the default of the role.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from socare_spark.analyses.extracts import contract_of, restricted
from socare_spark.config import StrictModel
from socare_spark.contracts.columns import PSEUDONYM, column_types
from socare_spark.contracts.contract import SOURCE_LINE, Contract
from socare_spark.contracts.project import read_project
from socare_spark.errors import ConfigurationError
from socare_spark.inputs import Assigned, Need
from socare_spark.lake.table import TableSpec
from socare_spark.measures.person_counts import COUNT
from socare_spark.spelling import closest_names

Tables = tuple[TableSpec, ...]
_DATES, _NUMBERS = ("date", "datetime"), ("integer", "number")


@dataclass(frozen=True)
class Column:
    """The column of a role, as an analysis reads it.

    Attributes:
        type: Spark SQL type.
        allowed: Types of a contract that it can have; empty for all.
        kind: The allowed columns, for messages.
        name: Name under which it is read; empty means the default of the role.
    """

    type: str
    allowed: tuple[str, ...] = ()
    kind: str = "a column"
    name: str = ""


TEXT = Column("string")
DAY = Column("date", _DATES, "a date or a datetime")
TIME = Column("timestamp", _DATES, "a date or a datetime")
FLAG = Column("boolean", ("boolean",), "a boolean")
PERSON = Column("bigint", (PSEUDONYM,), "pseudonymised under a scheme of people (person: true)")
NUMBER = Column("bigint", ("integer",), "an integer", COUNT)
Text = Annotated[str | None, TEXT]
Day = Annotated[str | None, DAY]
Person = Annotated[str | None, PERSON]
Count = Annotated[str | None, NUMBER]
Cost = Annotated[str | None, Column("decimal(14,2)", _NUMBERS, "a number or an integer")]
Age = Annotated[str | None, Column("int", _NUMBERS, "an age or an integer")]


class Roles(StrictModel):
    """Base class of models of roles: role -> column; None if the dataset has no such column."""

    @classmethod
    def column_of(cls, role: str) -> Column:
        """The declaration of a role."""
        field = cls.model_fields[role]
        return next(each for each in field.metadata if isinstance(each, Column))

    @classmethod
    def read_as(cls, role: str) -> str:
        """Name under which the column of a role is read."""
        return cls.column_of(role).name or str(cls.model_fields[role].default)


def role_needs(
    dataset: str,
    roles: Roles,
    file: str,
    *,
    needed_by: Mapping[str, Tables] | None = None,
    empty_in: Mapping[str, Tables] | None = None,
    key: str = "roles",
) -> list[Need]:
    """Columns of roles that an analysis reads from a dataset.

    Args:
        dataset: Name of the dataset.
        roles: The roles.
        file: Configuration file of the roles, as `analyses/use.yaml`.
        needed_by: Role -> results that require it.
        empty_in: Role -> results with null values if it is missing.
        key: Key of the roles in the file.
    """
    required, without = needed_by or {}, empty_in or {}
    return [
        Need(
            restricted(dataset),
            roles.read_as(role),
            roles.column_of(role).type,
            required.get(role, ()),
            without.get(role, ()),
            Assigned(role, getattr(roles, role), file, f"{key}.{role}"),
        )
        for role in type(roles).model_fields
        if role in {*required, *without}
    ]


def check_roles(conf: Path, file: str, dataset: str, roles: Roles, key: str = "roles") -> None:
    """Checks the assigned columns against the contract of a dataset.

    Defaults are not checked, and a dataset without a contract is not either: a column that the lake
    does not have leaves out results.

    Args:
        conf: Folder of the council's configuration.
        file: Configuration file of the roles.
        dataset: Name of the dataset.
        roles: The roles.
        key: Key of the roles in the file.

    Raises:
        ConfigurationError: the contract has no such column, or one of another type.
    """
    columns = {
        f"{key}.{role}": (name, roles.column_of(role))
        for role in sorted(roles.model_fields_set)
        # A model of roles can have other keys, which are no columns.
        if isinstance(name := getattr(roles, role), str)
    }
    check_columns(conf, file, dataset, columns)


def check_columns(
    conf: Path, file: str, dataset: str, columns: Mapping[str, tuple[str, Column]]
) -> None:
    """Checks columns of the configuration against the contract of a dataset.

    Args:
        conf: Folder of the council's configuration.
        file: Configuration file that names the columns.
        dataset: Name of the dataset.
        columns: Key in the file -> name of the column, and its declaration.

    Raises:
        ConfigurationError: the contract has no such column, or one of another type, or a day is a
            local time in UTC.
    """
    contract = contract_of(conf, dataset)
    if contract is None:
        return
    types = column_types(contract)
    for key, (name, column) in columns.items():
        where = f"conf/{file}: {key} names the column {name}"
        if name not in types:
            raise ConfigurationError(
                f"{where}, which conf/datasets/{dataset}.yaml does not keep{nearest(name, types)}."
            )
        if fault := _type_fault(conf, contract, name, column):
            raise ConfigurationError(f"{where}, {fault}")


def type_faults(
    conf: Path, file: str, dataset: str, columns: Mapping[str, tuple[str, Column]]
) -> Iterator[str]:
    """Yields the faults for which `check_columns` refuses columns that the contract keeps."""
    contract = contract_of(conf, dataset)
    types = {} if contract is None else column_types(contract)
    for key, (name, column) in columns.items():
        if contract is None or name not in types:
            continue
        if fault := _type_fault(conf, contract, name, column):
            yield f"conf/{file}: {key} names the column {name}, {fault}"


def _type_fault(conf: Path, contract: Contract, name: str, column: Column) -> str:
    """The reason why a column of a contract cannot be read as declared; empty if it can."""
    types, file = column_types(contract), f"conf/datasets/{contract.name}.yaml"
    if column.allowed and types[name] not in column.allowed:
        return (
            f"which is of the type {types[name]} in {file}; it "
            f"must be {column.kind}{_nearest_allowed(name, types, column)}."
        )
    if column.type == DAY.type and _is_local_time(contract, name):
        return (
            "which is a local time in UTC, so that its day can be another one: "
            f"declare socare.day in {file}, and name that column."
        )
    if column.allowed == (PSEUDONYM,) and not is_person(conf, contract, name):
        return (
            "which is not pseudonymised under a scheme of people (person: true in "
            f"conf/project.yaml) in {file}."
        )
    return ""


def _is_local_time(contract: Contract, column: str) -> bool:
    """Whether a column is a time of a declared zone."""
    return any(f.output == column and f.socare.zone for f in contract.fields)


def is_person(conf: Path, contract: Contract, column: str) -> bool:
    """Whether a column has tokens of people."""
    scheme = next(
        (
            f.socare.pseudonymise
            for f in contract.fields
            if f.output == column and not f.socare.drop
        ),
        None,
    )
    schemes = read_project(conf).schemes
    return scheme is not None and scheme in schemes and schemes[scheme].person


def nearest(name: str, known: Iterable[str]) -> str:
    """Clause with the names that resemble a name, or with all names."""
    names = sorted(known)
    near = closest_names(name, names)
    return f": the nearest are {', '.join(near)}" if near else f": there are {', '.join(names)}"


def _nearest_allowed(name: str, types: Mapping[str, str], column: Column) -> str:
    named = {each: type_ for each, type_ in types.items() if each not in SOURCE_LINE}
    allowed = [each for each, type_ in named.items() if type_ in column.allowed]
    return nearest(name, allowed) if allowed else ""
