"""What a council declares about its services, and what the contracts say of their columns.

Guarantee: a person's column that is not pseudonymised, or under a scheme that does not stand for
people, is refused before anything is read.
"""

import difflib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from socare_spark.config import StrictModel, read_model
from socare_spark.contracts import contract
from socare_spark.contracts.contract import Contract
from socare_spark.contracts.project import Project, read_project
from socare_spark.errors import ConfigurationError

SETTINGS = "analyses/cross_service.yaml"
# Services are bits of a BIGINT.
_MOST_SERVICES = 62


class Records(StrictModel):
    """The records of one dataset; columns as its restricted table has them.

    Attributes:
        dataset: A dataset with a contract. Of whole-system snapshots the newest alone counts.
        date: Column with the day of a record.
        category: Column that says what a record is; None where nothing does.
        postcode: Column with the unit postcode; None where there is none.
        person: Column with the person; None where there is none.
    """

    dataset: str
    date: str
    category: str | None = None
    postcode: str | None = "postcode"
    person: str | None = "person"

    @property
    def table(self) -> str:
        """Zone and name of its table."""
        return f"restricted/{self.dataset}"


class Service(StrictModel):
    """A service: what it is called, and its records.

    Attributes:
        name: As it stands in the tables.
        records: One entry a dataset.
        categories: How many categories, the most used, are told apart; None means all.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    records: tuple[Records, ...] = Field(min_length=1)
    categories: int | None = Field(default=None, ge=1)


class Settings(StrictModel):
    """`conf/analyses/cross_service.yaml`."""

    services: tuple[Service, ...] = Field(min_length=1, max_length=_MOST_SERVICES)
    layers: tuple[str, ...] = Field(min_length=1)
    scheme: str
    crosswalks: tuple[str, ...] = ()
    most_identifiers: int = Field(default=10, ge=2)
    drawn: int = Field(default=20, ge=1)

    @model_validator(mode="after")
    def _once(self) -> Self:
        for what, names in (("services", self.names), ("layers", self.layers)):
            twice = sorted({name for name in names if list(names).count(name) > 1})
            if twice:
                raise ValueError(f"{what}: {twice[0]} stands there more than once")
        return self

    @property
    def names(self) -> list[str]:
        """The services in order."""
        return [service.name for service in self.services]

    @property
    def tables(self) -> list[str]:
        """All restricted tables that are read where they are there."""
        datasets = [r.dataset for service in self.services for r in service.records]
        return [f"restricted/{d}" for d in dict.fromkeys([*datasets, *self.crosswalks])]


@dataclass(frozen=True)
class Source:
    """Records with what their contract says.

    Attributes:
        service: Position of the service.
        records: What is read.
        scheme: Scheme of the person's column; None where there is none.
        snapshots: Column of the snapshot's day, where each extract is a whole copy.
    """

    service: int
    records: Records
    scheme: str | None
    snapshots: str | None


@dataclass(frozen=True)
class Crosswalk:
    """Pairs of identifiers of one person.

    Attributes:
        table: Zone and name.
        columns: The two columns.
        schemes: Their schemes.
        snapshots: Column of the snapshot's day, where each extract is a whole copy.
    """

    table: str
    columns: tuple[str, str]
    schemes: tuple[str, str]
    snapshots: str | None


@dataclass(frozen=True)
class Declared:
    """Settings, and what the contracts say of the datasets they name.

    Attributes:
        settings: As configured.
        sources: Every dataset of every service, where it has a contract.
        crosswalks: In the order of the configuration, where they have a contract.
        schemes: Scheme of people -> its number: 0 for that by which people are known, and for
            another one that does not change with the configuration.
        unknown: A sentence on each dataset without a contract.
    """

    settings: Settings
    sources: Sequence[Source]
    crosswalks: Sequence[Crosswalk]
    schemes: Mapping[str, int]
    unknown: Sequence[str]


def read_settings(conf: Path) -> Settings:
    """Reads the configuration alone."""
    return read_model(conf / SETTINGS, Settings)


def read_declared(conf: Path) -> Declared:
    """Reads the configuration and the contracts it names.

    Raises:
        ConfigurationError: a column is not in its contract, a person's column is not pseudonymised
            under a scheme of people, or a crosswalk has not two of these.
    """
    settings, project = read_settings(conf), read_project(conf)
    if not _of_people(project, settings.scheme):
        raise ConfigurationError(
            f"{SETTINGS} names the scheme {settings.scheme}, which is none of people"
            f"{_like(settings.scheme, [n for n in project.schemes if _of_people(project, n)])}."
        )
    known = {path.stem: path for path in (conf / "datasets").glob("*.yaml")}
    named = [table.removeprefix("restricted/") for table in settings.tables]
    contracts = {n: read_model(known[n], Contract) for n in named if n in known}
    sources = [
        _source(contracts[records.dataset], project, position, records)
        for position, service in enumerate(settings.services)
        for records in service.records
        if records.dataset in contracts
    ]
    crosswalks = [_crosswalk(contracts[n], project) for n in settings.crosswalks if n in contracts]
    used = {source.scheme for source in sources if source.scheme}
    used |= {scheme for crosswalk in crosswalks for scheme in crosswalk.schemes}
    unknown = [
        f"{SETTINGS} names the dataset {n}, which has no contract in conf/datasets"
        f"{_like(n, list(known))}."
        for n in named
        if n not in known
    ]
    schemes = {name: zlib.crc32(name.encode()) for name in used} | {settings.scheme: 0}
    return Declared(settings, sources, crosswalks, schemes, unknown)


def _source(contract: Contract, project: Project, position: int, records: Records) -> Source:
    date = _field(contract, records.date)
    if date.type not in ("date", "datetime"):
        raise ConfigurationError(
            f"{SETTINGS}: {records.date} of {records.dataset} is no date in its contract: name a "
            "column that is."
        )
    if records.category is not None:
        _field(contract, records.category)
    if (
        records.postcode is not None
        and _field(contract, records.postcode).socare.keep != "postcode"
    ):
        raise ConfigurationError(
            f"{SETTINGS}: {records.postcode} of {records.dataset} is not kept as a postcode: name "
            "a column that is, or write postcode: null."
        )
    scheme = None
    if records.person is not None:
        scheme = _field(contract, records.person).socare.pseudonymise
        if not _of_people(project, scheme):
            raise ConfigurationError(
                f"{SETTINGS}: {records.person} of {records.dataset} is not pseudonymised under a "
                "scheme of people (person: true in conf/project.yaml): name a column that is, or "
                "write person: null."
            )
    return Source(position, records, scheme, _snapshots(contract))


def _crosswalk(contract: Contract, project: Project) -> Crosswalk:
    people = [
        (field.output, field.socare.pseudonymise)
        for field in contract.fields
        if field.socare.pseudonymise and _of_people(project, field.socare.pseudonymise)
    ]
    if len(people) != 2:
        raise ConfigurationError(
            f"{SETTINGS} names the crosswalk {contract.name}, whose contract pseudonymises "
            f"{len(people)} columns under schemes of people: a crosswalk has two."
        )
    (first, one), (second, other) = people
    return Crosswalk(contract.table, (first, second), (one, other), _snapshots(contract))


def _snapshots(contract: Contract) -> str | None:
    return contract.socare.extract_column if contract.socare.snapshots else None


def _field(contract: Contract, column: str) -> contract.Field:
    kept = {field.output: field for field in contract.fields if not field.socare.drop}
    if column not in kept:
        raise ConfigurationError(
            f"{SETTINGS} names the column {column} of {contract.name}, which its contract does not "
            f"keep{_like(column, list(kept))}."
        )
    return kept[column]


def _like(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    listed = ", ".join(near or sorted(known))
    return f": the nearest are {listed}" if near else f": there are {listed}"


def _of_people(project: Project, scheme: str | None) -> bool:
    return scheme is not None and scheme in project.schemes and project.schemes[scheme].person
