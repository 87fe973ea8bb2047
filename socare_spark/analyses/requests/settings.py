"""Settings of the `requests` analysis, in `conf/analyses/requests.yaml`."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from socare_spark.analyses.roles import Count, Person, Roles, Text, check_roles
from socare_spark.config import StrictModel, read_model

SETTINGS = "analyses/requests.yaml"


class RequestRoles(Roles):
    """Roles of the columns of requests.

    Attributes:
        person: Person for whom the request is made.
        description: Description of the service; descriptions are compared as they are written.
        count: Number of requests that a row represents; null means one.
    """

    person: Person = "person"
    description: Text = "service_description"
    count: Count = None


class Variants(StrictModel):
    """Limits of the comparison of descriptions.

    Attributes:
        shortest: Smallest number of letters of descriptions that are compared by single edits.
        most: Largest number of descriptions that are compared; the most used are compared.
    """

    shortest: Annotated[int, Field(ge=4)] = 10
    most: Annotated[int, Field(ge=2)] = 100_000


class Settings(StrictModel):
    """`conf/analyses/requests.yaml`.

    Attributes:
        dataset: Dataset of requests.
        roles: Columns of the dataset.
        single_use_contains: Text, in upper or lower case, of the descriptions in
            `request_single_use`; an empty text means all.
        variants: Limits of the comparison of descriptions.
        top: Number of descriptions of each extract in `request_top`, those with the most records.
        drawn: Number of descriptions in the picture.
    """

    dataset: str
    roles: RequestRoles = RequestRoles()
    single_use_contains: str = ""
    variants: Variants = Variants()
    top: Annotated[int, Field(ge=1)]
    drawn: Annotated[int, Field(ge=1)]


def load_settings(conf: Path) -> Settings:
    """Reads the settings, and checks the roles against the contract."""
    settings = read_model(conf / SETTINGS, Settings)
    check_roles(conf, SETTINGS, settings.dataset, settings.roles)
    return settings
