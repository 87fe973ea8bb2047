"""What a council says about elements, in `conf/analyses/elements.yaml`."""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from socare_spark.config import StrictModel

SETTINGS = "analyses/elements.yaml"


class Comparison(StrictModel):
    """Two elements."""

    a: str
    b: str


class Concentration(StrictModel):
    """Elements of agreements that start from the first year to the last."""

    elements: tuple[str, ...] = Field(min_length=1)
    first_year: int
    last_year: int


District = Annotated[str, StringConstraints(strip_whitespace=True, to_upper=True, min_length=2)]


class Region(StrictModel):
    """Postcode districts that are looked at together, and how many people live in them."""

    districts: tuple[District, ...] = Field(min_length=1)
    population: Annotated[int, Field(gt=0)] | None = None


class Regions(StrictModel):
    """Regions of interest.

    Attributes:
        of: Name -> region; they may overlap.
        ethnicity: Column of the dataset with the ethnic class.
        first_year: Of the years in which agreements are open; None means from the first.
        last_year: None means to the last.
    """

    of: Mapping[str, Region] = Field(min_length=1)
    ethnicity: str = "ethnicity"
    first_year: int | None = None
    last_year: int | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.first_year and self.last_year and self.last_year < self.first_year:
            raise ValueError("'last_year' must not be before 'first_year'")
        return self


class Settings(StrictModel):
    """`conf/analyses/elements.yaml`."""

    dataset: str
    layer: str = "district"
    comparisons: tuple[Comparison, ...] = Field(min_length=1)
    characteristics: tuple[str, ...] = ()
    age_bands: str
    concentration: Concentration
    regions: Regions | None = None

    @property
    def compared(self) -> list[str]:
        """The elements of all comparisons, each once."""
        return list(dict.fromkeys(code for pair in self.comparisons for code in (pair.a, pair.b)))

    @property
    def columns(self) -> list[str]:
        """Columns of the dataset that it names."""
        of_regions = [self.regions.ethnicity] if self.regions else []
        return list(dict.fromkeys([*self.characteristics, *of_regions]))
