"""Settings of the `combinations` analysis, in `conf/analyses/combinations.yaml`."""

from typing import Literal

from pydantic import Field

from socare_spark.analysis import Context
from socare_spark.config import StrictModel, read_model
from socare_spark.measures.bands import Band

SETTINGS = "analyses/combinations.yaml"


class Blocks(StrictModel):
    """Definition of a block of combinations that begin or end together.

    Attributes:
        window: Calendar period of their first (last) uses.
        combinations: Smallest number of combinations in a block.
    """

    window: Literal["day", "week", "month", "quarter", "year"]
    combinations: int = Field(ge=2)


class Renames(StrictModel):
    """Definition of a renamed reason.

    Attributes:
        similarity: Smallest share of words that the two texts have in common.
        days: Largest gap or overlap in days between the last use of one and the first use of the
            other.
        shortest: Smallest number of letters of words that are compared by single edits.
    """

    similarity: float = Field(gt=0, le=1)
    days: int = Field(ge=0)
    shortest: int = Field(ge=1)


class Settings(StrictModel):
    """`conf/analyses/combinations.yaml`."""

    dataset: str
    reason: str
    outcome: str
    first_day: str
    last_day: str
    bands: tuple[Band, ...]
    extremes: int = Field(ge=1)
    blocks: Blocks
    renames: Renames


def read_settings(context: Context) -> Settings:
    """Reads the settings."""
    return read_model(context.conf / SETTINGS, Settings)
