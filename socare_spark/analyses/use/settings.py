"""Settings of the `use` analysis, in `conf/analyses/use.yaml`."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from socare_spark.analyses.agreements import AgreementRoles
from socare_spark.analyses.element_codes import read_canonical_codes
from socare_spark.analyses.roles import check_roles
from socare_spark.analyses.vocabulary import Element, Elements, read_element_words
from socare_spark.config import StrictModel, check_order, read_model
from socare_spark.errors import ConfigurationError
from socare_spark.measures.periods import FinancialYear, Quarter, YearRange
from socare_spark.measures.residuals import LEAST_EXPECTED

SETTINGS = "analyses/use.yaml"
_Codes = Annotated[tuple[str, ...], Field(min_length=1)]
_Millions = Annotated[Decimal, Field(gt=0)]


class QuarterRange(StrictModel):
    """Consecutive quarters.

    Attributes:
        first: First quarter.
        last: Last quarter, included.
    """

    first: Quarter
    last: Quarter

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        check_order(self, "first", "last")
        return self


class Quarters(QuarterRange):
    """Settings of people by quarter.

    Attributes:
        elements: Codes of elements, counted separately.
        pairs: Pairs of quarters to compare; `all` means all pairs from `first` to `last`.
    """

    elements: _Codes
    pairs: Literal["all"] | tuple[tuple[Quarter, Quarter], ...] = ()

    @model_validator(mode="after")
    def _of_two(self) -> Self:
        if self.pairs != "all" and any(a == b for a, b in self.pairs):
            raise ValueError("a pair must be of two different quarters")
        return self


class Savings(StrictModel):
    """Savings targets of a programme.

    Attributes:
        base_year: Financial year of the net spend.
        net_spend: Cost of the programme in the base year, in millions of pounds.
        targets: Financial year -> saving relative to the base year, in millions of pounds.
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
    """A group of elements: those in `elements`, and all elements of `services`.

    Attributes:
        elements: Codes of elements.
        services: Codes of services in `vocabulary/elements.yaml`.
        savings: Savings targets of the programme, or None.
    """

    elements: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    savings: Savings | None = None

    @model_validator(mode="after")
    def _of_something(self) -> Self:
        if not self.elements and not self.services:
            raise ValueError("a programme needs elements or services")
        return self


class Trend(QuarterRange):
    """First and last quarter from which the cost of programmes is forecast."""


class Target(StrictModel):
    """Reference to the savings target of a programme in a financial year.

    Attributes:
        programme: Name of the programme.
        year: Financial year, such as 2016/17.
    """

    programme: str
    year: FinancialYear


class Threshold(StrictModel):
    """Settings of use beyond a number of consecutive weeks.

    Attributes:
        elements: Codes of elements, counted separately and together.
        weeks: The threshold in weeks.
        gap_days: Largest gap in days between two agreements that count as consecutive.
        population_year: Year of the population; None means the newest year of a district.
        target: Savings target with which the cost beyond the threshold is compared, or None.
    """

    elements: _Codes
    weeks: int = Field(default=6, ge=1)
    gap_days: int = Field(default=0, ge=0)
    population_year: int | None = None
    target: Target | None = None

    @property
    def days(self) -> int:
        """The threshold in days."""
        return self.weeks * 7


class Split(StrictModel):
    """Settings of internal and external provision.

    Attributes:
        services: Services whose elements are counted.
        client_groups: Client groups whose codes have the letter of the provider.
        internal: Letter after the client group for an element that the council provides itself.
        external: Letter for an element that the council buys.
        significance: Upper limit of the adjusted p of a marked district.
        least_expected: Smallest expected number of records of either kind for a test.
    """

    services: _Codes
    client_groups: _Codes
    internal: str = Field(default="I", min_length=1)
    external: str = Field(default="E", min_length=1)
    significance: float = Field(default=0.05, gt=0, lt=1)
    least_expected: float = Field(default=LEAST_EXPECTED, ge=0)


class UseSettings(YearRange):
    """`conf/analyses/use.yaml`.

    Attributes:
        dataset: Dataset of agreements with cost.
        layer: Layer of the city's postcode districts.
        first_year: First calendar year of the tables by year.
        last_year: Last calendar year of the tables by year.
        quarters: Settings of people by quarter.
        programmes: Name -> group of elements whose cost is analysed.
        trend: Quarters from which the cost is forecast.
        threshold: Settings of use beyond a threshold.
        split: Settings of internal and external provision.
        roles: Columns of the dataset.
    """

    dataset: str
    layer: str = "district"
    quarters: Quarters
    programmes: Annotated[Mapping[str, Programme], Field(min_length=1)]
    trend: Trend
    threshold: Threshold
    split: Split
    roles: AgreementRoles = AgreementRoles()

    @model_validator(mode="after")
    def _fits(self) -> Self:
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
        """Savings target in pounds for the comparison of the cost beyond the threshold, or None."""
        target = self.threshold.target
        millions = None if target is None else self._saving(target)
        return None if millions is None else millions * 1_000_000


class Provider(NamedTuple):
    """An element of a client group, with its provider.

    Attributes:
        element: Code in upper case.
        client_group: Name of the client group.
        is_internal: Whether the council provides it itself.
    """

    element: str
    client_group: str
    is_internal: bool


class Settings(NamedTuple):
    """Settings of the `use` analysis.

    Attributes:
        use: `conf/analyses/use.yaml`.
        groups: Programme -> its elements.
        providers: Elements of internal and external provision.
        corrections: Spelling of an element -> its canonical code.
    """

    use: UseSettings
    groups: Mapping[str, tuple[str, ...]]
    providers: tuple[Provider, ...]
    corrections: Mapping[str, str]

    @property
    def savings(self) -> dict[str, Savings]:
        """Programme -> its savings targets, if it has any."""
        programmes = self.use.programmes.items()
        return {name: each.savings for name, each in programmes if each.savings}

    @property
    def named_elements(self) -> list[str]:
        """The elements that `use.yaml` names; elements of services are not among them."""
        of_programmes = (programme.elements for programme in self.use.programmes.values())
        of_tables = (self.use.quarters.elements, self.use.threshold.elements)
        return [code for codes in (*of_tables, *of_programmes) for code in codes]

    @property
    def elements(self) -> list[str]:
        """All elements that a table counts, without repetition."""
        of_groups = [code for codes in self.groups.values() for code in codes]
        of_providers = [provider.element for provider in self.providers]
        return [*dict.fromkeys([*self.named_elements, *of_groups, *of_providers])]


def load_settings(conf: Path) -> Settings:
    """Reads the settings and the vocabulary.

    Raises:
        ConfigurationError: the vocabulary has no element of a service or client group, or the
            contract has no column of a role.
    """
    use, words = read_model(conf / SETTINGS, UseSettings), read_element_words(conf)
    check_roles(conf, SETTINGS, use.dataset, use.roles)
    services = {word.service for word in words.elements}
    of_programmes = {code for each in use.programmes.values() for code in each.services}
    _check("service", of_programmes, services)
    _check("service", use.split.services, services)
    _check("client group", use.split.client_groups, {word.client_group for word in words.elements})
    groups = {name: _elements_of(each, words) for name, each in use.programmes.items()}
    return Settings(use, groups, providers_of(words, use.split), read_canonical_codes(conf))


def dataset_in_use(conf: Path) -> str | None:
    """Dataset of agreements in `conf/analyses/use.yaml`; None without the file."""
    use = _if_present(conf)
    return None if use is None else use.dataset


def roles_in_use(conf: Path, dataset: str) -> AgreementRoles:
    """Roles of a dataset in `conf/analyses/use.yaml`; the defaults if it names another dataset."""
    use = _if_present(conf)
    return AgreementRoles() if use is None or use.dataset != dataset else use.roles


def _if_present(conf: Path) -> UseSettings | None:
    path = conf / SETTINGS
    return read_model(path, UseSettings) if path.is_file() else None


def _check(kind: str, names: Iterable[str], vocabulary: Iterable[str]) -> None:
    """Raises a `ConfigurationError` for a name that the vocabulary does not have."""
    allowed = sorted({*vocabulary} - {""})
    for name in names:
        if name not in allowed:
            raise ConfigurationError(
                f"{SETTINGS} names the {kind} {name}, but vocabulary/elements.yaml has no element "
                f"with it; it has {', '.join(allowed)}."
            )


def _elements_of(programme: Programme, words: Elements) -> tuple[str, ...]:
    of_services = [word.code for word in words.elements if word.service in programme.services]
    return tuple(dict.fromkeys(code.upper() for code in (*programme.elements, *of_services)))


def providers_of(words: Elements, split: Split) -> tuple[Provider, ...]:
    """Lists the elements of the services with their provider.

    Args:
        words: The vocabulary.
        split: Services, client groups and letters.
    """
    found = (_provider(word, words, split) for word in words.elements)
    return tuple(provider for provider in found if provider)


def _provider(word: Element, words: Elements, split: Split) -> Provider | None:
    """The provider of an element; None for an element that is not counted."""
    if word.service not in split.services or word.client_group not in split.client_groups:
        return None
    code = word.code.upper()
    after = code.removeprefix(word.client_group.upper())
    if not after.startswith((split.internal, split.external)):
        return None
    name = words.client_groups.get(word.client_group, word.client_group)
    return Provider(code, name, after.startswith(split.internal))
