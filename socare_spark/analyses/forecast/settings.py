"""Settings of the `forecast` analysis, in `conf/analyses/forecast.yaml`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from socare_spark.analyses.roles import Count, Day, Person, Roles, Text, check_roles
from socare_spark.analyses.use.settings import SETTINGS as USE_SETTINGS
from socare_spark.analyses.use.settings import dataset_in_use
from socare_spark.config import StrictModel, read_model
from socare_spark.errors import ConfigurationError

SETTINGS = "analyses/forecast.yaml"


class RequestRoles(Roles):
    """Roles of the columns of requests.

    Attributes:
        person: Person for whom the request is made.
        description: Description of the service; descriptions are compared as they are written.
        time: Day of the request. A dataset with one file for each month or quarter needs none.
        count: Number of requests that a row represents; null means one.
    """

    person: Person = "person"
    description: Text = "service_description"
    time: Day = "request_date"
    count: Count = None


class RequestSettings(StrictModel):
    """Descriptions of requests to forecast.

    Attributes:
        dataset: Dataset of requests.
        descriptions: Descriptions as written in the records.
        top: Number of further descriptions, those with the most records.
        roles: Columns of the dataset.
    """

    dataset: str
    roles: RequestRoles = RequestRoles()
    descriptions: tuple[str, ...] = ()
    top: Annotated[int, Field(ge=0)] = 0


class ForecastSettings(StrictModel):
    """`conf/analyses/forecast.yaml`.

    Attributes:
        horizon: Number of quarters to forecast.
        shortest: Smallest number of whole quarters for a forecast.
        origins: Number of the newest quarters from which each method is back-tested.
        least_people: Smallest average number of people in a quarter. Other series are left out.
        agreements: Dataset of agreements; the default is `dataset` of `conf/analyses/use.yaml`, and
            it cannot be another one, because `use` counts it. The roles of its columns are in this
            file too.
        elements: Codes of elements. A council without agreements leaves out the key.
        requests: Descriptions of service requests. A council without requests leaves out the key.
        incomplete_months: Dataset -> number of incomplete months before its newest extract.
    """

    horizon: Annotated[int, Field(ge=1, le=20)]
    shortest: Annotated[int, Field(ge=1)]
    origins: Annotated[int, Field(ge=1)]
    least_people: Annotated[int, Field(ge=2)]
    agreements: str = ""
    elements: tuple[str, ...] = ()
    requests: RequestSettings | None = None
    incomplete_months: Mapping[str, Annotated[int, Field(ge=0)]] = {}

    @model_validator(mode="after")
    def _has_a_source(self) -> Self:
        if not {"elements", "requests"} & self.model_fields_set:
            raise ValueError("needs 'elements', 'requests', or both")
        return self

    @property
    def undeclared(self) -> list[str]:
        """The keys of sources that the file does not have."""
        return [key for key in ("elements", "requests") if key not in self.model_fields_set]


def load_settings(conf: Path) -> ForecastSettings:
    """Reads the settings, and checks the roles against the contract.

    Raises:
        ConfigurationError: `use` counts another dataset of agreements, or no dataset is named, or
            the contract has no column of a role.
    """
    settings = read_model(conf / SETTINGS, ForecastSettings)
    if settings.elements:
        settings = settings.model_copy(update={"agreements": _agreements(conf, settings)})
    wanted = settings.requests
    if wanted is not None:
        check_roles(conf, SETTINGS, wanted.dataset, wanted.roles, "requests.roles")
    return settings


def _agreements(conf: Path, settings: ForecastSettings) -> str:
    """The dataset of agreements that `use` counts."""
    declared, used = settings.agreements, dataset_in_use(conf)
    if used is None and not declared:
        raise ConfigurationError(
            f"conf/{SETTINGS}: 'elements' are counted by the analysis use. Add "
            f"conf/{USE_SETTINGS}, or remove 'elements'."
        )
    if None not in (used, declared or None) and used != declared:
        raise ConfigurationError(
            f"conf/{SETTINGS}: agreements is {declared}, but conf/{USE_SETTINGS} counts the "
            f"elements of the dataset {used}. Name {used}, or remove 'agreements'."
        )
    return used or declared
