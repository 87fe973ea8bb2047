"""Identifier schemes of the columns of a draft."""

import re
from collections.abc import Collection, Mapping

from socare_spark.contracts.contract import PERSON
from socare_spark.contracts.header_names import normalise_header
from socare_spark.contracts.project import Scheme
from socare_spark.onboarding.column_facts import Role
from socare_spark.onboarding.dataset import DatasetColumn
from socare_spark.onboarding.header_words import words_of
from socare_spark.onboarding.personal_words import IDENTIFIER

_PLACEHOLDERS = ("", "0", "999999999", "UNKNOWN", "NA", "N/A", "NULL", "NONE", "NAN", "-", "TEST")


def base_name(column: DatasetColumn) -> str:
    """The name of the scheme of a column that is no record's identifier, by its header."""
    if column.role is Role.NHS:
        return "nhs"
    parts = [w for w in words_of(column.name) if w not in IDENTIFIER and w != "la"]
    name = "_".join(parts) or normalise_header(column.name)
    name = PERSON if name in ("per", "pers") else name
    return name if name[:1].isalpha() else f"id_{name}"


def scheme_of(
    column: DatasetColumn,
    dataset: str,
    schemes: Mapping[str, Scheme],
    person_schemes: Collection[str],
) -> tuple[str, Scheme]:
    """The scheme of an identifier: one of the project with its name, or a new one.

    A record never has a scheme of people, and a person never one of records, even if their names
    are the same.

    Args:
        column: The column.
        dataset: Name of the dataset, which names the scheme of its records.
        schemes: Schemes of the project.
        person_schemes: Names of the schemes of people, of the project and of the dataset.
    """
    of_person = column.role in (Role.PERSON, Role.NHS)
    name = dataset if column.role is Role.RECORD else base_name(column)
    if re.fullmatch("column(_[0-9]+)?", name):
        # Columns without a header have the same names in all datasets.
        name = f"{dataset}_{name}"
    ending = "_person" if of_person else "_record"
    while (name in schemes and schemes[name].person != of_person) or (
        name in person_schemes and not of_person
    ):
        name += ending
    proposed = Scheme(
        person=of_person,
        strip_leading_zeros=column.type.name == "integer",
        remove=" -" if column.role is Role.NHS else "",
        placeholders=_PLACEHOLDERS if of_person else (),
    )
    return name, schemes.get(name, proposed)
