"""Settings of the `combinations` analysis, in `conf/analyses/combinations.yaml`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple, Self

from pydantic import Field, model_validator

from socare_spark.analyses.roles import (
    DAY,
    FLAG,
    TEXT,
    Column,
    Person,
    Roles,
    check_columns,
    check_roles,
)
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
        reason: Column of the reason, `CODE - description`; None without tables of reasons.
        outcome: Column of the outcome, `CODE - description`; None without tables of reasons.
        columns: Columns of `combination_sets`. A reason and an outcome count by their code, other
            columns as they are written. Without columns and flags these are reason and outcome.
        flags: Yes/no columns of `combination_sets`.
        empty_flags: Meaning of a flag without a value. With `not_known`, `combination_sets` leaves
            the record out, and the run reports the number. With `not_true`, the flag is not true.
        first_day: Column of the first day of a record; None if there is none.
        last_day: Column of its last day; None if the first day is also the last one.
        roles: Columns of the dataset.
        bands: Bands of people; without any there is no `combination_bands`.
        extremes: Number of most and of least used combinations in `subprocess_extremes`; without it
            there is no such table.
        blocks: Definition of a block; without it there is no `combination_blocks`.
        renames: Definition of a renamed reason; without it there is no `combination_renames`.
    """

    dataset: str
    reason: str | None = None
    outcome: str | None = None
    columns: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    empty_flags: Literal["not_known", "not_true"] = "not_known"
    first_day: str | None = None
    last_day: str | None = None
    roles: CombinationRoles = CombinationRoles()
    bands: tuple[Band, ...] = ()
    extremes: int | None = Field(default=None, ge=1)
    blocks: Blocks | None = None
    renames: Renames | None = None

    @model_validator(mode="after")
    def _has_columns(self) -> Self:
        if (self.reason is None) != (self.outcome is None):
            raise ValueError("'reason' and 'outcome' must both be given, or neither")
        if not (self.has_pairs or self.has_sets):
            raise ValueError("needs 'reason' and 'outcome', or 'columns' or 'flags'")
        named = [*self.columns, *self.flags]
        repeated = sorted({name for name in named if named.count(name) > 1})
        if repeated:
            raise ValueError(f"'columns' and 'flags' name {repeated[0]} more than once")
        return self

    @property
    def has_pairs(self) -> bool:
        """Whether the records have a reason and an outcome."""
        return self.reason is not None

    @property
    def has_sets(self) -> bool:
        """Whether columns or flags of combinations are declared."""
        return bool(self.columns or self.flags)

    @property
    def named_columns(self) -> dict[str, tuple[str, Column]]:
        """Key in the file -> name and declaration of each column that it names."""
        keys = {
            "reason": (self.reason, TEXT),
            "outcome": (self.outcome, TEXT),
            "first_day": (self.first_day, DAY),
            "last_day": (self.last_day, DAY),
        }
        named = {key: (name, column) for key, (name, column) in keys.items() if name is not None}
        named |= {f"columns.{at}": (name, TEXT) for at, name in enumerate(self.columns)}
        return named | {f"flags.{at}": (name, FLAG) for at, name in enumerate(self.flags)}


class Settings(NamedTuple):
    """Settings of the `combinations` analysis.

    Attributes:
        wanted: `conf/analyses/combinations.yaml`.
        claims: Claims of the sub-processes.
    """

    wanted: Combinations
    claims: Sequence[Claim]


def load_settings(conf: Path) -> Settings:
    """Reads the settings, and checks the columns against the contract."""
    wanted = read_model(conf / SETTINGS, Combinations)
    check_columns(conf, SETTINGS, wanted.dataset, wanted.named_columns)
    check_roles(conf, SETTINGS, wanted.dataset, wanted.roles)
    return Settings(wanted, read_claims(conf) if wanted.has_pairs else [])
