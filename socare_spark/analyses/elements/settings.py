"""Settings of the `elements` analysis, in `conf/analyses/elements.yaml`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, NamedTuple, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from socare_spark.analyses.agreements import AgedAgreementRoles, read_bands
from socare_spark.analyses.element_codes import read_canonical_codes
from socare_spark.analyses.roles import check_roles
from socare_spark.analyses.vocabulary import read_elements, read_ethnic_groups
from socare_spark.config import StrictModel, check_order, read_model
from socare_spark.measures.bands import Band
from socare_spark.measures.periods import YearRange

SETTINGS = "analyses/elements.yaml"
# Characteristic of the profile that is computed from the age.
AGE_BAND = "age_band"


class Comparison(StrictModel):
    """Two elements to compare.

    Attributes:
        a: Code of an element.
        b: Code of another element.
    """

    a: str
    b: str


class Concentration(YearRange):
    """Elements to map, and the first and last year of the start of agreements.

    Attributes:
        elements: Codes of elements.
    """

    elements: tuple[str, ...] = Field(min_length=1)


District = Annotated[str, StringConstraints(strip_whitespace=True, to_upper=True, min_length=2)]


class Region(StrictModel):
    """A group of postcode districts and its population.

    Attributes:
        districts: Postcode districts, such as B1.
        population: Number of people in the districts; None means no rate per 1,000 people.
    """

    districts: tuple[District, ...] = Field(min_length=1)
    population: Annotated[int, Field(gt=0)] | None = None


class Regions(StrictModel):
    """Regions of interest.

    Attributes:
        of: Name -> region; they may overlap.
        ethnicity: Column of the dataset with the ethnic class.
        first_year: First year in which agreements are open; None means no limit.
        last_year: Last year; None means no limit.
    """

    of: Mapping[str, Region] = Field(min_length=1)
    ethnicity: str = "ethnicity"
    first_year: int | None = None
    last_year: int | None = None

    @property
    def districts(self) -> list[str]:
        """Districts of all regions."""
        return [district for region in self.of.values() for district in region.districts]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        check_order(self, "first_year", "last_year")
        return self


class ElementsSettings(StrictModel):
    """`conf/analyses/elements.yaml`.

    Attributes:
        dataset: Dataset of agreements.
        layer: Layer of `reference/areas` with the city's districts.
        comparisons: Pairs of elements to compare.
        characteristics: Columns of the profile of recipients, in addition to the age band.
        age_bands: Name of a set of age bands.
        concentration: Elements and years of the concentration by district.
        regions: Regions of interest; None means no table of regions.
        roles: Columns of the dataset.
    """

    dataset: str
    layer: str = "district"
    comparisons: tuple[Comparison, ...] = Field(min_length=1)
    characteristics: tuple[str, ...] = ()
    age_bands: str
    concentration: Concentration
    regions: Regions | None = None
    roles: AgedAgreementRoles = AgedAgreementRoles()

    @property
    def compared(self) -> list[str]:
        """Elements of all comparisons, without repetition."""
        return list(dict.fromkeys(code for pair in self.comparisons for code in (pair.a, pair.b)))

    @property
    def named(self) -> list[str]:
        """All elements in the settings."""
        return [*self.compared, *self.concentration.elements]

    @field_validator("characteristics")
    @classmethod
    def _differ(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        names = [*value, AGE_BAND]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if AGE_BAND in repeated:
            raise ValueError(
                f"names {AGE_BAND}, which the profile has in any case: remove it, or give a column "
                "of this name another name with `as` in its contract"
            )
        if repeated:
            raise ValueError(f"names {repeated[0]} more than once")
        return value


class Settings(NamedTuple):
    """Settings of the `elements` analysis.

    Attributes:
        elements: `conf/analyses/elements.yaml`.
        bands: The age bands.
        known: Codes of the vocabulary, in upper case.
        corrections: Spelling of an element -> its canonical code.
        ethnic_groups: Ethnic class -> its group; empty without regions.
    """

    elements: ElementsSettings
    bands: tuple[Band, ...]
    known: tuple[str, ...]
    corrections: Mapping[str, str]
    ethnic_groups: Mapping[str, str]


def load_settings(conf: Path) -> Settings:
    """Reads the settings and the vocabulary, and checks the roles against the contract."""
    elements = read_model(conf / SETTINGS, ElementsSettings)
    check_roles(conf, SETTINGS, elements.dataset, elements.roles)
    return Settings(
        elements,
        read_bands(conf, elements.age_bands, elements.dataset),
        tuple(read_elements(conf)),
        read_canonical_codes(conf),
        read_ethnic_groups(conf) if elements.regions else {},
    )
