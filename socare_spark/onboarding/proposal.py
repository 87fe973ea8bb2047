"""The proposed fields of a contract, and the choices that concern several of them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from socare_spark.contracts.project import Scheme
from socare_spark.onboarding.column_facts import Role
from socare_spark.onboarding.dataset import Dataset, DatasetColumn
from socare_spark.onboarding.identifier_schemes import base_name

# Lower edges of age bands, if the configuration has no bands.
DEFAULT_STEPS = (0, 18, 65)


@dataclass(frozen=True)
class ProposedField:
    """The proposed field of a column.

    Attributes:
        declared: The keys of the field, in their order.
        comments: Comments on the proposal. Those that begin with DECIDE need a decision.
        scheme: The identifier scheme that the field needs, or None.
    """

    declared: Mapping[str, object]
    comments: Sequence[str] = ()
    scheme: tuple[str, Scheme] | None = None

    @property
    def treatment(self) -> Mapping[str, Any]:
        """The keys under `socare`."""
        socare = self.declared.get("socare")
        return socare if isinstance(socare, Mapping) else {}


@dataclass(frozen=True)
class Proposal:
    """Choices that concern several columns.

    Attributes:
        dataset: The dataset.
        name: Name of the contract.
        schemes: Schemes of conf/project.yaml.
        steps: Lower edges of age bands.
        key: Names of the columns of the key; empty without a key.
        required: Names of further columns that must have a value.
        missing: Texts of `schema.missingValues`.
    """

    dataset: Dataset
    name: str
    schemes: Mapping[str, Scheme]
    steps: Sequence[int] = DEFAULT_STEPS
    key: Sequence[str] = ()
    required: Collection[str] = ()
    missing: Sequence[str] = ("",)

    @property
    def person(self) -> DatasetColumn | None:
        """The column whose tokens identify people: one that is in the key or complete first."""
        columns = self.of(Role.PERSON) or self.of(Role.NHS)
        ordered = sorted(columns, key=lambda c: (c.name not in self.key, not c.is_complete))
        return ordered[0] if ordered else None

    @property
    def birth(self) -> DatasetColumn | None:
        """The column of the person's date of birth: the first one with dates of whole years."""
        dated = (c for c in self.of(Role.BIRTH) if c.type.is_date)
        return next((c for c in dated if not c.type.has_short_years), None)

    @property
    def postcode(self) -> DatasetColumn | None:
        """The column of the place: the first postcode that can be kept."""
        return next((c for c in self.of(Role.POSTCODE) if c.has_valid_postcodes), None)

    @property
    def event(self) -> DatasetColumn | None:
        """The column of the day at which an age is taken: the first date, complete ones first."""
        columns = [c for c in self.dataset.columns if c.type.is_date and c.role is Role.NONE]
        ordered = sorted(columns, key=lambda c: c.filled < c.rows)
        return ordered[0] if ordered else None

    @property
    def person_schemes(self) -> set[str]:
        """Names of the schemes of people, of the project and of the columns."""
        columns = (*self.of(Role.PERSON), *self.of(Role.NHS))
        return {name for name, s in self.schemes.items() if s.person} | {*map(base_name, columns)}

    def of(self, role: Role) -> list[DatasetColumn]:
        """The columns of a role that have a value."""
        return [c for c in self.dataset.columns if c.role is role and c.filled]
