"""Settings of the `forecast` analysis, in `conf/analyses/forecast.yaml`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from socare_spark.analyses.roles import Count, Day, Person, Roles, Text, check_roles
from socare_spark.config import StrictModel, read_model

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
        agreements: Dataset of agreements that `use` counts; it is needed for `elements` only. The
            roles of its columns are in `conf/analyses/use.yaml`.
        elements: Codes of elements.
        requests: Descriptions of service requests.
        incomplete_months: Dataset -> number of incomplete months before its newest extract.
    """

    horizon: Annotated[int, Field(ge=1, le=20)]
    shortest: Annotated[int, Field(ge=1)]
    origins: Annotated[int, Field(ge=1)]
    least_people: Annotated[int, Field(ge=2)]
    agreements: str = ""
    elements: tuple[str, ...] = ()
    requests: RequestSettings
    incomplete_months: Mapping[str, Annotated[int, Field(ge=0)]] = {}

    @model_validator(mode="after")
    def _has_agreements(self) -> Self:
        if self.elements and not self.agreements:
            raise ValueError("'elements' needs 'agreements', the dataset of the elements")
        return self


def load_settings(conf: Path) -> ForecastSettings:
    """Reads the settings, and checks the roles against the contract."""
    settings = read_model(conf / SETTINGS, ForecastSettings)
    wanted = settings.requests
    check_roles(conf, SETTINGS, wanted.dataset, wanted.roles, "requests.roles")
    return settings
