"""Names of the records of a dataset, or of the cases of a flow, for the texts of charts."""

from pydantic import Field

from socare_spark.config import StrictModel


class Noun(StrictModel):
    """Name of records or cases in charts.

    Attributes:
        one: Singular, such as `permit`.
        many: Plural, such as `permits`.
    """

    one: str = Field(min_length=1)
    many: str = Field(min_length=1)

    @property
    def title(self) -> str:
        """The plural at the beginning of a title."""
        return self.many[0].upper() + self.many[1:]
