"""What a council chooses of its combinations: `conf/analyses/combinations.yaml`."""

from typing import Literal

from pydantic import Field

from socare_spark.analysis import Context
from socare_spark.config import StrictModel, read_model
from socare_spark.measures.bands import Band

SETTINGS = "analyses/combinations.yaml"


class Blocks(StrictModel):
    """When combinations begin or end together.

    Attributes:
        window: Calendar period that their first (last) uses fall in.
        combinations: How many make a block.
    """

    window: Literal["day", "week", "month", "quarter", "year"]
    combinations: int = Field(ge=2)


class Renames(StrictModel):
    """When one reason is taken for the new name of another.

    Attributes:
        similarity: Least share of words that the two texts have in common.
        days: How many days may lie, or overlap, between the last use of one and the first use of
            the other.
        shortest: Letters that a word must have to be the same word with a slip in it.
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
    """The council's choices."""
    return read_model(context.conf / SETTINGS, Settings)
