"""A file of the landing folder, identified by its dataset, period and part."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from socare_spark.contracts.contract import Contract


@dataclass(frozen=True)
class LandedFile:
    """A file whose name matches `socare.files` of a contract.

    Attributes:
        contract: The contract.
        path: The file.
        name: Path below the landing folder, with forward slashes.
        period: Period as written in the name.
        part: All named groups of the name except period and revision, as `group=value|…`. It
            identifies one of several files of a period.
        revision: Revision of the file; 0 if the name has none. The highest replaces the others.
    """

    contract: Contract
    path: Path
    name: str
    period: str
    part: str
    revision: int

    @property
    def as_of(self) -> date:
        """Last day of the period.

        Raises:
            ValueError: the period cannot be parsed.
        """
        return self.contract.calendar.last(self.period)

    @property
    def extract(self) -> date | None:
        """Last day of the period; None if the period cannot be parsed."""
        try:
            return self.as_of
        except ValueError:
            return None

    @property
    def identity(self) -> tuple[str, str, str]:
        """Dataset, as-of day and part: a corrected file shares them with the file it replaces."""
        return (self.contract.name, str(self.as_of), self.part)

    @property
    def encoding(self) -> str:
        """The encoding declared for the period."""
        return self.contract.encoding_of(self.as_of)
