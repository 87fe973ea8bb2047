"""The subject of a column, and the facts by which it is found."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from socare_spark.onboarding.column_types import ColumnType

# A column of fewer different texts can have categories rather than names or identifiers.
FEW = 20
MOST, SOME = 0.8, 0.1


class Role(StrEnum):
    """The subject of a column."""

    PERSON = "identifier of a person"
    NHS = "NHS number"
    RECORD = "identifier of a record"
    OTHER_ID = "identifier"
    PRIVATE_NUMBER = "number of a home, a vehicle, an account or a document"
    NAME = "name of a person"
    STAFF = "member of staff"
    BIRTH = "date of birth"
    POSTCODE = "postcode"
    DISTRICT = "part of a postcode"
    EMAIL = "e-mail address"
    PHONE = "telephone number"
    NATIONAL_INSURANCE = "National Insurance number"
    ADDRESS = "address"
    FREE_TEXT = "free text"
    X = "easting or longitude"
    Y = "northing or latitude"
    POINT = "coordinates"
    AREA = "area code"
    MIXED = "personal values beside others"
    RARE = "text that hardly repeats"
    LIKE_NAMES = "text in the form of names"
    NONE = ""


PERSONAL = frozenset(Role) - {
    Role.RECORD, Role.OTHER_ID, Role.DISTRICT, Role.AREA, Role.LIKE_NAMES, Role.NONE,
}  # fmt: skip


@dataclass(frozen=True)
class ColumnFacts:
    """The facts on a column by which its role is found.

    Attributes:
        name: Name of the column as written.
        type: Its type.
        sample: Different texts at even distances, without missing values.
        distinct: Number of different texts, without missing values.
        rows: Number of rows with a text that is not a missing value.
        mean_length: Mean number of characters.
    """

    name: str
    type: ColumnType
    sample: Sequence[str]
    distinct: int
    rows: int
    mean_length: float = 0.0

    @property
    def distinct_share(self) -> float:
        """Different texts for each row with a text; 0 without rows."""
        return self.distinct / self.rows if self.rows else 0.0

    @property
    def repeats(self) -> bool:
        """Whether the texts are so few that they can be categories."""
        return self.distinct < min(FEW, self.rows)

    @property
    def mean_words(self) -> float:
        """Mean number of words of the sampled texts."""
        return sum(text.count(" ") for text in self.sample) / max(len(self.sample), 1) + 1

    def share(self, condition: Callable[[str], object]) -> float:
        """Share of the sampled texts that meet a condition; 0 without texts."""
        return sum(map(bool, map(condition, self.sample))) / max(len(self.sample), 1)
