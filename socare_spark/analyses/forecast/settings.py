"""What a council chooses to forecast, and from how much."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from socare_spark.config import StrictModel

SETTINGS = "analyses/forecast.yaml"


class RequestSettings(StrictModel):
    """Descriptions of requests that are followed.

    Attributes:
        dataset: The snapshots.
        descriptions: As written in the records.
        top: So many of those with most records besides.
    """

    dataset: str
    descriptions: tuple[str, ...] = ()
    top: Annotated[int, Field(ge=0)] = 0


class ForecastSettings(StrictModel):
    """`conf/analyses/forecast.yaml`.

    Attributes:
        horizon: Quarters ahead.
        shortest: Whole quarters that a series must have to be forecast.
        origins: The newest so many quarters from which each method is tried.
        least_people: People in a quarter, on average, below which a series is left out.
        agreements: The dataset of which `use` counts elements.
        elements: Codes of elements.
        requests: Descriptions of service requests.
        incomplete_months: Dataset -> months before its newest extract that are not complete.
    """

    horizon: Annotated[int, Field(ge=1, le=20)]
    shortest: Annotated[int, Field(ge=1)]
    origins: Annotated[int, Field(ge=1)]
    least_people: Annotated[int, Field(ge=2)]
    agreements: str
    elements: tuple[str, ...] = ()
    requests: RequestSettings
    incomplete_months: Mapping[str, Annotated[int, Field(ge=0)]] = {}
