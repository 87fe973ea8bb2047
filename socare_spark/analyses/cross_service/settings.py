"""Settings of the `cross_service` analysis, checked against the contracts of the datasets.

A column of persons must be pseudonymised under a scheme of people. Other columns are refused before
data are read.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from socare_spark.analyses.extracts import restricted
from socare_spark.analyses.roles import DAY, NUMBER, PERSON, TEXT, check_columns, nearest
from socare_spark.config import StrictModel, read_model
from socare_spark.contracts.contract import Contract
from socare_spark.contracts.header_names import NAME
from socare_spark.contracts.place_columns import PLACE
from socare_spark.contracts.project import Project, read_project
from socare_spark.errors import ConfigurationError
from socare_spark.places.settings import city_layer

SETTINGS = "analyses/cross_service.yaml"
# Services are bits of a BIGINT.
_MOST_SERVICES = 62


class Records(StrictModel):
    """The records of one dataset, with column names of its restricted table.

    Attributes:
        dataset: A dataset with a contract. Of a dataset of snapshots only the newest counts.
        date: Column with the day of a record; None if there is none.
        category: Column with the category of a record; None if there is none.
        postcode: Column with the unit postcode, or with the place that socare.place of the contract
            declares; None if there is none.
        person: Column with the person; None if there is none.
        count: Column with the number of records that a row represents; None means one.
    """

    dataset: str
    date: str | None
    category: str | None = None
    postcode: str | None = "postcode"
    person: str | None = "person"
    count: str | None = None

    @property
    def table(self) -> str:
        """Path of the restricted table."""
        return restricted(self.dataset)


class Service(StrictModel):
    """A service and its records.

    Attributes:
        name: Name of the service in the tables.
        records: One entry per dataset.
        categories: Number of categories that are kept, the most used ones; None means all.
    """

    name: str = Field(pattern=NAME)
    records: tuple[Records, ...] = Field(min_length=1)
    categories: int | None = Field(default=None, ge=1)


class Settings(StrictModel):
    """`conf/analyses/cross_service.yaml`.

    Attributes:
        services: The services and their records.
        layers: Layers of `reference/postcode_areas` for counts by area.
        scheme: Identifier scheme of people to which crosswalks lead.
        crosswalks: Datasets of pairs of identifiers of one person.
        most_identifiers: Number of identifiers of one person above which the run reports a
            crosswalk.
        drawn: Number of combinations of services in the picture.
    """

    services: tuple[Service, ...] = Field(min_length=1, max_length=_MOST_SERVICES)
    layers: tuple[str, ...] = Field(min_length=1)
    scheme: str
    crosswalks: tuple[str, ...] = ()
    most_identifiers: int = Field(default=10, ge=2)
    drawn: int = Field(default=20, ge=1)

    @model_validator(mode="after")
    def _once(self) -> Self:
        for key, names in (("services", self.names), ("layers", self.layers)):
            repeated = sorted({name for name in names if list(names).count(name) > 1})
            if repeated:
                raise ValueError(f"{key}: {repeated[0]} is listed more than once")
        return self

    @property
    def names(self) -> list[str]:
        """Names of the services in order."""
        return [service.name for service in self.services]

    @property
    def tables(self) -> list[str]:
        """Paths of all restricted tables in the settings."""
        datasets = [r.dataset for service in self.services for r in service.records]
        return [restricted(name) for name in dict.fromkeys([*datasets, *self.crosswalks])]


@dataclass(frozen=True)
class Source:
    """Records of a service, with facts of their contract.

    Attributes:
        service: Position of the service in the configuration.
        records: Dataset and columns.
        scheme: Scheme of the column of persons; None if there is no such column.
    """

    service: int
    records: Records
    scheme: str | None


@dataclass(frozen=True)
class Crosswalk:
    """Pairs of identifiers of one person.

    Attributes:
        dataset: Name of the dataset.
        columns: The two columns of identifiers.
        schemes: Their schemes.
    """

    dataset: str
    columns: tuple[str, str]
    schemes: tuple[str, str]

    @property
    def table(self) -> str:
        """Path of the restricted table."""
        return restricted(self.dataset)


@dataclass(frozen=True)
class Declared:
    """Settings, with facts of the contracts of their datasets.

    Attributes:
        settings: The configuration.
        sources: All datasets of services that have a contract.
        crosswalks: All crosswalks that have a contract, in the order of the configuration.
        schemes: Scheme of people -> its number: 0 for the scheme of the settings, otherwise a
            number that does not depend on the configuration.
        unknown: A warning for each dataset without a contract.
        city_layer: Layer whose areas cover the city; None if `places.yaml` names none.
    """

    settings: Settings
    sources: Sequence[Source]
    crosswalks: Sequence[Crosswalk]
    schemes: Mapping[str, int]
    unknown: Sequence[str]
    city_layer: str | None


def load_settings(conf: Path) -> Declared:
    """Reads the configuration and the contracts it names.

    Raises:
        ConfigurationError: a column is not in its contract, a column of persons is not
            pseudonymised under a scheme of people, or a crosswalk does not have two such columns.
    """
    settings, project = read_model(conf / SETTINGS, Settings), read_project(conf)
    if not _of_people(project, settings.scheme):
        raise ConfigurationError(
            f"{SETTINGS} names the scheme {settings.scheme}, which is not a scheme of people"
            f"{nearest(settings.scheme, [n for n in project.schemes if _of_people(project, n)])}."
        )
    contract_files = {path.stem: path for path in (conf / "datasets").glob("*.yaml")}
    records = [r.dataset for service in settings.services for r in service.records]
    named = [*dict.fromkeys([*records, *settings.crosswalks])]
    contracts = {n: read_model(contract_files[n], Contract) for n in named if n in contract_files}
    sources = [
        _source(conf, contracts[records.dataset], position, records)
        for position, service in enumerate(settings.services)
        for records in service.records
        if records.dataset in contracts
    ]
    crosswalks = [_crosswalk(contracts[n], project) for n in settings.crosswalks if n in contracts]
    used = {source.scheme for source in sources if source.scheme}
    used |= {scheme for crosswalk in crosswalks for scheme in crosswalk.schemes}
    unknown = [
        f"{SETTINGS} names the dataset {n}, which has no contract in conf/datasets"
        f"{nearest(n, list(contract_files))}."
        for n in named
        if n not in contract_files
    ]
    schemes = {name: zlib.crc32(name.encode()) for name in used} | {settings.scheme: 0}
    return Declared(settings, sources, crosswalks, schemes, unknown, city_layer(conf))


def _source(conf: Path, contract: Contract, position: int, records: Records) -> Source:
    declared = {"date": DAY, "category": TEXT, "postcode": TEXT, "person": PERSON, "count": NUMBER}
    columns = {
        f"services.{position}.records.{key}": (name, column)
        for key, column in declared.items()
        if (name := getattr(records, key)) is not None
    }
    check_columns(conf, SETTINGS, contract.name, columns)
    kept = {field.output: field for field in contract.fields if not field.socare.drop}
    is_place = contract.socare.place is not None and records.postcode == PLACE
    of_postcodes = [name for name, field in kept.items() if field.socare.keep == "postcode"]
    if records.postcode is not None and not is_place and records.postcode not in of_postcodes:
        raise ConfigurationError(
            f"{SETTINGS}: {records.postcode} of {records.dataset} is not kept as a postcode in its "
            f"contract. Set 'postcode' to a column of postcodes, to {PLACE} for a contract with "
            "socare.place, or to null."
        )
    scheme = None if records.person is None else kept[records.person].socare.pseudonymise
    return Source(position, records, scheme)


def _crosswalk(contract: Contract, project: Project) -> Crosswalk:
    people = [
        (field.output, field.socare.pseudonymise)
        for field in contract.fields
        if field.socare.pseudonymise and _of_people(project, field.socare.pseudonymise)
    ]
    if len(people) != 2:
        raise ConfigurationError(
            f"{SETTINGS} names the crosswalk {contract.name}, whose contract pseudonymises "
            f"{len(people)} columns under schemes of people; exactly two are required."
        )
    (first, first_scheme), (second, second_scheme) = people
    schemes = (first_scheme, second_scheme)
    return Crosswalk(contract.name, (first, second), schemes)


def _of_people(project: Project, scheme: str | None) -> bool:
    return scheme is not None and scheme in project.schemes and project.schemes[scheme].person
