"""Settings of the `combinations` analysis, in `conf/analyses/combinations.yaml`."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import Field

from socare_spark.analyses.roles import Person, Roles, check_roles
from socare_spark.analyses.vocabulary import Claim, read_claims
from socare_spark.config import StrictModel, read_model
from socare_spark.measures.bands import Band
from socare_spark.measures.periods import Window

SETTINGS = "analyses/combinations.yaml"


class Blocks(StrictModel):
    """Definition of a block of combinations that begin or end together.

    Attributes:
        window: Calendar period of their first (last) uses.
        combinations: Smallest number of combinations in a block.
    """

    window: Window
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


class CombinationRoles(Roles):
    """Roles of the columns of the records, in addition to the columns of the other keys.

    Attributes:
        person: Person of the record.
    """

    person: Person = "person"


class Combinations(StrictModel):
    """`conf/analyses/combinations.yaml`.

    Attributes:
        dataset: Dataset of the records.
        reason: Column of the reason, `CODE - description`.
        outcome: Column of the outcome, `CODE - description`.
        first_day: Column of the first day of a record.
        last_day: Column of its last day.
        roles: Columns of the dataset.
        bands: Bands of people.
        extremes: Number of most and of least used combinations in `subprocess_extremes`.
        blocks: Definition of a block.
        renames: Definition of a renamed reason.
    """

    dataset: str
    reason: str
    outcome: str
    first_day: str
    last_day: str
    roles: CombinationRoles = CombinationRoles()
    bands: tuple[Band, ...]
    extremes: int = Field(ge=1)
    blocks: Blocks
    renames: Renames


class Settings(NamedTuple):
    """Settings of the `combinations` analysis.

    Attributes:
        wanted: `conf/analyses/combinations.yaml`.
        claims: Claims of the sub-processes.
    """

    wanted: Combinations
    claims: Sequence[Claim]


def load_settings(conf: Path) -> Settings:
    """Reads the settings, and checks the roles against the contract."""
    wanted = read_model(conf / SETTINGS, Combinations)
    check_roles(conf, SETTINGS, wanted.dataset, wanted.roles)
    return Settings(wanted, read_claims(conf))
