"""Checks the identifier schemes of contracts against `conf/project.yaml`."""

from collections.abc import Sequence

from socare_spark.contracts.contract import Contract
from socare_spark.contracts.project import Project
from socare_spark.spelling import closest_names


def scheme_faults(project: Project, contracts: Sequence[Contract]) -> list[str]:
    """Faults of the schemes that contracts use: unknown schemes, and persons without a scheme of
    people.
    """
    return [fault for contract in contracts for fault in _faults(project, contract)]


def _faults(project: Project, contract: Contract) -> list[str]:
    faults = []
    file = f"conf/datasets/{contract.name}.yaml"
    used = {f.socare.pseudonymise for f in contract.fields if f.socare.pseudonymise}
    for scheme in sorted(used - {*project.schemes}):
        close = closest_names(scheme, project.schemes)
        hint = f" (the nearest are {', '.join(close)})" if close else ""
        faults.append(
            f"{file} names the identifier scheme {scheme}, which conf/project.yaml does not "
            f"declare{hint}: declare it there."
        )
    person, scheme = contract.person, contract.person_scheme
    if person and scheme in project.schemes and not project.schemes[scheme].person:
        faults.append(
            f"{file} writes {person.name} as person under the scheme {scheme}, which does not "
            "identify people: declare person: true for the scheme in conf/project.yaml, or use "
            "another scheme, or a name other than person."
        )
    return faults
