"""Names of the columns of the restricted table that a draft declares, without collisions."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from socare_spark.contracts.contract import PERSON, SOURCE_LINE
from socare_spark.contracts.extension import Extension
from socare_spark.contracts.header_names import NAME, normalise_header
from socare_spark.onboarding.proposal import ProposedField

# Names of columns that every table has, or that have a meaning of their own.
_RESERVED = {Extension.model_fields["extract_column"].default, *SOURCE_LINE, PERSON}


def with_distinct_names(fields: Sequence[ProposedField]) -> list[ProposedField]:
    """Declares another name (`as`) for each column whose name is taken, reserved or not valid."""
    treatments = [field.treatment for field in fields]
    taken = _RESERVED | {t["as"] for t in treatments if "as" in t}
    return [
        replace(field, declared={**field.declared, "socare": _named(field, treatment, taken)})
        for field, treatment in zip(fields, treatments, strict=True)
    ]


def _named(field: ProposedField, treatment: Mapping[str, Any], taken: set[str]) -> dict[str, Any]:
    own = normalise_header(str(field.declared["name"]))
    valid = own if re.search(NAME, own) else f"column_{own}"
    named = dict(treatment)
    if "as" not in named:
        # A dropped column has no column of the table, and needs a valid name only.
        name = valid if named.get("drop") else _free(valid, taken)
        if name != own:
            named["as"] = name
    for key in ("age", "day"):
        declared = named.get(key)
        if isinstance(declared, dict):
            named[key] = {**declared, "as": _free(declared["as"], taken)}
        elif declared:
            named[key] = _free(declared, taken)
    return named


def _free(name: str, taken: set[str]) -> str:
    """A name that is not taken yet, which is then taken."""
    count = 2
    free = name
    while free in taken:
        free = f"{name}_{count}"
        count += 1
    taken.add(free)
    return free
