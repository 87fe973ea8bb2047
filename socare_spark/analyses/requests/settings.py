"""Settings of the `requests` analysis, in `conf/analyses/requests.yaml`."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from socare_spark.config import StrictModel, read_model

SETTINGS = "analyses/requests.yaml"


class Variants(StrictModel):
    """Limits of the comparison of descriptions.

    Attributes:
        shortest: Smallest number of letters of descriptions that are compared by single edits.
        most: Largest number of descriptions that are compared; the most used are compared.
    """

    shortest: Annotated[int, Field(ge=4)] = 10
    most: Annotated[int, Field(ge=2)] = 100_000


class Settings(StrictModel):
    """`conf/analyses/requests.yaml`."""

    dataset: str
    single_use_contains: str = ""
    variants: Variants = Variants()
    top: Annotated[int, Field(ge=1)]
    drawn: Annotated[int, Field(ge=1)]


def load_settings(conf: Path) -> Settings:
    """Reads the settings."""
    return read_model(conf / SETTINGS, Settings)
