"""What `conf/analyses/use.yaml` may say."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from socare_spark.config import StrictModel
from socare_spark.measures.periods import FinancialYear, Quarter
from socare_spark.measures.residuals import LEAST_EXPECTED

SETTINGS = "analyses/use.yaml"
_Codes = Annotated[tuple[str, ...], Field(min_length=1)]
_Millions = Annotated[Decimal, Field(gt=0)]


class Quarters(StrictModel):
    """People by quarter.

    Attributes:
        elements: Codes of elements, each counted for itself.
        first: First quarter.
        last: Last quarter.
        pairs: Two quarters each whose people are compared; `all` means every two from `first` to
            `last`.
    """

    elements: _Codes
    first: Quarter
    last: Quarter
    pairs: Literal["all"] | tuple[tuple[Quarter, Quarter], ...] = ()

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError("'last' must not be before 'first'")
        if self.pairs != "all" and any(a == b for a, b in self.pairs):
            raise ValueError("a pair must be of two different quarters")
        return self


class Savings(StrictModel):
    """What a programme is to save.

    Attributes:
        base_year: Financial year of the net spend.
        net_spend: What the programme costs in it, in millions of pounds.
        targets: Financial year -> what it is to cost less than in the base year, in millions.
    """

    base_year: FinancialYear
    net_spend: _Millions
    targets: Annotated[Mapping[FinancialYear, _Millions], Field(min_length=1)]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if min(self.targets) <= self.base_year:
            raise ValueError("targets must be of years after the base year")
        return self


class Programme(StrictModel):
    """Elements that are looked at together: those named, and those of the services."""

    elements: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    savings: Savings | None = None

    @model_validator(mode="after")
    def _of_something(self) -> Self:
        if not self.elements and not self.services:
            raise ValueError("a programme needs elements or services")
        return self


class Trend(StrictModel):
    """Quarters from which the cost of programmes is forecast: the first and the last."""

    first: Quarter
    last: Quarter

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError("'last' must not be before 'first'")
        return self


class Target(StrictModel):
    """The saving of a programme in a financial year."""

    programme: str
    year: FinancialYear


class Threshold(StrictModel):
    """Use beyond a number of consecutive weeks.

    Attributes:
        elements: Codes of elements, each counted for itself and all together.
        weeks: More than these are beyond.
        gap_days: So many days may lie between two agreements that count as consecutive.
        population_year: Year of the population; None means the newest a district has.
        target: Saving that the cost of the time beyond is held against, or None.
    """

    elements: _Codes
    weeks: int = Field(default=6, ge=1)
    gap_days: int = Field(default=0, ge=0)
    population_year: int | None = None
    target: Target | None = None

    @property
    def days(self) -> int:
        """The weeks in days."""
        return self.weeks * 7


class Split(StrictModel):
    """Internal against external provision.

    Attributes:
        services: Services whose elements are counted.
        client_groups: Client groups whose codes carry the letter.
        internal: Letter after the client group of an element that the council provides itself.
        external: Letter of one that it buys.
        significance: Below this an adjusted p marks a district.
        least_expected: Records that a district must let expect of either kind to be tested.
    """

    services: _Codes
    client_groups: _Codes
    internal: str = Field(default="I", min_length=1)
    external: str = Field(default="E", min_length=1)
    significance: float = Field(default=0.05, gt=0, lt=1)
    least_expected: float = Field(default=LEAST_EXPECTED, ge=0)


class UseSettings(StrictModel):
    """`conf/analyses/use.yaml`.

    Attributes:
        dataset: The agreements, with cost.
        layer: Layer of the city's postcode districts.
        first_year: First calendar year of the tables by year.
        last_year: Last one.
        quarters: People by quarter.
        programmes: Groups of elements whose cost is followed, by name.
        trend: Quarters from which their cost is forecast.
        threshold: Use beyond a threshold.
        split: Internal against external provision.
    """

    dataset: str
    layer: str = "district"
    first_year: int
    last_year: int
    quarters: Quarters
    programmes: Annotated[Mapping[str, Programme], Field(min_length=1)]
    trend: Trend
    threshold: Threshold
    split: Split

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.last_year < self.first_year:
            raise ValueError("'last_year' must not be before 'first_year'")
        target = self.threshold.target
        if target is not None and self._saving(target) is None:
            raise ValueError(
                f"the target of 'threshold' names {target.programme} {target.year}, for which "
                "'programmes' has no saving"
            )
        return self

    def _saving(self, target: Target) -> Decimal | None:
        programme = self.programmes.get(target.programme)
        savings = programme.savings if programme else None
        return savings.targets.get(target.year) if savings else None

    @property
    def threshold_target(self) -> Decimal | None:
        """The saving in pounds that use beyond the threshold is held against, or None."""
        target = self.threshold.target
        millions = None if target is None else self._saving(target)
        return None if millions is None else millions * 1_000_000
